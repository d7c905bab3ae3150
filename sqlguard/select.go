package sqlguard

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
)

// query works out a SELECT, VALUES or set operation.
func (a *analyst) query(q *selectStmt, parent *scope, env *cte) []column {
	if !a.spend(0) {
		return nil
	}
	if q.IntoClause != nil { // stands where no other may
		into := q.IntoClause.GetRel().GetRelname()
		plain := proto.Clone(q).(*selectStmt)
		plain.IntoClause = nil
		a.copied(a.query(plain, parent, env), into)
		return nil
	}
	env = a.with(q.WithClause, parent, env)
	switch {
	case q.Op != setNone:
		columns := a.setOperation(q, parent, env)
		a.order(q, columns, &scope{parent: parent, tables: tables{columns: columns}}, env)
		return columns
	case len(q.ValuesLists) > 0:
		columns := a.values(q, parent, env)
		a.order(q, columns, &scope{parent: parent, tables: tables{columns: columns}}, env)
		return columns
	}
	sc := &scope{parent: parent}
	for _, n := range q.FromClause {
		if !a.spend(len(sc.columns)) {
			return nil
		}
		sc.add(a.from(n, sc.tables, parent, env))
	}
	ev := a.in(sc, env)
	ev.filter(q.WhereClause)
	columns := ev.targets(q.TargetList)
	a.group(q, columns, ev)
	ev.filter(q.HavingClause)
	for _, n := range q.WindowClause {
		ev.window(n.GetWindowDef())
	}
	a.distinct(q, columns, ev)
	a.order(q, columns, sc, env)
	return columns
}

// targets works out a select list or a RETURNING list.
func (ev eval) targets(list []*node) []column {
	var columns []column
	for _, n := range list {
		t, ok := unwrap(n).(*resTarget)
		if !ok {
			ev.misunderstood(nodeName(unwrap(n)))
			return nil
		}
		if ref, ok := unwrap(t.Val).(*columnRef); ok {
			if parts := names(ref.Fields); parts[len(parts)-1] == "*" {
				columns = append(columns, ev.star(parts[:len(parts)-1])...)
				continue
			}
		}
		if in, ok := unwrap(t.Val).(*indirection); ok && len(in.Indirection) > 0 {
			if _, star := unwrap(in.Indirection[len(in.Indirection)-1]).(*aStar); star {
				columns = append(columns, ev.expand(in)...)
				continue
			}
		}
		c := column{name: t.Name, value: ev.expr(t.Val)}
		if c.name == "" {
			c.name, _ = figureName(t.Val)
		}
		columns = append(columns, c)
	}
	return columns
}

// star expands * and name.*.
func (ev eval) star(qualifier []string) []column {
	if len(qualifier) == 0 {
		return ev.sc.columns
	}
	schema, name := qualified(qualifier)
	it := ev.sc.lookupItem(schema, name)
	if it == nil {
		ev.unresolved(append(slices.Clone(qualifier), "*"), -1, false)
		return nil
	}
	return it.star()
}

// expand works out (expression).* of a select list.
func (ev eval) expand(m *indirection) []column {
	if ref, ok := unwrap(m.Arg).(*columnRef); ok && len(m.Indirection) == 1 && len(ref.Fields) == 1 {
		name := text(ref.Fields[0])
		if _, isColumn := ev.column(name); !isColumn {
			if it := ev.sc.lookupItem("", name); it != nil {
				return it.star()
			}
		}
	}
	return loosen(ev.indirection(m))
}

func (a *analyst) setOperation(q *selectStmt, parent *scope, env *cte) []column {
	left, right := a.query(q.Larg, parent, env), a.query(q.Rarg, parent, env)
	if a.refusal != nil {
		return nil
	}
	asked := q.Op != setUnion || !q.All
	if isLoose(left) || isLoose(right) {
		v := computed(outputsOf(left), outputsOf(right))
		for _, c := range append(slices.Clip(left), right...) {
			if asked {
				a.equal(c.value, value{}, "a set operation other than UNION ALL")
			}
		}
		return loosen(v)
	}
	if len(left) != len(right) {
		a.misunderstood("a set operation over different numbers of columns")
		return nil
	}
	joined := make([]column, len(left))
	for i, l := range left {
		joined[i] = column{name: l.name, value: mix(l.value, right[i].value)}
		if asked {
			a.equal(l.value, right[i].value, "a set operation other than UNION ALL")
		}
	}
	return joined
}

