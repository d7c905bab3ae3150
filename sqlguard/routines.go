package sqlguard

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// reading is what is known of all user functions of one name, when every one of
// them is written in SQL and only reads.
type reading struct {
	deps    []*dep   // protected columns it can reach
	columns []column // its outputs with what each depends on; nil when that is not known
	busy    bool     // being read: a function that calls itself is not read
	read    bool
}

// routine reads the functions of a name once. It is not read when one of them
// changes something, leads around lineage, or is not in SQL.
func (sh *shield) routine(name string) *reading {
	bodies := sh.cat.bodies[name]
	if len(bodies) == 0 {
		return &reading{}
	}
	if rt, ok := sh.routines[name]; ok {
		return rt
	}
	rt := &reading{busy: true}
	sh.routines[name] = rt
	rt.read = len(bodies) > 0
	for _, definition := range bodies {
		rt.read = rt.read && sh.readBody(rt, definition, len(bodies) == 1)
	}
	rt.busy = false
	return rt
}

// known gives the routine of a function's name; nil when its body is not read.
func (sh *shield) known(name string) *reading {
	if rt := sh.routine(name); rt.read && !rt.busy {
		return rt
	}
	return nil
}

// readBody reads one CREATE FUNCTION.
func (sh *shield) readBody(rt *reading, definition string, alone bool) bool {
	tree, ok := sh.parseOne(definition)
	if !ok {
		return false
	}
	create, ok := unwrap(tree).(*functionStmt)
	if !ok {
		return false
	}
	var body []*node
	if create.SqlBody != nil {
		body = bodyStatements(create.SqlBody)
	} else {
		source := functionOption(create, "as")
		if len(source) > sh.parser.inProcess {
			return false
		}
		parsed, refusal := sh.parser.parse(source)
		if refusal != nil {
			return false
		}
		for _, s := range parsed.Stmts {
			body = append(body, s.Stmt)
		}
	}
	for i, n := range body {
		if !sh.readQuery(rt, n, create, alone && i == len(body)-1) {
			return false
		}
	}
	return true
}

func (sh *shield) parseOne(text string) (*node, bool) {
	if len(text) > sh.parser.inProcess {
		return nil, false
	}
	tree, refusal := sh.parser.parse(text)
	if refusal != nil || len(tree.Stmts) != 1 {
		return nil, false
	}
	return tree.Stmts[0].Stmt, true
}

// bodyStatements gives the statements of BEGIN ATOMIC ... END, or a single one.
func bodyStatements(n *node) []*node {
	if l, ok := unwrap(n).(*list); ok {
		var all []*node
		for _, item := range l.Items {
			all = append(all, bodyStatements(item)...)
		}
		return all
	}
	return []*node{n}
}

// readQuery reads one statement of a body.
func (sh *shield) readQuery(rt *reading, n *node, create *functionStmt, last bool) bool {
	m := unwrap(n)
	if ret, ok := m.(*returnStmt); ok {
		m = &selectStmt{Op: setNone, TargetList: []*node{targetOf(ret.Returnval)}}
	}
	query, ok := m.(*selectStmt)
	if !ok || query.IntoClause != nil {
		return false
	}
	r := &reader{
		cat: sh.cat, parser: sh.parser, facts: &policy.SQL{}, seen: map[noted]bool{},
		shared: &sharedReading{open: map[string]bool{}},
	}
	r.walk(query, nil)
	if r.facts.Writes || r.facts.DDL || r.facts.Destructive || len(r.settings) > 0 || len(r.setCalls) > 0 || sh.closeStrictly(r, query) != nil {
		return false
	}
	for _, u := range r.uses {
		found := sh.cat.find(u.schema, u.name)
		if len(found) == 0 {
			return false
		}
		for _, rel := range found {
			if sh.unsafe(rel.oid, map[uint32]bool{}) != "" {
				return false
			}
			rt.deps = union(rt.deps, sh.behind(rel.oid, map[uint32]bool{}))
		}
	}
	for _, c := range r.calls {
		rt.deps = union(rt.deps, sh.called(c.name))
	}
	if last {
		rt.columns = sh.bodyColumns(rt, query, create)
	}
	return true
}

func targetOf(n *node) *node {
	res := &resTarget{Val: n}
	return wrapTarget(res)
}

// called lists the protected columns behind a function's name.
func (sh *shield) called(name string) []*dep {
	if isOthers(name) {
		return sh.others()
	}
	if _, user := sh.cat.user[name]; !user {
		return nil
	}
	if rt := sh.known(name); rt != nil {
		return rt.deps
	}
	return nil
}

