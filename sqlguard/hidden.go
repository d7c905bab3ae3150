package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

const (
	maxHidden      = 12   // code within code
	maxHiddenReads = 2000 // pieces of code for one text
)

// shared is what the readers of one text have in common.
type sharedReading struct {
	open  map[string]bool // code that is being read
	reads int
	cut   bool // something was left out, since it is being read already

	libraries []string // see Guard
	moved     bool     // see ReadMoved
}

// unknown notes that something will run of which nobody knows what it does.
func (r *reader) unknown(format string, args ...any) {
	r.facts.Dynamic = true
	why := fmt.Sprintf(format, args...)
	r.add(&r.facts.Unknown, why)
	r.note(unknownFact, why, "")
}

// obscure is unknown of the text that is being read itself, and not of what it
// calls.
func (r *reader) obscure(format string, args ...any) {
	r.unknown(format, args...)
	r.veil(format, args...)
}

// veil notes what of a text can't be judged where columns are protected.
func (r *reader) veil(format string, args ...any) {
	r.veiled = append(r.veiled, fmt.Sprintf(format, args...))
}

// hidden reads code that runs besides the text, and adds what it does. The code
// is SQL whose own effect, that of defining it, does not count.
func (r *reader) hidden(key, what, definition string) policy.SQL {
	facts := r.peek(key, what, definition)
	r.merge(facts, what)
	return facts
}

// peek reads code that runs besides the text.
func (r *reader) peek(key, what, definition string) policy.SQL {
	facts, ok := r.cat.code.reading(key)
	if !ok {
		s := r.shared
		if s.open[key] {
			s.cut = true
			return policy.SQL{}
		}
		if s.reads++; s.reads > maxHiddenReads || len(s.open) >= maxHidden {
			r.unknown("%s: what it runs is too much to be read", what)
			return policy.SQL{}
		}
		outermost := len(s.open) == 0
		if outermost {
			s.cut = false
		}
		s.open[key] = true
		facts = r.readHidden(what, definition)
		delete(s.open, key)
		if outermost || !s.cut {
			r.cat.code.keep(key, facts)
		}
	}
	return facts
}

// readHidden gives what a definition does when it is run.
func (r *reader) readHidden(what, definition string) policy.SQL {
	facts := policy.SQL{}
	inner := &reader{cat: r.cat, parser: r.parser, facts: &facts, seen: map[noted]bool{}, shared: r.shared, blind: true}
	if definition == "" {
		inner.unknown("%s: its body can't be read", what)
		return facts
	}
	tree, refusal := r.parser.parse(definition)
	if refusal != nil {
		inner.unknown("%s: its body can't be read", what)
		return facts
	}
	for _, raw := range tree.Stmts {
		switch m := unwrap(raw.Stmt).(type) {
		case *functionStmt:
			inner.body(m)
			inner.walkNode(m.SqlBody)
		case *triggerStmt:
			inner.call(names(m.Funcname), false)
			inner.walkNode(m.WhenClause)
		case *ruleStmt:
			inner.walkNode(m.WhereClause)
			for _, n := range m.Actions {
				inner.walkNode(n)
			}
		default:
			inner.walk(raw, nil)
		}
	}
	return facts
}

func (r *reader) walkNode(n *node) {
	if n != nil {
		r.walk(n, nil)
	}
}

// merge adds what hidden code does. what names it.
func (r *reader) merge(f policy.SQL, what string) {
	for _, e := range f.Evidence {
		why := e.Why
		if !strings.HasPrefix(why, what) {
			why = what + ": " + why
		}
		r.note(e.Facts, why, "")
	}
	for _, l := range []struct {
		to   *[]string
		from []string
	}{
		{&r.facts.Verbs, f.Verbs},
		{&r.facts.Tables, f.Tables},
		{&r.facts.Columns, f.Columns},
		{&r.facts.Functions, f.Functions},
		{&r.facts.Unknown, f.Unknown},
	} {
		for _, s := range l.from {
			r.add(l.to, s)
		}
	}
	r.facts.Writes = r.facts.Writes || f.Writes
	r.facts.DDL = r.facts.DDL || f.DDL
	r.facts.Destructive = r.facts.Destructive || f.Destructive
	r.facts.Unbounded = r.facts.Unbounded || f.Unbounded
	r.facts.Dynamic = r.facts.Dynamic || f.Dynamic
	r.facts.SideDoor = r.facts.SideDoor || f.SideDoor
}

