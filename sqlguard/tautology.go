package sqlguard

import (
	"maps"
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
	relations []*relation                // that its name may mean
	ours      map[string]bool            // the target, and what is tied to its row
	outer     map[string]bool            // the same of the condition around a subquery
	beside    map[string]*node           // the other relations, by alias
	tied      []*aExpr                   // the equalities that tie
	joined    map[string]bool            // relations of the subquery that hold one row for ours
	derived   map[string]map[string]bool // what is made of our row alone, by alias: of which columns
	looks     *int                       // left, at nodes of conditions within conditions
	fold      *int                       // left, of queries
	scope     *scoping                   // of the subqueries around what is judged
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
		if n, ok := asBetween(m); ok {
			return c.judge(n, negated)
		}
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
		if n, ok := asOperator(m); ok {
			return c.judge(n, negated)
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
	case has(always) || complementary(b.Args) || c.together(flatten(b.Args), negated):
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
	if when, not, ok := asCondition(e); ok {
		return c.judge(when, negated != not), true
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
		if len(q.TargetList) == 1 && q.Op == setNone && c.judge(q.TargetList[0].GetResTarget().GetVal(), negated) == always {
			return c.exists(q, false), true // (SELECT true FROM ...) is null where there is nothing
		}
	case subExists:
		if q.Op == setNone && len(q.FromClause) == 0 && len(q.ValuesLists) == 0 && q.HavingClause == nil && !limits(q) {
			return c.judge(q.WhereClause, negated), true
		}
		if noRows(q) {
			return constantly(false, negated), true
		}
		if aggregates(q) {
			return either, true
		}
		return c.exists(q, negated), true
	case subAll:
		op := lastOf(names(s.OperName))
		if negated { // NOT x < ALL is x >= ANY
			return c.sublink(&subLink{SubLinkType: subAny, Testexpr: s.Testexpr, OperName: operatorName(inverted[op]), Subselect: s.Subselect}, false)
		}
		if n := loneValue(q); n != nil {
			return c.judge(&node{Node: &pgExpr{AExpr: &aExpr{Kind: opPlain, Name: s.OperName, Lexpr: s.Testexpr, Rexpr: n}}}, false), true
		}
		if aggregates(q) { // of one row
			value := &node{Node: &pgSubLink{SubLink: &subLink{SubLinkType: subExpr, Subselect: s.Subselect}}}
			return c.judge(&node{Node: &pgExpr{AExpr: &aExpr{Kind: opPlain, Name: s.OperName, Lexpr: s.Testexpr, Rexpr: value}}}, false), true
		}
	case subAny:
		if op := lastOf(names(s.OperName)); op != "" && op != "=" && op != "<=" && op != ">=" {
			return either, false
		}
		if items, ok := isValues(q); ok && s.Testexpr != nil {
			return c.judge(among(s.Testexpr, items), negated), true
		}
		if len(q.TargetList) == 1 && recursiveSeries(q, c.frame) {
			return either, !negated
		}
		if n := loneValue(q); n != nil && s.Testexpr != nil {
			return c.judge(equality(s.Testexpr, n), negated), true
		}
		if !negated && (c.isIn(s.Testexpr, q) || c.isInReferred(s.Testexpr, q) || c.isInOwn(s.Testexpr, q)) {
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
		inner := c.within(q)
		inner.ours, inner.tied = maps.Clone(c.ours), slices.Clone(c.tied)
		inner.join(q.FromClause, n)
		inner.joined = map[string]bool{}
		for name := range inner.ours {
			inner.joined[name] = !c.ours[name]
		}
		t := inner.judge(n, false)
		if t == never && negated {
			return either
		}
		if t == always && negated {
			return some
		}
		if t == some && c.mentionsIn(n, q) {
			return some
		}
	}
	if q.Op != setNone || hasTable(q.FromClause) && contains(listOf(q.FromClause), func(m proto.Message) bool {
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
	c.derive(q.FromClause)
	c.scope = newScoping(q, c.scope)
	return c
}

// derive notes what in FROM is made of our row alone.
func (c *condition) derive(from []*node) {
	derived := maps.Clone(c.derived)
	for _, n := range from {
		name, ok := lateral(n)
		if !ok || hasTable([]*node{n}) {
			continue
		}
		if made := c.columnsOf(n); len(made) > 0 {
			if derived == nil {
				derived = map[string]map[string]bool{}
			}
			derived[name] = made
		}
	}
	c.derived = derived
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
	return manyNumbers(q) && !slices.ContainsFunc(q.FromClause, func(n *node) bool { return hasTable([]*node{n}) && !isSeriesItem(n) })
}

// isSeriesItem reports whether an item of FROM is a function, whatever its
// arguments are counted from.
func isSeriesItem(n *node) bool {
	_, ok := unwrap(n).(*rangeFunc)
	return ok
}

// few is how many numbers one may well mean one by one.
const few = 100

// manyNumbers reports whether anything makes up numbers, and not just a few.
func manyNumbers(m proto.Message) bool {
	return contains(m, func(m proto.Message) bool {
		f, ok := m.(*funcCall)
		if !ok || lastOf(names(f.Funcname)) != "generate_series" {
			return false
		}
		if len(f.Args) < 2 {
			return true
		}
		from, ok1 := number(bare(f.Args[0]))
		to, ok2 := number(bare(f.Args[1]))
		return !ok1 || !ok2 || to-from >= few
	})
}

// lateral gives the name of a function or a subselect in FROM.
func lateral(n *node) (string, bool) {
	switch m := unwrap(n).(type) {
	case *rangeFunc:
		return aliasOr(m.Alias, ""), m.Alias != nil
	case *rangeSub:
		return aliasOr(m.Alias, ""), m.Alias != nil
	}
	return "", false
}

// isInReferred is isIn along a foreign key that is never null: every value is
// found among all that it refers to.
func (c condition) isInReferred(test *node, q *selectStmt) bool {
	if c.reader.cat == nil || c.reader.cat.code == nil {
		return false
	}
	mine := c.columnsOf(test)
	if len(mine) != 1 {
		return false
	}
	for _, rel := range c.relations {
		for name := range mine {
			to, ok := c.reader.cat.code.refers[columnKey{rel.oid, name}]
			referred := c.reader.cat.relations[to.table]
			if !ok || referred == nil {
				continue
			}
			other := c
			other.relation, other.relations = referred.name, []*relation{referred}
			if columns, whole := other.everyRow(q, c.frame, 0); whole && gives(columns, to.attribute) {
				return true
			}
		}
	}
	return false
}

func gives(columns map[string]string, column string) bool {
	for _, base := range columns {
		if base == column || base == "*" {
			return true
		}
	}
	return false
}

// isInOwn reports whether a value is looked for in what is made of the same row:
// id IN (SELECT unnest(ARRAY[id])).
func (c condition) isInOwn(test *node, q *selectStmt) bool {
	if hasTable(q.FromClause) || q.WhereClause != nil {
		return false
	}
	own := map[string]bool{}
	for _, n := range append(slices.Clone(q.TargetList), q.FromClause...) {
		maps.Copy(own, c.columnsOf(n))
	}
	return overlaps(c.columnsOf(test), own)
}

// holdsAll reports whether something holds every value of a column of ours: by a
// subselect that gathers it.
func (c condition) holdsAll(m proto.Message, column string) bool {
	return contains(m, func(m proto.Message) bool {
		s, ok := m.(*subLink)
		if !ok || s.SubLinkType != subExpr && s.SubLinkType != subArray {
			return false
		}
		q, ok := unwrap(s.Subselect).(*selectStmt)
		if !ok {
			return false
		}
		if isSeries(q) {
			return true
		}
		columns, whole := c.everyRow(q, c.frame, 0)
		return whole && gives(columns, column)
	})
}

func equality(l, r *node) *node {
	return &node{Node: &pgExpr{AExpr: &aExpr{Kind: opPlain, Name: []*node{{Node: &pgString{String_: &str{Sval: "="}}}}, Lexpr: l, Rexpr: r}}}
}

// among is test IN (items).
func among(test *node, items []*node) *node {
	return &node{Node: &pgExpr{AExpr: &aExpr{Kind: opIn, Name: operatorName("="), Lexpr: test, Rexpr: &node{Node: &pgList{List: listOf(items)}}}}}
}

func operatorName(op string) []*node { return []*node{{Node: &pgString{String_: &str{Sval: op}}}} }

// recursiveSeries reports whether a query counts up in a WITH RECURSIVE that
// reads nothing but itself.
func recursiveSeries(q *selectStmt, f *frame) bool {
	if len(q.FromClause) != 1 {
		return false
	}
	v, ok := unwrap(q.FromClause[0]).(*rangeVar)
	if !ok || v.Schemaname != "" {
		return false
	}
	body, ok := unwrap(f.body(v.Relname)).(*selectStmt)
	if !ok || body.Op != setUnion {
		return false
	}
	itself, others := false, false
	contains(body.Rarg, func(m proto.Message) bool {
		if r, ok := m.(*rangeVar); ok {
			itself, others = itself || r.Relname == v.Relname, others || r.Relname != v.Relname
		}
		return false
	})
	return itself && !others
}

func lastOf(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

func listOf(nodes []*node) *list { return &list{Items: nodes} }
