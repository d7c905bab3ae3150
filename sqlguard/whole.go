package sqlguard

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// Queries that give back every row of the target's relation: to be among what
// they give is no restriction.

// wholeItem reports whether an item of FROM holds every row of the target's
// relation, and which of its columns each of its own is; "*" is each its own.
func (c condition) wholeItem(n *node, f *frame, depth int) (map[string]string, bool) {
	if depth > 8 {
		return nil, false
	}
	switch m := unwrap(n).(type) {
	case *rangeVar:
		if m.Schemaname == "" {
			if body := f.body(m.Relname); body != nil {
				q, ok := unwrap(body).(*selectStmt)
				if !ok {
					return nil, false
				}
				return c.everyRow(q, f, depth+1)
			}
		}
		if c.isRelation(m) {
			return map[string]string{"*": "*"}, true
		}
		return c.wholeView(m, depth)
	case *rangeSub:
		q, ok := unwrap(m.Subquery).(*selectStmt)
		if !ok {
			return nil, false
		}
		columns, whole := c.everyRow(q, f, depth+1)
		return renamed(columns, q, m.Alias), whole
	case *rangeSample:
		if len(m.Args) == 1 {
			if n, ok := number(m.Args[0]); ok && n < 99 {
				return nil, false
			}
		}
		return c.wholeItem(m.Relation, f, depth+1)
	case *joinExpr:
		return c.wholeJoin(m, f, depth)
	}
	return nil, false
}

// wholeJoin is wholeItem for a join: an outer one keeps a side, another keeps
// the rows of a side where its condition restricts nothing.
func (c condition) wholeJoin(m *joinExpr, f *frame, depth int) (map[string]string, bool) {
	l, okL := c.wholeItem(m.Larg, f, depth+1)
	r, okR := c.wholeItem(m.Rarg, f, depth+1)
	keepsL := m.Jointype == joinLeft || m.Jointype == joinFull
	keepsR := m.Jointype == joinRight || m.Jointype == joinFull
	switch {
	case okL && keepsL:
		return l, true
	case okR && keepsR:
		return r, true
	case m.IsNatural || len(m.UsingClause) > 0:
		return l, okL && okR
	case okL && c.joinKeeps(m.Larg, m, f):
		return l, true
	case okR && c.joinKeeps(m.Rarg, m, f):
		return r, true
	}
	return nil, false
}

// joinKeeps reports whether the condition of a join leaves out no row of a side.
func (c condition) joinKeeps(side *node, m *joinExpr, f *frame) bool {
	if m.Quals == nil {
		return true
	}
	v, ok := unwrap(side).(*rangeVar)
	if !ok {
		return false
	}
	if *c.fold--; *c.fold < 0 {
		return true // too much to be told apart
	}
	own := newCondition(c.reader, v, f)
	own.fold = c.fold
	own.join([]*node{m.Larg, m.Rarg}, m.Quals)
	t := own.judge(m.Quals, false)
	return t != some && t != never
}

// renamed gives the columns of a subselect under the names that its alias gives
// them, in the order of its outputs.
func renamed(columns map[string]string, q *selectStmt, a *alias) map[string]string {
	if a == nil || len(a.Colnames) == 0 || len(columns) == 0 {
		return columns
	}
	return renamedBy(columns, q, names(a.Colnames))
}

func renamedBy(columns map[string]string, q *selectStmt, to []string) map[string]string {
	out := map[string]string{}
	for k, v := range columns {
		out[k] = v
	}
	for q.Larg != nil {
		q = q.Larg
	}
	for i, n := range q.TargetList {
		t := n.GetResTarget()
		name := t.GetName()
		if ref, ok := unwrap(bare(t.GetVal())).(*columnRef); ok && name == "" {
			name = lastOf(names(ref.Fields))
		}
		if base := columns[name]; base != "" && i < len(to) {
			out[to[i]] = base
		}
	}
	return out
}

// isRelation reports whether a name is the target's relation, or holds all its
// rows: what it inherits from, or what a view that is written through shows.
func (c condition) isRelation(v *rangeVar) bool {
	if v.Relname == c.relation {
		return true
	}
	if c.reader.cat == nil {
		return false
	}
	for _, rel := range c.reader.cat.find(v.Schemaname, v.Relname) {
		for _, own := range c.relations {
			if slices.Contains(c.reader.cat.parents[own.oid], rel.oid) || own.kind == "v" && slices.Contains(c.reader.cat.sources[own.oid], rel.oid) {
				return true
			}
		}
	}
	return false
}

