package sqlguard

import (
	"slices"
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
	*c.looks = 100_000
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
