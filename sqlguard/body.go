package sqlguard

import (
	"maps"
	"slices"
	"strings"
)

// internalSchema stands before the name of a function in C that is a part of
// PostgreSQL itself.
const internalSchema = "pg_internal"

// body reads the body of a function or a procedure.
func (r *reader) body(m *functionStmt) {
	what := "function " + strings.Join(names(m.Funcname), ".")
	for _, n := range m.Parameters {
		if p := n.GetFunctionParameter(); p != nil && p.Name != "" {
			r.declare(p.Name)
		}
	}
	language := strings.ToLower(functionOption(m, "language"))
	switch {
	case m.SqlBody != nil: // a part of the tree
	case language == "sql":
		r.text(makeText(functionOption(m, "as")), what)
	case language == "plpgsql":
		r.plpgsql(functionOption(m, "as"), what)
	case language == "internal":
		r.internal(functionOption(m, "as"))
	case language == "c" && slices.Contains(r.shared.libraries, library(m)):
	default:
		r.obscure("%s: its body is in a language that can't be read", what)
	}
}

// internal reads a function that is behind one or several of PostgreSQL's own.
func (r *reader) internal(name string) {
	if r.cat == nil || r.cat.internal == nil {
		if _, known := classOf(name); !known && !r.blind {
			r.wants = true
		}
		r.calls = append(r.calls, call{schema: internalSchema, name: name})
		r.call([]string{"pg_catalog", name}, false)
		return
	}
	known := r.cat.internal[name]
	if _, own := r.cat.system[name]; own || slices.Contains(constructors, name) {
		known = append(slices.Clip(known), name)
	}
	if len(known) == 0 { // the server has none, and says so
		return
	}
	for _, name := range known {
		r.calls = append(r.calls, call{schema: internalSchema, name: name})
		r.call([]string{"pg_catalog", name}, false)
	}
}

// do reads a DO block.
func (r *reader) do(m *doStmt) {
	r.certainly(dynamic, "it runs code that is no statement of the text")
	language, source := "plpgsql", ""
	for _, n := range m.Args {
		if d, ok := unwrap(n).(*defElem); ok && d.Defname == "language" {
			language = strings.ToLower(text(d.Arg))
		} else if ok && d.Defname == "as" {
			source = text(d.Arg)
		}
	}
	if language != "plpgsql" {
		r.obscure("DO: its body is in a language that can't be read")
		return
	}
	r.plpgsql(source, "DO")
}

func (r *reader) declare(name string) {
	if r.variables == nil {
		r.variables = map[string]bool{}
	}
	r.variables[name] = true
}

// plpgsql adds what a body in PL/pgSQL does.
func (r *reader) plpgsql(body, what string) {
	if r.depth >= maxBodies || prelex(body) != nil {
		r.obscure("%s: what it runs is too much to be read", what)
		return
	}
	fragments, cursors, bad := cutPLpgSQL(body)
	if bad != "" {
		r.obscure("%s: its body can't be read: %s", what, bad)
		return
	}
	r.depth++
	outer := r.constants
	r.constants = r.constantsOf(fragments)
	defer func() { r.depth--; r.constants = outer }()
	for _, name := range strings.Fields(given) {
		r.declare(name)
	}
	for _, c := range fragments {
		r.part(c, cursors, what)
	}
}

// maxBodies bounds bodies within bodies, and the texts they run.
const maxBodies = 6

// given are the variables that every body has, or a trigger's.
const given = "found new old tg_name tg_when tg_level tg_op tg_relid tg_relname tg_table_name tg_table_schema tg_nargs tg_argv tg_event tg_tag sqlstate sqlerrm"

func (r *reader) part(c fragment, cursors map[string]bool, what string) {
	r.loops += c.loops
	defer func() { r.loops -= c.loops }()
	switch c.kind {
	case pieceDeclare:
		r.declare(c.text)
	case pieceValue:
		r.value(c.text, what)
	case pieceQuery:
		r.text(makeText(c.text), what)
	case pieceRun:
		r.executes(c.text, what)
	case pieceCursor:
		if !cursors[c.text] {
			r.veil("%s: it reads a cursor that may be opened elsewhere", what)
		}
	}
}

// constantsOf gives the variables of a body that have one value all along,
// those it is called with and those it declares.
func (r *reader) constantsOf(fragments []fragment) map[string]string {
	known := maps.Clone(r.constants)
	if known == nil {
		known = map[string]string{}
	}
	if slices.ContainsFunc(fragments, func(c fragment) bool { return c.kind == pieceColumnsFirst }) {
		return nil
	}
	declared, changed := map[string]int{}, map[string]bool{}
	for _, c := range fragments {
		switch c.kind {
		case pieceDeclare:
			declared[c.text]++
			delete(known, c.text)
		case pieceChange:
			for _, name := range c.names {
				changed[name] = true
			}
		}
	}
	for _, c := range fragments {
		// A parameter of the name is another variable, outside of the block.
		if c.kind == pieceConstant && declared[c.names[0]] == 1 && !r.variables[c.names[0]] {
			if n := r.single(c.text); n != nil {
				if s, ok := r.fold(n, known); ok {
					known[c.names[0]] = s
				}
			}
		}
	}
	for name := range changed {
		delete(known, name)
		delete(known, r.linked[name])
	}
	return known
}

// value reads an expression.
func (r *reader) value(expression, what string) {
	tree, refusal := r.parser.parse("SELECT " + expression)
	if refusal == nil && len(tree.Stmts) == 1 {
		if q, ok := unwrap(tree.Stmts[0].Stmt).(*selectStmt); ok && len(q.FromClause) == 0 {
			for _, n := range q.TargetList {
				r.walkNode(n)
			}
			if q.WhereClause == nil && q.WithClause == nil && q.Op == setNone {
				return
			}
		}
	}
	r.text(makeText("SELECT "+expression), what)
}

// executes reads EXECUTE of a text.
func (r *reader) executes(expression, what string) {
	if n := r.single(expression); n != nil {
		r.text(n, what)
		return
	}
	r.obscure("%s: it runs SQL that is not a constant", what)
}

// single gives the tree of an expression that reads no table; nil for any other.
func (r *reader) single(expression string) *node {
	tree, refusal := r.parser.parse("SELECT " + expression)
	if refusal != nil || len(tree.Stmts) != 1 {
		return nil
	}
	q, ok := unwrap(tree.Stmts[0].Stmt).(*selectStmt)
	if !ok || len(q.TargetList) != 1 || len(q.FromClause) > 0 {
		return nil
	}
	return q.TargetList[0].GetResTarget().GetVal()
}
