package sqlguard

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
)

// maxDisjuncts bounds how many are compared with each other.
const maxDisjuncts = 100

// complementary reports whether two of the conditions leave nothing out: x IS
// NULL and x IS NOT NULL, p and NOT p, x = 1 and x <> 1, x < 1 and x >= 1.
func complementary(args []*node) bool {
	flat := flatten(args)
	if len(flat) > maxDisjuncts {
		return true // too many to compare them all
	}
	for i, a := range flat {
		for _, b := range flat[:i] {
			if opposite(a, b) {
				return true
			}
		}
	}
	return false
}

// flatten gives the disjuncts, nested ones included.
func flatten(args []*node) []*node {
	var flat []*node
	for _, a := range args {
		if b, ok := unwrap(a).(*boolExpr); ok && b.Boolop == boolOr {
			flat = append(flat, flatten(b.Args)...)
		} else {
			flat = append(flat, a)
		}
	}
	return flat
}

func opposite(a, b *node) bool {
	for range 2 {
		switch m := unwrap(a).(type) {
		case *boolExpr:
			if m.Boolop == boolNot && same(m.Args[0], b) {
				return true
			}
		case *booleanTest:
			if o, ok := unwrap(b).(*booleanTest); ok && same(m.Arg, o.Arg) && m.Booltesttype != o.Booltesttype &&
				strings.Replace(m.Booltesttype.String(), "NOT_", "", 1) == strings.Replace(o.Booltesttype.String(), "NOT_", "", 1) {
				return true
			}
			if kind := m.Booltesttype.String(); kind == "IS_NOT_TRUE" && same(m.Arg, b) {
				return true
			}
		case *nullTest:
			if o, ok := unwrap(b).(*nullTest); ok && m.Nulltesttype != o.Nulltesttype && same(m.Arg, o.Arg) {
				return true
			}
		case *aExpr:
			if o, ok := unwrap(b).(*aExpr); ok && opposed(m, o) {
				return true
			}
		}
		a, b = b, a
	}
	return false
}

// covers lists the operators that together are true of everything but null.
var covers = map[string][]string{
	"=": {"<>"}, "<": {">=", "<>"}, ">": {"<=", "<>"}, "<=": {">=", ">", "<>"}, ">=": {"<=", "<", "<>"},
	"<>": {"=", "<=", ">="}, "~~": {"!~~"}, "!~~": {"~~"}, "~": {"!~"}, "!~": {"~"}, "~*": {"!~*"}, "!~*": {"~*"},
	"~~*": {"!~~*"}, "!~~*": {"~~*"},
}

func opposed(a, b *aExpr) bool {
	if a.Kind == opBetween && b.Kind == opNotBetween || a.Kind == opDistinct && b.Kind == opNotDistinct ||
		a.Kind == opIn && b.Kind == opIn && operator(a) != operator(b) {
		return same(a.Lexpr, b.Lexpr) && same(a.Rexpr, b.Rexpr)
	}
	if a.Kind != b.Kind || a.Kind != opPlain && a.Kind != opLike && a.Kind != opILike {
		return false
	}
	if !same(a.Lexpr, b.Lexpr) {
		return false
	}
	x, okX := unwrap(bare(a.Rexpr)).(*aConst)
	y, okY := unwrap(bare(b.Rexpr)).(*aConst)
	if okX && okY && operator(a) == "=" && operator(b) == "=" && x.GetBoolval() != nil && y.GetBoolval() != nil {
		return x.GetBoolval().Boolval != y.GetBoolval().Boolval // b = true OR b = false
	}
	if operator(a)+operator(b) == "<>" { // x < 5 OR x > 4
		hi, ok1 := number(a.Rexpr)
		lo, ok2 := number(b.Rexpr)
		return ok1 && ok2 && lo < hi
	}
	if !slices.Contains(covers[operator(a)], operator(b)) {
		return false
	}
	return same(a.Rexpr, b.Rexpr) || overlap(a, b)
}

// overlap reports whether two half-lines of numbers meet: x > 0 and x <= 5.
func overlap(a, b *aExpr) bool {
	lo, ok1 := number(a.Rexpr)
	hi, ok2 := number(b.Rexpr)
	if !ok1 || !ok2 {
		return false
	}
	switch operator(a)[0] {
	case '>':
		return operator(b)[0] == '<' && operator(b) != "<>" && lo <= hi
	case '<':
		return operator(b)[0] == '>' && hi <= lo
	}
	return operator(a) == "<>" && operator(b) == "<>" && lo != hi
}