// mix is a value that comes from either of two.
func mix(l, r value) value {
	same := len(l.deps) == len(r.deps) && len(union(l.deps, r.deps)) == len(l.deps)
	v := computed(l, r)
	v.plain, v.kept = l.plain && r.plain && same, l.whole() && r.whole()
	v.doc = oneDocument(l, r)
	return v
}

// oneDocument is the document that either of two values is, the other being
// free of any, or the same part of the same one.
func oneDocument(l, r value) *document {
	switch {
	case l.doc != nil && len(r.deps) == 0:
		return l.doc
	case r.doc != nil && len(l.deps) == 0:
		return r.doc
	case l.doc != nil && r.doc != nil && l.doc.dep == r.doc.dep && l.doc.text == r.doc.text && slices.EqualFunc(l.doc.paths, r.doc.paths, slices.Equal[[]string]):
		return l.doc
	}
	return nil
}

func (a *analyst) values(q *selectStmt, parent *scope, env *cte) []column {
	var columns []column
	ev := a.in(&scope{parent: parent}, env)
	for i, n := range q.ValuesLists {
		row, ok := unwrap(n).(*list)
		if !ok {
			a.misunderstood("VALUES")
			return nil
		}
		for j, item := range row.Items {
			v := ev.expr(item)
			switch {
			case i == 0:
				columns = append(columns, column{name: fmt.Sprintf("column%d", j+1), value: v})
			case j < len(columns):
				columns[j].value = mix(columns[j].value, v)
			}
		}
	}
	return columns
}

// with works out the WITH queries.
func (a *analyst) with(w *withClause, parent *scope, env *cte) *cte {
	if w == nil {
		return env
	}
	for i, n := range w.Ctes {
		if !a.spend(i) {
			return env
		}
		c := n.GetCommonTableExpr()
		if c == nil {
			a.misunderstood("WITH")
			return env
		}
		columns := a.cte(c, w.Recursive, parent, env)
		switch {
		case len(c.Aliascolnames) == 0:
		case isLoose(columns):
			it := a.rename(derived("", columns), &alias{Aliasname: c.Ctename, Colnames: c.Aliascolnames})
			columns = it.star()
		default:
			for i, alias := range c.Aliascolnames {
				if i < len(columns) {
					columns[i].name = text(alias)
				}
			}
		}
		columns = a.searched(c, columns)
		env = &cte{c.Ctename, columns, env}
	}
	return env
}

// searched adds the columns of SEARCH and CYCLE: they hold those they name, and
// the rows are compared by them.
func (a *analyst) searched(c *cteExpr, columns []column) []column {
	by := func(list []*node, where string, use func(value, string)) value {
		var v value
		for _, n := range list {
			found := derived("", columns).named(text(n))
			if len(found) == 0 {
				found = columns
			}
			v = computed(v, outputsOf(found))
			for _, f := range found {
				use(f.value, where)
			}
		}
		return v
	}
	if s := c.SearchClause; s != nil {
		columns = append(columns, column{name: s.SearchSeqColumn, value: by(s.SearchColList, "SEARCH", a.useOf)})
	}
	if s := c.CycleClause; s != nil {
		v := by(s.CycleColList, "CYCLE", func(v value, where string) { a.equal(v, value{}, where) })
		columns = append(columns, column{name: s.CycleMarkColumn, value: v}, column{name: s.CyclePathColumn, value: v})
	}
	return columns
}

func (a *analyst) cte(c *cteExpr, recursive bool, parent *scope, env *cte) []column {
	switch q := unwrap(c.Ctequery).(type) {
	case *selectStmt:
		if recursive && contains(q, func(m proto.Message) bool {
			v, ok := m.(*rangeVar)
			return ok && v.Schemaname == "" && v.Relname == c.Ctename
		}) {
			return a.recursive(c, q, parent, env)
		}
		return slices.Clone(a.query(q, parent, env))
	case *insertStmt, *updateStmt, *deleteStmt, *mergeStmt:
		return a.change(q, parent, env)
	}
	a.misunderstood("WITH")
	return nil
}

