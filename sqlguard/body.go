package sqlguard

import (
	"encoding/json"
	"slices"
	"strings"
)

// body reads the body of a function or a procedure. source is the statement
// that defines it.
func (r *reader) body(m *functionStmt, source string) {
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
		r.plpgsql(source, what)
	default:
		r.unknown("%s: its body is in a language that can't be read", what)
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
		r.unknown("DO: its body is in a language that can't be read")
		return
	}
	r.plpgsql("DO "+quoteLiteral(source), "DO")
}

func quoteLiteral(s string) string {
	return " E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

func (r *reader) declare(name string) {
	if r.variables == nil {
		r.variables = map[string]bool{}
	}
	r.variables[name] = true
}

// plpgsql adds what a body in PL/pgSQL does. source is the statement around it.
func (r *reader) plpgsql(source, what string) {
	if r.depth >= 3 || r.source == nil && len(source) > maxText {
		r.unknown("%s: what it runs is too much to be read", what)
		return
	}
	tree, ok := r.parser.parseBody(source)
	var body []any
	if !ok || json.Unmarshal(tree, &body) != nil || len(body) != 1 {
		r.unknown("%s: its body can't be read", what)
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	for _, name := range strings.Fields(given) {
		r.declare(name)
	}
	r.block(body, what)
}

// given are the variables that every body has, or a trigger's.
const given = "found new old tg_name tg_when tg_level tg_op tg_relid tg_relname tg_table_name tg_table_schema tg_nargs tg_argv tg_event tg_tag sqlstate sqlerrm"

// blocks are the statements of PL/pgSQL, and whether they repeat what is in them.
var blocks = map[string]bool{
	"PLpgSQL_stmt_block": false, "PLpgSQL_stmt_assign": false, "PLpgSQL_stmt_if": false, "PLpgSQL_stmt_case": false,
	"PLpgSQL_stmt_loop": true, "PLpgSQL_stmt_while": true, "PLpgSQL_stmt_fori": true, "PLpgSQL_stmt_fors": true,
	"PLpgSQL_stmt_forc": true, "PLpgSQL_stmt_foreach_a": true, "PLpgSQL_stmt_dynfors": true,
	"PLpgSQL_stmt_exit": false, "PLpgSQL_stmt_return": false, "PLpgSQL_stmt_return_next": false,
	"PLpgSQL_stmt_return_query": false, "PLpgSQL_stmt_raise": false, "PLpgSQL_stmt_assert": false,
	"PLpgSQL_stmt_execsql": false, "PLpgSQL_stmt_dynexecute": false, "PLpgSQL_stmt_getdiag": false,
	"PLpgSQL_stmt_open": false, "PLpgSQL_stmt_fetch": false, "PLpgSQL_stmt_close": false, "PLpgSQL_stmt_perform": false,
	"PLpgSQL_stmt_call": false, "PLpgSQL_stmt_commit": false, "PLpgSQL_stmt_rollback": false,
}

// block visits a part of the tree of a body.
func (r *reader) block(part any, what string) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			r.block(p, what)
		}
	case map[string]any:
		keys := make([]string, 0, len(part))
		for k := range part {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		// Variables are declared before what stands in the block.
		if _, ok := part["datums"]; ok {
			r.block(part["datums"], what)
		}
		for _, k := range keys {
			r.blockPart(k, part[k], what)
		}
	}
}

func (r *reader) blockPart(key string, part any, what string) {
	fields, _ := part.(map[string]any)
	switch repeats, isStatement := blocks[key]; {
	case key == "datums":
	case key == "refname", key == "fieldname" && part != nil:
		if name, ok := part.(string); ok {
			r.declare(name)
		}
	case key == "PLpgSQL_expr":
		query, _ := fields["query"].(string)
		mode, _ := fields["parseMode"].(float64)
		r.expression(query, int(mode), what)
	case isStatement:
		for _, dynamic := range []string{"query", "dynquery"} {
			_, isDynamic := fields[dynamic]
			if isDynamic && (dynamic == "dynquery" || strings.HasPrefix(key, "PLpgSQL_stmt_dyn")) {
				r.executes(fields[dynamic], what)
			}
		}
		if repeats {
			r.loops++
			defer func() { r.loops-- }()
		}
		r.block(part, what)
	case strings.HasPrefix(key, "PLpgSQL_stmt_"):
		r.unknown("%s: it holds a statement nobody knows", what)
	default:
		r.block(part, what)
	}
}

// expression reads SQL in a body. The modes are the parser's: 0 a statement, 1
// a type, 2 an expression, 3 and more an assignment.
func (r *reader) expression(query string, mode int, what string) {
	switch {
	case mode == 1:
		return
	case mode == 2:
		r.value(query, what)
		return
	case mode > 2:
		at := strings.Index(query, "=")
		if at < 0 || strings.Contains(query[:at], "(") {
			r.unknown("%s: it assigns in a way that can't be read", what)
			return
		}
		r.value(query[at+1:], what)
		return
	}
	r.text(makeText(query), what)
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
func (r *reader) executes(part any, what string) {
	wrapped, _ := part.(map[string]any)
	fields, _ := wrapped["PLpgSQL_expr"].(map[string]any)
	query, _ := fields["query"].(string)
	tree, refusal := r.parser.parse("SELECT " + query)
	if refusal == nil && len(tree.Stmts) == 1 {
		if q, ok := unwrap(tree.Stmts[0].Stmt).(*selectStmt); ok && len(q.TargetList) == 1 && len(q.FromClause) == 0 {
			r.text(q.TargetList[0].GetResTarget().GetVal(), what)
			return
		}
	}
	r.unknown("%s: it runs SQL that is not a constant", what)
}
