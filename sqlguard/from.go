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
		return single(a.rename(derived("", slices.Clone(a.query(q, outer, env))), m.Alias))
	case *joinExpr:
		return a.join(m, left, parent, env)
	case *rangeFunc:
		return single(a.fromFunction(m, a.in(lateral, env)))
	case *rangeXML:
		return single(a.fromXML(m, a.in(lateral, env)))
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
			return derived(v.Relname, c.columns)
		}
	}
	if a.sh.reached([]use{{v.Schemaname, v.Relname}}) == "" && len(a.sh.cat.find(v.Schemaname, v.Relname)) == 0 {
		// Not known and not meant by any pattern: its columns are free.
		return &item{schema: v.Schemaname, name: v.Relname, base: true, open: true, vague: true}
	}
	return a.relation(v)
}

// rename gives an item the names of an alias.
func (a *analyst) rename(it *item, as *alias) *item {
	if as == nil {
		return it
	}
	renamed := *it
	renamed.schema, renamed.name = "", as.Aliasname
	if len(as.Colnames) > 0 {
		if it.vague { // which column a name means is not known
			all := computed(it.row())
			renamed.columns = nil
			for _, n := range as.Colnames {
				renamed.columns = append(renamed.columns, column{name: text(n), value: all})
			}
			renamed.columns = append(renamed.columns, loosen(all)...)
			for _, c := range it.columns {
				renamed.columns = append(renamed.columns, column{name: c.name, value: all})
			}
			renamed.open, renamed.rest = true, union(it.rest, all.deps)
			return &renamed
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
		for _, c := range left.columns {
			if c.name != "*" && !slices.Contains(shared, c.name) && slices.ContainsFunc(right.columns, func(r column) bool { return r.name == c.name }) {
				shared = append(shared, c.name)
			}
		}
		if left.vague || right.vague { // which are shared is not known: all may be compared
			for _, c := range append(slices.Clip(left.columns), right.columns...) {
				if c.name == "*" {
					a.useOf(c.value, "NATURAL JOIN")
				}
			}
		}
	}
	joined := tables{items: append(slices.Clip(left.items), right.items...), vague: left.vague || right.vague}
	merged := &item{}
	for _, name := range shared {
		c := a.mergeColumn(j, name, left, right)
		c.loose = j.IsNatural && joined.vague
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
		it := derived("", joined.columns)
		it.vague = it.vague || joined.vague
		return single(a.rename(it, j.Alias))
	}
	return joined
}

// mergeColumn is a column of USING: a join by equality over both.
func (a *analyst) mergeColumn(j *joinExpr, name string, left, right tables) column {
	l, okL := (&scope{tables: left}).lookupColumn(name)
	r, okR := (&scope{tables: right}).lookupColumn(name)
	if !okL || !okR {
		a.noJoin(name, okL, left.vague || right.vague)
	}
	a.joined = a.joined || len(a.restricted(computed(l, r))) > 0
	a.equal(l, r, "JOIN")
	v := mix(l, r)
	v.typ, v.mod = l.typ, l.mod
	v.sure = j.Jointype != joinFull && l.sure && r.sure
	switch j.Jointype {
	case joinFull: // coalesce of both
		v.plain = v.plain && len(v.deps) == 0
	case joinRight:
		v.plain = r.plain
	default:
		v.plain = l.plain
	}
	return column{name: name, value: v}
}

// fromFunction works out a function in FROM. How many rows it gives depends on
// its arguments, so that those are uses.
func (a *analyst) fromFunction(m *rangeFunc, ev eval) *item {
	it := &item{name: m.Alias.GetAliasname()}
	if columns, name, ok := ev.apart(m); ok {
		if it.name == "" {
			it.name = name
		}
		it.columns, it.lone = columns, len(columns) == 1 && len(m.Coldeflist) == 0 && !m.Ordinality
		if m.Ordinality {
			it.columns = append(it.columns, column{name: "ordinality"})
		}
		return a.rename(it, m.Alias)
	}
	for _, n := range m.Functions {
		parts, ok := unwrap(n).(*list)
		if !ok || len(parts.Items) == 0 {
			a.misunderstood("a function in FROM of that form")
			return it
		}
		v, columns := ev.rowsOf(parts.Items[0])
		it.rest = union(it.rest, v.deps)
		name, _ := figureName(parts.Items[0])
		if it.name == "" {
			it.name = name
		}
		call, ok := unwrap(parts.Items[0]).(*funcCall)
		scalar := ok && a.sh.cat.system[name].scalar && len(m.Coldeflist) == 0 && (name != "unnest" || len(call.Args) == 1)
		switch {
		case len(columns) > 1 || len(columns) == 1 && m.Alias == nil:
			it.columns = append(it.columns, columns...)
		case len(columns) == 1:
			it.columns = append(it.columns, column{name: columns[0].name, value: v}, column{name: m.Alias.Aliasname, value: v, loose: true})
			it.vague = true
		case scalar && name == "unnest" && !simpleArray(call.Args[0]):
			it.open, it.vague = true, true // of a composite type it gives many columns
		case scalar:
			if as := m.Alias; as != nil && !m.IsRowsfrom {
				name = as.Aliasname
			}
			it.columns = append(it.columns, column{name: name, value: value{deps: v.deps}})
		default:
			it.open, it.vague = true, true
		}
		if len(parts.Items) > 1 && unwrap(parts.Items[1]) != nil { // ROWS FROM (f() AS (a int))
			it.open, it.vague = true, true
		}
	}
	if m.Ordinality {
		it.columns = append(it.columns, column{name: "ordinality"})
	}
	if len(m.Coldeflist) > 0 {
		it.columns, it.open, it.vague = nil, false, false
		for _, n := range m.Coldeflist {
			it.columns = append(it.columns, column{name: n.GetColumnDef().GetColname(), value: value{deps: it.rest}})
		}
	}
	switch {
	case m.Alias == nil || len(m.Alias.Colnames) == 0:
	case it.vague: // the names are known, whether they are all is not
		it.columns = nil
		for _, n := range m.Alias.Colnames {
			it.columns = append(it.columns, column{name: text(n), value: value{deps: it.rest}})
		}
	default:
		it = a.rename(it, m.Alias)
	}
	return it
}

// apart works out a single function in FROM that takes a document apart.
func (ev eval) apart(m *rangeFunc) ([]column, string, bool) {
	if len(m.Functions) != 1 {
		return nil, "", false
	}
	parts, ok := unwrap(m.Functions[0]).(*list)
	if !ok || len(parts.Items) == 0 || len(parts.Items) > 1 && unwrap(parts.Items[1]) != nil {
		return nil, "", false
	}
	call, ok := unwrap(parts.Items[0]).(*funcCall)
	if !ok {
		return nil, "", false
	}
	schema, name := qualified(names(call.Funcname))
	if schema != "" && schema != "pg_catalog" || isUserFunction(ev.sh, name) {
		return nil, "", false
	}
	columns, ok := ev.memberColumns(name, call, m.Coldeflist)
	if ok && len(columns) == 1 && columns[0].name == name && m.Alias != nil {
		columns[0].name = m.Alias.Aliasname // it has no name of its own
	}
	return columns, name, ok
}

// rowsOf gives what the rows of a function in FROM depend on, and their columns
// where those are known. Its arguments are uses; what a body that was read
// reaches is not, for its filters are its owner's.
func (ev eval) rowsOf(n *node) (value, []column) {
	call, ok := unwrap(n).(*funcCall)
	if !ok {
		return ev.useExpr(n, "a function in FROM"), nil
	}
	schema, name := qualified(names(call.Funcname))
	behind := ev.sh.called(name)
	if len(behind) == 0 {
		return ev.useExpr(n, "a function in FROM"), nil
	}
	ev.ran = true
	v := ev.useArguments(call, "a function in FROM")
	v.deps = union(v.deps, behind)
	if isOthers(name) {
		if found := ev.sh.cat.find("pg_catalog", othersViews[0]); len(found) > 0 {
			rel := found[0]
			var columns []column
			for _, a := range rel.columns {
				columns = append(columns, column{name: a.name, value: value{deps: ev.sh.columns[rel.oid][a.name]}, loose: true})
			}
			return v, append(columns, loosen(value{deps: behind})...)
		}
		return v, nil
	}
	if rt := ev.sh.known(name); rt != nil && schema != "pg_catalog" {
		return v, rt.columns
	}
	return v, nil
}

// useArguments works out the arguments of a call as uses.
func (ev eval) useArguments(m *funcCall, where string) value {
	var v value
	for _, n := range m.Args {
		v = computed(v, ev.useExpr(n, where))
	}
	return v
}

// fromXML works out XMLTABLE. How many rows it gives depends on the document.
func (a *analyst) fromXML(m *rangeXML, ev eval) *item {
	it := &item{}
	v := computed(ev.useExpr(m.Docexpr, "XMLTABLE"), ev.useExpr(m.Rowexpr, "XMLTABLE"))
	for _, n := range m.Namespaces {
		v = computed(v, ev.useExpr(n.GetResTarget().GetVal(), "XMLTABLE"))
	}
	for _, n := range m.Columns {
		c, ok := unwrap(n).(*rangeXMLColumn)
		if !ok {
			a.misunderstood("XMLTABLE")
			return it
		}
		path := computed(v, ev.useExpr(c.Colexpr, "XMLTABLE"), ev.useExpr(c.Coldefexpr, "XMLTABLE"))
		it.columns = append(it.columns, column{name: c.Colname, value: path})
	}
	it.name = "xmltable"
	return a.rename(it, m.Alias)
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
