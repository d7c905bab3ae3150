package sqlguard

import (
	"slices"
	"strings"
)

// PL/pgSQL is read here as the server's own parser cuts it up (pl_gram.y): what
// stands between its words is SQL, and given to the SQL parser. Whatever is not
// recognised makes the whole body unreadable.

// fragment is one part of a body, in the order of the text.
type fragment struct {
	kind  fragmentKind
	text  string   // SQL, or a name
	names []string // variables that it changes
	loops int      // around it
}

type fragmentKind int

const (
	pieceDeclare      fragmentKind = iota // text is a variable
	pieceType                             // text is a type's name as written
	pieceValue                            // an expression
	pieceChange                           // variables are changed
	pieceQuery                            // a statement
	pieceRun                              // an expression that gives the statement to run
	pieceCursor                           // text is a cursor that is read
	pieceColumnsFirst                     // a name is a column's before it is a variable's
	pieceConstant                         // names[0] is declared with the constant expression text
)

const (
	maxPieces = 4000 // of one body
	maxNested = 100  // blocks within blocks
)

// plParser cuts up one body.
type plParser struct {
	src       string
	tokens    []plToken
	at        int
	fragments []fragment
	loops     int
	nested    int
	cursors   map[string]bool // declared with a query
	own       map[string]bool // cursor variables of the body that begin as NULL
	bad       string
}

// cutPLpgSQL gives the fragments of a body; bad says why it can't be read.
func cutPLpgSQL(src string) (fragments []fragment, own map[string]bool, bad string) {
	tokens, ok := plTokens(src)
	if !ok {
		return nil, nil, "a string in it can't be read"
	}
	p := &plParser{src: src, tokens: tokens, cursors: map[string]bool{}, own: map[string]bool{}}
	for p.isOp("#") { // #variable_conflict and the like
		p.next()
		conflict := p.isWord("variable_conflict")
		if !p.word("option") && !p.word("print_strict_params") && !p.word("variable_conflict") {
			p.fail("an option that is not known")
		}
		if value := p.next(); conflict && value.text != "error" && value.text != "use_variable" {
			p.add(fragment{kind: pieceColumnsFirst})
		}
	}
	p.block()
	if p.isOp(";") {
		p.next()
	}
	if p.peek().kind != plEnd {
		p.fail("something stands behind its END")
	}
	if len(p.fragments) > maxPieces {
		p.fail("it is too long")
	}
	for _, c := range p.fragments {
		for _, n := range c.names {
			if c.kind == pieceChange {
				delete(p.own, n)
			}
		}
	}
	return p.fragments, p.own, p.bad
}

func (p *plParser) fail(why string) {
	if p.bad == "" {
		p.bad = why
	}
}

func (p *plParser) peek() plToken { return p.ahead(0) }

func (p *plParser) ahead(n int) plToken {
	if p.bad != "" || p.at+n >= len(p.tokens) {
		return plToken{kind: plEnd, from: len(p.src), to: len(p.src)}
	}
	return p.tokens[p.at+n]
}

func (p *plParser) next() plToken {
	t := p.peek()
	p.at++
	return t
}

func (p *plParser) isOp(op string) bool { t := p.peek(); return t.kind == plOp && t.text == op }

func (p *plParser) isWord(w string) bool { t := p.peek(); return t.kind == plWord && t.text == w }

// word takes a word if it comes next.
func (p *plParser) word(w string) bool {
	if p.isWord(w) {
		p.next()
		return true
	}
	return false
}

// op takes an operator if it comes next.
func (p *plParser) op(o string) bool {
	if p.isOp(o) {
		p.next()
		return true
	}
	return false
}

func (p *plParser) expectWord(w string) {
	if !p.word(w) {
		p.fail("there is no " + strings.ToUpper(w) + " where one must be")
	}
}

func (p *plParser) end() {
	if !p.op(";") {
		p.fail("a statement does not end where it must")
	}
}

