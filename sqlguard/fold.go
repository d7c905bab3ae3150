package sqlguard

import (
	"slices"
	"strconv"
	"strings"
)

// fold gives the text that an expression comes to, where it is made of
// constants, and of variables of which one value is known.
func fold(n *node, known map[string]string) (string, bool) {
	switch m := unwrap(n).(type) {
	case *aConst:
		if m.Isnull {
			return "", false
		}
		if m.GetSval() != nil {
			return m.GetSval().Sval, true
		}
		return constText(m), m.GetIval() != nil || m.Val == nil
	case *columnRef:
		parts := names(m.Fields)
		s, ok := known[parts[0]]
		return s, ok && len(parts) == 1
	case *paramRef:
		s, ok := known["$"+strconv.Itoa(int(m.Number))]
		return s, ok
	case *typeCast:
		schema, name := qualified(names(m.TypeName.GetNames()))
		if schema != "" && schema != "pg_catalog" || name != "text" || len(m.TypeName.GetArrayBounds()) > 0 {
			return "", false // it may be cut
		}
		return fold(m.Arg, known)
	case *aExpr:
		if m.Kind == opPlain && strings.Join(names(m.Name), ".") == "||" && m.Lexpr != nil {
			a, ok1 := fold(m.Lexpr, known)
			b, ok2 := fold(m.Rexpr, known)
			return a + b, ok1 && ok2
		}
	case *funcCall:
		return foldCall(m, known)
	}
	return "", false
}

func foldCall(m *funcCall, known map[string]string) (string, bool) {
	schema, name := qualified(names(m.Funcname))
	if schema != "" && schema != "pg_catalog" || m.FuncVariadic || m.AggDistinct || m.Over != nil {
		return "", false
	}
	args := make([]string, len(m.Args))
	for i, n := range m.Args {
		s, ok := fold(n, known)
		if !ok {
			return "", false
		}
		args[i] = s
	}
	switch {
	case name == "format" && len(args) > 0:
		return foldFormat(args[0], args[1:])
	case name == "concat":
		return strings.Join(args, ""), true
	case name == "quote_ident" && len(args) == 1:
		return quoteIdent(args[0]), true
	case name == "quote_literal" && len(args) == 1:
		return quoteText(args[0]), true
	}
	return "", false
}

// foldFormat is format() with %s, %I, %L and %% alone.
func foldFormat(format string, args []string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", false
		}
		if format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return "", false
		}
		switch format[i] {
		case 's':
			out.WriteString(args[0])
		case 'I':
			out.WriteString(quoteIdent(args[0]))
		case 'L':
			out.WriteString(quoteText(args[0]))
		default:
			return "", false
		}
		args = args[1:]
	}
	return out.String(), true
}

// quoteIdent is quote_ident(), which leaves fewer names as they are: in quotes
// they mean the same.
func quoteIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func quoteText(s string) string {
	if strings.Contains(s, `\`) {
		return " E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// folded gives the arguments of a call that are constants, by their places, as
// parameters: $1.
func folded(m *funcCall, known map[string]string) map[string]string {
	if m == nil || m.FuncVariadic || slices.ContainsFunc(m.Args, func(n *node) bool { _, named := unwrap(n).(*namedArg); return named }) {
		return nil
	}
	var args map[string]string
	for i, n := range m.Args {
		if s, ok := fold(n, known); ok {
			if args == nil {
				args = map[string]string{}
			}
			args["$"+strconv.Itoa(i+1)] = s
		}
	}
	return args
}
