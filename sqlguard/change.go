package sqlguard

import (
	"fmt"

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
		return ev.targets(m.ReturningList)
	case *deleteStmt:
		env = a.with(m.WithClause, parent, env)
		ev := a.target(m.Relation, m.UsingClause, parent, env)
		ev.filter(m.WhereClause)
		return ev.targets(m.ReturningList)
	}
	a.misunderstood(nodeName(m))
	return nil
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
		for i, c := range a.query(q, parent, env) {
			switch {
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
	return ev.targets(m.ReturningList)
}

func (a *analyst) conflict(c *onConflict, ev eval, target *item) {
	both := *ev.sc
	excluded := *target
	excluded.schema, excluded.name = "", "excluded"
	both.items = append(both.items[:1:1], &excluded)
	inner := a.in(&both, ev.env)
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
			}
		}
		inner.filter(c.Infer.WhereClause)
	}
	inner.assign(c.TargetList, target)
	inner.filter(c.WhereClause)
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
		if len(union(own, []*dep{d})) == len(own) {
			continue
		}
		a.refuse(denied(fmt.Sprintf("protected column %q of table %q cannot be copied to table %q", d.column.Name, d.column.Table, target.name),
			"There it would not be protected.", "Write a new value, or leave the column out."))
	}
}
