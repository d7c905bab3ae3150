package sqlguard

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
)

// change works out INSERT, UPDATE and DELETE and gives what they return.
// Writing new values is free; a protected value may be written only to where
// it came from.
func (a *analyst) change(m proto.Message, parent *scope, env *cte) []column {
	switch m := m.(type) {
	case *insertStmt:
		return a.insert(m, parent, a.with(m.WithClause, parent, env))
	case *updateStmt:
		env = a.with(m.WithClause, parent, env)
		ev := a.target(m.Relation, m.FromClause, parent, env)
		ev.assign(m.TargetList, ev.sc.items[0])
		ev.filter(m.WhereClause)
		return ev.returning(m.ReturningList)
	case *deleteStmt:
		env = a.with(m.WithClause, parent, env)
		ev := a.target(m.Relation, m.UsingClause, parent, env)
		ev.filter(m.WhereClause)
		return ev.returning(m.ReturningList)
	case *mergeStmt:
		a.merge(m, parent, a.with(m.WithClause, parent, env))
		return nil
	}
	a.misunderstood(nodeName(m))
	return nil
}

// returning works out RETURNING, which PostgreSQL 18 gives the row under two
// more names: as it was, and as it is.
func (ev eval) returning(list []*node) []column {
	both := *ev.sc
	for _, name := range []string{"old", "new"} {
		if !slices.ContainsFunc(both.items, func(it *item) bool { return it.name == name }) {
			row := *both.items[0]
			row.schema, row.name = "", name
			both.items = append(slices.Clip(both.items), &row)
		}
	}
	return ev.in(&both, ev.env).targets(list)
}

// merge works out MERGE, which returns nothing.
// Whether it found a row is seen by what it did, so that not even equality is
// free in it.
func (a *analyst) merge(m *mergeStmt, parent *scope, env *cte) {
	strict := a.strict
	a.strict = true
	defer func() { a.strict = strict }()
	ev := a.target(m.Relation, []*node{m.SourceRelation}, parent, env)
	target := ev.sc.items[0]
	ev.filter(m.JoinCondition)
	for _, n := range m.MergeWhenClauses {
		when, ok := unwrap(n).(*mergeWhen)
		if !ok {
			a.misunderstood("MERGE of that form")
			return
		}
		ev.filter(when.Condition)
		if when.CommandType != mergeInsert {
			ev.assign(when.TargetList, target)
			continue
		}
		for i, n := range when.Values {
			name := ""
			switch {
			case i < len(when.TargetList):
				name = when.TargetList[i].GetResTarget().GetName()
			case len(when.TargetList) == 0 && !target.vague && i < len(target.columns):
				name = target.columns[i].name
			}
			a.flow(ev.expr(n), target, name)
		}
	}
}

// target opens a scope over the target and the relations beside it. The target
// is the first item.
func (a *analyst) target(v *rangeVar, from []*node, parent *scope, env *cte) eval {
	sc := &scope{parent: parent}
	sc.add(single(a.rename(a.named(v, nil), v.Alias)))
	for _, n := range from {
		sc.add(a.from(n, sc.tables, parent, env))
	}
	return a.in(sc, env)
}

func (a *analyst) insert(m *insertStmt, parent *scope, env *cte) []column {
	ev := a.target(m.Relation, nil, parent, env)
	target := ev.sc.items[0]
	if m.SelectStmt != nil {
		q, ok := unwrap(m.SelectStmt).(*selectStmt)
		if !ok {
			a.misunderstood("INSERT of that form")
			return nil
		}
		columns := a.query(q, parent, env)
		loose := isLoose(columns)
		for i, c := range columns {
			switch {
			case loose:
				a.flow(c.value, target, "")
			case i < len(m.Cols):
				a.flow(c.value, target, m.Cols[i].GetResTarget().GetName())
			case len(m.Cols) == 0 && !target.vague && i < len(target.columns):
				a.flow(c.value, target, target.columns[i].name)
			default:
				a.flow(c.value, target, "")
			}
		}
	}
	if c := m.OnConflictClause; c != nil {
		a.conflict(c, ev, target)
	}
	return ev.returning(m.ReturningList)
}

func (a *analyst) conflict(c *onConflict, ev eval, target *item) {
	both := *ev.sc
	excluded := *target
	excluded.schema, excluded.name = "", "excluded"
	both.items = append(both.items[:1:1], &excluded)
	inner := a.in(&both, ev.env)
	if c.Infer == nil || len(c.Infer.IndexElems) == 0 {
		a.whichConflict(target)
	}
	if c.Infer != nil {
		for _, n := range c.Infer.IndexElems {
			e, ok := unwrap(n).(*inferElem)
			switch {
			case !ok:
				a.misunderstood("ON CONFLICT of that form")
			case e.Expr != nil:
				inner.useExpr(e.Expr, "ON CONFLICT")
			default:
				v, _ := target.field(e.Name)
				a.equal(v, value{}, "ON CONFLICT")
				if c.Action == conflictNone { // whether a row was added says that the value was there
					a.useOf(v, "ON CONFLICT ... DO NOTHING")
				}
			}
		}
		inner.filter(c.Infer.WhereClause)
	}
	inner.assign(c.TargetList, target)
	inner.filter(c.WhereClause)
}

// whichConflict refuses ON CONFLICT without columns where a protected one is
// unique: whether a row was added would say that its value was there.
func (a *analyst) whichConflict(target *item) {
	for _, rel := range a.sh.cat.find(target.baseSchema, target.baseName) {
		for _, c := range rel.columns {
			if !slices.Contains(rel.unique, c.number) && !slices.Contains(rel.unique, 0) {
				continue
			}
			for _, d := range a.sh.columns[rel.oid][c.name] {
				if d.filter != AllowUse {
					a.refuse(denied(fmt.Sprintf("ON CONFLICT on table %q needs the columns of the conflict by name", target.baseName),
						fmt.Sprintf("Protected column %q is unique: whether a row was added would tell which values it holds.", d.column.Name),
						"Write ON CONFLICT (column) with columns that are not protected."))
					return
				}
			}
		}
	}
}

// assign works out the list of SET.
func (ev eval) assign(list []*node, target *item) {
	for _, n := range list {
		t, ok := unwrap(n).(*resTarget)
		if !ok {
			ev.misunderstood("SET of that form")
			return
		}
		v := ev.expr(t.Val)
		for _, i := range t.Indirection {
			v = computed(v, ev.expr(indexOf(i)))
		}
		ev.flow(v, target, t.Name)
	}
}

// indexOf gives an index as an expression; a field's name is none.
func indexOf(n *node) *node {
	if _, ok := unwrap(n).(*aIndices); ok {
		return n
	}
	return nil
}

// flow is a value written to a column.
func (a *analyst) flow(v value, target *item, name string) {
	var own []*dep
	for _, c := range target.named(name) {
		own = union(own, c.deps)
	}
	for _, d := range v.deps {
		// Its own value may be written back, but not what is computed from it: a
		// part of it could be compared where the whole can't be guessed.
		if len(union(own, []*dep{d})) == len(own) && (v.plain || d.filter == AllowUse) {
			continue
		}
		a.refuse(denied(fmt.Sprintf("protected column %q of table %q cannot be copied to table %q", d.column.Name, d.column.Table, target.name),
			"There it would not be protected.", "Write a new value, or leave the column out."+a.sh.unprotected(d.column)))
	}
}
