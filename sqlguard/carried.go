package sqlguard

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
)

// What a trigger of the owner's copies from a protected relation is protected
// where it arrives: in whole, or, where a row was made a document, in the members
// that have the names of protected columns. It stays so while the gateway runs,
// for what was copied stays when its trigger goes.

const (
	maxCarried = 4 // from table to table

	jsonOID, jsonbOID, tsvectorOID = 114, 3802, 3614
)

// carry protects what triggers copy.
func (sh *shield) carry(older *shield) {
	sh.carried = map[uint32]map[int16][]*dep{}
	if older != nil {
		for id, columns := range older.carried {
			for number, deps := range columns {
				sh.bring(sh.cat.relations[id], number, deps)
			}
		}
	}
	if sh.cat.code == nil {
		return
	}
	for range maxCarried {
		grown := false
		for _, id := range slices.Sorted(maps.Keys(sh.columns)) {
			rel := sh.cat.relations[id]
			if rel == nil || isSystem(rel.schema) {
				continue
			}
			for _, f := range sh.cat.code.triggers[id] {
				grown = sh.carriedBy(rel, f) || grown
			}
		}
		if !grown {
			return
		}
	}
}

// bring protects one column as what arrives there; true when it was not before.
func (sh *shield) bring(rel *relation, number int16, deps []*dep) bool {
	if rel == nil || len(deps) == 0 {
		return false
	}
	at := slices.IndexFunc(rel.columns, func(a attribute) bool { return a.number == number })
	if at < 0 {
		return false
	}
	name := rel.columns[at].name
	had := sh.columns[rel.oid][name]
	if len(deps) == 1 && len(deps[0].also) > 0 {
		deps = withDocument(had, deps[0], Column{rel.schema, rel.name, name})
	}
	if len(union(had, deps)) == len(had) {
		return false
	}
	if sh.columns[rel.oid] == nil {
		sh.columns[rel.oid] = map[string][]*dep{}
	}
	if len(deps) == 1 && len(deps[0].also) > 0 {
		sh.columns[rel.oid][name] = deps
	} else {
		sh.protect(rel.oid, name, deps)
	}
	if sh.carried[rel.oid] == nil {
		sh.carried[rel.oid] = map[int16][]*dep{}
	}
	sh.carried[rel.oid][number] = sh.columns[rel.oid][name]
	return true
}

// withDocument is the protection of a column to which documents are carried, given
// the one that it has.
func withDocument(had []*dep, d *dep, own Column) []*dep {
	base := &dep{column: own, filter: d.filter, members: func([]string) Reach { return ReachNone }}
	switch {
	case len(had) == 1 && had[0].members != nil:
		base = had[0]
	case len(had) > 0:
		return had // all of it is protected
	}
	also := slices.Clone(base.also)
	for _, name := range d.also {
		if !slices.Contains(also, name) {
			also = append(also, name)
		}
	}
	if len(also) == len(base.also) {
		return had
	}
	filter := base.filter
	if d.filter == Deny || filter == AllowUse {
		filter = d.filter
	}
	return []*dep{{column: base.column, filter: filter, also: also, members: func(path []string) Reach {
		switch {
		case len(path) == 0:
			return min(base.members(path), ReachSome)
		case slices.Contains(also, path[0]):
			return ReachAll
		}
		return base.members(path)
	}}}
}

// carrier works out what one trigger's function copies.
type carrier struct {
	sh        *shield
	rel       *relation
	row       []column           // of OLD and NEW
	variables map[string]*moving // that are given something protected
	grown     bool
}

// moving is what an expression or a variable holds.
type moving struct {
	deps []*dep
	row  bool // the whole row, as a document
}

func (sh *shield) carriedBy(rel *relation, f *fired) bool {
	tree, ok := sh.parseOne(f.definition)
	if !ok {
		return false
	}
	trigger, ok := unwrap(tree).(*triggerStmt)
	if !ok {
		return false
	}
	c := &carrier{sh: sh, rel: rel, row: sh.columnsOf(rel, 0), variables: map[string]*moving{}}
	for _, routine := range sh.cat.code.routines[lastOf(names(trigger.Funcname))] {
		tree, ok := sh.parseOne(routine.definition)
		if !ok || routine.language != "plpgsql" {
			continue
		}
		create, ok := unwrap(tree).(*functionStmt)
		if !ok {
			continue
		}
		fragments, _, bad := cutPLpgSQL(functionOption(create, "as"))
		if bad != "" {
			continue
		}
		c.body(fragments, trigger)
		c.body(fragments, trigger) // what a variable is given late may be read early, in a loop
	}
	return c.grown
}

