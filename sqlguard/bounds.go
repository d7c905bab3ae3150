package sqlguard

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// bounded notes when a WHERE clause does not keep an UPDATE or a DELETE from
// every row of its target.
func (r *reader) bounded(target *rangeVar, from []*node, where *node, f *frame) {
	if r.dry > 0 || r.bounds(target, from, where, f) {
		return
	}
	if where == nil {
		r.effectBut(unbounded|destructive, "no WHERE clause: it changes every row", "add a WHERE clause that selects the rows you mean")
		return
	}
	r.ineffective("where", where)
}

// ineffective notes a condition that keeps every row.
func (r *reader) ineffective(word string, n *node) {
	at := r.at
	if !r.blind && r.depth == 0 {
		r.at = place{how: aClause, at: first(n), word: word}
	}
	r.effectBut(unbounded|destructive, "this condition leaves out no row, or none to speak of", "write a condition that selects the rows you mean, such as the value of a key")
	r.at = at
}

func (r *reader) bounds(target *rangeVar, from []*node, where *node, f *frame) bool {
	if where == nil {
		return false
	}
	c := newCondition(r, target, f)
	c.join(from, where)
	t := c.judge(where, false)
	return t == some || t == never
}

// merges judges what MERGE changes of its target.
func (r *reader) merges(m *mergeStmt, f *frame) {
	c := newCondition(r, m.Relation, f)
	c.join([]*node{m.SourceRelation}, m.JoinCondition)
	on := c.judge(m.JoinCondition, false)
	bounded := m.JoinCondition != nil && (on == some || on == never)
	for _, n := range m.MergeWhenClauses {
		when, ok := unwrap(n).(*mergeWhen)
		if !ok {
			r.effect(unbounded|destructive, "a WHEN of another form")
			continue
		}
		if when.CommandType != mergeUpdate && when.CommandType != mergeDelete || bounded {
			continue
		}
		if t := c.judge(when.Condition, false); when.Condition == nil || t != some && t != never {
			r.ineffective("on", m.JoinCondition)
		}
	}
}

// events are what MERGE does to its target.
func events(m *mergeStmt) event {
	var on event
	for _, n := range m.MergeWhenClauses {
		switch n.GetMergeWhenClause().GetCommandType() {
		case mergeUpdate:
			on |= onUpdate
		case mergeDelete:
			on |= onDelete
		default:
			on |= onInsert
		}
	}
	return on
}

// upserts judges ON CONFLICT DO UPDATE: fed from its own table, or from numbers
// made up, it changes what is there as an UPDATE without a WHERE does.
func (r *reader) upserts(m *insertStmt, f *frame) {
	conflict := m.OnConflictClause
	q, ok := unwrap(m.SelectStmt).(*selectStmt)
	if conflict == nil || conflict.Action.String() != "ONCONFLICT_UPDATE" || !ok || len(q.ValuesLists) > 0 {
		return
	}
	own := newCondition(r, m.Relation, f)
	if conflict.WhereClause != nil {
		if t := own.judge(conflict.WhereClause, false); t == some || t == never {
			return
		}
	}
	inner := r.queryFrame(q, f)
	feeds := func(p proto.Message) bool {
		switch p := p.(type) {
		case *rangeVar:
			return p.Relname == m.Relation.GetRelname()
		case *funcCall:
			_, name := qualified(names(p.Funcname))
			return name == "generate_series"
		}
		return false
	}
	fed := contains(q, feeds)
	for ; !fed && inner != nil; inner = inner.parent {
		for _, body := range inner.bodies {
			fed = fed || contains(body, feeds)
		}
	}
	if fed && !limits(q) && !r.restricts(q, f) {
		r.effectBut(unbounded|destructive, "ON CONFLICT DO UPDATE over the table's own rows changes every row", "add a WHERE clause that selects the rows you mean")
	}
}

// restricts reports whether a query's WHERE tells the rows of one of its
// relations apart.
func (r *reader) restricts(q *selectStmt, f *frame) bool {
	for _, n := range q.FromClause {
		v, ok := unwrap(n).(*rangeVar)
		if ok && r.bounds(v, nil, q.WhereClause, f) {
			return true
		}
	}
	return false
}

// queryFrame is the frame in a query, with the bodies of its WITH.
func (r *reader) queryFrame(q *selectStmt, f *frame) *frame {
	if q.WithClause == nil {
		return f
	}
	inner := &frame{parent: f, ctes: map[string]bool{}, bodies: map[string]*node{}}
	for _, n := range q.WithClause.Ctes {
		e := n.GetCommonTableExpr()
		inner.ctes[e.GetCtename()], inner.bodies[e.GetCtename()] = true, e.GetCtequery()
	}
	return inner
}

// body is the WITH query of a name.
func (f *frame) body(name string) *node {
	for ; f != nil; f = f.parent {
		if f.ctes[name] {
			return f.bodies[name]
		}
	}
	return nil
}