func (p *plParser) add(c fragment) {
	c.loops = p.loops
	if len(p.fragments) > maxPieces {
		p.fail("it is too long")
		return
	}
	p.fragments = append(p.fragments, c)
}

// plTexts are the types that hold any text as it is.
var plTexts = []string{"text", "varchar", "character varying", "pg_catalog.text", "pg_catalog.varchar"}

// plReserved are the words that are no names (pl_reserved_kwlist.h).
var plReserved = []string{
	"all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in", "into",
	"loop", "not", "null", "or", "strict", "then", "to", "using", "when", "while",
}

// identifier takes a name.
func (p *plParser) identifier() string {
	t := p.next()
	if t.kind != plWord && t.kind != plQuoted {
		p.fail("a name is missing")
	}
	return t.text
}

// until gives the text up to a token outside parentheses that stops it, which
// comes next then: read_sql_construct.
func (p *plParser) until(stops ...string) string {
	from, depth := p.peek().from, 0
	for {
		t := p.peek()
		if depth == 0 && (t.kind == plOp || t.kind == plWord) && slices.Contains(stops, t.text) {
			return p.src[from:t.from]
		}
		switch {
		case t.kind == plEnd, t.kind == plOp && t.text == ";":
			p.fail("an expression does not end where it must")
			return ""
		case t.kind == plOp && (t.text == "(" || t.text == "["):
			depth++
		case t.kind == plOp && (t.text == ")" || t.text == "]"):
			if depth--; depth < 0 {
				p.fail("parentheses don't match")
				return ""
			}
		}
		p.next()
	}
}

// value takes an expression.
func (p *plParser) value(stops ...string) {
	text := p.until(stops...)
	if strings.TrimSpace(text) == "" {
		p.fail("an expression is missing")
	}
	p.add(fragment{kind: pieceValue, text: text})
}

// values takes expressions separated by commas, up to one of the stops.
func (p *plParser) values(stops ...string) {
	for {
		p.value(append([]string{","}, stops...)...)
		if !p.op(",") {
			return
		}
	}
}

// label takes <<name>> if it comes next.
func (p *plParser) label() {
	if p.op("<<") {
		p.identifier()
		if !p.op(">>") {
			p.fail("a label does not end")
		}
	}
}

// block takes a block.
func (p *plParser) block() {
	if p.nested++; p.nested > maxNested {
		p.fail("blocks are nested too deeply")
		return
	}
	defer func() { p.nested-- }()
	p.label()
	if p.word("declare") {
		for p.bad == "" && !p.isWord("begin") && p.peek().kind != plEnd {
			if !p.word("declare") {
				p.declaration()
			}
		}
	}
	p.expectWord("begin")
	p.statements("end", "exception")
	if p.word("exception") {
		for p.word("when") {
			p.condition()
			for p.word("or") {
				p.condition()
			}
			p.expectWord("then")
			p.statements("when", "end")
		}
	}
	p.expectWord("end")
	if t := p.peek(); t.kind == plWord || t.kind == plQuoted {
		p.next() // its label
	}
}

// condition takes one condition of EXCEPTION WHEN.
func (p *plParser) condition() {
	if p.identifier() == "sqlstate" && p.next().kind != plString {
		p.fail("an SQLSTATE that can't be read")
	}
}