func (c *carrier) body(fragments []fragment, trigger *triggerStmt) {
	for _, n := range trigger.TransitionRels {
		if t := n.GetTriggerTransition(); t != nil {
			c.variables[t.Name] = &moving{deps: outputsOf(c.row).deps}
		}
	}
	var targets []string
	for i, f := range fragments {
		switch f.kind {
		case pieceDeclare:
			targets = []string{f.text}
		case pieceChange:
			targets = f.names
		case pieceValue:
			c.give(targets, c.expression(f.text))
			targets = nil
		case pieceQuery:
			v := c.query(f.text)
			c.give(targets, v)
			if i+1 < len(fragments) && fragments[i+1].kind == pieceChange {
				c.give(fragments[i+1].names, v)
			}
			targets = nil
		}
	}
}

// give is an assignment. NEW.column is one of the relation's own.
func (c *carrier) give(to []string, v moving) {
	if len(v.deps) == 0 || len(to) == 0 {
		return
	}
	if to[0] == "new" && len(to) > 1 {
		c.arrive(c.rel, to[len(to)-1], v)
		return
	}
	for _, name := range to {
		had := c.variables[name]
		if had == nil {
			kept := v
			c.variables[name] = &kept
			continue
		}
		had.deps, had.row = union(had.deps, v.deps), had.row && v.row
	}
}

func (c *carrier) expression(text string) moving {
	tree, ok := c.sh.parseOne("SELECT " + text)
	if !ok {
		return moving{}
	}
	q, ok := unwrap(tree).(*selectStmt)
	if !ok || len(q.TargetList) != 1 || len(q.FromClause) > 0 {
		return moving{}
	}
	return c.value(q.TargetList[0].GetResTarget().GetVal())
}

// query works out a statement of the body: where it writes, and what a SELECT gives.
func (c *carrier) query(text string) moving {
	tree, ok := c.sh.parseOne(text)
	if !ok {
		return moving{}
	}
	switch m := unwrap(tree).(type) {
	case *insertStmt:
		c.insert(m)
	case *updateStmt:
		for _, n := range m.TargetList {
			if t := n.GetResTarget(); t != nil {
				c.arriveAt(m.Relation, t.Name, c.value(t.Val))
			}
		}
	case *selectStmt:
		all := moving{}
		for _, n := range m.TargetList {
			v := c.value(n.GetResTarget().GetVal())
			all.deps = union(all.deps, v.deps)
			all.row = len(m.TargetList) == 1 && v.row
		}
		return all
	}
	return moving{}
}

func (c *carrier) insert(m *insertStmt) {
	q, ok := unwrap(m.SelectStmt).(*selectStmt)
	if !ok {
		return
	}
	rows := q.ValuesLists
	if len(rows) == 0 {
		var items []*node
		for _, n := range q.TargetList {
			items = append(items, n.GetResTarget().GetVal())
		}
		rows = []*node{{Node: &pgList{List: listOf(items)}}}
	}
	for _, n := range rows {
		l, ok := unwrap(n).(*list)
		if !ok {
			continue
		}
		for i, item := range l.Items {
			v, name := c.value(item), ""
			if i < len(m.Cols) {
				name = m.Cols[i].GetResTarget().GetName()
			}
			if name != "" || len(v.deps) == 0 {
				c.arriveAt(m.Relation, name, v)
				continue
			}
			for _, rel := range c.sh.cat.find(m.Relation.GetSchemaname(), m.Relation.GetRelname()) {
				if _, star := starOf(item); star { // of a row: from here on
					for _, a := range rel.columns[min(i, len(rel.columns)):] {
						c.arrive(rel, a.name, moving{deps: v.deps})
					}
				} else if i < len(rel.columns) {
					c.arrive(rel, rel.columns[i].name, v)
				}
			}
		}
	}
}

// starOf is the name before .*, if an expression is that.
func starOf(n *node) (string, bool) {
	ref, ok := unwrap(n).(*columnRef)
	if !ok {
		return "", false
	}
	parts := names(ref.Fields)
	return parts[0], parts[len(parts)-1] == "*"
}

