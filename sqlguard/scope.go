package sqlguard

import (
	"slices"
)

// item is what one name of a FROM clause stands for.
type item struct {
	schema, name string // schema is empty under an alias
	// baseSchema and baseName are a relation's, whatever it is called here.
	baseSchema, baseName string
	columns              []column
	base                 bool // a relation, with system columns
	// vague: the columns are not all known, or not their order, so that *
	// cannot be expanded.
	vague bool
	// open: a name that is nowhere else may be one of its columns, which
	// depends on rest.
	open bool
	rest []*dep
	// lone: it is a function that gives one value, which its name means.
	lone bool
}

func (it *item) named(name string) []column {
	var found []column
	for _, c := range it.columns {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// row is the value of the whole row.
func (it *item) row() value {
	if it.lone {
		return it.columns[0].value
	}
	v := value{deps: it.rest, kept: len(it.rest) == 0}
	for _, c := range it.columns {
		v.deps, v.shaky, v.size = union(v.deps, c.deps), v.shaky || c.shaky, max(v.size, c.size)
		v.kept = v.kept && c.whole()
	}
	return v
}

// star gives the columns of *, loose where they are not all known.
func (it *item) star() []column {
	if !it.vague {
		return it.columns
	}
	all := slices.Clone(it.columns)
	for i := range all {
		all[i].loose = true
	}
	if it.open || len(all) == 0 {
		all = append(all, loosen(it.row())...)
	}
	return all
}

// derived is the item of a subselect or a WITH query.
func derived(name string, columns []column) *item {
	it := &item{name: name, columns: columns, vague: isLoose(columns)}
	for _, c := range columns {
		if c.loose && c.name == "*" { // what it is called is not known
			it.open, it.rest = true, union(it.rest, c.deps)
		}
	}
	return it
}

// tables is what a FROM clause, or a part of one, brings into scope.
type tables struct {
	items   []*item
	columns []column // by unqualified name, in the order of *
	vague   bool
}

func (t *tables) add(more tables) {
	t.items = append(slices.Clip(t.items), more.items...)
	t.columns = append(slices.Clip(t.columns), more.columns...)
	t.vague = t.vague || more.vague
}

func single(it *item) tables {
	return tables{items: []*item{it}, columns: it.star(), vague: it.vague}
}

// scope is where names are looked up: a FROM clause, then those around it.
type scope struct {
	tables
	parent *scope
}

// cte is a WITH query, and those visible beside it.
type cte struct {
	name    string
	columns []column
	next    *cte
}

func (c *cte) find(name string, a *analyst) *cte {
	for ; c != nil && a.spend(0); c = c.next {
		if c.name == name {
			return c
		}
	}
	return nil
}

// relation gives every relation that a name could mean, as one.
func (a *analyst) relation(v *rangeVar) *item {
	schema, name, at := v.GetSchemaname(), v.GetRelname(), int(v.GetLocation())
	found := a.sh.cat.find(schema, name)
	if len(found) == 0 {
		a.refuse(noRelation(schema, name, at))
		return &item{name: name, vague: true}
	}
	it := &item{schema: schema, name: name, baseSchema: schema, baseName: name, base: true, vague: a.moved}
	for i, rel := range found {
		for _, name := range rel.calls {
			a.ran = a.ran || len(a.sh.called(name)) > 0
		}
		columns := a.sh.columnsOf(rel, a.depth)
		if i == 0 {
			it.columns = columns
			continue
		}
		it.vague = it.vague || !sameNames(it.columns, columns)
		it.columns = overlay(it.columns, columns)
	}
	return it
}

func sameNames(a, b []column) bool {
	return slices.EqualFunc(a, b, func(x, y column) bool { return x.name == y.name })
}

// overlay joins two relations that one name could mean: each column depends on
// what it does in either.
func overlay(a, b []column) []column {
	joined := slices.Clone(a)
	for _, c := range b {
		if i := slices.IndexFunc(joined, func(x column) bool { return x.name == c.name }); i >= 0 {
			joined[i].kept = joined[i].whole() && c.whole()
			joined[i].deps = union(joined[i].deps, c.deps)
			joined[i].doc = nil
			joined[i].plain = joined[i].plain && c.plain
			if joined[i].typ != c.typ {
				joined[i].typ = 0
			}
			joined[i].generated = joined[i].generated && c.generated
		} else {
			joined = append(joined, c)
		}
	}
	return joined
}

// systemColumns hold nothing of a row's values.
var systemColumns = []string{"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}

// lookup resolves the parts of a column reference; false when nothing in scope
// has that name. An ambiguous name depends on all it could mean.
func (sc *scope) lookup(parts []string) (value, bool) {
	switch len(parts) {
	case 1:
		return sc.lookupColumn(parts[0])
	case 0:
		return value{}, false
	}
	schema, table := qualified(parts[:len(parts)-1])
	it := sc.lookupItem(schema, table)
	if it == nil {
		return value{}, false
	}
	return it.field(parts[len(parts)-1])
}

// field gives one column of an item.
func (it *item) field(name string) (value, bool) {
	if name == "*" {
		return it.row(), true
	}
	found := it.named(name)
	switch {
	case len(found) > 0:
		return anyOf(found), true
	case it.base && slices.Contains(systemColumns, name):
		return value{plain: true}, true
	case it.open:
		return value{deps: it.rest}, true
	}
	return value{}, false
}

// anyOf gives what a name depends on that could mean several columns.
func anyOf(found []column) value {
	v := found[0].value
	for _, c := range found[1:] {
		v = value{
			deps: union(v.deps, c.deps), plain: v.plain && c.plain, shaky: v.shaky || c.shaky, sure: v.sure && c.sure,
			many: v.many || c.many, size: max(v.size, c.size),
		}
	}
	return v
}

func (sc *scope) lookupItem(schema, name string) *item {
	for ; sc != nil; sc = sc.parent {
		for _, it := range sc.items {
			if it.name == name && (schema == "" || schema == it.schema) {
				return it
			}
		}
	}
	return nil
}

// lookupColumn takes columns first, of the nearest FROM clause that has one,
// then whole rows.
func (sc *scope) lookupColumn(name string) (value, bool) {
	var maybe value
	open := false
	for s := sc; s != nil; s = s.parent {
		var found []column
		for _, c := range s.columns {
			if c.name == name {
				found = append(found, c)
			}
		}
		for _, it := range s.items {
			if it.open {
				open = true
				maybe.deps = union(maybe.deps, it.rest)
			}
			if len(found) == 0 && it.base && slices.Contains(systemColumns, name) {
				return value{plain: true}, true
			}
		}
		if len(found) > 0 {
			v := anyOf(found)
			if len(maybe.deps) > 0 {
				v.deps, v.doc = union(v.deps, maybe.deps), nil
			}
			return v, true
		}
	}
	if it := sc.lookupItem("", name); it != nil {
		v := it.row()
		v.deps = union(v.deps, maybe.deps)
		return v, true
	}
	return maybe, open
}
