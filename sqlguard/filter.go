package sqlguard

import (
	"fmt"
	"slices"
	"strings"
)

// restricted lists the deps whose use in predicates is restricted.
func (a *analyst) restricted(v value) []*dep {
	if a.trusted {
		return nil
	}
	var r []*dep
	for _, d := range v.deps {
		if d.filter != AllowUse {
			r = append(r, d)
		}
	}
	return r
}

// useOf is a use of a value outside the select list that is no equality.
func (a *analyst) useOf(v value, where string) {
	if r := a.restricted(v); len(r) > 0 {
		a.refuseUse(r, where)
	}
}

// same is a use by which values are found to be the same.
func (a *analyst) same(v value, where string) { a.equal(v, value{}, where) }

// useExpr works out an expression that is such a use.
func (ev eval) useExpr(n *node, where string) value {
	if n == nil {
		return value{}
	}
	v := ev.expr(n)
	ev.useOf(v, where)
	return v
}

// equal is a comparison by equality: each side a protected column as it stands,
// or free of any.
func (a *analyst) equal(l, r value, where string) {
	for _, v := range []value{l, r} {
		deps := a.restricted(v)
		for _, d := range deps {
			if d.filter != Equality || !v.plain && v.doc == nil || a.strict {
				a.refuseUse(deps, where)
			}
		}
	}
}

func (a *analyst) refuseUse(deps []*dep, where string) {
	c := deps[0].column
	hint := "Compare it by equality with a value, or filter by another column."
	for _, d := range deps {
		if d.filter == Deny {
			c = d.column
			hint = "Filter by another column."
		}
	}
	a.refuse(denied(fmt.Sprintf("protected column %q of table %q cannot be used in %s", c.Name, c.Table, where),
		"What is done with it there would tell its value.", hint+a.sh.unprotected(c)))
}

// filter works out a condition: WHERE, ON, HAVING, FILTER or WHEN.
func (ev eval) filter(n *node) {
	const where = "a condition"
	if !ev.spend(0) {
		return
	}
	switch m := unwrap(n).(type) {
	case nil:
	case *boolExpr:
		for _, arg := range m.Args {
			ev.filter(arg)
		}
	case *booleanTest:
		ev.filter(m.Arg)
	case *nullTest:
		if v := ev.expr(m.Arg); v.doc == nil || !v.doc.taken() || v.doc.reach() != ReachSome { // whether a member is there
			ev.equal(v, value{}, where)
		}
	case *aExpr:
		ev.comparison(m, where)
	case *subLink:
		_, op := qualified(names(m.OperName))
		switch {
		case m.SubLinkType == subExists:
			ev.subselect(m)
		case m.SubLinkType == subAny && (op == "" || op == "="), m.SubLinkType == subAll && op == "<>":
			columns := ev.subselect(m)
			ev.joined = ev.joined || len(ev.restricted(ev.expr(m.Testexpr))) > 0 || len(ev.restricted(outputsOf(columns))) > 0
			if len(columns) == 1 {
				ev.equal(ev.expr(m.Testexpr), columns[0].value, where)
				return
			}
			ev.useOf(computed(ev.expr(m.Testexpr), outputsOf(columns)), where)
		default:
			ev.useExpr(n, where)
		}
	default:
		ev.useExpr(n, where)
	}
}

// joins notes that a protected column is compared with what is no constant.
func (a *analyst) joins(v value, l, r *node) {
	a.joined = a.joined || len(a.restricted(v)) > 0 && !isFixed(l) && !isFixed(r)
}

// isFixed reports whether n is a constant or a parameter, or an array of such.
func isFixed(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aConst, *paramRef:
		return true
	case *typeCast:
		return isFixed(m.Arg)
	case *aArray:
		return !slices.ContainsFunc(m.Elements, func(n *node) bool { return !isFixed(n) })
	}
	return false
}

// comparison allows equality, in its several spellings.
func (ev eval) comparison(m *aExpr, where string) {
	op := strings.Join(names(m.Name), ".")
	equality := op == "=" || op == "<>" || op == "!=" || op == "pg_catalog.=" || op == "pg_catalog.<>"
	l := ev.expr(m.Lexpr)
	switch {
	case ev.freeComparison(m, l):
	case m.Kind == opPlain && equality, m.Kind == opDistinct, m.Kind == opNotDistinct:
		r := ev.expr(m.Rexpr)
		ev.equal(l, r, where)
		ev.joins(computed(l, r), m.Lexpr, m.Rexpr)
	case m.Kind == opIn:
		items, ok := unwrap(m.Rexpr).(*list)
		if !ok {
			ev.useOf(computed(l, ev.expr(m.Rexpr)), where)
			return
		}
		for _, n := range items.Items {
			r := ev.expr(n)
			ev.equal(l, r, where)
			ev.joins(computed(l, r), m.Lexpr, n)
		}
	case m.Kind == opAny && op == "=", m.Kind == opAll && (op == "<>" || op == "!="):
		ev.equal(l, value{}, where)
		ev.joins(l, m.Lexpr, m.Rexpr)
		ev.useExpr(m.Rexpr, where)
	case m.Kind == opPlain && l.doc != nil:
		ev.useExpr(&node{Node: &pgExpr{AExpr: m}}, where)
	default:
		ev.useOf(computed(l, ev.expr(m.Rexpr)), where)
	}
}