// call adds what calling a function does, wherever it is defined. many: it is
// called once for each row of something.
func (r *reader) call(parts []string, many bool) {
	schema, name := qualified(parts)
	r.add(&r.facts.Functions, strings.Join(parts, "."))
	c, isKnown := classOf(name)
	if c.effect != 0 {
		r.certainly(c.effect, "the function "+name+" "+c.why)
	}
	if isSystem(schema) {
		if !isKnown && !slices.Contains(constructors, name) {
			r.unknown("function %s: it is not in the table of functions", name)
		}
		return
	}
	if r.cat == nil || r.cat.code == nil {
		if !isKnown || schema != "" && c.effect == 0 {
			r.wants = true
			r.unknown("function %s: it is not one of PostgreSQL's own, and there is no catalog to find its body in", name)
		}
		return
	}
	found := false
	for _, f := range r.cat.code.routines[name] {
		if schema == "" || schema == f.schema || schema == "pg_temp" {
			found = true
			r.routine(f, isKnown, many)
		}
	}
	switch {
	case found || isKnown && (schema == "" || c.effect != 0) || schema == "" && spelled[name]:
	case r.blind: // code that is there, and calls what may come to be
		r.unknown("function %s: the catalog does not hold it", dotted(schema, name))
	default:
		r.missing = append(r.missing, dotted(schema, name))
	}
}

// routine adds what one function does that a call may mean.
func (r *reader) routine(f *routine, classed, many bool) {
	what := "function " + dotted(f.schema, f.name)
	switch {
	case f.extension != "" && (classed || !f.volatile):
		return
	case f.definition == "" && !f.volatile:
		return // by its own word
	case f.definition == "" && f.of(r.shared.libraries):
		return // by the owner's
	}
	facts := r.hidden("routine "+f.id, what, f.definition)
	if many && slices.ContainsFunc(facts.Verbs, changesRows) {
		r.certainly(unbounded|destructive, what+" changes rows, and runs once for each row here")
	}
}

// changesRows reports whether a verb changes rows that are there already.
func changesRows(verb string) bool { return verb == "update" || verb == "delete" || verb == "merge" }

// certainly adds an effect, within a plain EXPLAIN too: planning calls functions.
func (r *reader) certainly(e effect, why string) {
	dry := r.dry
	r.dry = 0
	r.effect(e, why)
	r.dry = dry
}

// opens adds what reading or changing a relation runs: the query of a view,
// rules, triggers, functions of its columns, its indexes and its policies.
func (r *reader) opens(schema, name string, on event) {
	if isSystem(schema) || schema == "" && strings.HasPrefix(name, "pg_") {
		return
	}
	if r.cat == nil || r.cat.code == nil {
		r.wants = true
		return
	}
	for _, rel := range r.cat.find(schema, name) {
		r.opensRelation(rel, on)
	}
}

func (r *reader) opensRelation(rel *relation, on event) {
	if rel.definition != "" {
		r.hidden(fmt.Sprint("view ", rel.oid), "view "+dotted(rel.schema, rel.name), rel.definition)
	}
	code := r.cat.code
	for _, id := range append([]uint32{rel.oid}, r.cat.children[rel.oid]...) {
		for kind, list := range map[string][]*fired{"trigger": code.triggers[id], "rule": code.rules[id], "attached": code.attached[id]} {
			for i, f := range list {
				if f.on&on != 0 && (r.dry == 0 || kind == "attached") {
					r.hidden(fmt.Sprint(kind, " ", id, " ", i), f.what+" of "+dotted(rel.schema, rel.name), f.definition)
				}
			}
		}
	}
	if on&onWrite != 0 && rel.definition != "" { // a view that is written through
		for _, id := range r.cat.sources[rel.oid] {
			if under := r.cat.relations[id]; under != nil && under.definition == "" && under.schema != "pg_catalog" {
				r.opensRelation(under, on)
			}
		}
	}
}

