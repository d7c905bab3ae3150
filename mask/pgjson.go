package mask

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/policy"
)

// inside is what masks members of the documents in a column, and leaves the
// rest of each document as it is.
type inside struct {
	fields *Fields
	// taken: the value was taken out of a document as text, by ->> or #>>. What
	// is no document then is a string, number or boolean with a place of its
	// own, which is not protected.
	taken bool
}

func newInside(f *Fields, name string, taken bool) *Transform {
	return &Transform{name: name, text: redact, inside: &inside{f, taken}}
}

// Within is what masks the members of those names at the top of documents, and
// what first does, which may be nil.
func Within(first *Transform, members []string) *Transform {
	f, name := &Fields{}, "redact"
	if first != nil && first.inside != nil {
		f.list, name = slices.Clone(first.inside.fields.list), first.name
	}
	for _, member := range members {
		f.list = append(f.list, field{strings.Split(member, "."), false, transforms["redact"]})
	}
	return newInside(f, name, false)
}

// Inside reports whether the transform masks members of documents, and not the
// whole value.
func (t *Transform) Inside() bool { return t.inside != nil }

// At is the transform of what lies at a path of a document, given the one of
// the document, as for profile->'address'->>'city'. The path is the members'
// names from the top; places in arrays are left out of it. Text says that the
// last step was ->> or #>>, which give a text.
//
// Nil means that nothing there is protected.
func (t *Transform) At(path []string, text bool) *Transform {
	if t.inside == nil {
		return transforms["redact"]
	}
	f, with := t.inside.fields.at(path)
	switch {
	case with != nil:
		return with
	case f == nil:
		return nil
	}
	return newInside(f, t.name, text)
}

// AtAny is At for a value that may lie at any of the paths: it masks what any
// of them does.
func (t *Transform) AtAny(paths [][]string, text bool) *Transform {
	var all *Fields
	for _, path := range paths {
		part := t.At(path, text && len(path) > 0)
		switch {
		case part == nil:
		case part.inside == nil:
			return part
		case all == nil:
			all = &Fields{list: slices.Clip(part.inside.fields.list)}
		default:
			all.list = append(all.list, part.inside.fields.list...)
		}
	}
	if all == nil {
		return nil
	}
	return newInside(all, t.name, text && !slices.ContainsFunc(paths, func(p []string) bool { return len(p) == 0 }))
}

// at is what is protected below path, or the transform of what is at path when
// that, or what it is part of, is protected by itself.
func (f *Fields) at(path []string) (below *Fields, with *Transform) {
	var parts []string
	for _, name := range path {
		for part := range strings.SplitSeq(name, ".") { // as JSON does
			parts = append(parts, part)
			if with := f.find(parts); with != nil {
				return nil, with
			}
		}
	}
	below = &Fields{}
	for _, one := range f.list {
		if one.deep {
			below.list = append(below.list, one)
			continue
		}
		if len(one.path) <= len(parts) || !matchParts(one.path, parts) {
			continue
		}
		below.list = append(below.list, field{one.path[len(parts):], false, one.with})
	}
	if len(below.list) == 0 {
		return nil, nil
	}
	return below, nil
}

// matchParts reports whether the patterns begin with those of the names.
func matchParts(patterns, names []string) bool {
	for i, name := range names {
		if !policy.Match(patterns[i], name) {
			return false
		}
	}
	return true
}

// apply masks the members in a document. What should be one and can't be read
// is masked whole.
func (in *inside) apply(dst []byte, k kind, f Field, value []byte) ([]byte, bool) {
	whole := transforms["redact"]
	switch {
	case k == kindJSON || k == kindJSONB:
		head, doc, ok := versioned(k, f.Format, value)
		if !ok {
			return dst, true
		}
		if out, _, err := in.fields.JSON(append(dst, head...), doc); err == nil {
			return out, false
		}
		return whole.appendDocument(dst, k, f.Format, value)
	case k.text():
		if in.taken && !isContainer(value) {
			return append(dst, value...), false
		}
		at := len(dst)
		if out, _, err := in.fields.JSON(dst, value); err == nil && isContainer(value) && fits(out[at:], k, f.Modifier) {
			return out, false
		}
		return whole.appendAs(dst, k, f.Modifier, value), false
	case k == kindArray:
		return newInside(in.fields, "", in.taken).appendArray(dst, f, value)
	}
	return dst, true
}

