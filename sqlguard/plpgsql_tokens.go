package sqlguard

import "strings"

// plToken is one token of a body.
type plToken struct {
	kind     plKind
	text     string // a word in small letters, a name without its quotes, an operator
	from, to int
}

type plKind int

const (
	plEnd plKind = iota
	plWord
	plQuoted
	plString
	plParam
	plNumber
	plOp
)

// plTokens cuts a text into tokens as PostgreSQL's scanner does under
// standard_conforming_strings = on. Operators come in single characters but for
// those that PL/pgSQL knows. false: a string or a comment does not end.
func plTokens(s string) ([]plToken, bool) {
	var all []plToken
	for i := 0; i < len(s); {
		rest := s[i:]
		c := s[i]
		t := plToken{from: i}
		n := 1
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
			continue
		case strings.HasPrefix(rest, "--"):
			i += lineEnd(rest)
			continue
		case strings.HasPrefix(rest, "/*"):
			n, depth := blockComment(rest)
			if depth > maxCommentDepth || !strings.HasSuffix(rest[:n], "*/") {
				return nil, false
			}
			i += n
			continue
		case c == '\'':
			n = 0
			for n < len(rest) && rest[n] == '\'' { // a doubled quote goes on
				m := closing(rest[n:], '\'')
				if n += m; m < 2 || rest[n-1] != '\'' {
					return nil, false
				}
			}
			t.kind = plString
		case c == '"':
			t.kind, t.text, n = quotedName(rest)
			if n == 0 {
				return nil, false
			}
		case c == '$':
			n, t.kind, t.text = dollar(rest)
			if n == 0 {
				return nil, false
			}
		case identStart(c):
			for n < len(rest) && identPart(rest[n]) {
				n++
			}
			t.kind, t.text = plWord, lowered(rest[:n])
			switch {
			case t.text == "e" && n < len(rest) && rest[n] == '\'':
				n += quoted(rest[n:], true)
				if n < 3 || rest[n-1] != '\'' {
					return nil, false
				}
				t.kind = plString
			case t.text == "u" && (strings.HasPrefix(rest[n:], `&"`) || strings.HasPrefix(rest[n:], "&'")):
				return nil, false // escapes that nobody here reads
			}
		case c >= '0' && c <= '9', c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
			t.kind, n = plNumber, numberLength(rest)
		default:
			t.kind = plOp
			for _, op := range []string{":=", "..", "<<", ">>", "=>"} {
				if strings.HasPrefix(rest, op) {
					n = len(op)
				}
			}
			t.text = rest[:n]
		}
		t.to = i + n
		all = append(all, t)
		i += n
	}
	return all, true
}

// lowered is a word in small letters, of ASCII alone as the scanner does.
func lowered(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}

// quotedName reads "name"; 0 when it does not end.
func quotedName(s string) (plKind, string, int) {
	var name strings.Builder
	for n := 1; n < len(s); n++ {
		if s[n] != '"' {
			name.WriteByte(s[n])
			continue
		}
		if n+1 < len(s) && s[n+1] == '"' {
			name.WriteByte('"')
			n++
			continue
		}
		return plQuoted, name.String(), n + 1
	}
	return plQuoted, "", 0
}

// dollar reads $1 or a dollar-quoted string; 0 when that does not end.
func dollar(s string) (int, plKind, string) {
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n > 1 {
		return n, plParam, s[:n]
	}
	n = dollarQuoted(s)
	if n == 1 {
		return 1, plOp, "$"
	}
	if tag := s[:strings.IndexByte(s[1:], '$')+2]; n < 2*len(tag) || !strings.HasSuffix(s[:n], tag) {
		return 0, plString, ""
	}
	return n, plString, ""
}

// numberLength is that of the number s begins with; 1..3 are a number and two
// dots.
func numberLength(s string) int {
	n := 0
	digits := func() {
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
	}
	digits()
	if n < len(s) && s[n] == '.' && !strings.HasPrefix(s[n:], "..") {
		n++
		digits()
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		m := n + 1
		if m < len(s) && (s[m] == '+' || s[m] == '-') {
			m++
		}
		if m < len(s) && s[m] >= '0' && s[m] <= '9' {
			n = m
			digits()
		}
	}
	return n
}
