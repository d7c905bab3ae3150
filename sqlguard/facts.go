package sqlguard

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// reader walks the trees of one text and gathers what they hold. It visits
// every node, whatever its kind.
type reader struct {
	cat    *Catalog
	parser *Parser
	facts  *policy.SQL
	seen   map[noted]bool // of the whole text
	shared *sharedReading // with the readers of hidden code
	wants  bool           // a catalog would tell more

	uses      []use         // relations that are read or changed
	calls     []call        // functions
	rows      proto.Message // the VALUES of an INSERT, no statement of its own
	kinds     []string      // the nodes of statements
	operators []string      // written with a schema, or all: "schema.+"
	fields    []string      // names taken from a row: row.name may call a function
	settings  []*setStmt    // SET, wherever it stands
	setCalls  []*funcCall
	writesTo  []string        // targets of UPDATE and the like and what is created, for pg_settings
	loads     []string        // libraries
	asExecute bool            // CREATE TABLE ... AS EXECUTE
	dry       int             // within a plain EXPLAIN nothing runs
	depth     int             // of bodies within bodies
	loops     int             // of PL/pgSQL, and queries: what is in them runs many times
	variables map[string]bool // of PL/pgSQL, and parameters: they are no columns
	at        place           // in the text, of what is being read
	begin     int             // of the statement, in the text
	blind     bool            // what is read is not the text

	constants map[string]string // variables with one value, and parameters: $1
	linked    map[string]string // the other name of a parameter
	folded    []string          // functions and operators that a folded text was made by
	missing   []string          // functions that the catalog does not hold
	within    []proto.Message   // the statements of bodies and of texts that are run
	veiled    []string          // why some of it can't be judged where columns are protected
	unsampled []string          // tables whose statistics it asks for, and that the catalog does not hold
	sampled   bool              // the statistics it reads are those of free tables
}

// use is one mention of a relation.
type use struct{ schema, name string }

// call is one call of a function.
type call struct {
	schema, name string
	args         map[string]string // those that are constants: $1
	read         bool              // it runs SQL that was read with this text, or none
}

// noted is a name that one of the lists holds already.
type noted struct {
	list *[]string
	name string
}

func (r *reader) add(to *[]string, s string) {
	if key := (noted{to, s}); s != "" && !r.seen[key] {
		r.seen[key] = true
		*to = append(*to, s)
	}
}

// effect adds what the statement does where the reader is, in words.
func (r *reader) effect(e effect, why string) { r.effectBut(e, why, "") }

// effectBut is effect with what to do instead.
func (r *reader) effectBut(e effect, why, hint string) {
	if r.dry > 0 || e == 0 {
		return
	}
	r.note(factNames[e], why, hint)
	r.facts.Writes = r.facts.Writes || e&writes != 0
	r.facts.DDL = r.facts.DDL || e&ddl != 0
	r.facts.Destructive = r.facts.Destructive || e&destructive != 0
	r.facts.Unbounded = r.facts.Unbounded || e&unbounded != 0
	r.facts.Dynamic = r.facts.Dynamic || e&dynamic != 0
	r.facts.SideDoor = r.facts.SideDoor || e&sideDoor != 0
}

// walk visits m and everything below it.
func (r *reader) walk(m proto.Message, f *frame) {
	if n, ok := m.(*node); ok { // no more than what it wraps
		if m = unwrap(n); m == nil {
			return
		}
	}
	at := r.at
	r.locate(m)
	r.visit(m, f)
	r.at = at
}

