package sqlguard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// What user code can reach decides whether it may run where columns are
// protected. A function is harmless when each statement in it could be sent as
// it stands and would reach nothing protected; so are those it calls. Whatever
// can't be read is not. Harmless code is given no protected value either: see
// analyst.given.

// scan is what a definition runs. It depends on no catalog.
type scan struct {
	*reader
}

// scans remembers them by definition. Safe for concurrent use.
type scans struct {
	libraries []string // see Guard

	mu    sync.Mutex
	bytes int
	known map[string]*scan
}

const scansBytes = 8 << 20 // of definitions

func newScans(libraries []string) *scans {
	return &scans{libraries: libraries, known: map[string]*scan{}}
}

// of reads a definition, once. args are the arguments of a call that are
// constants: $1.
func (s *scans) of(p *Parser, definition string, args map[string]string) *scan {
	key := definition
	for _, name := range slices.Sorted(maps.Keys(args)) {
		key += "\x00" + name + "\x00" + args[name]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[key]; known != nil {
		return known
	}
	made := readScan(p, definition, args, s.libraries)
	if s.bytes += len(key); s.bytes > scansBytes {
		clear(s.known)
		s.bytes = len(key)
	}
	s.known[key] = made
	return made
}

func readScan(p *Parser, definition string, args map[string]string, libraries []string) *scan {
	r := &reader{parser: p, facts: &policy.SQL{}, seen: map[noted]bool{}, shared: &sharedReading{open: map[string]bool{}, libraries: libraries}, blind: true}
	s := &scan{reader: r}
	if definition == "" {
		r.veil("its body can't be read")
		return s
	}
	tree, refusal := p.parse(definition)
	if refusal != nil {
		r.veil("its body can't be read")
		return s
	}
	for _, raw := range tree.Stmts {
		switch m := unwrap(raw.Stmt).(type) {
		case *functionStmt:
			r.constants, r.linked = bound(m, args)
			r.within = append(r.within, bodyWithin(m)...)
		case *triggerStmt:
			r.calls = append(r.calls, callOf(names(m.Funcname)))
			r.walkNode(m.WhenClause)
			continue
		case *ruleStmt:
			r.walkNode(m.WhereClause)
			for _, n := range m.Actions {
				r.within = append(r.within, unwrap(n))
				r.walkNode(n)
			}
			continue
		}
		r.walk(raw, nil)
	}
	return s
}

// bodyWithin are the statements of BEGIN ATOMIC ... END.
func bodyWithin(m *functionStmt) []proto.Message {
	var all []proto.Message
	if m.SqlBody != nil {
		for _, n := range bodyStatements(m.SqlBody) {
			if n := unwrap(n); n != nil { // nil: BEGIN ATOMIC END
				all = append(all, n)
			}
		}
	}
	return all
}

func callOf(parts []string) call {
	schema, name := qualified(parts)
	return call{schema: schema, name: name}
}

// bound gives the parameters of a function whose values are known: of text
// alone, since other types may write a value otherwise than it was given.
// linked are the two names of a parameter: q and $1.
func bound(m *functionStmt, args map[string]string) (known, linked map[string]string) {
	known, linked = map[string]string{}, map[string]string{}
	at := 0
	for _, n := range m.Parameters {
		p := n.GetFunctionParameter()
		if p == nil || p.Mode == paramOut || p.Mode == paramTable {
			continue
		}
		at++
		number := fmt.Sprint("$", at)
		schema, name := qualified(names(p.ArgType.GetNames()))
		value, ok := args[number]
		if !ok || name != "text" || schema != "" && schema != "pg_catalog" || len(p.ArgType.GetArrayBounds()) > 0 || p.Mode.String() == "FUNC_PARAM_VARIADIC" {
			continue
		}
		known[number] = value
		if p.Name != "" {
			known[p.Name] = value
			linked[p.Name], linked[number] = number, p.Name
		}
	}
	return known, linked
}

// maxCalls bounds calls within calls whose arguments are constants.
const maxCalls = 6

// judgeCode finds the functions that are not harmless; true when there are more
// than before.
func (sh *shield) judgeCode() bool {
	grown := false
	for name, f := range sh.cat.user {
		if !f.trusted && len(sh.cat.code.routines[name]) == 0 && sh.known(name) == nil && sh.harms[name] == "" {
			sh.harms[name], grown = "its body is not known", true
		}
	}
	for changed := true; changed; {
		changed = false
		for name, routines := range sh.cat.code.routines {
			if sh.harms[name] != "" || sh.cat.user[name].trusted {
				continue
			}
			for _, f := range routines {
				if why := sh.harmOf(f, nil, 0); why != "" {
					sh.harms[name], changed, grown = why, true, true
					break
				}
			}
		}
	}
	return grown
}

// harmOf says why a function is not harmless; "" when it is.
func (sh *shield) harmOf(f *routine, args map[string]string, depth int) string {
	if f.definition == "" {
		if f.of(sh.scans.libraries) {
			return ""
		}
		return fmt.Sprintf("its body is in a language that is not read (%s)", f.language)
	}
	return sh.harmIn(sh.scans.of(sh.parser, f.definition, args), depth)
}

// harmIn says why what a definition runs is not harmless.
func (sh *shield) harmIn(s *scan, depth int) string {
	if len(s.veiled) > 0 {
		return s.veiled[0]
	}
	if why := sh.misfolded(s.reader); why != "" {
		return why
	}
	if name := sh.reached(s.uses); name != "" {
		return fmt.Sprintf("it reads or changes %q, which holds protected columns", name)
	}
	for _, c := range s.calls {
		if len(sh.called(c.name)) > 0 {
			return fmt.Sprintf("it calls function %s, which reads protected columns", c.name)
		}
		if readsItsCaller(c) {
			return "it reads the statement it is called in"
		}
		if refusal := sh.closeFunctionAt(c, false, depth); refusal != nil {
			return "it calls " + c.name + ": " + refusal.Detail
		}
	}
	if refusal := s.refuseSettings(); refusal != nil {
		return refusal.Public
	}
	for _, name := range s.writesTo {
		for _, rel := range sh.cat.find("", name) {
			if why := sh.fired[rel.oid]; why != "" {
				return fmt.Sprintf("it changes %q, and %s", name, why)
			}
		}
	}
	for _, m := range s.within {
		if m == nil {
			return "it holds a statement that is not understood"
		}
		if _, ok := m.(*prepareStmt); ok {
			return "it prepares a statement, whose name could mean another one outside"
		}
		if inner, _ := runsWithin(m); runs(m) != "" || inner != "" {
			return "it runs a prepared statement, or reads a cursor, that may hold protected columns"
		}
		if refusal := sh.closeRest(s.reader, m, depth); refusal != nil {
			return refusal.Public
		}
	}
	if len(s.within) == 0 { // expressions alone
		if refusal := sh.closeRest(s.reader, &selectStmt{Op: setNone}, depth); refusal != nil {
			return refusal.Public
		}
	}
	return ""
}

// readsItsCaller: in a trigger it is somebody else's statement.
func readsItsCaller(c call) bool { return c.name == "current_query" }

// misfolded says why texts that are run may be others than were read.
func (sh *shield) misfolded(r *reader) string {
	for _, name := range r.folded {
		if sh.cat.othersMake(name) {
			return "it runs a text made by " + name + ", of which there is one that is not PostgreSQL's own"
		}
	}
	return ""
}

// harm says why functions of a name are not harmless, called as they are here.
func (sh *shield) harm(c call, depth int) string {
	why := sh.harms[c.name]
	if why == "" || len(c.args) == 0 || depth >= maxCalls {
		return why
	}
	for _, f := range sh.cat.code.routines[c.name] {
		if why := sh.harmOf(f, c.args, depth+1); why != "" {
			return why
		}
	}
	return ""
}

// judgeFired finds the relations whose triggers, rules, defaults, constraints
// and the like run what is not harmless, when they are changed. Their owner made
// them so: they run, and what they say is scrubbed.
func (sh *shield) judgeFired() bool {
	grown := false
	for changed := true; changed; {
		changed = false
		for id := range sh.cat.relations {
			if sh.fired[id] == "" {
				if why := sh.fires(id); why != "" {
					sh.fired[id], changed, grown = why, true, true
				}
			}
		}
	}
	return grown
}

func (sh *shield) fires(id uint32) string {
	code := sh.cat.code
	for _, list := range [][]*fired{code.triggers[id], code.rules[id], code.attached[id]} {
		for _, f := range list {
			if why := sh.harmIn(sh.scans.of(sh.parser, f.definition, nil), 0); why != "" {
				return f.what + " of it is not harmless: " + why
			}
		}
	}
	for _, ids := range [][]uint32{sh.cat.children[id], sh.cat.parents[id], code.cascades[id]} {
		for _, other := range ids {
			if why := sh.fired[other]; why != "" {
				return why
			}
		}
	}
	return ""
}

// firing reports whether a statement runs code of a relation's owner that is
// not harmless.
func (sh *shield) firing(r *reader) bool {
	for _, name := range r.writesTo {
		for _, rel := range sh.cat.find("", name) {
			if sh.fired[rel.oid] != "" {
				return true
			}
		}
	}
	return false
}

// unknownTo lists the functions that a text calls and the catalog does not hold.
func (sh *shield) unknownTo(calls []call) []string {
	var unknown []string
	for _, c := range calls {
		if c.schema != internalSchema && !sh.cat.holdsFunction(c) {
			unknown = append(unknown, dotted(c.schema, c.name))
		}
	}
	return unknown
}

func (c *Catalog) holdsFunction(f call) bool {
	_, user := c.user[f.name]
	_, system := c.system[f.name]
	return user || system && (f.schema == "" || isSystem(f.schema))
}

// own reports whether a function's name means one of PostgreSQL's own, or of a
// known extension, and can mean no other.
func (sh *shield) own(schema, name string) bool {
	user, isUser := sh.cat.user[name]
	_, isSystemName := sh.cat.system[name]
	return isSystemName && isSystem(schema) || isUser && user.trusted || isSystemName && !isUser && schema == ""
}

// isField reports whether a relation or a row type has a column of a name. No
// function of such a name may be made for rows that hold protected values.
func (sh *shield) isField(name string) bool {
	return sh.cat.columns[name] || sh.cat.code.fields[name] || name == "key" || name == "value"
}

// operatorHarm says why operators of a name that others made are not harmless.
func (sh *shield) operatorHarm(name string, depth int) string {
	for _, definition := range sh.cat.code.operators[name] {
		if definition == "" { // hides PostgreSQL's own: its function is not known
			return "another schema holds one for the same types as PostgreSQL's own"
		}
		if why := sh.harmIn(sh.scans.of(sh.parser, definition, nil), depth+1); why != "" {
			return why
		}
	}
	return ""
}

// systemType reports whether a type is one of PostgreSQL's own.
func (sh *shield) systemType(t *typeName) bool {
	_, name := qualified(names(t.GetNames()))
	return sh.cat.code.types[strings.TrimPrefix(name, "_")]
}