// recursive works out a query over itself: it begins with what the first term
// depends on and goes on until nothing is added.
func (a *analyst) recursive(c *cteExpr, q *selectStmt, parent *scope, env *cte) []column {
	if q.Op != setUnion || q.WithClause != nil {
		a.misunderstood("WITH RECURSIVE of that form")
		return nil
	}
	columns := slices.Clone(a.query(q.Larg, parent, env))
	if isLoose(columns) {
		columns = append(loosen(outputsOf(columns)), columns...)
		for i := range columns {
			columns[i].value, columns[i].loose = columns[0].value, true
		}
	}
	for range 64 {
		for i := range columns {
			columns[i].plain = columns[i].plain && len(columns[i].deps) == 0
			columns[i].sure, columns[i].kept, columns[i].doc = false, false, nil
			if i < len(c.Aliascolnames) {
				columns[i].name = text(c.Aliascolnames[i])
			}
		}
		next := a.query(q, parent, &cte{c.Ctename, columns, env})
		if a.refusal != nil {
			return nil
		}
		grown := false
		if isLoose(columns) || isLoose(next) {
			v := computed(outputsOf(next), outputsOf(columns))
			for i := range columns {
				grown = grown || len(v.deps) > len(columns[i].deps)
				columns[i].value = v
			}
			if !grown {
				return columns
			}
			continue
		}
		for i := range columns {
			if i < len(next) && len(union(columns[i].deps, next[i].deps)) > len(columns[i].deps) {
				columns[i].deps, grown = union(columns[i].deps, next[i].deps), true
			}
		}
		if !grown {
			return columns
		}
	}
	a.misunderstood("WITH RECURSIVE of that form")
	return nil
}

// group: GROUP BY asks which values are the same.
func (a *analyst) group(q *selectStmt, columns []column, ev eval) {
	for _, n := range q.GroupClause {
		a.groupItem(n, columns, ev)
	}
}

func (a *analyst) groupItem(n *node, columns []column, ev eval) {
	if set, ok := unwrap(n).(*groupingSet); ok {
		for _, c := range set.Content {
			a.groupItem(c, columns, ev)
		}
		return
	}
	a.byOutput(n, columns, ev, "GROUP BY", a.same)
}

func (a *analyst) distinct(q *selectStmt, columns []column, ev eval) {
	for _, n := range q.DistinctClause {
		if unwrap(n) == nil { // plain DISTINCT
			for _, c := range columns {
				a.same(c.value, "DISTINCT")
			}
			continue
		}
		a.byOutput(n, columns, ev, "DISTINCT ON", a.same)
	}
}

// order works out ORDER BY and LIMIT.
func (a *analyst) order(q *selectStmt, columns []column, sc *scope, env *cte) {
	ev := a.in(sc, env)
	for _, n := range q.SortClause {
		a.byOutput(n.GetSortBy().GetNode(), columns, ev, "ORDER BY", a.useOf)
	}
	ev.useExpr(q.LimitCount, "LIMIT")
	ev.useExpr(q.LimitOffset, "OFFSET")
}

// byOutput is a use that may name an output by number or name. A name is taken
// to mean the output and the column both.
func (a *analyst) byOutput(n *node, columns []column, ev eval, where string, use func(value, string)) {
	if _, ok := unwrap(n).(*aConst); ok {
		if i, isNumber := number(n); isNumber {
			if isLoose(columns) {
				for _, c := range columns {
					use(c.value, where)
				}
			} else if i >= 1 && int(i) <= len(columns) {
				use(columns[int(i)-1].value, where)
			}
			return
		}
	}
	if ref, ok := unwrap(n).(*columnRef); ok && len(ref.Fields) == 1 {
		name, found := text(ref.Fields[0]), false
		for _, c := range columns {
			if c.name == name || c.loose && c.name == "*" {
				use(c.value, where)
				found = true
			}
		}
		v, ok := ev.sc.lookup([]string{name})
		if ok {
			use(v, where)
		}
		if ok || found {
			return
		}
	}
	use(ev.expr(n), where)
}