// newCondition judges conditions over the rows of target.
func newCondition(r *reader, target *rangeVar, f *frame) condition {
	c := condition{
		reader: r, frame: f, relation: target.GetRelname(), target: target.GetRelname(),
		ours: map[string]bool{}, looks: new(int), fold: new(int),
	}
	if a := target.GetAlias(); a != nil {
		c.target = a.Aliasname
	}
	c.ours[c.target] = true
	*c.looks, *c.fold = 100_000, 20_000
	if r.cat != nil {
		c.relations = r.cat.find(target.GetSchemaname(), target.GetRelname())
	}
	return c
}

// join finds the relations beside the target that hold one row, and the same
// one, for each row of it: what a condition says of them it says of the target.
func (c *condition) join(from []*node, where *node) {
	c.beside = map[string]*node{}
	var conditions []*node
	for _, n := range from {
		c.besides(n, &conditions)
	}
	conditions = conjuncts(where, conditions)
	for range from { // each round may tie one more
		for _, n := range conditions {
			if e, ok := unwrap(n).(*aExpr); ok {
				c.tie(e)
			}
		}
	}
}

// besides names the relations of FROM, and gathers the conditions of its joins.
func (c *condition) besides(n *node, conditions *[]*node) {
	switch m := unwrap(n).(type) {
	case *joinExpr:
		c.besides(m.Larg, conditions)
		c.besides(m.Rarg, conditions)
		*conditions = conjuncts(m.Quals, *conditions)
	case *rangeVar:
		c.beside[aliasOr(m.Alias, m.Relname)] = n
	case *rangeSub:
		c.beside[aliasOr(m.Alias, "")] = n
	case *rangeFunc:
		c.beside[aliasOr(m.Alias, "")] = n
	}
}

func aliasOr(a *alias, name string) string {
	if a != nil {
		return a.Aliasname
	}
	return name
}

func conjuncts(n *node, to []*node) []*node {
	if b, ok := unwrap(n).(*boolExpr); ok && b.Boolop == boolAnd {
		for _, arg := range b.Args {
			to = conjuncts(arg, to)
		}
		return to
	}
	if n != nil {
		to = append(to, n)
	}
	return to
}

// tie notes a relation that an equality ties to the target's own row.
func (c *condition) tie(e *aExpr) {
	if e.Kind != opPlain && e.Kind != opNotDistinct || !slices.Contains([]string{"=", "<=", ">="}, operator(e)) {
		return
	}
	for _, pair := range [][2]*node{{e.Lexpr, e.Rexpr}, {e.Rexpr, e.Lexpr}} {
		a, ok1 := unwrap(bare(pair[0])).(*columnRef)
		b, ok2 := unwrap(bare(pair[1])).(*columnRef)
		if !ok1 || !ok2 {
			continue
		}
		mine, other := names(a.Fields), names(b.Fields)
		if len(other) == 1 { // the lone value of a function beside the target
			if _, isCall := unwrap(c.beside[other[0]]).(*rangeFunc); isCall {
				other = append(other, other[0])
			}
		}
		if len(other) < 2 || !c.isOurs(a, nil) {
			continue
		}
		of, column := other[len(other)-2], other[len(other)-1]
		if item := c.beside[of]; item != nil && !c.ours[of] && c.restates(mine[len(mine)-1], item, column) {
			c.tied = append(c.tied, e)
			// The same value is not the same row, but for a key.
			c.ours[of] = operator(e) == "=" && c.isKey(pair[0])
			if !c.ours[of] {
				delete(c.ours, of)
			}
		}
	}
}

// restates reports whether every row of the target finds a row in a relation
// beside it by mine = column: the relation is the target itself, all of it, or
// what a foreign key refers to.
func (c *condition) restates(mine string, item *node, of string) bool {
	if f, ok := unwrap(item).(*rangeFunc); ok {
		return manyNumbers(f) || c.holdsAll(listOf(f.Functions), mine)
	}
	if columns, whole := c.wholeItem(item, c.frame, 0); whole {
		base, ok := columns[of]
		if all := columns["*"]; all != "" && !ok {
			base = of
		}
		return base == mine
	}
	v, ok := unwrap(item).(*rangeVar)
	if !ok || c.reader.cat == nil || c.reader.cat.code == nil || v.Schemaname == "" && c.frame.isCTE(v.Relname) {
		return false
	}
	for _, rel := range c.relations {
		to, ok := c.reader.cat.code.refers[columnKey{rel.oid, mine}]
		if !ok {
			continue
		}
		for _, other := range c.reader.cat.find(v.Schemaname, v.Relname) {
			if to == (columnKey{other.oid, of}) {
				return true
			}
		}
	}
	return false
}

