package sqlguard

import (
	"slices"

	"sallyport/policy"
)

// dep is one protected column. Lineage passes its address around: the same
// column is the same dep.
type dep struct {
	column  Column
	filter  Filter
	members func(path []string) Reach // nil: the whole column is protected
	also    []string                  // members of the top that are protected besides what the mask says
}

// shield is the protection that patterns give to the relations of a catalog.
// It is immutable once made.
type shield struct {
	cat      *Catalog
	patterns []Pattern
	parser   *Parser
	columns  map[uint32]map[string][]*dep // by relation and column name
	reaches  map[uint32]bool              // relations from which a protected value can come
	views    map[uint32][]value           // lineage of each view's columns
	closed   map[uint32]string            // relations that cannot be judged, and why
	computed map[uint32]map[string]bool   // generated columns that are protected only for what they are made of
	routines map[string]*reading          // functions in SQL, as far as they were read
	unnamed  *dep                         // stands for what has no column
	notifies bool                         // a trigger on a protected relation may NOTIFY

	files []string          // folders of the server from which COPY may read
	scans *scans            // of the code of all catalogs
	harms map[string]string // functions that are not harmless, and why
	fired map[uint32]string // relations whose own code is not harmless, and why

	carried map[uint32]map[int16][]*dep // what triggers copy to, by relation and place
	tied    map[string]bool             // functions that protected relations call by themselves
}

// newShield protects what the patterns name, and every column that older held
// for protected: under a new name it holds the same values.
func newShield(patterns []Pattern, cat *Catalog, parser *Parser, libraries []string, older *shield) *shield {
	sh := &shield{
		cat: cat, patterns: patterns, parser: parser,
		columns: map[uint32]map[string][]*dep{}, reaches: map[uint32]bool{},
		views: map[uint32][]value{}, closed: map[uint32]string{},
		computed: map[uint32]map[string]bool{}, routines: map[string]*reading{},
		scans: older.scanned(libraries), harms: map[string]string{}, fired: map[uint32]string{},
		unnamed: &dep{column: Column{"pg_catalog", "pg_stat_activity", "query"}, filter: Deny},
	}
	if cat == nil || len(patterns) == 0 {
		return sh
	}
	var matched []*relation
	for _, rel := range cat.ordered {
		for _, a := range rel.columns {
			if d := sh.match(rel, a.name); d != nil {
				sh.protect(rel.oid, a.name, []*dep{d})
			} else if deps := older.held(rel.oid, a.number); len(deps) > 0 {
				sh.protect(rel.oid, a.name, deps)
			}
		}
		sh.generate(rel)
		if len(sh.columns[rel.oid]) > 0 {
			matched = append(matched, rel)
		}
	}
	family := sh.spread(matched, cat.children)
	sh.spread(family, cat.parents)
	for _, rel := range cat.ordered {
		sh.generate(rel)
	}
	sh.carry(older)
	for id := range sh.columns {
		sh.reaches[id] = true
	}
	sh.follow()
	for sh.judgeCode() || sh.judgeFired() {
		sh.follow()
	}
	for id := range sh.reaches {
		sh.view(id, 0)
		if rel := cat.relations[id]; rel != nil && rel.notifies {
			sh.notifies = true
		}
	}
	if cat.code != nil {
		sh.tied = sh.ties()
	}
	for name := range cat.bodies { // now, and never while statements are read
		sh.routine(name)
	}
	return sh
}

// scanned gives what was read of code before.
func (sh *shield) scanned(libraries []string) *scans {
	if sh == nil {
		return newScans(libraries)
	}
	return sh.scans
}

// any reports whether anything is protected at all.
func (sh *shield) any() bool { return len(sh.patterns) > 0 }

// match gives the protection that the patterns themselves give a column. The
// server's own catalogs are meant only by a pattern that names their schema.
func (sh *shield) match(rel *relation, column string) *dep {
	own := isSystem(rel.schema)
	if own && slices.Contains(othersText, column) && slices.Contains(othersViews, rel.name) {
		return &dep{column: Column{rel.schema, rel.name, column}, filter: Deny}
	}
	var d *dep
	for _, p := range sh.patterns {
		if own && p.Schema != rel.schema {
			continue
		}
		if (p.Schema == "" || policy.Match(p.Schema, rel.schema)) && policy.Match(p.Table, rel.name) && policy.Match(p.Column, column) {
			switch {
			case d == nil:
				d = &dep{column: Column{rel.schema, rel.name, column}, filter: p.Filter, members: p.Members}
			case p.Looked: // then no part of it is free
				d.members = nil
			}
		}
	}
	return d
}

