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

// condition judges conditions over the rows of one target.
type condition struct {
	reader    *reader
	frame     *frame
	target    string // its alias, or its name
	relation  string
	relations []*relation      // that its name may mean
	ours      map[string]bool  // the target, and what is tied to its row
	outer     map[string]bool  // the same of the condition around a subquery
	beside    map[string]*node // the other relations, by alias
	tied      []*aExpr         // the equalities that tie
	looks     *int             // left, at nodes of conditions within conditions
	fold      *int             // left, of queries
	scope     *scoping         // of the subqueries around what is judged
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
		case "IS_NOT_UNKNOWN":
			if !negated {
				return either
			}
		case "IS_UNKNOWN":
			if negated {
				return either
			}
		}
	case *nullTest:
		if a, ok := unwrap(m.Arg).(*aConst); ok {
			return constantly(a.Isnull == (m.Nulltesttype == testNull), negated)
		}
		// That a column holds something is no restriction.
		if (m.Nulltesttype == testNotNull) != negated || nullAnyway(m.Arg, c) {
			return either
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
		if t, ok := c.weak(m, negated); ok {
			return t
		}
	case *funcCall:
		if c.compares(m) {
			return either
		}
	case *subLink:
		if t, ok := c.sublink(m, negated); ok {
			return t
		}
	case *currentOf:
		return some
	case *coalesce:
		for _, arg := range m.Args {
			if k, ok := unwrap(bare(arg)).(*aConst); ok && k.Isnull || nullAnyway(arg, c) {
				continue
			}
			return c.judge(arg, negated)
		}
		return never
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

// cases folds a CASE: it restricts nothing where a branch that is always taken
// gives true, or where every branch gives the same.
func (c condition) cases(e *caseExpr, negated bool) (truth, bool) {
	if e.Defresult == nil {
		return either, false
	}
	results := []truth{}
	for _, n := range e.Args {
		w, ok := unwrap(n).(*caseWhen)
		if !ok {
			return either, false
		}
		when := some
		if e.Arg == nil {
			when = c.judge(w.Expr, false)
		}
		result := c.judge(w.Result, negated)
		switch when {
		case never:
			continue
		case always:
			return result, true
		case either:
			if result == always || result == either {
				return either, true
			}
		}
		results = append(results, result)
	}
	results = append(results, c.judge(e.Defresult, negated))
	for _, t := range results {
		if t != results[0] {
			return some, slices.Contains(results, some) || slices.Contains(results, never)
		}
	}
	return results[0], true
}

// sublink judges EXISTS, IN and a subselect that is a value.
func (c condition) sublink(s *subLink, negated bool) (truth, bool) {
	q, ok := unwrap(s.Subselect).(*selectStmt)
	if !ok {
		return either, false
	}
	switch s.SubLinkType {
	case subExpr:
		if n := loneValue(q); n != nil {
			return c.judge(n, negated), true
		}
	case subExists:
		if q.Op == setNone && len(q.FromClause) == 0 && len(q.ValuesLists) == 0 && q.HavingClause == nil && !limits(q) {
			return c.judge(q.WhereClause, negated), true
		}
		if !negated {
			if _, whole := c.everyRow(q, c.frame, 0); whole {
				return either, true
			}
		}
		return c.correlates(q, negated), true
	case subAny:
		if op := lastOf(names(s.OperName)); op != "" && op != "=" && op != "<=" && op != ">=" {
			return either, false
		}
		if n := loneValue(q); n != nil && s.Testexpr != nil {
			return c.judge(equality(s.Testexpr, n), negated), true
		}
		if !negated && c.isIn(s.Testexpr, q) {
			return either, true
		}
		if !negated && len(c.columnsOf(s.Testexpr)) > 0 && isSeries(q) {
			return either, true
		}
		if negated && q.Op == setNone && q.WhereClause != nil && c.inner(q).judge(q.WhereClause, false) == never {
			return either, true
		}
	}
	return either, false
}

// correlates judges EXISTS over other relations: it tells our rows apart only by
// a condition that depends on them, and on a relation that is not ours again.
func (c condition) correlates(q *selectStmt, negated bool) truth {
	for _, n := range []*node{q.WhereClause, q.HavingClause} {
		if n == nil {
			continue
		}
		t := c.within(q).judge(n, false)
		if t == never && negated {
			return either
		}
		if t == some && c.mentionsIn(n, q) {
			return some
		}
	}
	if q.Op != setNone || contains(listOf(q.FromClause), func(m proto.Message) bool {
		ref, ok := m.(*columnRef)
		return ok && c.isOurs(ref, nil)
	}) {
		if c.mentionsIn(&node{}, q) || len(c.columnsIn(q)) > 0 {
			return some
		}
	}
	return either
}

// columnsIn lists our columns in a query.
func (c condition) columnsIn(q *selectStmt) map[string]bool {
	all := map[string]bool{}
	c.columns(q, nil, func(name string) {
		if name != "*" && name != "tableoid" {
			all[name] = true
		}
	})
	return all
}

// mentionsIn reports whether a condition within a query depends on our row.
func (c condition) mentionsIn(n *node, q *selectStmt) bool {
	found := false
	c.columns(n, newScoping(q, nil), func(name string) { found = found || name != "*" && name != "tableoid" })
	return found
}

// within is the condition as it reads within a query, whose relations hide ours.
func (c condition) within(q *selectStmt) condition {
	c.scope = newScoping(q, c.scope)
	return c
}

// inner judges a condition over the first relation of a query.
func (c condition) inner(q *selectStmt) condition {
	for _, n := range q.FromClause {
		if v, ok := unwrap(n).(*rangeVar); ok {
			own := newCondition(c.reader, v, c.frame)
			own.looks, own.fold = c.looks, c.fold
			return own
		}
	}
	own := newCondition(c.reader, &rangeVar{}, c.frame)
	own.looks, own.fold = c.looks, c.fold
	return own
}

// isIn reports whether every row's value of an expression is among what a query
// gives: it is one of the target's columns, and the query gives all of that.
func (c condition) isIn(test *node, q *selectStmt) bool {
	columns, whole := c.everyRow(q, c.frame, 0)
	if !whole {
		return false
	}
	tests := []*node{test}
	if row, ok := unwrap(test).(*rowExpr); ok {
		tests = row.Args
	}
	for _, n := range tests {
		mine := c.columnsOf(n)
		if len(mine) == 0 {
			return false
		}
		for _, base := range columns {
			if mine[base] || base == "*" {
				delete(mine, base)
				if base == "*" {
					clear(mine)
				}
			}
		}
		if len(mine) > 0 {
			return false
		}
	}
	return true
}

// loneValue is the value of a subselect without relations: (SELECT x).
func loneValue(q *selectStmt) *node {
	if q.Op != setNone || len(q.FromClause) > 0 || q.WhereClause != nil || q.HavingClause != nil || limits(q) {
		return nil
	}
	if len(q.ValuesLists) == 1 {
		if l, ok := unwrap(q.ValuesLists[0]).(*list); ok && len(l.Items) == 1 {
			return l.Items[0]
		}
	}
	if len(q.TargetList) != 1 {
		return nil
	}
	n := q.TargetList[0].GetResTarget().GetVal()
	if f, ok := unwrap(n).(*funcCall); ok {
		if _, name := qualified(names(f.Funcname)); name == "generate_series" || name == "unnest" {
			return nil
		}
	}
	return n
}

// isSeries reports whether a query only makes up numbers.
func isSeries(q *selectStmt) bool {
	series := func(m proto.Message) bool {
		f, ok := m.(*funcCall)
		if !ok {
			return false
		}
		_, name := qualified(names(f.Funcname))
		return name == "generate_series"
	}
	return contains(q, series) && !contains(q, func(m proto.Message) bool { _, ok := m.(*rangeVar); return ok })
}

func equality(l, r *node) *node {
	return &node{Node: &pgExpr{AExpr: &aExpr{Kind: opPlain, Name: []*node{{Node: &pgString{String_: &str{Sval: "="}}}}, Lexpr: l, Rexpr: r}}}
}

func lastOf(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

func listOf(nodes []*node) *list { return &list{Items: nodes} }
