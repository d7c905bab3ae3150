package sqlguard

import (
	"fmt"
	"slices"
	"sync"

	"sallyport/policy"
)

// Filter says what a predicate may ask about a protected column. The zero
// Filter is Equality.
type Filter int

// The filters, as gateway.toml names them: "equality", "deny", "allow".
const (
	Equality Filter = iota // only col = expr, col IN (list), col = ANY (...), col IS [NOT] NULL
	Deny                   // nothing
	AllowUse               // everything
)

// Pattern names protected columns; each name takes *. An empty Schema is any.
// Where several match a column the first one counts.
type Pattern struct {
	Schema, Table, Column string
	Filter                Filter
	// Members says what lies protected at a path of the column's documents,
	// where only members of them are; nil: the whole column is protected.
	Members func(path []string) Reach
	// Looked: besides, something is looked for in the column's values.
	Looked bool
}

// Guard reads SQL texts. It is safe for concurrent use.
type Guard struct {
	protected []Pattern
	parser    *Parser

	// CopyRows: COPY ... TO STDOUT over protected relations may run, for its rows
	// are masked by Statement.Copy. Set it before the first Read.
	CopyRows bool
	// CopyAll: every COPY ... TO STDOUT is described by Statement.Copy, as far as
	// the catalog knows its columns. Set it before the first Read.
	CopyAll bool
	// ParseLimit is how long a text may be that is parsed, in bytes; 0 is 1 MiB.
	// Set it before the first Read.
	ParseLimit int
	// Files are folders of the server in which nothing is protected: COPY may read
	// there. Set it before the first Read.
	Files []string
	// Libraries are those, as CREATE FUNCTION and LOAD write them, whose code is
	// harmless, at the owner's word: nobody can read it. Set it before the first
	// Read.
	Libraries []string
	// FreeSettings: client_encoding and standard_conforming_strings are not
	// pinned, for nothing depends on the text. Set it before the first Read.
	FreeSettings bool

	mu     sync.Mutex
	shield *shield // of the catalog seen last
}

// New makes a guard over the protected columns.
func New(protected []Pattern, parser *Parser) *Guard {
	return &Guard{protected: protected, parser: parser}
}

// Reading is what a text says.
type Reading struct {
	Facts      policy.SQL
	Statements []Statement
	Unknown    []string        // names the catalog does not hold: load it anew and read again
	Refusal    *policy.Refusal // nil: nothing in itself forbids it
	// Reaches is Facts.Protected, but for what statements run by a name: whoever
	// knows what that is says whether it is protected.
	Reaches bool
	// Resettable: DISCARD ALL undoes all that the text leaves in the server's session.
	Resettable bool
	// Wants: there was no catalog, and with one the facts could be others.
	Wants bool
	// Missing are functions that the catalog does not hold. Load it anew and read
	// again; what is missing as of now is not there, or was made in this very
	// transaction, and judged with its body when it was made.
	Missing []string
	// Shared: every text of the same [Shape] reads so, but for Facts.Text.
	Shared bool
}

// Statement is one statement of a text.
type Statement struct {
	Verb    string // the first of its verbs
	Opaque  bool   // reaches no protected relation: Outputs were not computed, nothing is to be masked
	Outputs []Output
	Reaches bool // its errors and notices may quote protected values
	// Runs names the prepared statement or the cursor (OfCursor) whose rows this
	// one returns. What it holds is not known here: where anything is protected
	// the text counts as protected in Facts.
	Runs     string
	OfCursor bool
	// Keeps names the prepared statement or the cursor (OfCursor) that this one
	// makes: Outputs are those of what runs it. Its own text is Alone: it is to be
	// read anew where it runs against another catalog.
	Keeps string
	Alone string
	// Shows: a plan of what it keeps would show what functions gave of protected columns.
	Shows bool
	// Within names the prepared statement that this one runs without returning its
	// rows: by EXPLAIN, or into a table, and then Stores.
	Within string
	Stores bool
	// Copy says what COPY ... TO STDOUT over protected relations writes; nil for
	// anything else.
	Copy *CopyOut
	// Redefinable: it reads a view, or calls a function, that another session may
	// replace while the statement waits: where no origin is reported, read Text,
	// all that was read, once more against a catalog no older than the rows.
	Redefinable bool
	Text        string
}

