package sqlguard

import (
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// Conditions over how a value is written: the digits of a number, the words true
// and false, a text to which something is added.

// Samples of what is written of values of a kind.
var (
	numerals = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "42", "1234567"}
	truths   = []string{"true", "false"}
	moments  = []string{"2024-01-31", "2024-01-31 10:20:30", "2025-12-01 00:00:00.5+00"}
)

// written gives samples of the texts that an expression over our row comes to;
// nil where nobody knows.
func (c condition) written(n *node) []string {
	switch m := unwrap(n).(type) {
	case *collate:
		return c.written(m.Arg)
	case *typeCast:
		if _, name := qualified(names(m.TypeName.GetNames())); name != "text" && name != "varchar" && name != "bpchar" || len(m.TypeName.GetTypmods()) > 0 {
			return nil
		}
		return c.typical(m.Arg)
	case *funcCall:
		if _, name := qualified(names(m.Funcname)); name == "to_char" && len(m.Args) == 2 {
			if form, ok := constantText(m.Args[1]); ok && form != "" && strings.Trim(strings.ToUpper(form), "YMDH0129SW") == "" {
				return numerals
			}
		}
	}
	return nil
}

// kindOf gives the samples of the type that an expression has.
func (c condition) typical(n *node) []string {
	if c.isTruth(n) {
		return truths
	}
	const dateOID, timestampOID, timestamptzOID = 1082, 1114, 1184
	ref, ok := unwrap(n).(*columnRef)
	if !ok || !c.isOurs(ref, c.scope) {
		return nil
	}
	name := lastOf(names(ref.Fields))
	for _, rel := range c.relations {
		for _, a := range rel.columns {
			if a.name != name {
				continue
			}
			switch a.typ {
			case 20, 21, 23, 26, 700, 701, 1700:
				return numerals
			case dateOID, timestampOID, timestamptzOID:
				return moments
			}
			return nil
		}
	}
	return nil
}

// ofWritten reports whether a comparison holds of whatever is written of a value.
func (c condition) ofWritten(e *aExpr, op string) bool {
	s, ok := constantText(e.Rexpr)
	if !ok {
		return false
	}
	for _, part := range addedTo(e.Lexpr) {
		inner := strings.Trim(s, "%_")
		switch {
		case op == "~~" && strings.ContainsAny(s, "%_") && strings.Contains(part, inner),
			(op == "<>" || op == ">" || op == ">=") && s == "",
			op == "~" && matches(s, []string{part}):
			return true
		}
	}
	samples := c.written(e.Lexpr)
	if samples == nil {
		return false
	}
	is := func(holds func(string) bool) bool {
		return !slices.ContainsFunc(samples, func(x string) bool { return !holds(x) })
	}
	switch op {
	case "~", "~*":
		return matches(s, samples)
	case "~~", "~~*":
		return is(func(x string) bool { return like(s, x) })
	case "<>":
		return strings.Trim(s, "0123456789-:.+ Tt") != "" && is(func(x string) bool { return x != s })
	case "<", "<=":
		return is(func(x string) bool { return x < s })
	case ">", ">=":
		return is(func(x string) bool { return x > s })
	}
	return false
}

// matches reports whether a regular expression matches all of some texts.
func matches(pattern string, texts []string) bool {
	re, err := regexp.Compile("(?s)" + pattern)
	return err == nil && len(pattern) <= 1000 && !slices.ContainsFunc(texts, func(s string) bool { return !re.MatchString(s) })
}

// like reports whether a LIKE pattern takes a text.
func like(pattern, s string) bool {
	quoted := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(pattern))
	re, err := regexp.Compile("(?s)^" + quoted + "$")
	return err == nil && len(pattern) <= 1000 && re.MatchString(s)
}

// addedTo gives the constants that an expression puts beside a value: 'x' || body.
func addedTo(n *node) []string {
	switch m := unwrap(bare(n)).(type) {
	case *aConst:
		if s := m.GetSval().GetSval(); s != "" {
			return []string{s}
		}
	case *aExpr:
		if m.Kind == opPlain && operator(m) == "||" && m.Lexpr != nil {
			return append(addedTo(m.Lexpr), addedTo(m.Rexpr)...)
		}
	case *funcCall:
		if _, name := qualified(names(m.Funcname)); name == "concat" {
			var all []string
			for _, arg := range m.Args {
				all = append(all, addedTo(arg)...)
			}
			return all
		}
	}
	return nil
}

// asBetween gives x BETWEEN SYMMETRIC a AND b as the two that it is.
func asBetween(e *aExpr) (*node, bool) {
	kind, op := opBetween, boolOr
	switch e.Kind {
	case opBetweenSym:
	case opNotBetweenSym:
		kind, op = opNotBetween, boolAnd
	default:
		return nil, false
	}
	l, ok := unwrap(e.Rexpr).(*list)
	if !ok || len(l.Items) != 2 {
		return nil, false
	}
	one := func(a, b *node) *node {
		return &node{Node: &pgExpr{AExpr: &aExpr{Kind: kind, Name: e.Name, Lexpr: e.Lexpr, Rexpr: &node{Node: &pgList{List: listOf([]*node{a, b})}}}}}
	}
	return &node{Node: &pgBool{BoolExpr: &boolExpr{Boolop: op, Args: []*node{one(l.Items[0], l.Items[1]), one(l.Items[1], l.Items[0])}}}}, true
}

// asCondition gives a CASE of one WHEN, with true and false, as its condition.
func asCondition(e *caseExpr) (when *node, negated, ok bool) {
	if len(e.Args) != 1 || e.Defresult == nil {
		return nil, false, false
	}
	w, isWhen := unwrap(e.Args[0]).(*caseWhen)
	if !isWhen {
		return nil, false, false
	}
	yes, ok1 := truthOf(w.Result)
	no, ok2 := truthOf(e.Defresult)
	if when = w.Expr; e.Arg != nil {
		when = equality(e.Arg, w.Expr)
	}
	return when, no, ok1 && ok2 && yes != no
}

// holdsOwn reports whether a call looks for our column in what holds all of it,
// or in itself: strpos((SELECT string_agg(id, ',') FROM t), id).
func (c condition) holdsOwn(n *node) bool {
	f, ok := unwrap(bare(n)).(*funcCall)
	if !ok || len(f.Args) < 2 || !slices.Contains([]string{"array_position", "array_positions", "strpos", "position", "starts_with", "regexp_count", "regexp_instr"}, lastOf(names(f.Funcname))) {
		return false
	}
	if c.compares(f) {
		return true
	}
	for i, in := range f.Args {
		for name := range c.columnsOf(f.Args[1-min(i, 1)]) {
			if c.holdsAll(in, name) {
				return true
			}
		}
	}
	return false
}

// locksMany reports whether a query takes an advisory lock for each of many
// numbers: the table of locks is the whole server's.
func locksMany(q *selectStmt) bool {
	return manyNumbers(listOf(q.FromClause)) && contains(listOf(append(slices.Clone(q.TargetList), q.WhereClause)), func(m proto.Message) bool {
		f, ok := m.(*funcCall)
		name := ""
		if ok {
			name = lastOf(names(f.Funcname))
		}
		return strings.HasPrefix(name, "pg_advisory_") && strings.Contains(name, "lock") && !strings.Contains(name, "unlock") || strings.HasPrefix(name, "pg_try_advisory_")
	})
}