// limits reports whether LIMIT or OFFSET leave rows out.
func limits(q *selectStmt) bool {
	if n, ok := number(q.LimitOffset); q.LimitOffset != nil && (!ok || n > 0) {
		return true
	}
	if q.LimitCount == nil {
		return false
	}
	switch k := unwrap(q.LimitCount).(type) {
	case *aConst: // LIMIT ALL
		if k.Isnull {
			return false
		}
	case *subLink: // LIMIT (SELECT count(*) ...)
		if s, ok := unwrap(k.Subselect).(*selectStmt); ok && len(s.FromClause) > 0 {
			return false
		}
	}
	n, ok := number(q.LimitCount)
	return !ok || n < 1e6
}

// scope is the relations of the subqueries around a name.
type scoping struct {
	parent  *scoping
	aliases map[string]bool
	tables  []*rangeVar
}

func newScoping(q *selectStmt, parent *scoping) *scoping {
	if len(q.FromClause) == 0 {
		return parent
	}
	s := &scoping{parent: parent, aliases: map[string]bool{}}
	var add func(n *node)
	add = func(n *node) {
		switch m := unwrap(n).(type) {
		case *joinExpr:
			add(m.Larg)
			add(m.Rarg)
		case *rangeVar:
			s.aliases[aliasOr(m.Alias, m.Relname)] = true
			s.tables = append(s.tables, m)
		case *rangeSub:
			s.aliases[aliasOr(m.Alias, "")] = true
		case *rangeFunc:
			s.aliases[aliasOr(m.Alias, "")] = true
		}
	}
	for _, n := range q.FromClause {
		add(n)
	}
	return s
}

// columns visits every reference to a column of the target below m, those
// within subqueries included. A part that comes to the same for every row is
// left out.
func (c condition) columns(m proto.Message, s *scoping, visit func(name string)) {
	if *c.looks--; *c.looks <= 0 {
		return
	}
	switch msg := m.(type) {
	case *selectStmt:
		s = newScoping(msg, s)
	case *indirection: // (notes).id
		if ref, ok := unwrap(msg.Arg).(*columnRef); ok && len(msg.Indirection) == 1 {
			if parts, field := names(ref.Fields), text(msg.Indirection[0]); len(parts) == 1 && c.ours[parts[0]] && field != "" {
				visit(field)
				return
			}
		}
	case *columnRef:
		if made := c.derived[firstOf(names(msg.Fields))]; made != nil {
			for name := range made {
				visit(name)
			}
			return
		}
		if c.isOurs(msg, s) {
			parts := names(msg.Fields)
			name := parts[len(parts)-1]
			if len(parts) == 1 && c.ours[name] && !c.isColumn(name) {
				name = "*"
			}
			visit(name)
		}
		return
	case *currentOf:
		visit("ctid")
		return
	case *aExpr:
		if annihilates(msg) {
			return
		}
	case *funcCall:
		if vanishes(msg) {
			return
		}
	}
	eachChild(m, func(child proto.Message) { c.columns(child, s, visit) })
}

// columnsOf lists the target's columns that n depends on.
func (c condition) columnsOf(n *node) map[string]bool {
	all := map[string]bool{}
	if n != nil {
		c.columns(n, c.scope, func(name string) { all[name] = true })
	}
	return all
}

// mentions reports whether a condition may depend on the target's row. One that
// depends on the whole row and no column of it does not tell rows apart.
func (c condition) mentions(n *node) bool {
	for name := range c.columnsOf(n) {
		if name != "*" && !slices.Contains(rowless, name) {
			return *c.looks > 0
		}
	}
	return false
}

// rowless are the system columns that nobody tells rows apart by.
var rowless = []string{"tableoid", "xmin", "xmax", "cmin", "cmax"}

func firstOf(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return parts[0]
}

// isColumn reports whether the target has a column of that name.
func (c condition) isColumn(name string) bool {
	for _, rel := range c.relations {
		for _, a := range rel.columns {
			if a.name == name {
				return true
			}
		}
	}
	return false
}

// isOurs reports whether a name, within the subqueries of s, may be one of the
// target's columns. An unqualified one may.
func (c condition) isOurs(ref *columnRef, s *scoping) bool {
	parts := names(ref.Fields)
	if len(parts) > 1 {
		of := parts[len(parts)-2]
		if c.joined[of] {
			return true
		}
		for ; s != nil; s = s.parent {
			if s.aliases[of] {
				return false
			}
		}
		return c.ours[of] || len(parts) > 1 && c.ours[parts[0]]
	}
	name := parts[0]
	if c.reader.variables[name] {
		return false
	}
	within := s != nil
	for ; s != nil; s = s.parent {
		for _, v := range s.tables {
			if v.Relname == c.relation {
				return false
			}
			for _, rel := range c.reader.cat.find(v.Schemaname, v.Relname) {
				for _, a := range rel.columns {
					if a.name == name {
						return false
					}
				}
			}
		}
	}
	if s == nil && (len(c.beside) > 0 || within) && len(c.relations) > 0 && !c.isColumn(name) && !c.ours[name] && !slices.Contains(systemColumns, name) {
		return false // a column of what stands beside the target
	}
	return true
}
