package sqlguard

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"sallyport/policy"
)

// A fact is told with the words that led to it. The parser says where names and
// calls begin, and nothing of where anything ends: that is found here, and only
// when there is something to tell.

// placing is how a place is found from what the parser says of it.
type placing int

const (
	nowhere      placing = iota
	aStatement           // from its start on
	aName                // of a relation
	aCall                // of a function, with its arguments
	aVerb                // the verb that stands before a name, up to the name's end
	aClause              // the word that stands before an expression, and all of the clause
	maxPlaces    = 12
	placeBytes   = 200 // more is not shown anyway
	lookBackward = 4   // tokens between DELETE and the name of its table
)

// place is where in a text something stands.
type place struct {
	how  placing
	at   int    // bytes
	end  int    // of a statement
	word string // of a verb or a clause
}

// factNames are the facts that an effect is, by the effect.
var factNames = func() (names [sideDoor << 1][]string) {
	each := []struct {
		e    effect
		name string
	}{{writes, "writes"}, {ddl, "ddl"}, {destructive, "destructive"}, {unbounded, "unbounded"}, {dynamic, "dynamic"}, {sideDoor, "side_door"}}
	for e := range names {
		for _, x := range each {
			if effect(e)&x.e != 0 {
				names[e] = append(names[e], x.name)
			}
		}
	}
	return names
}()

var (
	unknownFact   = []string{"unknown", "dynamic"}
	protectedFact = []string{"protected"}
)

// note tells what led to facts: where the reader is, and why.
func (r *reader) note(facts []string, why, hint string) {
	if len(r.facts.Evidence) >= maxPlaces && !r.newFact(facts) {
		return
	}
	e := policy.Evidence{Facts: facts, Why: why, Hint: hint}
	if !r.blind {
		e.From, e.To = r.find(r.at)
	}
	for i, o := range r.facts.Evidence {
		if o.From == e.From && o.To == e.To && o.Why == e.Why {
			r.facts.Evidence[i].Facts = joined(o.Facts, facts)
			return
		}
	}
	r.facts.Evidence = append(r.facts.Evidence, e)
}

func joined(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(slices.Clip(a), s)
		}
	}
	return a
}

// newFact reports whether nothing tells of one of the facts yet.
func (r *reader) newFact(facts []string) bool {
	return slices.ContainsFunc(facts, func(f string) bool {
		return !slices.ContainsFunc(r.facts.Evidence, func(e policy.Evidence) bool { return slices.Contains(e.Facts, f) })
	})
}

// locate moves to a node, where it says where it is.
func (r *reader) locate(m proto.Message) {
	if r.blind || r.depth > 0 {
		return
	}
	switch m := m.(type) {
	case *rawStmt:
		r.begin = int(m.StmtLocation)
		r.at = place{how: aStatement, at: r.begin, end: len(r.facts.Text)}
		if m.StmtLen > 0 {
			r.at.end = min(r.begin+int(m.StmtLen), r.at.end)
		}
	case *funcCall:
		r.at = place{how: aCall, at: int(m.Location)}
	case *rangeVar:
		r.at = place{how: aName, at: int(m.Location)}
	case *insertStmt:
		r.verb("insert", m.Relation)
	case *updateStmt:
		r.verb("update", m.Relation)
	case *deleteStmt:
		r.verb("delete", m.Relation)
	case *mergeStmt:
		r.verb("merge", m.Relation)
	case *copyStmt:
		r.verb("copy", m.Relation)
	}
}

func (r *reader) verb(word string, v *rangeVar) {
	if v != nil {
		r.at = place{how: aVerb, at: int(v.Location), word: word}
	}
}

// find gives the bytes of a place; 0, 0 where it is not in the text.
func (r *reader) find(p place) (from, to int) {
	text := r.facts.Text
	if p.how == nowhere || p.at < 0 || p.at >= len(text) && p.how != aStatement {
		return 0, 0
	}
	switch p.how {
	case aStatement:
		return statementAt(text[:p.end], p.at)
	case aName:
		return p.at, nameEnd(text, p.at)
	case aCall:
		return p.at, callEnd(text, p.at)
	case aVerb:
		if at, ok := wordBefore(text, r.begin, p.at, p.word); ok {
			return at, nameEnd(text, p.at)
		}
		return p.at, nameEnd(text, p.at)
	case aClause:
		if at, ok := wordBefore(text, r.begin, p.at, p.word); ok {
			return at, clauseEnd(text, at)
		}
	}
	return 0, 0
}

