package sqlguard

import (
	"slices"
	"strings"
)

// special takes one of PL/pgSQL's own statements; false when it is SQL.
func (p *plParser) special(word string) bool {
	switch word {
	case "declare", "begin":
		p.block()
		p.end()
	case "if":
		p.branch()
	case "case":
		p.cases()
	case "loop":
		p.next()
		p.body()
	case "while":
		p.next()
		p.loops++
		p.value("loop")
		p.loops--
		p.expectWord("loop")
		p.body()
	case "for":
		p.loop()
	case "foreach":
		p.each()
	case "exit", "continue":
		p.next()
		if t := p.peek(); t.kind == plQuoted || t.kind == plWord && t.text != "when" {
			p.next()
		}
		if p.word("when") {
			p.value(";")
		}
		p.end()
	case "return":
		p.returns()
	case "raise":
		p.raise()
	case "assert":
		p.next()
		p.values(";")
		p.end()
	case "perform":
		p.next()
		p.add(fragment{kind: pieceQuery, text: "SELECT " + p.until(";")})
		p.end()
	case "execute":
		p.next()
		p.add(fragment{kind: pieceRun, text: p.until("into", "using", ";")})
		p.runs()
		p.end()
	case "get":
		p.diagnostics()
	case "open":
		p.open()
	case "fetch", "move":
		p.fetch()
	case "close":
		p.next()
		p.target()
		p.end()
	case "null":
		p.next()
		p.end()
	case "call", "do":
		p.calls()
	case "commit", "rollback":
		p.next()
		p.until(";")
		p.end()
	default:
		return false
	}
	return true
}

// branch is IF.
func (p *plParser) branch() {
	p.next()
	p.value("then")
	p.expectWord("then")
	p.statements("elsif", "elseif", "else", "end")
	for p.word("elsif") || p.word("elseif") {
		p.value("then")
		p.expectWord("then")
		p.statements("elsif", "elseif", "else", "end")
	}
	if p.word("else") {
		p.statements("end")
	}
	p.expectWord("end")
	p.expectWord("if")
	p.end()
}

// cases is CASE.
func (p *plParser) cases() {
	p.next()
	if !p.isWord("when") {
		p.value("when")
	}
	for p.word("when") {
		p.value("then")
		p.expectWord("then")
		p.statements("when", "else", "end")
	}
	if p.word("else") {
		p.statements("end")
	}
	p.expectWord("end")
	p.expectWord("case")
	p.end()
}

// body is what a loop repeats.
func (p *plParser) body() {
	p.loops++
	p.statements("end")
	p.loops--
	p.expectWord("end")
	p.expectWord("loop")
	if !p.isOp(";") {
		p.identifier()
	}
	p.end()
}

// loop is FOR.
func (p *plParser) loop() {
	p.next()
	all := []string{p.target()}
	for p.op(",") {
		all = append(all, p.target())
	}
	p.add(fragment{kind: pieceDeclare, text: all[0]})
	p.add(fragment{kind: pieceChange, names: all})
	p.expectWord("in")
	switch {
	case p.word("execute"):
		p.add(fragment{kind: pieceRun, text: p.until("using", "loop")})
		if p.word("using") {
			p.values("loop")
		}
	case p.cursors[p.peek().text] && (p.ahead(1).text == "loop" || p.ahead(1).text == "("):
		p.next()
		if p.op("(") {
			p.arguments()
		}
	default:
		reverse := p.word("reverse")
		text := p.until("..", "loop")
		if !p.isOp("..") {
			if reverse {
				p.fail("REVERSE of a query")
			}
			p.add(fragment{kind: pieceQuery, text: text})
			break
		}
		p.add(fragment{kind: pieceValue, text: text})
		p.next()
		p.value("by", "loop")
		if p.word("by") {
			p.value("loop")
		}
	}
	p.expectWord("loop")
	p.body()
}

// arguments takes those of a cursor, whose ( is taken.
func (p *plParser) arguments() {
	for p.bad == "" && !p.isOp(")") {
		if t := p.ahead(1); t.text == ":=" || t.text == "=>" {
			p.identifier()
			p.next()
		}
		p.value(",", ")")
		p.op(",")
	}
	p.next()
}

// each is FOREACH.
func (p *plParser) each() {
	p.next()
	all := []string{p.target()}
	for p.op(",") {
		all = append(all, p.target())
	}
	p.add(fragment{kind: pieceChange, names: all})
	if p.word("slice") {
		p.next()
	}
	p.expectWord("in")
	p.expectWord("array")
	p.value("loop")
	p.expectWord("loop")
	p.body()
}

func (p *plParser) returns() {
	p.next()
	switch {
	case p.isOp(";"):
	case p.word("next"):
		if !p.isOp(";") {
			p.value(";")
		}
	case p.isWord("query") && p.ahead(1).text == "execute":
		p.next()
		p.next()
		p.add(fragment{kind: pieceRun, text: p.until("using", ";")})
		p.runs()
	case p.word("query"):
		p.add(fragment{kind: pieceQuery, text: p.until(";")})
	default:
		p.value(";")
	}
	p.end()
}

// runs takes INTO and USING of EXECUTE.
func (p *plParser) runs() {
	for p.bad == "" && !p.isOp(";") {
		switch {
		case p.word("into"):
			p.targets()
		case p.word("using"):
			p.values("into", "using", ";")
		default:
			p.fail("an EXECUTE that can't be read")
		}
	}
}

