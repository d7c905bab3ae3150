package config

import (
	"strconv"
	"strings"
)

// lines gives the line each key of a TOML text stands on, by its path. The
// second [[rule]]'s `if` is at rule, [1], if; the first entry of its targets at
// rule, [1], targets, [0].
type lines map[string]int

// entry is the part of a path that stands for the nth entry of an array.
func entry(n int) string { return "[" + strconv.Itoa(n) + "]" }

// isEntry reports whether a part of a path stands for an entry of an array.
func isEntry(part string) bool { return strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]") }

// pathKey makes one string of a path.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

// of is the line of the key at path, or of the nearest table around it.
func (l lines) of(path []string) int {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if line, ok := l[pathKey(path)]; ok {
			return line
		}
	}
	return 1
}

// locate finds the keys of text, which the TOML parser has found valid. It
// understands no values; it only knows where they end. The parser keeps no
// positions of what it has read, and needs this beside it.
func locate(text string) lines {
	for _, bom := range []string{"\xff\xfe", "\xfe\xff", "\ufeff"} { // as the parser does
		if rest, found := strings.CutPrefix(text, bom); found {
			text = rest
			break
		}
	}
	l := &locator{text: text, line: 1, found: lines{}, counts: map[string]int{}}
	var table []string
	for l.skipBlank(); !l.done(); l.skipBlank() {
		if l.peek() == '[' {
			table = l.header()
		} else {
			l.pair(table)
		}
	}
	return l.found
}

// locator is a reader of one text.
type locator struct {
	text   string
	at     int // next byte
	line   int // of the next byte
	found  lines
	counts map[string]int // how many [[table]] there have been, by path
}

func (l *locator) done() bool { return l.at >= len(l.text) }

// peek is the next byte, 0 at the end.
func (l *locator) peek() byte {
	if l.done() {
		return 0
	}
	return l.text[l.at]
}

// next takes one byte, if there is one.
func (l *locator) next() byte {
	c := l.peek()
	if c == '\n' {
		l.line++
	}
	if !l.done() {
		l.at++
	}
	return c
}

// take takes s if it comes next.
func (l *locator) take(s string) bool {
	if !strings.HasPrefix(l.text[l.at:], s) {
		return false
	}
	for range len(s) {
		l.next()
	}
	return true
}

// skipBlank takes white space, line ends and comments.
func (l *locator) skipBlank() {
	for !l.done() {
		switch l.peek() {
		case ' ', '\t', '\r', '\n':
			l.next()
		case '#':
			for !l.done() && l.peek() != '\n' {
				l.next()
			}
		default:
			return
		}
	}
}

// note keeps the line of the first mention of a path.
func (l *locator) note(path []string, line int) {
	if _, ok := l.found[pathKey(path)]; !ok {
		l.found[pathKey(path)] = line
	}
}

// header reads [table] or [[table]] and gives its path.
func (l *locator) header() []string {
	line := l.line
	l.next()
	array := l.take("[")
	var path []string
	keys := l.keys(']')
	for i, key := range keys {
		path = append(path, key)
		last := i == len(keys)-1
		if last && !array {
			l.found[pathKey(path)] = line // over what a table inside it may have noted
			break
		}
		l.note(path, line)
		if last {
			l.counts[pathKey(path)]++
		}
		if n := l.counts[pathKey(path)]; n > 0 {
			path = append(path, entry(n-1))
			l.note(path, line)
		}
	}
	for !l.done() && l.peek() != '\n' {
		l.next()
	}
	return path
}

// pair reads key = value in a table.
func (l *locator) pair(table []string) {
	line := l.line
	path := table[:len(table):len(table)]
	for _, key := range l.keys('=') {
		path = append(path, key)
		l.note(path, line)
	}
	l.value(path)
}

// keys reads a dotted key up to and with the end byte.
func (l *locator) keys(end byte) []string {
	var keys []string
	for !l.done() && l.peek() != '\n' {
		switch c := l.peek(); c {
		case ' ', '\t', '\r', '.':
			l.next()
		case end:
			l.next()
			return keys
		case '"', '\'':
			start := l.at
			l.quoted()
			keys = append(keys, unquote(l.text[start:l.at]))
		default:
			start := l.at
			for l.next(); !l.done() && !strings.ContainsRune(" \t\r\n.", rune(l.peek())) && l.peek() != end; {
				l.next()
			}
			keys = append(keys, l.text[start:l.at])
		}
	}
	return keys
}

// value takes the value at path.
func (l *locator) value(path []string) {
	l.skipBlank()
	switch l.peek() {
	case '"', '\'':
		l.quoted()
	case '[':
		l.next()
		for n := 0; l.inside(']'); n++ {
			element := at(path, entry(n))
			l.note(element, l.line)
			l.value(element)
		}
	case '{':
		l.next()
		for l.inside('}') {
			l.pair(path)
		}
	default:
		for l.next(); !l.done() && !strings.ContainsRune(",]}#\n", rune(l.peek())); {
			l.next()
		}
	}
}

// inside takes what separates values, and the end byte if that comes next. It
// reports whether another value does.
func (l *locator) inside(end byte) bool {
	for l.skipBlank(); l.peek() == ','; l.skipBlank() {
		l.next()
	}
	if l.done() || l.peek() == end {
		l.next()
		return false
	}
	return true
}

// quoted takes a string of any of the four kinds.
func (l *locator) quoted() {
	quote := string(l.peek())
	if long := strings.Repeat(quote, 3); l.take(long) {
		for !l.done() && !l.take(long) {
			l.character(quote)
		}
		for l.peek() == quote[0] { // up to two quotes may stand before the closing three
			l.next()
		}
		return
	}
	for l.next(); !l.done() && !l.take(quote); {
		l.character(quote)
	}
}

// character takes one character of a string, with its escape.
func (l *locator) character(quote string) {
	if l.next() == '\\' && quote == `"` {
		l.next()
	}
}

// unquote gives the text of a quoted key.
func unquote(s string) string {
	if len(s) < 2 {
		return s
	}
	quote, s := s[0], s[1:len(s)-1]
	if quote == '\'' {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if plain := strings.IndexByte(`btnfre"\`, s[i]); plain >= 0 {
			b.WriteByte("\b\t\n\f\r\x1b\"\\"[plain])
			continue
		}
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if code, err := strconv.ParseUint(s[i+1:min(i+1+digits, len(s))], 16, 32); err == nil {
			b.WriteRune(rune(code))
			i += digits
		}
	}
	return b.String()
}