// operator adds what an operator runs that is not one of PostgreSQL's own.
func (r *reader) operator(op string) {
	r.add(&r.operators, op)
	if op == "" {
		return
	}
	schema, name := qualified(splitOperator(op))
	switch {
	case schema == "pg_catalog":
	case r.cat == nil || r.cat.code == nil:
		if schema != "" {
			r.wants = true
			r.unknown("operator %s: there is no catalog to find its function in", op)
		}
	default:
		for i, f := range r.cat.code.operators[name] {
			if f == "" {
				r.unknown("operator %s: another schema holds one for the same types as PostgreSQL's own", name)
				continue
			}
			facts := r.peek(fmt.Sprint("operator ", name, " ", i), "operator "+name, f)
			facts.Verbs, facts.Functions = nil, nil // of every operator of that name
			r.merge(facts, "operator "+name)
		}
	}
}

// field adds what row.name runs where name is a function of the row.
func (r *reader) field(name string) {
	r.add(&r.fields, name)
	if name == "" || r.cat == nil || r.cat.code == nil {
		return
	}
	for _, f := range r.cat.code.routines[name] {
		if r.cat.user[name].ofRow {
			r.routine(f, false, true)
		}
	}
}

// runsText adds what a function does with the SQL it is given. It reports
// whether all of that is known.
func (r *reader) runsText(m *funcCall, name string) bool {
	c, ok := classOf(name)
	if !ok || c.sql == 0 {
		return false
	}
	if c.sql > 1 && len(m.Args) > c.sql {
		return true // ts_rewrite with three arguments runs nothing
	}
	r.certainly(dynamic, "the function "+name+" "+c.why)
	if c.sql < 0 || len(m.Args) < c.sql || slices.ContainsFunc(m.Args, func(n *node) bool { _, named := unwrap(n).(*namedArg); return named }) {
		r.unknown("function %s: it builds SQL from its arguments", name)
		return false
	}
	veiled := len(r.veiled)
	r.text(m.Args[c.sql-1], "function "+name)
	if _, isNumber := number(m.Args[len(m.Args)-1]); name == "crosstab" && len(m.Args) > 1 && !isNumber {
		r.text(m.Args[1], "function "+name) // of the categories
	}
	return len(r.veiled) == veiled
}

// text adds what SQL does that is given as an expression.
func (r *reader) text(n *node, what string) {
	sql, ok := r.fold(n, r.constants)
	if !ok {
		r.obscure("%s: it runs SQL that is not a constant", what)
		return
	}
	if r.depth >= maxBodies || len(sql) > r.parser.inProcess {
		r.obscure("%s: what it runs is too much to be read", what)
		return
	}
	tree, refusal := r.parser.parse(sql)
	if refusal != nil {
		r.obscure("%s: the SQL it runs can't be read", what)
		return
	}
	// What is run has parameters and names of its own.
	outer := r.constants
	r.constants = nil
	r.depth++
	defer func() { r.depth--; r.constants = outer }()
	for _, s := range tree.Stmts {
		r.within = append(r.within, unwrap(s.Stmt))
		r.walk(s, nil)
	}
}

// firesOnDDL adds what event triggers run.
func (r *reader) firesOnDDL() {
	if r.cat == nil || r.cat.code == nil {
		r.wants = true
		return
	}
	for _, f := range r.cat.code.onDDL {
		r.hidden(f.what, f.what, f.definition)
	}
}

// replaces: OR REPLACE loses what was there.
func (r *reader) replaces(replace bool, parts []*node) {
	if !replace {
		return
	}
	_, name := qualified(names(parts))
	if r.cat == nil || r.cat.code == nil {
		r.wants = true
		r.effect(destructive, "it may replace a function that is there")
	} else if len(r.cat.code.routines[name]) > 0 || r.cat.hasSystemFunction(name) {
		r.effect(destructive, "it replaces a function that is there")
	}
}

func (c *Catalog) hasSystemFunction(name string) bool {
	_, ok := c.system[name]
	return ok
}

// mayHold reports whether there may be a relation of that name.
func (r *reader) mayHold(v *rangeVar) bool {
	if r.cat == nil {
		r.wants = true
		return true
	}
	return len(r.cat.find(v.GetSchemaname(), v.GetRelname())) > 0
}

// systemTable reports whether a relation is one of the catalogs.
func (r *reader) systemTable(v *rangeVar) bool {
	if v == nil {
		return false
	}
	switch v.Schemaname {
	case "pg_catalog", "information_schema", "pg_toast":
		return true
	case "":
		return strings.HasPrefix(v.Relname, "pg_")
	}
	return false
}