// declaration takes one line of DECLARE.
func (p *plParser) declaration() {
	name := p.identifier()
	p.add(fragment{kind: pieceDeclare, text: name})
	switch {
	case p.isWord("alias"):
		p.next()
		p.expectWord("for")
		t := p.next()
		p.add(fragment{kind: pieceChange, names: []string{name, t.text}}) // of a cursor: whoever opens which
		p.end()
	case p.isWord("cursor"), p.isWord("scroll") && p.ahead(1).text == "cursor",
		p.isWord("no") && p.ahead(1).text == "scroll" && p.ahead(2).text == "cursor":
		for !p.word("cursor") && p.bad == "" {
			p.next()
		}
		p.cursors[name], p.own[name] = true, true
		if p.op("(") {
			for {
				p.add(fragment{kind: pieceDeclare, text: p.identifier()})
				p.add(fragment{kind: pieceType, text: p.until(",", ")")})
				if !p.op(",") {
					break
				}
			}
			p.op(")")
		}
		if !p.word("for") {
			p.expectWord("is")
		}
		p.add(fragment{kind: pieceQuery, text: p.until(";")})
		p.end()
	default:
		constant := p.word("constant")
		kind := strings.TrimSpace(p.until("collate", "not", ":=", "=", "default", ";"))
		p.add(fragment{kind: pieceType, text: kind})
		lower := strings.ToLower(kind)
		if lower == "refcursor" || lower == "pg_catalog.refcursor" {
			p.own[name] = true
		}
		if p.word("collate") {
			p.identifier()
			for p.op(".") {
				p.identifier()
			}
		}
		if p.word("not") {
			p.expectWord("null")
		}
		if p.op(":=") || p.op("=") || p.word("default") {
			text := p.until(";")
			p.add(fragment{kind: pieceValue, text: text})
			if slices.Contains(plTexts, strings.Join(strings.Fields(lower), " ")) { // others may cut what they hold
				p.add(fragment{kind: pieceConstant, text: text, names: []string{name}})
			}
			delete(p.own, name)
		} else if constant {
			p.fail("a constant without a value")
		}
		p.end()
	}
}

// statements takes statements up to one of the words, which comes next then.
func (p *plParser) statements(stops ...string) {
	for p.bad == "" {
		t := p.peek()
		if t.kind == plEnd {
			p.fail("a block does not end")
			return
		}
		if t.kind == plWord && slices.Contains(stops, t.text) && !p.assigns() {
			return
		}
		p.statement()
	}
}

// target takes the name of a variable: a, a.b, $1.
func (p *plParser) target() string {
	t := p.next()
	if t.kind != plWord && t.kind != plQuoted && t.kind != plParam {
		p.fail("a variable is missing")
	}
	for p.op(".") {
		p.identifier()
	}
	return t.text
}

// targets takes the variables of INTO.
func (p *plParser) targets() []string {
	p.word("strict")
	all := []string{p.target()}
	for p.op(",") {
		all = append(all, p.target())
	}
	p.add(fragment{kind: pieceChange, names: all})
	return all
}

// assigns reports whether an assignment comes next.
func (p *plParser) assigns() bool {
	t := p.peek()
	if t.kind != plWord && t.kind != plQuoted && t.kind != plParam {
		return false
	}
	if t.kind == plWord && slices.Contains(plReserved, t.text) {
		return false
	}
	n := 1
	for p.ahead(n).text == "." && p.ahead(n).kind == plOp {
		n += 2
	}
	next := p.ahead(n)
	return next.kind == plOp && (next.text == ":=" || next.text == "=" || next.text == "[")
}

// assignment takes variable := expression; the variable may have subscripts.
func (p *plParser) assignment() {
	var parts []string
	from := p.peek().from
	t := p.peek()
	parts = append(parts, t.text)
	p.target()
	for p.bad == "" && !p.isOp(":=") && !p.isOp("=") {
		switch {
		case p.op("["):
			p.until("]")
			p.op("]")
		case p.op("."):
			p.identifier()
		default:
			p.fail("an assignment that can't be read")
		}
	}
	left := p.src[from:p.peek().from]
	if strings.Contains(left, "[") {
		p.add(fragment{kind: pieceValue, text: left})
	}
	p.next()
	for _, l := range strings.Split(left, ".") { // lab.x, too
		parts = append(parts, strings.ToLower(strings.Trim(strings.TrimSpace(l), `"`)))
	}
	p.add(fragment{kind: pieceChange, names: parts})
	p.value(";")
	p.end()
}

func (p *plParser) statement() {
	if p.isOp("<<") {
		p.label()
	}
	t := p.peek()
	if p.assigns() {
		p.assignment()
		return
	}
	if t.kind != plWord {
		p.fail("a statement that is not known")
		return
	}
	if !p.special(t.text) {
		p.query()
	}
}
