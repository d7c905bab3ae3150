package sqlguard

import (
	"slices"
	"strconv"
	"strings"
)

// folding works out the text that an expression comes to, where it is made of
// constants, and of variables of which one value is known. What it gives is what
// the server gives, to the byte, or nothing.
type folding struct {
	known map[string]string
	used  []string // functions and operators that were taken for PostgreSQL's own
}

// Around an identifier that quote_ident or %I put into a text stand two marks.
// Whether it has quotes depends on the server's version and settings: it must
// not touch what could become a part of it, or a name beside it.
const mark = '\x01'

// fold gives the text of an expression.
func (r *reader) fold(n *node, known map[string]string) (string, bool) {
	f := &folding{known: known}
	s, ok := f.text(n)
	if !ok {
		return "", false
	}
	if s, ok = unmarked(s); !ok {
		return "", false
	}
	for _, name := range f.used {
		switch {
		case r.cat == nil:
			r.wants = true
		case r.cat.othersMake(name):
			return "", false
		}
		r.folded = append(r.folded, name)
	}
	return s, true
}

// othersMake reports whether a function or an operator of a name is not
// PostgreSQL's own: an expression may mean it.
func (c *Catalog) othersMake(name string) bool {
	if name == "||" {
		return c.code != nil && c.code.shadowing[name]
	}
	_, user := c.user[name]
	return user
}

// unmarked takes out the marks; false where what is marked touches something.
func unmarked(s string) (string, bool) {
	if !strings.ContainsRune(s, mark) {
		return s, true
	}
	touches := func(c byte) bool {
		return identPart(c) || strings.IndexByte(`"'&`, c) >= 0
	}
	inside := false
	for i := 0; i < len(s); i++ {
		if s[i] != mark {
			continue
		}
		switch inside = !inside; {
		case inside && i > 0 && (touches(s[i-1]) || s[i-1] == mark):
			return "", false
		case !inside && i+1 < len(s) && (touches(s[i+1]) || s[i+1] == mark):
			return "", false
		}
	}
	return strings.ReplaceAll(s, string(mark), ""), true
}

func (f *folding) text(n *node) (string, bool) {
	switch m := unwrap(n).(type) {
	case *aConst:
		switch {
		case m.Isnull:
		case m.GetSval() != nil:
			return m.GetSval().Sval, !strings.ContainsRune(m.GetSval().Sval, mark)
		case m.GetIval() != nil:
			return strconv.Itoa(int(m.GetIval().Ival)), true
		}
	case *columnRef:
		parts := names(m.Fields)
		s, ok := f.known[parts[0]]
		return s, ok && len(parts) == 1
	case *paramRef:
		s, ok := f.known["$"+strconv.Itoa(int(m.Number))]
		return s, ok
	case *typeCast:
		schema, name := qualified(names(m.TypeName.GetNames()))
		if schema != "" && schema != "pg_catalog" || name != "text" || len(m.TypeName.GetArrayBounds()) > 0 {
			return "", false // it may be cut
		}
		return f.text(m.Arg)
	case *aExpr:
		if m.Kind == opPlain && len(m.Name) == 1 && operator(m) == "||" && m.Lexpr != nil && (isText(m.Lexpr) || isText(m.Rexpr)) {
			a, ok1 := f.text(m.Lexpr)
			b, ok2 := f.text(m.Rexpr)
			f.used = append(f.used, "||")
			return a + b, ok1 && ok2
		}
	case *funcCall:
		return f.call(m)
	}
	return "", false
}

// isText reports whether an operand makes || join texts: one that is no number.
func isText(n *node) bool {
	m, ok := unwrap(n).(*aConst)
	return !ok || m.GetSval() != nil
}

func (f *folding) call(m *funcCall) (string, bool) {
	schema, name := qualified(names(m.Funcname))
	if schema != "" && schema != "pg_catalog" || m.FuncVariadic || m.AggDistinct || m.AggStar || m.Over != nil ||
		m.AggFilter != nil || len(m.AggOrder) > 0 {
		return "", false
	}
	args := make([]string, len(m.Args))
	for i, n := range m.Args {
		s, ok := f.text(n)
		if !ok {
			return "", false
		}
		args[i] = s
	}
	if schema == "" {
		f.used = append(f.used, name)
	}
	switch {
	case name == "format" && len(args) > 0:
		return foldFormat(args[0], args[1:])
	case name == "concat":
		return strings.Join(args, ""), true
	case name == "quote_ident" && len(args) == 1:
		return quoteIdent(args[0])
	case name == "quote_literal" && len(args) == 1:
		return quoteText(args[0])
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
		s, ok := args[0], true
		switch format[i] {
		case 's':
		case 'I':
			s, ok = quoteIdent(s)
		case 'L':
			s, ok = quoteText(s)
		default:
			return "", false
		}
		if !ok {
			return "", false
		}
		out.WriteString(s)
		args = args[1:]
	}
	return out.String(), true
}

// quoteIdent is quote_ident(), marked: see quote_identifier in ruleutils.c.
func quoteIdent(s string) (string, bool) {
	if s == "" || strings.ContainsRune(s, mark) {
		return "", false
	}
	plain := s[0] < '0' || s[0] > '9'
	for i := 0; i < len(s); i++ {
		plain = plain && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '_')
	}
	switch {
	case plain && (strings.HasPrefix(s, "json") || s == "merge_action" || s == "system_user"):
		return "", false // keywords in some versions
	case !plain || slices.Contains(strings.Fields(keywords), s):
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return string(mark) + s + string(mark), true
}

// keywords are those that quote_ident puts into quotes: all but the unreserved
// ones of pg_get_keywords().
const keywords = `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
	cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
	current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc
	distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping
	having ilike in initially inner inout int integer intersect interval into is isnull join lateral leading least left like
	limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only or
	order out outer overlaps overlay placing position precision primary real references returning right row select
	session_user setof similar smallint some substring symmetric table tablesample then time timestamp to trailing treat
	trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
	xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`

// quoteText is quote_literal(): see quote_literal_internal in quote.c.
func quoteText(s string) (string, bool) {
	if strings.ContainsRune(s, mark) {
		return "", false
	}
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'", true
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'", true
}

// foldedArgs gives the arguments of a call that are texts by themselves, by their
// places, as parameters: $1. Names are not looked at: a column may hide a
// variable.
func (r *reader) foldedArgs(m *funcCall) map[string]string {
	if m == nil || m.FuncVariadic || slices.ContainsFunc(m.Args, func(n *node) bool { _, named := unwrap(n).(*namedArg); return named }) {
		return nil
	}
	var args map[string]string
	for i, n := range m.Args {
		if k, ok := unwrap(n).(*aConst); ok && k.GetSval() == nil {
			continue
		}
		if s, ok := r.fold(n, nil); ok {
			if args == nil {
				args = map[string]string{}
			}
			args["$"+strconv.Itoa(i+1)] = s
		}
	}
	return args
}