// wholeView is wholeItem for a view over the target's relation.
func (c condition) wholeView(v *rangeVar, depth int) (map[string]string, bool) {
	if c.reader.cat == nil || c.reader.parser == nil {
		return nil, false
	}
	for _, rel := range c.reader.cat.find(v.Schemaname, v.Relname) {
		if rel.definition == "" || len(rel.definition) > c.reader.parser.inProcess {
			continue
		}
		if *c.fold--; *c.fold < 0 {
			return map[string]string{"*": "*"}, true // too much to be told apart
		}
		tree, refusal := c.reader.parser.parse(rel.definition)
		if refusal != nil || len(tree.Stmts) != 1 {
			continue
		}
		q, ok := unwrap(tree.Stmts[0].Stmt).(*selectStmt)
		if m, isView := unwrap(tree.Stmts[0].Stmt).(*viewStmt); isView {
			q, ok = unwrap(m.Query).(*selectStmt)
		}
		if m, isTable := unwrap(tree.Stmts[0].Stmt).(*ctasStmt); isTable {
			q, ok = unwrap(m.Query).(*selectStmt)
		}
		if !ok {
			continue
		}
		if columns, whole := c.everyRow(q, nil, depth+1); whole {
			to := make([]string, len(rel.columns))
			for i, a := range rel.columns {
				to[i] = a.name
			}
			return renamedBy(columns, q, to), true
		}
	}
	return nil, false
}

// everyRow reports whether a query gives every row of the target's relation,
// and which of its columns each output is.
func (c condition) everyRow(q *selectStmt, f *frame, depth int) (map[string]string, bool) {
	if depth > 8 || limits(q) {
		return nil, false
	}
	f = c.reader.queryFrame(q, f)
	if q.Op != setNone {
		l, okL := c.everyRow(q.Larg, f, depth+1)
		r, okR := c.everyRow(q.Rarg, f, depth+1)
		switch {
		case q.Op == setUnion && okL:
			return l, true
		case q.Op == setUnion && okR:
			return r, true
		case q.Op.String() == "SETOP_INTERSECT" && okL && okR:
			return l, true
		case q.Op.String() == "SETOP_EXCEPT" && okL && !contains(q.Rarg, func(m proto.Message) bool { _, ok := m.(*rangeVar); return ok }):
			return l, true // but for what is written out
		}
		return nil, false
	}
	if q.HavingClause != nil && c.restrictsGroups(q.HavingClause) {
		return nil, false
	}
	var inner map[string]string
	var item *node
	for _, n := range q.FromClause {
		columns, whole := c.wholeItem(n, f, depth+1)
		if whole {
			inner, item = columns, n
			break
		}
	}
	if item == nil {
		return nil, false
	}
	if v, ok := unwrap(item).(*rangeVar); ok && q.WhereClause != nil {
		own := newCondition(c.reader, v, f)
		own.relation, own.relations, own.fold = c.relation, c.relations, c.fold
		own.outer = c.ours
		own.join(q.FromClause, q.WhereClause)
		own.derive(q.FromClause)
		if *c.fold--; *c.fold < 0 {
			return nil, true // too much to be told apart
		}
		if t := own.judge(q.WhereClause, false); t == some || t == never {
			return nil, false
		}
	} else if q.WhereClause != nil {
		return nil, false
	}
	columns := map[string]string{}
	for _, n := range q.TargetList {
		t := n.GetResTarget()
		ref, ok := unwrap(bare(t.GetVal())).(*columnRef)
		if !ok {
			// An aggregate that gathers, or a set that is made of the column, is still
			// all of it; so is what is computed for each of its groups.
			if all := c.columnsOf(t.GetVal()); len(all) == 1 && c.keepsAll(t.GetVal(), q, all) {
				for name := range all {
					columns[t.GetName()] = name
				}
			}
			continue
		}
		parts := names(ref.Fields)
		name := parts[len(parts)-1]
		if name == "*" {
			for k, v := range inner {
				columns[k] = v
			}
			continue
		}
		base := inner[name]
		if base == "" && inner["*"] != "" {
			base = name
		}
		if t.GetName() != "" {
			name = t.GetName()
		}
		columns[name] = base
	}
	return columns, true
}

// keepsAll reports whether an output still holds every value of a column.
func (c condition) keepsAll(n *node, q *selectStmt, columns map[string]bool) bool {
	if !contains(n, func(m proto.Message) bool {
		f, ok := m.(*funcCall)
		name := ""
		if ok {
			name = lastOf(names(f.Funcname))
		}
		return ok && f.Over == nil && aggregateNames[name] && !gathers[name]
	}) {
		return true
	}
	for _, g := range q.GroupClause {
		if overlaps(c.columnsOf(g), columns) {
			return true
		}
	}
	return false
}

// restrictsGroups reports whether HAVING may leave groups out: count(*) > 0 does
// not.
func (c condition) restrictsGroups(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aConst:
		return c.constant(m, false) != always
	case *aExpr:
		f, ok := unwrap(m.Lexpr).(*funcCall)
		v, isConst := number(bare(m.Rexpr))
		if ok && isConst && m.Kind == opPlain && lastOf(names(f.Funcname)) == "count" {
			return !span{1, hugeNumber, true}.always(operator(m), one(v))
		}
	}
	return true
}
