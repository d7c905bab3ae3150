package mask

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// errEscape is said of a form with a percent sign that no two hexadecimal digits
// follow, or of bytes that are no UTF-8.
var errEscape = errors.New("a value that can't be decoded")

// Form appends the urlencoded form src (RFC 1866, 8.2.1; also the query of a URL)
// to dst with all that is protected in its values masked, and says how many
// values those were. A value is protected by its name as a member is, where
// user[ssn] reads as user.ssn; else it is looked into. What is untouched stays as
// it is. After an error nothing of it may be used.
func (c *Content) Form(dst, src []byte) (out []byte, masked int, err error) {
	out = dst
	for i, pair := range bytes.Split(src, []byte("&")) {
		if i > 0 {
			out = append(out, '&')
		}
		name, value, equals := bytes.Cut(pair, []byte("="))
		plainName, okName := unescapeForm(name)
		plain, ok := unescapeForm(value)
		if !okName || !ok {
			return dst, 0, fmt.Errorf("mask form: %w", errEscape)
		}
		if !equals {
			// A name alone may well be a value.
			if text, n := c.Text(nil, plainName); n > 0 {
				out, masked = appendForm(out, text), masked+n
				continue
			}
			out = append(out, pair...)
			continue
		}
		path := formPath(string(plainName))
		text, n := c.named(path, plain)
		if n == 0 {
			out = append(out, pair...)
			continue
		}
		out = appendForm(append(append(out, name...), '='), text)
		masked += n
	}
	return out, masked, nil
}

// named masks a value that is known by name: whole if that is protected, else
// what is found in it.
func (c *Content) named(path []string, value []byte) ([]byte, int) {
	for i := range path {
		t := c.fields.find(path[:i+1])
		switch {
		case t == nil:
		case len(value) == 0:
			return value, 0
		case t.text == nil:
			return nil, 1
		default:
			return t.text(nil, value), 1
		}
	}
	context := ""
	if len(path) > 0 {
		context = path[len(path)-1]
	}
	return c.text(nil, value, context, 0)
}

// formPath is the path of a value's name: user[ssn] and user.ssn are user, ssn.
// Empty brackets, a list, don't count.
func formPath(name string) []string {
	path := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(path) == 0 {
		return []string{name}
	}
	return path
}

// unescapeForm undoes the escapes of a name or value.
func unescapeForm(text []byte) ([]byte, bool) {
	if bytes.IndexByte(text, '%') < 0 && bytes.IndexByte(text, '+') < 0 {
		return text, utf8.Valid(text)
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '+':
			out = append(out, ' ')
		case b != '%':
			out = append(out, b)
		case i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]):
			return nil, false
		default:
			out = append(out, byte(hexValue(text[i+1])<<4|hexValue(text[i+2])))
			i += 2
		}
	}
	return out, utf8.Valid(out)
}

// appendForm appends a text with the escapes of a form.
func appendForm(dst, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, b := range text {
		switch {
		case isAlnum(b) || b == '-' || b == '_' || b == '.' || b == '*':
			dst = append(dst, b)
		case b == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[b>>4], hex[b&15])
		}
	}
	return dst
}