// Output is one column of a result.
type Output struct {
	Name string
	// Plain: the value is that of the protected column, and no computation. It
	// names several columns where the relation's name is ambiguous.
	Plain     bool
	Protected []Column // the protected columns it depends on; none: it is free
	// Kept: it is no computation but of whole values: every protected value in
	// it stands there as it is, and apart from what is beside it.
	Kept bool
	// Document: it is what lies in a document of the column at one of the Paths,
	// the members' names from the top; Taken says that it was made a text.
	Document bool
	Paths    [][]string
	Taken    bool
	// Also: members at the top of the column's documents that are protected
	// besides those that its mask names, or where it has none.
	Also []string
	// Blank: whether the value is NULL depends on the protected one, so that a
	// NULL is to be masked like the rest.
	Blank bool
	// Many: one of several columns that stand here in an order, and a number,
	// that are not known: * over a name that could mean several relations. The
	// column described under its name is this one; under any other name, it
	// depends on what all of them do.
	Many bool
	// Type and Modifier are a plain column's, of a domain its base's; 0 unknown.
	Type     uint32
	Modifier int32
}

// Read parses a text and says what it does. cat may be nil when nothing is
// protected.
func (g *Guard) Read(text string, cat *Catalog) Reading { return g.ReadFor("", text, cat) }

// ReadFor is Read for a caller: nobody has all the workers that parse long texts.
func (g *Guard) ReadFor(who, text string, cat *Catalog) Reading { return g.read(who, text, cat, false) }

// ReadMoved is ReadFor where definitions may have changed since cat was read, and
// cannot be asked for: a relation may have other columns, or another one its name.
func (g *Guard) ReadMoved(who, text string, cat *Catalog) Reading {
	return g.read(who, text, cat, true)
}

func (g *Guard) read(who, text string, cat *Catalog, moved bool) Reading {
	parser := g.parser.of(who)
	reading := Reading{Facts: policy.SQL{Text: text}}
	limit := parsedText
	if g.ParseLimit > 0 {
		limit = g.ParseLimit
	}
	if len(text) > limit {
		reading.Refusal = &policy.Refusal{
			Kind: policy.TooLarge, Public: fmt.Sprintf("statement is longer than %d bytes, which is what is judged here", limit),
			Hint: "send it in parts, or use COPY for bulk data",
		}
		return reading
	}
	tree, refusal := parser.parse(text)
	if refusal != nil {
		reading.Refusal = refusal
		return reading
	}
	if cat == nil && len(g.protected) > 0 {
		reading.Refusal = &policy.Refusal{
			Kind: policy.Unavailable, Public: "the target's catalog could not be read",
			Hint: "Try again.",
		}
		return reading
	}
	reading.Facts.Parsed, reading.Resettable = true, true
	reading.Facts.Statements = int64(len(tree.Stmts))
	sh, seen := g.shieldFor(cat), map[noted]bool{}
	common := &sharedReading{open: map[string]bool{}, libraries: g.Libraries, moved: moved}
	for _, raw := range tree.Stmts {
		g.readStatement(&reading, raw, sh, &reader{
			cat: sh.cat, parser: parser, facts: &reading.Facts, seen: seen, shared: common,
		})
	}
	reading.Shared = shared(&reading, tree)
	return reading
}

