package mask

import (
	"bytes"
	"unicode/utf8"
)

// Content masks what HTTP carries: members by their names, and what detectors
// find in strings, texts and form values. Many may use one at once.
//
// In JSON the values of strings are looked into, with escapes undone, and a
// string that is itself a JSON document is masked like one, to a depth of
// maxNested. Names of members and numbers are left as they are.
type Content struct {
	fields   *Fields
	detect   *Detectors
	restores *Tokens // not nil: values are put in the place of tokens, and nothing is masked
}

const maxNested = 3 // documents within strings within documents ...

// NewContent joins what is protected by name and what is found; nil when both
// are nil.
func NewContent(f *Fields, d *Detectors) *Content {
	if f == nil && d == nil {
		return nil
	}
	return &Content{fields: f, detect: d}
}

// Text appends a text in UTF-8 with all that is protected in it masked, and says
// how many values those were.
func (c *Content) Text(dst, src []byte) ([]byte, int) {
	return c.text(dst, src, "", 0)
}

// text masks a text that is nested so many documents deep.
func (c *Content) text(dst, src []byte, context string, depth int) ([]byte, int) {
	if !startsDocument(src) || depth >= maxNested {
		return c.detect.Append(dst, src, context)
	}
	l := newLane(c, context, depth)
	dst = l.close(l.write(dst, src))
	return dst, l.masked
}

// startsDocument reports whether a text begins as a JSON object or array does.
func startsDocument(text []byte) bool {
	for _, b := range text {
		if !isSpace(b) {
			return b == '{' || b == '['
		}
	}
	return false
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// appendInString appends text as it stands within a JSON string.
func appendInString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	for _, b := range text {
		switch {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b == '\n':
			dst = append(dst, '\\', 'n')
		case b == '\r':
			dst = append(dst, '\\', 'r')
		case b == '\t':
			dst = append(dst, '\\', 't')
		case b < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// appendString appends text, which is UTF-8, as a JSON string.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\ufffd"))
	}
	return append(appendInString(dst, text), '"')
}