// visit is walk, with the reader where m is.
func (r *reader) visit(m proto.Message, f *frame) {
	if k, ok := kindOf(m); ok && m != r.rows {
		r.add(&r.facts.Verbs, k.verb)
		r.effect(k.effect, k.why())
		r.add(&r.kinds, nodeName(m))
		if r.loops > 0 && changesRows(k.verb) {
			r.effect(unbounded|destructive, "it runs once for each turn of a loop")
		}
		if k.effect&ddl != 0 && r.dry == 0 {
			r.firesOnDDL()
		}
	}
	switch msg := m.(type) {
	case *selectStmt:
		if locksMany(msg) {
			r.effect(control, "it takes more locks than the server has room for")
		}
		f.nameSetting(msg)
		f = r.with(msg.WithClause, f)
		f = r.frame(f, nil, msg.FromClause)
	case *insertStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation, onInsert)
		r.upserts(msg, f)
		r.columnNames(msg.Relation, msg.Cols)
		if q, ok := unwrap(msg.SelectStmt).(*selectStmt); ok && len(q.ValuesLists) > 0 {
			r.rows = q
		}
		f = r.frame(f, msg.Relation, nil)
	case *updateStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation, onUpdate)
		r.bounded(msg.Relation, msg.FromClause, msg.WhereClause, f)
		r.columnNames(msg.Relation, msg.TargetList)
		f = r.frame(f, msg.Relation, msg.FromClause)
	case *deleteStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation, onDelete)
		r.bounded(msg.Relation, msg.UsingClause, msg.WhereClause, f)
		f = r.frame(f, msg.Relation, msg.UsingClause)
	case *mergeStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation, events(msg))
		r.merges(msg, f)
		f = r.frame(f, msg.Relation, []*node{msg.SourceRelation})
	case *withClause, *locking: // seen by with; names aliases only
		return
	case *rangeVar:
		r.relation(msg, f)
	case *columnRef:
		r.column(msg, f)
		return
	case *indirection:
		for _, n := range msg.Indirection {
			r.field(text(n))
		}
	case *aExpr:
		r.operator(strings.Join(names(msg.Name), "."))
	case *sortBy:
		r.operator(strings.Join(names(msg.UseOp), "."))
	case *subLink:
		r.operator(strings.Join(names(msg.OperName), "."))
	case *funcCall:
		r.function(msg, f)
	case *setStmt:
		r.settings = append(r.settings, msg)
		r.sets(msg)
	case *copyStmt:
		if msg.IsFrom && msg.Relation != nil {
			r.target(msg.Relation, onInsert)
		}
	case *truncateStmt:
		for _, n := range msg.Relations {
			if v, ok := unwrap(n).(*rangeVar); ok {
				r.target(v, onTruncate)
			}
		}
	case *explainStmt:
		if !option(msg.Options, "analyze") {
			r.dry++
			defer func() { r.dry-- }()
		}
	default:
		if r.definition(msg, f) {
			return
		}
	}
	eachChild(m, func(c proto.Message) { r.walk(c, f) })
}

// definition handles what names a relation otherwise than by reading it. It
// reports whether nothing below is left to visit.
func (r *reader) definition(m proto.Message, f *frame) bool {
	switch m := m.(type) {
	case *createStmt:
		return r.creates(m, m.Relation, f)
	case *sequenceStmt:
		r.name(m.Sequence)
		return false
	case *compositeStmt:
		return true // its name is a type's
	case *viewStmt:
		if m.Replace && r.mayHold(m.View) {
			r.effect(destructive, "it replaces the view that is there")
		}
		return r.creates(m, m.View, f)
	case *intoClause:
		r.effect(defines, "it creates a table")
		if m.ViewQuery == nil {
			r.add(&r.facts.Verbs, "select into")
		}
		return r.creates(m, m.Rel, f)
	case *ctasStmt:
		r.effect(defines, "it creates a table")
		if m.Into != nil {
			r.name(m.Into.Rel)
			r.writesTo = append(r.writesTo, m.Into.Rel.GetRelname())
		}
		if _, ok := unwrap(m.Query).(*executeStmt); ok {
			r.asExecute = true
		}
		if m.Query != nil {
			r.walk(m.Query, f)
		}
		return true
	case *renameStmt:
		r.writesTo = append(r.writesTo, m.Newname)
	case *dropStmt:
		r.dropped(m)
	case *commentStmt:
		r.object(m.Objtype.String(), m.Object)
	case *functionStmt:
		r.replaces(m.Replace, m.Funcname)
		r.certainly(dynamic, "it defines code")
		r.body(m)
	case *triggerStmt:
		r.call(names(m.Funcname), false)
	case *doStmt:
		r.do(m)
		return true
	case *loadStmt:
		r.loads = append(r.loads, m.Filename)
	}
	return false
}

