package sqlguard

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
)

// truth is how much a condition tells the rows of its target apart.
type truth int

const (
	never  truth = iota // false, or null, for every row
	some                // depends on the row
	either              // the same for every row, true or not
	always              // true for every row, but for nulls
)

// bounds reports whether a WHERE clause keeps a statement from every row of its
// target. One that is the same for all rows does not.
func bounds(where *node, target *rangeVar) bool {
	if where == nil {
		return false
	}
	c := condition{target: target.GetRelname(), relation: target.GetRelname(), looks: new(int)}
	*c.looks = 1_000_000
	if a := target.GetAlias(); a != nil {
		c.target = a.Aliasname
	}
	t := c.judge(where, false)
	return t == some || t == never
}

// condition judges conditions over the rows of one target.
type condition struct {
	target   string // its alias, or its name
	relation string
	looks    *int // left, at nodes of conditions within conditions
}

// judge folds a condition, negated or not.
func (c condition) judge(n *node, negated bool) truth {
	switch m := unwrap(n).(type) {
	case nil:
		return always
	case *aConst:
		return c.constant(m, negated)
	case *boolExpr:
		return c.connective(m, negated)
	case *booleanTest:
		switch m.Booltesttype.String() {
		case "IS_TRUE", "IS_NOT_FALSE":
			return c.judge(m.Arg, negated)
		case "IS_FALSE", "IS_NOT_TRUE":
			return c.judge(m.Arg, !negated)
		}
	case *nullTest:
		if a, ok := unwrap(m.Arg).(*aConst); ok {
			return constantly(a.Isnull == (m.Nulltesttype == testNull), negated)
		}
	case *typeCast: // 'true'::bool
		if a, ok := unwrap(m.Arg).(*aConst); ok && a.GetSval() != nil {
			if yes, ok := boolean(a.GetSval().Sval); ok {
				return constantly(yes, negated)
			}
		}
		return c.judge(m.Arg, negated)
	case *aExpr:
		if t, ok := c.comparison(m); ok {
			return constantly(t, negated)
		}
	case *subLink:
		if t, ok := c.sublink(m, negated); ok {
			return t
		}
	case *currentOf:
		return some
	case *coalesce:
		if len(m.Args) > 0 && !negated {
			// coalesce(x = 1, true) is true wherever x is null.
			if c.judge(m.Args[len(m.Args)-1], false) == always && c.judge(m.Args[0], false) == always {
				return always
			}
		}
	case *caseExpr:
		if t, ok := c.cases(m, negated); ok {
			return t
		}
	}
	if c.mentions(n) {
		return some
	}
	return either
}

func constantly(yes, negated bool) truth {
	if yes != negated {
		return always
	}
	return never
}

func boolean(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "t", "tr", "tru", "true", "y", "ye", "yes", "on", "1":
		return true, true
	case "f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0":
		return false, true
	}
	return false, false
}

func (c condition) constant(a *aConst, negated bool) truth {
	if a.Isnull {
		return never
	}
	if b := a.GetBoolval(); b != nil {
		return constantly(b.Boolval, negated)
	}
	if s := a.GetSval(); s != nil {
		if yes, ok := boolean(s.Sval); ok {
			return constantly(yes, negated)
		}
	}
	return either
}

func (c condition) connective(b *boolExpr, negated bool) truth {
	if b.Boolop == boolNot {
		return c.judge(b.Args[0], !negated)
	}
	parts := make([]truth, len(b.Args))
	for i, arg := range b.Args {
		parts[i] = c.judge(arg, negated)
	}
	has := func(t truth) bool { return slices.Contains(parts, t) }
	if (b.Boolop == boolAnd) != negated { // a conjunction
		switch {
		case has(never):
			return never
		case has(some):
			return some
		case has(either):
			return either
		}
		return always
	}
	switch { // a disjunction
	case has(always) || complementary(b.Args):
		return always
	case has(either):
		return either
	case has(some):
		return some
	}
	return never
}

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
	if !slices.Contains(covers[operator(a)], operator(b)) || !same(a.Lexpr, b.Lexpr) {
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
	switch e.Kind {
	case opPlain, opLike, opILike, opNotDistinct, opDistinct, opAny, opAll:
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
	c, ok := unwrap(n).(*aConst)
	if !ok || c.GetSval() == nil {
		return false
	}
	s := c.GetSval().Sval
	switch op {
	case "~~", "~~*":
		return s != "" && strings.Trim(s, "%") == ""
	case "~", "~*":
		return slices.Contains([]string{"", ".*", "^", "$", "^.*", ".*$", "^.*$", "()"}, s)
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

// cases folds a CASE whose branches are all the same.
func (c condition) cases(e *caseExpr, negated bool) (truth, bool) {
	if e.Defresult == nil {
		return either, false
	}
	t := c.judge(e.Defresult, negated)
	for _, n := range e.Args {
		w, ok := unwrap(n).(*caseWhen)
		if !ok || c.judge(w.Result, negated) != t {
			return either, false
		}
	}
	return t, t == always || t == never
}

// sublink judges EXISTS and IN over a subselect.
func (c condition) sublink(s *subLink, negated bool) (truth, bool) {
	q, ok := unwrap(s.Subselect).(*selectStmt)
	if !ok || q.Op != setNone {
		return either, false
	}
	switch s.SubLinkType {
	case subExists:
		if len(q.FromClause) == 0 && len(q.ValuesLists) == 0 && q.HavingClause == nil && q.LimitCount == nil && q.LimitOffset == nil {
			return c.judge(q.WhereClause, negated), true
		}
		// Over other relations it tells rows apart only by a condition that
		// depends on ours.
		for _, n := range []*node{q.WhereClause, q.HavingClause} {
			if n != nil && c.judge(n, false) == some && c.mentions(n) {
				return some, true
			}
		}
		if contains(listOf(q.FromClause), c.isOurs) {
			return some, true
		}
		return either, true
	case subAny:
		// id IN (SELECT id FROM the same table)
		if negated || len(q.FromClause) != 1 || q.HavingClause != nil || q.LimitCount != nil || q.LimitOffset != nil || len(q.TargetList) != 1 {
			return either, false
		}
		target, ok := unwrap(q.TargetList[0]).(*resTarget)
		if !ok || lastName(s.Testexpr) == "" || lastName(target.Val) != lastName(s.Testexpr) {
			return either, false
		}
		if from, ok := unwrap(q.FromClause[0]).(*rangeVar); ok && from.Relname == c.relation && !bounds(q.WhereClause, from) {
			return always, true
		}
	}
	return either, false
}

func listOf(nodes []*node) *list { return &list{Items: nodes} }

func lastName(n *node) string {
	c, ok := unwrap(n).(*columnRef)
	if !ok {
		return ""
	}
	parts := names(c.Fields)
	return parts[len(parts)-1]
}

// mentions reports whether a condition may depend on the target's row.
func (c condition) mentions(n *node) bool {
	if *c.looks <= 0 {
		return false
	}
	return contains(n, func(m proto.Message) bool {
		*c.looks--
		return *c.looks <= 0 || c.isOurs(m)
	}) && *c.looks > 0
}

// isOurs: an unqualified name may be the target's.
func (c condition) isOurs(m proto.Message) bool {
	ref, ok := m.(*columnRef)
	if !ok {
		_, ok = m.(*currentOf)
		return ok
	}
	parts := names(ref.Fields)
	return len(parts) == 1 || len(parts) > 1 && parts[len(parts)-2] == c.target
}