var plLevels = []string{"exception", "warning", "notice", "info", "log", "debug"}

func (p *plParser) raise() {
	p.next()
	if t := p.peek(); t.kind == plWord && slices.Contains(plLevels, t.text) {
		p.next()
	}
	switch t := p.peek(); {
	case t.kind == plString:
		p.next()
		if p.op(",") {
			p.values("using", ";")
		}
	case p.word("sqlstate"):
		p.next()
	case t.kind == plQuoted, t.kind == plWord && t.text != "using":
		p.next()
	}
	if p.word("using") {
		for {
			p.identifier()
			if !p.op(":=") && !p.op("=") {
				p.fail("an option of RAISE that can't be read")
			}
			p.value(",", ";")
			if !p.op(",") {
				break
			}
		}
	}
	p.end()
}

func (p *plParser) diagnostics() {
	p.next()
	if !p.word("stacked") {
		p.word("current")
	}
	p.expectWord("diagnostics")
	for {
		p.add(fragment{kind: pieceChange, names: []string{p.target()}})
		if !p.op(":=") && !p.op("=") {
			p.fail("GET DIAGNOSTICS that can't be read")
		}
		p.identifier()
		if !p.op(",") {
			break
		}
	}
	p.end()
}

func (p *plParser) open() {
	p.next()
	p.target()
	p.word("no")
	p.word("scroll")
	switch {
	case p.op("("):
		p.arguments()
	case p.word("for"):
		if !p.word("execute") {
			p.add(fragment{kind: pieceQuery, text: p.until(";")})
			break
		}
		p.add(fragment{kind: pieceRun, text: p.until("using", ";")})
		if p.word("using") {
			p.values(";")
		}
	}
	p.end()
}

// fetch is FETCH or MOVE: [direction [count] FROM|IN] cursor [INTO ...].
func (p *plParser) fetch() {
	p.next()
	directions := []string{"next", "prior", "first", "last", "absolute", "relative", "forward", "backward", "all"}
	level := 0
	for n := 0; p.bad == ""; n++ { // is there a FROM?
		t := p.ahead(n)
		if t.kind == plEnd || t.text == ";" || t.text == "into" && level == 0 {
			break
		}
		if (t.text == "from" || t.text == "in") && t.kind == plWord && level == 0 {
			if t := p.peek(); t.kind == plWord && slices.Contains(directions, t.text) {
				p.next()
			}
			if text := p.until("from", "in"); strings.TrimSpace(text) != "" && strings.TrimSpace(strings.ToLower(text)) != "all" {
				p.add(fragment{kind: pieceValue, text: text})
			}
			p.next()
			break
		}
		switch t.text {
		case "(", "[":
			level++
		case ")", "]":
			level--
		}
	}
	name := p.peek().text
	if p.target(); p.at > 0 && p.bad == "" && p.tokens[p.at-1].text != name {
		name = "" // qualified
	}
	p.add(fragment{kind: pieceCursor, text: name})
	if p.word("into") {
		p.targets()
	}
	p.end()
}

// calls is CALL or DO. CALL may change the variables it is given.
func (p *plParser) calls() {
	from := p.at
	text := p.until(";")
	var given []string
	for _, t := range p.tokens[min(from, len(p.tokens)):min(p.at, len(p.tokens))] {
		if t.kind == plWord || t.kind == plQuoted || t.kind == plParam {
			given = append(given, t.text)
		}
	}
	p.add(fragment{kind: pieceChange, names: given})
	p.add(fragment{kind: pieceQuery, text: text})
	p.end()
}

// query takes a statement of SQL without its INTO: make_execsql_stmt.
func (p *plParser) query() {
	first := p.peek()
	from, depth, routine, begins := first.from, 0, false, 0
	var cuts [][2]int
	for n := 0; p.bad == ""; n++ {
		t := p.peek()
		if t.kind == plWord && n < 4 && (t.text == "function" || t.text == "procedure") && first.text == "create" {
			routine = true
		}
		switch {
		case t.kind == plEnd:
			p.fail("a statement does not end")
			return
		case t.kind == plOp && t.text == "(":
			depth++
		case t.kind == plOp && t.text == ")":
			depth--
		case routine && depth == 0 && t.kind == plWord && (t.text == "begin" || t.text == "case"):
			begins++
		case routine && depth == 0 && t.kind == plWord && t.text == "end" && begins > 0:
			begins--
		case t.kind == plOp && t.text == ";" && depth > 0:
			p.fail("parentheses don't match")
			return
		case t.kind == plOp && t.text == ";" && begins == 0:
			text := p.src[from:t.from]
			for i := len(cuts) - 1; i >= 0; i-- {
				text = text[:cuts[i][0]-from] + " " + text[cuts[i][1]-from:]
			}
			p.next()
			p.add(fragment{kind: pieceQuery, text: text})
			return
		case t.kind == plWord && t.text == "into" && n > 0:
			before := p.tokens[p.at-1]
			if before.kind == plWord && (before.text == "insert" || before.text == "merge") || first.text == "import" {
				break
			}
			if len(cuts) > 0 {
				p.fail("INTO is there twice")
				return
			}
			p.next()
			p.targets()
			cuts = append(cuts, [2]int{t.from, p.peek().from})
			continue
		}
		p.next()
	}
}