func operator(e *aExpr) string {
	_, name := qualified(names(e.Name))
	if name == "!=" {
		return "<>"
	}
	return name
}

func number(n *node) (float64, bool) {
	if e, ok := unwrap(n).(*aExpr); ok && e.Kind == opPlain && e.Lexpr == nil && operator(e) == "-" {
		f, ok := number(e.Rexpr)
		return -f, ok
	}
	c, ok := unwrap(n).(*aConst)
	if !ok || c.Isnull || c.GetSval() != nil || c.GetBsval() != nil || c.GetBoolval() != nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(constText(c), 64)
	return f, err == nil
}

// comparison folds a comparison of constants, or of an expression with itself.
func (c condition) comparison(e *aExpr) (yes, ok bool) {
	op := operator(e)
	if slices.Contains(c.tied, e) {
		return true, true
	}
	switch e.Kind {
	case opPlain, opLike, opILike, opSimilar, opNotDistinct, opDistinct, opAny, opAll:
	case opIn:
		l, isList := unwrap(e.Rexpr).(*list)
		if isList && slices.ContainsFunc(l.Items, func(n *node) bool { return same(n, e.Lexpr) }) {
			return op == "=", true
		}
		return false, false
	case opBetween, opNotBetween:
		l, isList := unwrap(e.Rexpr).(*list)
		if isList && len(l.Items) == 2 && (same(l.Items[0], e.Lexpr) && same(l.Items[1], e.Lexpr)) {
			return e.Kind == opBetween, true
		}
		return false, false
	default:
		return false, false
	}
	if e.Lexpr == nil {
		return false, false
	}
	if isAny(e.Rexpr, op) {
		return true, true
	}
	if a, isArray := unwrap(e.Rexpr).(*aArray); isArray && e.Kind == opAny {
		if op == "=" && slices.ContainsFunc(a.Elements, func(n *node) bool { return same(n, e.Lexpr) }) {
			return true, true
		}
		return false, false
	}
	if e.Kind == opAny || e.Kind == opAll {
		return false, false
	}
	if same(e.Lexpr, e.Rexpr) && !contains(e.Lexpr, isParamless) {
		switch {
		case e.Kind == opNotDistinct, op == "=" && e.Kind != opDistinct, op == "<=", op == ">=", op == "~~", op == "~~*":
			return true, true
		case e.Kind == opDistinct, op == "<>", op == "<", op == ">":
			return false, true
		}
		return false, false
	}
	return constants(e.Lexpr, e.Rexpr, op, e.Kind == opDistinct)
}

// isParamless finds calls whose two results may differ: random() = random().
func isParamless(m proto.Message) bool {
	f, ok := m.(*funcCall)
	return ok && len(f.Args) == 0
}

// isAny reports whether the right side of a pattern match takes everything.
func isAny(n *node, op string) bool {
	if f, ok := unwrap(n).(*funcCall); ok && lastOf(names(f.Funcname)) == "similar_to_escape" && len(f.Args) > 0 {
		n = f.Args[0]
	}
	s, ok := constantText(n)
	if !ok {
		return false
	}
	switch op {
	case "~~", "~~*":
		return s != "" && strings.Trim(s, "%") == ""
	case "~", "~*":
		return takesAll(s) || strings.Trim(s, "^$()?*.+|") == "" || slices.Contains([]string{"", ".*", "^", "$", "^.*", ".*$", "^.*$", "()"}, s)
	}
	return false
}

func constants(l, r *node, op string, distinct bool) (yes, ok bool) {
	a, okA := unwrap(l).(*aConst)
	b, okB := unwrap(r).(*aConst)
	if !okA || !okB {
		return false, false
	}
	if a.Isnull || b.Isnull {
		return distinct && a.Isnull != b.Isnull, true
	}
	cmp := strings.Compare(constText(a), constText(b))
	x, okX := number(l)
	y, okY := number(r)
	switch {
	case okX && okY:
		cmp = 0
		if x < y {
			cmp = -1
		} else if x > y {
			cmp = 1
		}
	case op != "=" && op != "<>" || okX != okY:
		return false, false // order depends on the collation
	}
	switch op {
	case "=":
		return (cmp == 0) != distinct, true
	case "<>":
		return cmp != 0, true
	case "<":
		return cmp < 0, true
	case "<=":
		return cmp <= 0, true
	case ">":
		return cmp > 0, true
	case ">=":
		return cmp >= 0, true
	}
	return false, false
}
