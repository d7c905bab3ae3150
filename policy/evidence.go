package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Evidence is what in a text led to a fact: words of it, and why they do.
type Evidence struct {
	Facts []string // "destructive", "writes": never changed once given
	// From and To are the bytes of the text where the words stand; both are 0
	// where it is nothing in the text itself.
	From, To int
	Why      string // names and no literals: "no WHERE clause"
	Hint     string // what to do instead; "" is what the fact itself says
}

const (
	maxEvidence = 3  // of one refusal
	maxWords    = 60 // characters of the text that one quotes
	maxLiteral  = 16 // bytes of a literal that are shown
)

// Words quotes the text where the evidence stands, in one line and not at
// length: a longer literal is left out. It is "" for none.
func (e Evidence) Words(text string) string {
	if e.From < 0 || e.To > len(text) || e.From >= e.To {
		return ""
	}
	words := []rune(strings.ToValidUTF8(oneLine(shortLiterals(text[e.From:e.To])), ""))
	if len(words) > maxWords {
		return string(words[:maxWords-1]) + "…"
	}
	return string(words)
}

// shortLiterals leaves out what stands in long quotes.
func shortLiterals(words string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(words, '\'')
		if open < 0 {
			return out.String() + words
		}
		out.WriteString(words[:open+1])
		words = words[open+1:]
		end := strings.IndexByte(words, '\'')
		literal, rest := words, ""
		if end >= 0 {
			literal, rest = words[:end], words[end:]
		}
		if len(literal) > maxLiteral {
			literal = "…"
		}
		out.WriteString(literal)
		if rest == "" {
			return out.String()
		}
		out.WriteByte('\'')
		words = rest[1:]
	}
}

// position is where the words stand, in characters from 1; 0 is nowhere.
func (e Evidence) position(text string) int {
	if e.From < 0 || e.To > len(text) || e.From >= e.To {
		return 0
	}
	return utf8.RuneCountInString(text[:e.From]) + 1
}

// Because lists what led to any of some facts, the plainest first: what the
// text says itself before what it runs besides.
func (s *SQL) Because(is func(fact string) bool) []Evidence {
	var said, besides []Evidence
	for _, e := range s.Evidence {
		switch {
		case !slices.ContainsFunc(e.Facts, is):
		case e.To > e.From:
			said = append(said, e)
		default:
			besides = append(besides, e)
		}
	}
	return append(said, besides...)
}

// because adds what in the text led to the facts a condition reads.
func (v *Verdict) because(q *Question, is func(fact string) bool) {
	if q.SQL == nil {
		return
	}
	evidence := q.SQL.Because(is)
	if len(evidence) == 0 {
		return
	}
	parts := make([]string, 0, maxEvidence)
	for _, e := range evidence[:min(len(evidence), maxEvidence)] {
		why := e.Why
		if words := e.Words(q.SQL.Text); words != "" {
			why = `"` + words + `": ` + why
		}
		if !slices.Contains(parts, why) {
			parts = append(parts, why)
		}
	}
	v.Detail += "; because of " + strings.Join(parts, "; ")
	v.Position = evidence[0].position(q.SQL.Text)
	if evidence[0].Hint != "" {
		v.Hint = evidence[0].Hint
	}
}