// held gives the protection of a column, by its place, that the patterns or
// inheritance gave it.
func (sh *shield) held(id uint32, number int16) []*dep {
	if sh == nil {
		return nil
	}
	rel := sh.cat.relation(id)
	if rel == nil || len(sh.columns[id]) == 0 {
		return nil
	}
	for _, a := range rel.columns {
		if a.number == number && !sh.computed[id][a.name] {
			return sh.columns[id][a.name]
		}
	}
	return nil
}

// generate protects generated columns as strongly as what they are made of.
func (sh *shield) generate(rel *relation) {
	for _, a := range rel.columns {
		var deps []*dep
		for _, b := range rel.columns {
			if b.name != a.name && (slices.Contains(a.from, b.number) || slices.Contains(a.from, 0)) {
				deps = union(deps, sh.columns[rel.oid][b.name])
			}
		}
		if len(deps) == 0 {
			continue
		}
		if len(sh.columns[rel.oid][a.name]) == 0 {
			if sh.computed[rel.oid] == nil {
				sh.computed[rel.oid] = map[string]bool{}
			}
			sh.computed[rel.oid][a.name] = true
		}
		if sh.computed[rel.oid][a.name] {
			sh.protect(rel.oid, a.name, deps)
		}
	}
}

func isSystem(schema string) bool { return schema == "pg_catalog" || schema == "information_schema" }

func (sh *shield) protect(id uint32, column string, deps []*dep) {
	if sh.columns[id] == nil {
		sh.columns[id] = map[string][]*dep{}
	}
	sh.columns[id][column] = union(sh.columns[id][column], deps)
}

// spread carries protection from the relations to all below (children) or above
// (parents) them, by the names of the columns, and gives every relation met.
func (sh *shield) spread(from []*relation, next map[uint32][]uint32) []*relation {
	met := slices.Clone(from)
	for i := 0; i < len(met); i++ {
		for _, id := range next[met[i].oid] {
			rel := sh.cat.relations[id]
			if rel == nil {
				continue
			}
			grown := false
			for _, a := range rel.columns {
				if len(a.from) > 0 { // protected by what it is made of: generate
					continue
				}
				if deps := sh.columns[met[i].oid][a.name]; len(union(sh.columns[id][a.name], deps)) > len(sh.columns[id][a.name]) {
					sh.protect(id, a.name, deps)
					grown = true
				}
			}
			if grown {
				met = append(met, rel)
			}
		}
	}
	return met
}