// creates walks a statement that makes a relation, but not the relation's name:
// what it may mean does not exist yet.
func (r *reader) creates(m proto.Message, made *rangeVar, f *frame) bool {
	r.name(made)
	r.writesTo = append(r.writesTo, made.GetRelname())
	eachChild(m, func(c proto.Message) {
		if c != proto.Message(made) {
			r.walk(c, f)
		}
	})
	return true
}

// name notes the name of a relation without a use of it.
func (r *reader) name(v *rangeVar) {
	if v != nil {
		r.add(&r.facts.Tables, dotted(v.Schemaname, v.Relname))
	}
}

// dropped notes the relations a DROP names, themselves or as the owner of what
// is dropped.
func (r *reader) dropped(m *dropStmt) {
	for _, n := range m.Objects {
		r.object(m.RemoveType.String(), n)
	}
}

func (r *reader) object(kind string, n *node) {
	l, ok := unwrap(n).(*list)
	if !ok {
		return
	}
	parts := names(l.Items)
	switch kind {
	case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE":
	case "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT":
		if len(parts) > 0 {
			parts = parts[:len(parts)-1]
		}
	default:
		return
	}
	schema, name := qualified(parts)
	if name != "" {
		r.add(&r.facts.Tables, dotted(schema, name))
		r.uses = append(r.uses, use{schema, name})
	}
}

// target notes the target of INSERT and the like, which is never a WITH query.
func (r *reader) target(v *rangeVar, on event) {
	if v != nil {
		if r.systemTable(v) && v.Relname != "pg_settings" {
			r.effect(writes|destructive|ddl, "it writes to a system catalog")
		}
		r.opens(v.Schemaname, v.Relname, on)
		r.name(v)
		r.uses = append(r.uses, use{v.Schemaname, v.Relname})
		r.writesTo = append(r.writesTo, v.Relname)
	}
}

func (r *reader) relation(v *rangeVar, f *frame) {
	if v.Schemaname == "" && f.isCTE(v.Relname) {
		return
	}
	r.name(v)
	r.uses = append(r.uses, use{v.Schemaname, v.Relname})
	r.opens(v.Schemaname, v.Relname, onSelect)
	if r.systemTable(v) {
		if c, ok := classOf(v.Relname); ok { // pg_hba_file_rules
			r.effect(c.effect, c.why)
		}
		if _, ok := findDoor(relationDoors, v.Relname); ok || slices.Contains(secretTables, v.Relname) {
			r.effect(sideDoor, "it shows values, passwords or statements of others beside their tables")
		}
		if slices.Contains(fileTables, v.Relname) {
			r.effect(control|sideDoor, "it reads the server's files")
		}
	}
}

// fileTables read the server's files.
var fileTables = []string{"pg_hba_file_rules", "pg_ident_file_mappings", "pg_file_settings"}

// secretTables hold passwords.
var secretTables = []string{"pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_subscription"}

func (r *reader) function(m *funcCall, f *frame) {
	parts := names(m.Funcname)
	schema, name := qualified(parts)
	r.calls = append(r.calls, call{schema: schema, name: name, args: r.foldedArgs(m)})
	at := len(r.calls) - 1
	many := false
	for g := f; g != nil; g = g.parent {
		many = many || g.query && len(g.tables) > 0
	}
	r.call(parts, many)
	r.calls[at].read = r.runsText(m, name)
	r.wholesale(m, name)
	if name == "set_config" {
		r.setCalls = append(r.setCalls, m)
		r.setsByCall(m)
	}
}

// columnNames notes the columns that INSERT or UPDATE names as targets.
func (r *reader) columnNames(table *rangeVar, targets []*node) {
	for _, n := range targets {
		if t, ok := unwrap(n).(*resTarget); ok && table != nil {
			r.add(&r.facts.Columns, dotted(dotted(table.Schemaname, table.Relname), t.Name))
		}
	}
}