// token gives the bytes of the first token from i on; from is the length of the
// text when there is none.
func token(text string, i int) (from, to int) {
	for i < len(text) {
		rest := text[i:]
		switch c := text[i]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			i++
		case strings.HasPrefix(rest, "--"):
			i += lineEnd(rest)
		case strings.HasPrefix(rest, "/*"):
			n, _ := blockComment(rest)
			i += n
		case c == '\'':
			return i, i + quoted(rest, false)
		case c == '"':
			return i, i + closing(rest, '"')
		case c == '$':
			return i, i + dollarQuoted(rest)
		case identStart(c):
			n := 1
			for n < len(rest) && identPart(rest[n]) {
				n++
			}
			if n == 1 && (c == 'e' || c == 'E') && len(rest) > 1 && rest[1] == '\'' {
				n += quoted(rest[1:], true)
			}
			return i, i + n
		case c >= '0' && c <= '9':
			n := 1
			for n < len(rest) && (identPart(rest[n]) || rest[n] == '.') {
				n++
			}
			return i, i + n
		default:
			return i, i + 1
		}
	}
	return len(text), len(text)
}

// statementAt is the beginning of a statement, as far as it is shown.
func statementAt(text string, at int) (from, to int) {
	from, to = token(text, at)
	for first := from; to-first < placeBytes; {
		a, b := token(text, to)
		if a == len(text) || text[a] == ';' {
			break
		}
		to = b
	}
	return from, to
}

// nameEnd is where a name with its schema ends.
func nameEnd(text string, at int) int {
	_, to := token(text, at)
	for {
		a, b := token(text, to)
		if a >= len(text) || text[a] != '.' {
			return to
		}
		_, to = token(text, b)
	}
}

// callEnd is where a call ends, its arguments included.
func callEnd(text string, at int) int {
	to := nameEnd(text, at)
	a, b := token(text, to)
	if a >= len(text) || text[a] != '(' {
		return to
	}
	return groupEnd(text, b, func(string) bool { return false })
}

// groupEnd goes on until a bracket closes that was open before, or a token at
// the same depth ends it.
func groupEnd(text string, at int, ends func(word string) bool) int {
	for depth, i := 0, at; ; {
		a, b := token(text, i)
		switch {
		case a >= len(text), b-at > placeBytes, depth == 0 && ends(text[a:b]):
			return i
		case text[a] == '(' || text[a] == '[':
			depth++
		case text[a] == ')' || text[a] == ']':
			if depth--; depth < 0 {
				return b
			}
		}
		i = b
	}
}

// clauseEnd is where WHERE, ON or the like ends.
func clauseEnd(text string, at int) int {
	_, b := token(text, at)
	to := groupEnd(text, b, func(word string) bool {
		return word == ";" || word == ")" || slices.ContainsFunc([]string{"returning", "when", "then"}, func(w string) bool { return strings.EqualFold(w, word) })
	})
	return max(to, b)
}

// wordBefore finds the last such word before a place, close to it.
func wordBefore(text string, begin, at int, word string) (int, bool) {
	found := -1
	for i := begin; i < at; {
		a, b := token(text, i)
		if a >= at {
			break
		}
		if strings.EqualFold(text[a:b], word) {
			found = a
		}
		i = b
	}
	return found, found >= 0
}

// first is the least place that anything in an expression says it has; -1 none.
func first(n *node) int {
	at := -1
	contains(n, func(m proto.Message) bool {
		l, ok := m.(interface{ GetLocation() int32 })
		if ok && (at < 0 || int(l.GetLocation()) < at) && l.GetLocation() > 0 {
			at = int(l.GetLocation())
		}
		return false
	})
	return at
}