func (c *carrier) arriveAt(v *rangeVar, name string, m moving) {
	for _, rel := range c.sh.cat.find(v.GetSchemaname(), v.GetRelname()) {
		c.arrive(rel, name, m)
	}
}

// arrive is a value that is written to a column.
func (c *carrier) arrive(rel *relation, name string, v moving) {
	if len(v.deps) == 0 || isSystem(rel.schema) {
		return
	}
	for _, a := range rel.columns {
		if a.name != name {
			continue
		}
		deps := v.deps
		if v.row && (a.typ == jsonOID || a.typ == jsonbOID) {
			deps = []*dep{c.asDocument()}
		}
		c.grown = c.sh.bring(rel, a.number, deps) || c.grown
	}
}

// asDocument is the protection of a document with the row's columns as members.
func (c *carrier) asDocument() *dep {
	d := &dep{filter: AllowUse}
	for _, column := range c.row {
		for _, of := range column.deps {
			if of.filter == Deny || d.filter == AllowUse {
				d.filter = of.filter
			}
		}
		if len(column.deps) > 0 {
			d.also = append(d.also, column.name)
		}
	}
	return d
}

// value works out an expression over OLD, NEW and the variables: what of it is
// not understood holds all that it names.
func (c *carrier) value(n *node) moving {
	v := moving{row: c.isRow(n)}
	contains(n, func(m proto.Message) bool {
		ref, ok := m.(*columnRef)
		if !ok {
			return false
		}
		parts := names(ref.Fields)
		if held := c.variables[parts[0]]; held != nil {
			v.deps = union(v.deps, held.deps)
		}
		if parts[0] != "old" && parts[0] != "new" {
			return false
		}
		for _, column := range c.row {
			if len(parts) == 1 || parts[1] == "*" || parts[1] == column.name {
				v.deps = union(v.deps, column.deps)
			}
		}
		return false
	})
	return v
}

// isRow reports whether an expression is OLD or NEW as a document, with or
// without some members.
func (c *carrier) isRow(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aConst:
		return m.Isnull
	case *columnRef:
		parts := names(m.Fields)
		held := c.variables[parts[0]]
		return held != nil && held.row && len(parts) == 1
	case *typeCast:
		_, name := qualified(names(m.TypeName.GetNames()))
		return (name == "json" || name == "jsonb") && c.isRow(m.Arg)
	case *aExpr:
		return m.Kind == opPlain && operator(m) == "-" && m.Lexpr != nil && c.isRow(m.Lexpr)
	case *coalesce:
		return !slices.ContainsFunc(m.Args, func(n *node) bool { return !c.isRow(n) })
	case *caseExpr:
		for _, w := range m.Args {
			if !c.isRow(w.GetCaseWhen().GetResult()) {
				return false
			}
		}
		return m.Defresult == nil || c.isRow(m.Defresult)
	case *funcCall:
		schema, name := qualified(names(m.Funcname))
		if schema != "" && schema != "pg_catalog" || len(m.Args) == 0 || !slices.Contains([]string{"to_jsonb", "to_json", "row_to_json"}, name) {
			return false
		}
		ref, ok := unwrap(m.Args[0]).(*columnRef)
		if !ok {
			return false
		}
		parts := names(ref.Fields)
		return (parts[0] == "old" || parts[0] == "new") && (len(parts) == 1 || parts[1] == "*")
	}
	return false
}

// ties finds the functions that protected relations and the views over them
// call by themselves, and those that these call. What is put in their place
// would be given protected values.
func (sh *shield) ties() map[string]bool {
	tied := map[string]bool{}
	var tie func(name string)
	read := func(definition string) {
		for _, call := range sh.scans.of(sh.parser, definition, nil).calls {
			tie(call.name)
		}
	}
	tie = func(name string) {
		if tied[name] || sh.cat.user[name].trusted || len(sh.cat.code.routines[name]) == 0 {
			return
		}
		tied[name] = true
		for _, f := range sh.cat.code.routines[name] {
			if f.definition != "" {
				read(f.definition)
			}
		}
	}
	for id := range sh.reaches {
		rel := sh.cat.relations[id]
		if rel == nil || isSystem(rel.schema) {
			continue
		}
		for _, name := range rel.calls {
			tie(name)
		}
		for _, list := range [][]*fired{sh.cat.code.triggers[id], sh.cat.code.rules[id], sh.cat.code.attached[id]} {
			for _, f := range list {
				read(f.definition)
			}
		}
	}
	return tied
}