// follow marks whatever a rule, a view's included, connects with protected
// columns, with functions nobody read, or with a door.
func (sh *shield) follow() {
	for id, rel := range sh.cat.relations {
		if isSystem(rel.schema) {
			continue
		}
		for _, name := range rel.calls {
			switch rt := sh.known(name); {
			case rt == nil && sh.harms[name] != "":
				sh.reaches[id], sh.closed[id] = true, "its definition calls function "+name+": "+sh.harms[name]
			case rt != nil && len(rt.deps) > 0:
				sh.reaches[id] = true
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for id, sources := range sh.cat.sources {
			rel := sh.cat.relations[id]
			if rel == nil || isSystem(rel.schema) {
				continue
			}
			for _, s := range sources {
				if why := sh.doorOrClosed(s); why != "" && sh.closed[id] == "" {
					sh.closed[id], sh.reaches[id], changed = why, true, true
				}
				if !sh.reaches[s] {
					continue
				}
				if !sh.reaches[id] {
					sh.reaches[id], changed = true, true
				}
				if rel.kind != "v" && rel.kind != "m" && sh.closed[id] == "" {
					sh.closed[id], changed = "a rule on it reaches a protected relation", true
				}
			}
		}
	}
}

func (sh *shield) doorOrClosed(source uint32) string {
	if why := sh.closed[source]; why != "" {
		return why
	}
	if rel := sh.cat.relations[source]; rel != nil && isSystem(rel.schema) {
		if d, ok := findDoor(relationDoors, rel.name); ok {
			return "its definition reads " + rel.name + ", which " + d.why
		}
	}
	return ""
}

// view works out the lineage of a view that reaches a protected relation: by
// its definition, or as depending on all it can reach.
func (sh *shield) view(id uint32, depth int) []value {
	rel := sh.cat.relations[id]
	if rel == nil || rel.kind != "v" && rel.kind != "m" || isSystem(rel.schema) {
		return nil
	}
	if v, ok := sh.views[id]; ok {
		return v
	}
	v := sh.define(rel, depth)
	if v == nil {
		all := value{deps: sh.behind(id, map[uint32]bool{})}
		v = slices.Repeat([]value{all}, len(rel.columns))
		if len(all.deps) == 0 && sh.closed[id] == "" {
			sh.closed[id] = "its definition is not understood"
		}
	}
	for i, a := range rel.columns {
		if deps := union(v[i].deps, sh.columns[id][a.name]); len(deps) > len(v[i].deps) {
			v[i].deps, v[i].doc = deps, nil
		}
	}
	sh.views[id] = v
	return v
}

// define gives the lineage of a view's definition; nil when it is not understood.
func (sh *shield) define(rel *relation, depth int) []value {
	if depth > 32 || rel.definition == "" || len(rel.definition) > sh.parser.inProcess {
		return nil
	}
	tree, refusal := sh.parser.parse(rel.definition)
	if refusal != nil || len(tree.Stmts) != 1 {
		return nil
	}
	query, ok := unwrap(tree.Stmts[0].Stmt).(*selectStmt)
	if !ok {
		return nil
	}
	a := &analyst{sh: sh, trusted: true, depth: depth + 1}
	columns := a.query(query, nil, nil)
	if a.refusal != nil || len(columns) != len(rel.columns) || isLoose(columns) {
		return nil
	}
	values := make([]value, len(columns))
	for i, c := range columns {
		values[i] = value{deps: slices.Clone(c.deps), plain: c.plain && !c.loose, shaky: c.shaky, kept: c.kept && !c.loose, doc: c.doc, size: c.size}
	}
	return values
}

// behind lists every protected column that a relation can reach.
func (sh *shield) behind(id uint32, seen map[uint32]bool) []*dep {
	if seen[id] {
		return nil
	}
	seen[id] = true
	var all []*dep
	if rel := sh.cat.relations[id]; rel != nil {
		for _, a := range rel.columns {
			all = union(all, sh.columns[id][a.name])
		}
	}
	if rel := sh.cat.relations[id]; rel != nil && !isSystem(rel.schema) {
		for _, name := range rel.calls {
			all = union(all, sh.called(name))
		}
	}
	for _, s := range sh.cat.sources[id] {
		all = union(all, sh.behind(s, seen))
	}
	return all
}

// columnsOf gives the columns of a relation with what each depends on.
func (sh *shield) columnsOf(rel *relation, depth int) []column {
	values := sh.views[rel.oid]
	if values == nil && sh.reaches[rel.oid] {
		values = sh.view(rel.oid, depth)
	}
	columns := make([]column, len(rel.columns))
	for i, a := range rel.columns {
		columns[i] = column{name: a.name, value: value{plain: !sh.computed[rel.oid][a.name], deps: sh.columns[rel.oid][a.name], typ: a.typ, mod: a.modifier, many: sh.cat.isArray(a.typ), sure: true, generated: a.generated}}
		columns[i].doc = documentOf(columns[i].value)
		if i < len(values) {
			columns[i].doc = values[i].doc
			columns[i].deps, columns[i].plain, columns[i].shaky, columns[i].kept = values[i].deps, values[i].plain, values[i].shaky, values[i].kept
			columns[i].size = values[i].size
		}
	}
	return columns
}

// reached gives the first relation or function in use that a protected value can come from.
func (sh *shield) reached(uses []use, calls ...call) string {
	for _, c := range calls {
		if len(sh.called(c.name)) > 0 {
			return c.name
		}
	}
	for _, u := range uses {
		found := sh.cat.find(u.schema, u.name)
		for _, rel := range found {
			if sh.reaches[rel.oid] {
				return u.name
			}
		}
		if len(found) == 0 && sh.mayMatch(u) {
			return u.name
		}
	}
	return ""
}

// mayMatch reports whether a pattern could mean a relation that the catalog
// does not hold.
func (sh *shield) mayMatch(u use) bool {
	return slices.ContainsFunc(sh.patterns, func(p Pattern) bool {
		return policy.Match(p.Table, u.name) && (u.schema == "" || p.Schema == "" || policy.Match(p.Schema, u.schema))
	})
}

// origin is Guard.Origin.
func (sh *shield) origin(table uint32, number int16) (Output, bool) {
	rel := sh.cat.relation(table)
	if rel == nil {
		return Output{}, false
	}
	if sh.closed[table] != "" { // nothing of it is known to be free
		return Output{Name: rel.name, Protected: []Column{{rel.schema, rel.name, ""}}}, true
	}
	if number < 0 { // a system column holds nothing of the row's values
		return Output{}, true
	}
	var row []*dep
	for i, c := range sh.columnsOf(rel, 0) {
		if rel.columns[i].number == number {
			return c.output(), true
		}
		row = union(row, c.deps)
	}
	return Output{Name: rel.name, Protected: listed(row)}, number == 0
}

// union gives a and what b adds to it, leaving both as they are.
func union(a, b []*dep) []*dep {
	for _, d := range b {
		if !slices.Contains(a, d) {
			a = append(slices.Clip(a), d)
		}
	}
	return a
}

func listed(deps []*dep) []Column {
	var columns []Column
	for _, d := range deps {
		columns = append(columns, d.column)
	}
	return columns
}
