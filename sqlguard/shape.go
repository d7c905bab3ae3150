package sqlguard

import (
	"strings"
	"unicode/utf8"
)

// maxShape is how long a text may be that shares its reading, in bytes.
const maxShape = 4 << 10

// What stands in a shape for a literal. No text that has a shape holds these
// bytes, so that no text's shape is another text.
const (
	shapeInteger = 0x01 // that fits four bytes: a larger one is another kind of token
	shapeDecimal = 0x02
	shapeString  = 0x03
)

// Shape appends to dst the text with its numbers and strings cut out. Two texts
// of one shape are the same tokens to PostgreSQL's scanner but for the values of
// those (sql-syntax-lexical.html). What this does not understand beyond doubt has
// no shape: comments, escapes, dollar quotes, typed quotes, numbers in any form
// but 12 and 1.5, anything but ASCII outside quotes.
func Shape(dst []byte, text string) ([]byte, bool) {
	if len(text) > maxShape || !utf8.ValidString(text) {
		return dst, false
	}
	from := 0 // text[from:i] is still to be copied
	for i := 0; i < len(text); {
		n, mark := 1, byte(0)
		switch c := text[i]; {
		case c == ' ' || c >= '\t' && c <= '\r':
		case identStart(c) && c < utf8.RuneSelf:
			if n = word(text[i:]); quoteAt(text, i+n) { // E'...', U"..."
				return dst, false
			}
		case c >= '0' && c <= '9':
			n, mark = numeral(text[i:])
		case c == '\'':
			n, mark = plainString(text[i:]), shapeString
		case c == '"':
			n = plainName(text[i:])
		case c == '$':
			if n = 1 + digits(text[i+1:]); n == 1 || i+n < len(text) && identPart(text[i+n]) {
				return dst, false // a dollar quote, or junk
			}
		case c == '.':
			if i+1 < len(text) && isDigit(text[i+1]) { // .5
				return dst, false
			}
		case c == '-' || c == '/' || c == '&':
			if i+1 < len(text) && (text[i:i+2] == "--" || text[i:i+2] == "/*" || quoteAt(text, i+1)) {
				return dst, false
			}
		case strings.IndexByte("(),;:[]+*<>=~!@#%^|?", c) >= 0:
		default:
			return dst, false
		}
		if n == 0 || mark != 0 && !literalEnds(text[i+n:]) {
			return dst, false
		}
		if mark != 0 {
			dst = append(append(dst, text[from:i]...), mark)
			from = i + n
		}
		i += n
	}
	return append(dst, text[from:]...), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func quoteAt(s string, i int) bool { return i < len(s) && (s[i] == '\'' || s[i] == '"') }

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// word is the length of the word s begins with; 0 where it is not all ASCII.
func word(s string) int {
	n := 1
	for n < len(s) && identPart(s[n]) {
		if s[n] >= utf8.RuneSelf {
			return 0
		}
		n++
	}
	return n
}

// numeral is the length and the kind of the number s begins with; 0 for one that
// is not understood.
func numeral(s string) (n int, mark byte) {
	n = digits(s)
	if n == len(s) || s[n] != '.' {
		if n > 9 { // may not fit four bytes
			return 0, 0
		}
		return n, shapeInteger
	}
	fraction := digits(s[n+1:])
	if fraction == 0 {
		return 0, 0
	}
	return n + 1 + fraction, shapeDecimal
}

// plainString is the length of the string s begins with; 0 where it does not
// end, or could be read otherwise under another setting.
func plainString(s string) int {
	for n := 1; n < len(s); n++ {
		switch c := s[n]; {
		case c == '\\' || c == 0:
			return 0
		case c == '\'' && n+1 < len(s) && s[n+1] == '\'':
			n++
		case c == '\'':
			return n + 1
		}
	}
	return 0
}

// plainName is the length of the quoted name s begins with; 0 where it does not end.
func plainName(s string) int {
	for n := 1; n < len(s); n++ {
		switch c := s[n]; {
		case c < ' ' || c == '\\':
			return 0
		case c == '"' && n+1 < len(s) && s[n+1] == '"':
			n++
		case c == '"':
			if n+1 < len(s) && (identPart(s[n+1]) || s[n+1] == '\'') {
				return 0
			}
			return n + 1
		}
	}
	return 0
}

// literalEnds reports whether a literal ends where rest begins: nothing follows
// that would belong to it, be it on the next line, or make it junk.
func literalEnds(rest string) bool {
	if rest == "" {
		return true
	}
	if strings.IndexByte(" \t\n\v\f\r),;:]+-*/<>=%|", rest[0]) < 0 {
		return false
	}
	next := strings.TrimLeft(rest, " \t\n\v\f\r")
	return !quoteAt(next, 0)
}
