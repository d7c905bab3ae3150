package sqlguard

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sallyport/policy"
)

// reader walks the trees of one text and gathers what they hold. It visits
// every node, whatever its kind.
type reader struct {
	cat    *Catalog
	parser *Parser
	facts  *policy.SQL
	seen   map[noted]bool // of the whole text

	uses      []use         // relations that are read or changed
	calls     []call        // functions
	rows      proto.Message // the VALUES of an INSERT, no statement of its own
	kinds     []string      // the nodes of statements
	operators []string      // written with a schema, or all: "schema.+"
	fields    []string      // names taken from a row: row.name may call a function
	settings  []*setStmt    // SET, wherever it stands
	setCalls  []*funcCall
	writesTo  []string // targets of UPDATE and the like, schema and name, for pg_settings
	asExecute bool     // CREATE TABLE ... AS EXECUTE
	dry       int      // within a plain EXPLAIN nothing runs
	depth     int      // of bodies within bodies
}

// use is one mention of a relation.
type use struct{ schema, name string }

// call is one call of a function.
type call struct{ schema, name string }

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

func (r *reader) effect(e effect) {
	if r.dry > 0 {
		return
	}
	r.facts.Writes = r.facts.Writes || e&writes != 0
	r.facts.DDL = r.facts.DDL || e&ddl != 0
	r.facts.Destructive = r.facts.Destructive || e&destructive != 0
	r.facts.Unbounded = r.facts.Unbounded || e&unbounded != 0
}

// walk visits m and everything below it.
func (r *reader) walk(m protoreflect.Message, f *frame) {
	msg := m.Interface()
	if k, ok := kindOf(msg); ok && msg != r.rows {
		r.add(&r.facts.Verbs, k.verb)
		r.effect(k.effect)
		r.add(&r.kinds, string(m.Descriptor().Name()))
	}
	switch msg := msg.(type) {
	case *selectStmt:
		f = r.with(msg.WithClause, f)
		f = r.frame(f, nil, msg.FromClause)
	case *insertStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation)
		r.columnNames(msg.Relation, msg.Cols)
		if q, ok := unwrap(msg.SelectStmt).(*selectStmt); ok && len(q.ValuesLists) > 0 {
			r.rows = q
		}
		f = r.frame(f, msg.Relation, nil)
	case *updateStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation)
		r.columnNames(msg.Relation, msg.TargetList)
		f = r.frame(f, msg.Relation, msg.FromClause)
	case *deleteStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation)
		f = r.frame(f, msg.Relation, msg.UsingClause)
	case *mergeStmt:
		f = r.with(msg.WithClause, f)
		r.target(msg.Relation)
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
			r.add(&r.fields, text(n))
		}
	case *aExpr:
		r.add(&r.operators, strings.Join(names(msg.Name), "."))
	case *sortBy:
		r.add(&r.operators, strings.Join(names(msg.UseOp), "."))
	case *subLink:
		r.add(&r.operators, strings.Join(names(msg.OperName), "."))
	case *funcCall:
		r.function(msg)
	case *setStmt:
		r.settings = append(r.settings, msg)
		if strings.ToLower(msg.Name) != "" && msg.Kind == varSet && slices.Contains(loseProtection, strings.ToLower(msg.Name)) {
			r.effect(destructive | writes)
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
	eachChild(m, func(c protoreflect.Message) { r.walk(c, f) })
}

// loseProtection lists the settings that change who the session is, or what is
// checked.
var loseProtection = []string{"role", "session_authorization", "session_replication_role"}

// definition handles what names a relation otherwise than by reading it. It
// reports whether nothing below is left to visit.
func (r *reader) definition(m proto.Message, f *frame) bool {
	switch m := m.(type) {
	case *createStmt:
		return r.creates(m.ProtoReflect(), m.Relation, f)
	case *sequenceStmt:
		r.name(m.Sequence)
		return false
	case *compositeStmt:
		return true // its name is a type's
	case *viewStmt:
		return r.creates(m.ProtoReflect(), m.View, f)
	case *intoClause:
		r.effect(defines)
		if m.ViewQuery == nil {
			r.add(&r.facts.Verbs, "select into")
		}
		return r.creates(m.ProtoReflect(), m.Rel, f)
	case *ctasStmt:
		r.effect(defines)
		if m.Into != nil {
			r.name(m.Into.Rel)
		}
		if _, ok := unwrap(m.Query).(*executeStmt); ok {
			r.asExecute = true
		}
		if m.Query != nil {
			r.walk(m.Query.ProtoReflect(), f)
		}
		return true
	case *dropStmt:
		r.dropped(m)
	case *commentStmt:
		r.object(m.Objtype.String(), m.Object)
	case *functionStmt:
		r.body(m, f)
	}
	return false
}

// creates walks a statement that makes a relation, but not the relation's name:
// what it may mean does not exist yet.
func (r *reader) creates(m protoreflect.Message, made *rangeVar, f *frame) bool {
	r.name(made)
	eachChild(m, func(c protoreflect.Message) {
		if c.Interface() != proto.Message(made) {
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

// body reads a function's body when it is SQL, and knows nothing of any other.
func (r *reader) body(m *functionStmt, f *frame) {
	if !strings.EqualFold(functionOption(m, "language"), "sql") || m.SqlBody != nil {
		return
	}
	source := functionOption(m, "as")
	if r.depth >= 3 || len(source) > r.parser.inProcess {
		r.effect(destructive)
		return
	}
	tree, refusal := r.parser.parse(source)
	if refusal != nil {
		r.effect(destructive)
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	for _, s := range tree.Stmts {
		r.walk(s.ProtoReflect(), nil)
	}
}

// target notes the target of INSERT and the like, which is never a WITH query.
func (r *reader) target(v *rangeVar) {
	if v != nil {
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
}

func (r *reader) function(m *funcCall) {
	parts := names(m.Funcname)
	schema, name := qualified(parts)
	r.add(&r.facts.Functions, strings.Join(parts, "."))
	r.calls = append(r.calls, call{schema, name})
	if isDangerous(name) {
		r.facts.Destructive, r.facts.Writes = true, true
	}
	if name == "set_config" {
		r.setCalls = append(r.setCalls, m)
		if len(m.Args) > 0 && slices.Contains(loseProtection, strings.ToLower(text(m.Args[0]))) {
			r.effect(destructive | writes)
		}
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