// readStatement adds one statement to the reading.
func (g *Guard) readStatement(reading *Reading, raw *rawStmt, sh *shield, r *reader) {
	moved := r.shared.moved || reading.Facts.DDL // by what stands before it, in the text too
	r.walk(raw, nil)
	reading.Resettable = reading.Resettable && !r.lasting()
	reading.Wants = reading.Wants || r.wants
	reading.Missing = append(reading.Missing, r.missing...)
	statement := Statement{Opaque: true}
	m := unwrap(raw.Stmt)
	if k, ok := kindOf(m); ok {
		statement.Verb = k.verb
	}
	var refusal *policy.Refusal
	if !g.FreeSettings {
		refusal = r.refuseSettings()
	}
	if sh.any() {
		reached := sh.reached(r.uses, r.calls...)
		for _, u := range r.uses {
			if len(sh.cat.find(u.schema, u.name)) == 0 {
				r.add(&reading.Unknown, dotted(u.schema, u.name))
			}
		}
		for _, name := range sh.unknownTo(r.calls) {
			r.add(&reading.Unknown, name)
		}
		statement.Runs = runs(m)
		statement.Within, statement.Stores = runsWithin(m)
		switch m := m.(type) {
		case *declareStmt:
			statement.Keeps, statement.OfCursor = m.Portalname, true
		case *prepareStmt:
			statement.Keeps = m.Name
		case *fetchStmt:
			statement.OfCursor = true
		}
		if statement.Keeps != "" {
			statement.Alone = alone(reading.Facts.Text, raw)
		}
		statement.Reaches = reached != "" || sh.firing(r)
		reading.Reaches = reading.Reaches || statement.Reaches
		reading.Facts.Protected = reading.Facts.Protected || statement.Reaches || statement.Runs != "" || statement.Within != ""
		if reached != "" {
			r.locate(raw)
			r.note(protectedFact, "it reaches "+reached+", which holds protected columns", "")
		}
		if refusal == nil {
			refusal = sh.closeDoors(r, m, reached)
			for _, name := range r.unsampled {
				r.add(&reading.Unknown, name)
			}
		}
		if statement.Redefinable = r.sampled || sh.redefinable(r); statement.Redefinable {
			statement.Text = reading.Facts.Text
		}
		if refusal == nil && reached != "" {
			statement.Opaque = false
			statement.Outputs, statement.Copy, statement.Shows, refusal = sh.outputs(raw.Stmt, reached, g.CopyRows, moved)
			if mayBeNew(refusal) {
				r.add(&reading.Unknown, refusal.Public)
			}
			if isAbsent(refusal) {
				refusal = placed(refusal, reading.Facts.Text)
			}
		}
	}
	if g.CopyAll && statement.Copy == nil {
		statement.Copy = sh.copyAll(m)
	}
	if reading.Refusal == nil {
		reading.Refusal = refusal
	}
	reading.Statements = append(reading.Statements, statement)
}

// alone is the text of one statement.
func alone(text string, raw *rawStmt) string {
	text = text[min(int(raw.StmtLocation), len(text)):]
	if n := int(raw.StmtLen); n > 0 && n < len(text) {
		text = text[:n]
	}
	return text
}

// shieldFor gives the protection over a catalog, made anew when the catalog is
// another than last time.
func (g *Guard) shieldFor(cat *Catalog) *shield {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cat != nil && cat.within != nil {
		return cat.within.shield(g, cat)
	}
	if g.shield == nil || g.shield.cat != cat {
		g.shield = newShield(g.protected, cat, g.parser, g.Libraries, g.shield)
		g.shield.files = g.Files
	}
	return g.shield
}

// Origin says what a value is that the server reports as (table, attribute) in
// RowDescription, through partitions and views; attribute 0 is the whole row.
// It is false when the catalog does not hold that relation or column: load the
// catalog anew, and mask if it still is.
func (g *Guard) Origin(cat *Catalog, table uint32, attribute int16) (Output, bool) {
	if cat == nil {
		return Output{}, len(g.protected) == 0
	}
	return g.shieldFor(cat).origin(table, attribute)
}

// redefinable: see Statement.
func (sh *shield) redefinable(r *reader) bool {
	for _, u := range r.uses {
		for _, rel := range sh.cat.find(u.schema, u.name) {
			if rel.kind == "v" && !isSystem(rel.schema) {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.calls, func(c call) bool { return len(sh.cat.bodies[c.name]) > 0 })
}

// Redefined reports whether what a relation's columns are can be changed while
// statements over it wait: a view's. Ask a catalog that is no older than the
// rows.
func (g *Guard) Redefined(cat *Catalog, table uint32) bool {
	rel := cat.relation(table)
	return rel != nil && rel.kind == "v" && !isSystem(rel.schema)
}
