package sqlguard

import (
	"slices"
)

// from works out one entry of a FROM clause. left is what stands before it,
// which LATERAL can see.
func (a *analyst) from(n *node, left tables, parent *scope, env *cte) tables {
	if !a.spend(len(left.columns)) {
		return tables{}
	}
	lateral := &scope{tables: left, parent: parent}
	switch m := unwrap(n).(type) {
	case *rangeVar:
		return single(a.rename(a.named(m, env), m.Alias))
	case *rangeSub:
		q, ok := unwrap(m.Subquery).(*selectStmt)
		if !ok {
			a.misunderstood("a subselect of that form")
			return tables{}
		}
		outer := parent
		if m.Lateral {
			outer = lateral
		}
		return single(a.rename(&item{columns: slices.Clone(a.query(q, outer, env))}, m.Alias))
	case *joinExpr:
		return a.join(m, left, parent, env)
	case *rangeFunc:
		return single(a.fromFunction(m, a.in(lateral, env)))
	case *rangeSample:
		ev := a.in(lateral, env)
		for _, arg := range append([]*node{m.Repeatable}, m.Args...) {
			ev.useExpr(arg, "TABLESAMPLE")
		}
		if _, name := qualified(names(m.Method)); name != "bernoulli" && name != "system" {
			a.misunderstood("TABLESAMPLE " + name)
		}
		return a.from(m.Relation, left, parent, env)
	}
	a.misunderstood(nodeName(unwrap(n)) + " in FROM")
	return tables{}
}

// named resolves a relation's name: a WITH query, or whatever the catalog holds
// under it.
func (a *analyst) named(v *rangeVar, env *cte) *item {
	if v.Schemaname == "" {
		if c := env.find(v.Relname, a); c != nil {
			return &item{name: v.Relname, columns: c.columns}
		}
	}
	if a.sh.reached([]use{{v.Schemaname, v.Relname}}) == "" && len(a.sh.cat.find(v.Schemaname, v.Relname)) == 0 {
		// Not known and not meant by any pattern: its columns are free.
		return &item{schema: v.Schemaname, name: v.Relname, base: true, open: true, vague: true}
	}
	return a.relation(v.Schemaname, v.Relname)
}

// rename gives an item the names of an alias.
func (a *analyst) rename(it *item, as *alias) *item {
	if as == nil {
		return it
	}
	renamed := *it
	renamed.schema, renamed.name = "", as.Aliasname
	if len(as.Colnames) > 0 {
		if it.vague {
			a.misunderstood("names for the columns of " + as.Aliasname)
		}
		renamed.columns = slices.Clone(it.columns)
		for i, n := range as.Colnames {
			if i < len(renamed.columns) {
				renamed.columns[i].name = text(n)
			}
		}
	}
	return &renamed
}

func (a *analyst) join(j *joinExpr, before tables, parent *scope, env *cte) tables {
	left := a.from(j.Larg, before, parent, env)
	visible := tables{items: slices.Clone(before.items), columns: slices.Clone(before.columns)}
	visible.add(left)
	right := a.from(j.Rarg, visible, parent, env)
	shared := make([]string, len(j.UsingClause))
	for i, n := range j.UsingClause {
		shared[i] = text(n)
	}
	if j.IsNatural {
		if left.vague || right.vague {
			a.misunderstood("NATURAL JOIN over columns that are not known")
		}
		for _, c := range left.columns {
			if slices.ContainsFunc(right.columns, func(r column) bool { return r.name == c.name }) {
				shared = append(shared, c.name)
			}
		}
	}
	joined := tables{items: append(slices.Clip(left.items), right.items...), vague: left.vague || right.vague}
	merged := &item{}
	for _, name := range shared {
		c := a.mergeColumn(j, name, left, right)
		merged.columns = append(merged.columns, c)
		joined.columns = append(joined.columns, c)
	}
	for _, c := range append(slices.Clip(left.columns), right.columns...) {
		if !slices.Contains(shared, c.name) {
			joined.columns = append(joined.columns, c)
		}
	}
	if j.JoinUsingAlias != nil {
		merged.name = j.JoinUsingAlias.Aliasname
		joined.items = append(joined.items, merged)
	}
	if j.Quals != nil {
		sc := &scope{tables: before, parent: parent}
		sc.add(joined)
		a.in(sc, env).filter(j.Quals)
	}
	if j.Alias != nil { // hides what it joins
		return single(a.rename(&item{columns: joined.columns, vague: joined.vague}, j.Alias))
	}
	return joined
}