// isContainer reports whether a text looks like an object or an array.
func isContainer(value []byte) bool {
	value = bytes.TrimLeft(value, " \t\r\n")
	return len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// fits reports whether a text can be a value of the kind of text.
func fits(text []byte, k kind, modifier int32) bool {
	switch {
	case k == kindName:
		return len(text) <= maxName
	case k == kindText || modifier < headerLen:
		return true
	}
	n := utf8.RuneCount(text)
	return n <= int(modifier)-headerLen && (k != kindPadded || n == int(modifier)-headerLen)
}

// versioned divides a json or jsonb value into what comes before the document
// and the document.
func versioned(k kind, format int16, value []byte) (head, doc []byte, ok bool) {
	if k != kindJSONB || format != inBinary {
		return nil, value, true
	}
	if len(value) == 0 || value[0] != jsonbV1 {
		return nil, nil, false
	}
	return value[:1], value[1:], true
}

// appendDocument masks a whole document. Its kind stays, so that a program that
// reads it into a map still can: {"masked":"[redacted]"} for an object,
// ["[redacted]"] for an array, null for null. Other values are masked as
// members are.
func (t *Transform) appendDocument(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	head, doc, ok := versioned(k, format, value)
	if !ok {
		return dst, true
	}
	doc = jsontext.Value(bytes.TrimSpace(doc))
	dst = append(dst, head...)
	container := isContainer(doc)
	if t.document != nil && (container || t.number != nil) && jsontext.Value(doc).IsValid(jsontext.AllowDuplicateNames(true)) {
		if out, ok := t.document(dst, doc); ok {
			return out, false
		}
	}
	switch {
	case container:
		dst = append(append(dst, opening(doc)...), redacted...)
		return append(dst, closing(doc)...), false
	case t.lone:
		// Nothing is kept: no need to look at it.
		if string(doc) == "null" {
			return append(dst, "null"...), false
		}
		return append(dst, `"`+redacted+`"`...), false
	case string(doc) == "null":
		return append(dst, "null"...), false
	}
	return t.appendJSON(dst, doc), false
}

// opening is what comes before the mark of a masked object or array.
func opening(doc []byte) string {
	if doc[0] == '{' {
		return `{"masked":"`
	}
	return `["`
}

// closing is what comes behind it.
func closing(doc []byte) string {
	if doc[0] == '{' {
		return `"}`
	}
	return `"]`
}

// tokenDocument draws every string anew, members' names too, and every number;
// booleans become null. doc is valid.
func (m *material) tokenDocument(dst, doc []byte) ([]byte, bool) {
	var text, drawn []byte
	for i := 0; i < len(doc); {
		end := i + 1
		switch c := doc[i]; {
		case c == '"':
			for doc[end] != '"' {
				if doc[end] == '\\' {
					end++
				}
				end++
			}
			end++
			var err error
			if text, err = jsontext.AppendUnquote(text[:0], doc[i:end]); err != nil {
				return dst, false
			}
			drawn = m.tokenText(drawn[:0], text)
			if dst, err = jsontext.AppendQuote(dst, drawn); err != nil {
				return dst, false
			}
		case c == '-' || c >= '0' && c <= '9':
			for end < len(doc) && strings.IndexByte("+-.eE0123456789", doc[end]) >= 0 {
				end++
			}
			dst = m.tokenNumber(dst, doc[i:end])
		case c >= 'a' && c <= 'z':
			for end < len(doc) && doc[end] >= 'a' && doc[end] <= 'z' {
				end++
			}
			dst = append(dst, "null"...)
		default:
			dst = append(dst, c)
		}
		i = end
	}
	return dst, true
}