// bodyColumns works out the outputs of a body's last query; nil when it is not
// understood, and then all depend on all that the body can reach.
func (sh *shield) bodyColumns(rt *reading, query *selectStmt, create *functionStmt) []column {
	params := &item{}
	var named []string
	for _, n := range create.Parameters {
		p, ok := unwrap(n).(*parameter)
		if !ok {
			return nil
		}
		if p.Mode == paramOut || p.Mode == paramTable {
			named = append(named, p.Name)
			continue
		}
		params.columns = append(params.columns, column{name: p.Name})
	}
	_, params.name = qualified(names(create.Funcname))
	a := &analyst{sh: sh, trusted: true, depth: 1}
	columns := a.query(query, &scope{tables: single(params)}, nil)
	if a.refusal != nil {
		return nil
	}
	out := make([]column, len(columns))
	for i, c := range columns {
		if c.loose {
			return nil
		}
		out[i] = column{name: c.name, value: value{deps: c.deps}}
		if len(named) > 0 {
			if len(named) != len(columns) {
				return nil
			}
			out[i].name = named[i]
		}
	}
	if len(named) == 0 {
		// Of a row type, the outputs have that type's names.
		if row := sh.cat.rowType(create.ReturnType); row != nil {
			if len(row.columns) != len(out) {
				return nil
			}
			for i := range out {
				out[i].name = row.columns[i].name
			}
		}
	}
	return out
}

// rowType gives the relation whose row a type's name means; nil when none or
// several.
func (c *Catalog) rowType(t *typeName) *relation {
	if t == nil {
		return nil
	}
	schema, name := qualified(names(t.Names))
	found := c.find(schema, name)
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// unsafe says why a relation cannot be judged; "" when it can.
func (sh *shield) unsafe(id uint32, seen map[uint32]bool) string {
	if seen[id] {
		return ""
	}
	seen[id] = true
	rel := sh.cat.relations[id]
	if rel == nil {
		return ""
	}
	if isSystem(rel.schema) {
		if d, ok := findDoor(relationDoors, rel.name); ok {
			return "its definition reads " + rel.name + ", which " + d.why
		}
		return ""
	}
	for _, name := range rel.calls {
		if sh.known(name) == nil {
			return "its definition calls function " + name + ", whose body is not read"
		}
	}
	for _, s := range sh.cat.sources[id] {
		if why := sh.unsafe(s, seen); why != "" {
			return why
		}
	}
	return ""
}

// The text of other sessions' statements may hold protected values.
var (
	othersViews     = []string{"pg_stat_activity"}
	othersText      = []string{"query"}
	othersFunctions = []string{"pg_stat_get_activity"}
)

func isOthers(function string) bool {
	for _, f := range othersFunctions {
		if f == function {
			return true
		}
	}
	return false
}

// others is the protected column that stands for other sessions' statements.
func (sh *shield) others() []*dep {
	for _, rel := range sh.cat.find("pg_catalog", othersViews[0]) {
		return sh.columns[rel.oid][othersText[0]]
	}
	return []*dep{sh.unnamed}
}

// isSystemWrite reports whether a statement changes the server's own catalogs
// by hand, beneath whatever protects them.
func (sh *shield) isSystemWrite(m proto.Message) bool {
	return contains(m, func(m proto.Message) bool {
		var v *rangeVar
		switch m := m.(type) {
		case *insertStmt:
			v = m.Relation
		case *updateStmt:
			if v = m.Relation; v.GetRelname() == "pg_class" && onlyEstimates(m.TargetList) {
				v = nil
			}
		case *deleteStmt:
			v = m.Relation
		case *mergeStmt:
			v = m.Relation
			if v.GetRelname() == "pg_class" && !slices.ContainsFunc(m.MergeWhenClauses, func(n *node) bool {
				when := n.GetMergeWhenClause()
				return when.GetCommandType() != mergeUpdate || !onlyEstimates(when.TargetList)
			}) {
				v = nil
			}
		case *copyStmt:
			if !m.IsFrom {
				return false
			}
			v = m.Relation
		case *truncateStmt:
			for _, n := range m.Relations {
				if t, ok := unwrap(n).(*rangeVar); ok && sh.isSystemTable(t) {
					return true
				}
			}
		case *alterTableStmt:
			v = m.Relation
		case *indexStmt:
			v = m.Relation
		}
		return v != nil && sh.isSystemTable(v)
	})
}

// onlyEstimates reports whether an UPDATE of pg_class changes nothing but what
// the planner takes for a table's size.
func onlyEstimates(targets []*node) bool {
	return len(targets) > 0 && !slices.ContainsFunc(targets, func(n *node) bool {
		t := n.GetResTarget()
		return t == nil || !slices.Contains([]string{"reltuples", "relpages", "relallvisible"}, t.Name)
	})
}

func (sh *shield) isSystemTable(v *rangeVar) bool {
	for _, rel := range sh.cat.find(v.Schemaname, v.Relname) {
		if rel.schema == "pg_catalog" && rel.name != "pg_settings" {
			return true
		}
	}
	return v.Schemaname == "pg_catalog" || v.Schemaname == "pg_toast"
}