// mergeColumn is a column of USING: a join by equality over both.
func (a *analyst) mergeColumn(j *joinExpr, name string, left, right tables) column {
	l, okL := (&scope{tables: left}).lookupColumn(name)
	r, okR := (&scope{tables: right}).lookupColumn(name)
	if !okL || !okR {
		a.misunderstood("JOIN over a column that is not known: " + name)
	}
	a.equal(l, r, "JOIN")
	v := mix(l, r)
	switch j.Jointype {
	case joinFull: // coalesce of both
		v.plain = v.plain && len(v.deps) == 0
	case joinRight:
		v.plain = r.plain
	default:
		v.plain = l.plain
	}
	return column{name, v}
}

// fromFunction works out a function in FROM. How many rows it gives depends on
// its arguments, so that those are uses.
func (a *analyst) fromFunction(m *rangeFunc, ev eval) *item {
	it := &item{name: m.Alias.GetAliasname()}
	for _, n := range m.Functions {
		parts, ok := unwrap(n).(*list)
		if !ok || len(parts.Items) == 0 {
			a.misunderstood("a function in FROM of that form")
			return it
		}
		v := ev.useExpr(parts.Items[0], "a function in FROM")
		it.rest = union(it.rest, v.deps)
		name, _ := figureName(parts.Items[0])
		if it.name == "" {
			it.name = name
		}
		call, ok := unwrap(parts.Items[0]).(*funcCall)
		scalar := ok && a.sh.cat.system[name].scalar && len(m.Coldeflist) == 0 && (name != "unnest" || len(call.Args) == 1)
		switch {
		case scalar && name == "unnest" && !simpleArray(call.Args[0]):
			it.open, it.vague = true, true // of a composite type it gives many columns
		case scalar:
			if as := m.Alias; as != nil && !m.IsRowsfrom {
				name = as.Aliasname
			}
			it.columns = append(it.columns, column{name, value{deps: v.deps}})
		default:
			it.open, it.vague = true, true
		}
		if len(parts.Items) > 1 { // ROWS FROM (f() AS (a int))
			it.open, it.vague = true, true
		}
	}
	if m.Ordinality {
		it.columns = append(it.columns, column{name: "ordinality"})
	}
	if len(m.Coldeflist) > 0 {
		it.columns, it.open, it.vague = nil, false, false
		for _, n := range m.Coldeflist {
			it.columns = append(it.columns, column{n.GetColumnDef().GetColname(), value{deps: it.rest}})
		}
	}
	switch {
	case m.Alias == nil || len(m.Alias.Colnames) == 0:
	case it.vague: // the names are known, whether they are all is not
		it.columns = nil
		for _, n := range m.Alias.Colnames {
			it.columns = append(it.columns, column{text(n), value{deps: it.rest}})
		}
	default:
		it = a.rename(it, m.Alias)
	}
	return it
}

// simpleArray reports whether an array's elements are sure to be no rows.
func simpleArray(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aArray, *paramRef, *aConst:
		return true
	case *typeCast:
		_, name := qualified(names(m.TypeName.GetNames()))
		return slices.Contains([]string{"text", "int4", "int8", "int2", "uuid", "varchar", "numeric", "bool", "date", "timestamptz", "timestamp", "float8"}, name)
	case *funcCall:
		_, name := qualified(names(m.Funcname))
		return name == "string_to_array" || name == "regexp_split_to_array"
	}
	return false
}
