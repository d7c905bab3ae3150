package mask

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// newScanTransform makes the transform that looks for values by their content, and
// leaves the rest of a value as it is; nil when nothing is looked for.
func newScanTransform(d *Detectors) *Transform {
	if d == nil {
		return nil
	}
	return &Transform{name: "detect", text: redact, scan: NewContent(nil, d)}
}

// Scans reports whether the transform only masks what detectors find.
func (t *Transform) Scans() bool { return t.scan != nil && t.first == nil }

// after is the transform that does first, and then looks through what that
// leaves. Where first leaves nothing of a value there is nothing to look for.
func (t *Transform) after(first *Transform) *Transform {
	if first == nil {
		return t
	}
	if first.inside == nil && first.scan == nil {
		return first
	}
	return &Transform{name: first.name, text: redact, scan: t.scan, first: first}
}

// MayHold reports whether values of the field's type are looked into by
// detectors: texts, documents, and what is made of them.
func (f Field) MayHold() bool {
	switch k := kindOf(f.known()); {
	case k == kindArray:
		element := kindOf(elements[f.known()])
		return element.text() || element == kindJSON || element == kindJSONB
	case k != kindOther:
		return k.text() || k == kindJSON || k == kindJSONB || k == kindHstore
	}
	return mixed(f.Type)
}

// mixed reports whether values of a type that masking does not know may hold
// texts: of what databases bring themselves, of rows, XML and the like.
func mixed(oid uint32) bool {
	switch oid {
	case 142, 143, 1790, 2201, 2249, 2275, 2287, 3614, 3643, 3615, 3645, 4072, 4073: // xml, refcursor, record, cstring, tsvector, tsquery, jsonpath
		return true
	}
	return oid == 0 || oid >= 16384
}

// detect masks what is found in a value. A value in which nothing is found stays
// as it is, byte by byte.
func (t *Transform) detect(dst []byte, k kind, f Field, value []byte) ([]byte, bool) {
	if t.first != nil {
		out, null := t.first.apply(nil, f, value)
		if null {
			return dst, true
		}
		value = out
	}
	return t.look(dst, k, f, value)
}

// alone is the transform without what comes first.
func (t *Transform) alone() *Transform {
	if t.first == nil {
		return t
	}
	return &Transform{name: t.name, text: t.text, scan: t.scan}
}

// look is detect without what comes first.
func (t *Transform) look(dst []byte, k kind, f Field, value []byte) ([]byte, bool) {
	at := len(dst)
	switch {
	case k.text():
		dst, n := t.scan.text(dst, value, f.Name, 0)
		if n == 0 {
			return append(dst[:at], value...), false
		}
		switch k {
		case kindName:
			return dst[:at+cut(dst[at:], maxName)], false
		case kindSized, kindPadded:
			return fit(dst, at, f.Modifier, k == kindPadded), false
		}
		return dst, false
	case k == kindJSON || k == kindJSONB:
		return t.detectDocument(dst, k, f, value)
	case k == kindArray && f.Format == inBinary:
		return t.binaryParts(dst, value)
	case k == kindArray:
		if !t.foundIn(value) && bytes.IndexByte(value, '\\') < 0 {
			return append(dst, value...), false
		}
		out, null := t.alone().textArray(dst, Field{Name: f.Name, Type: elements[f.known()], Modifier: f.Modifier}, value)
		if null { // not written as arrays are
			return t.detectRaw(dst[:at], f, value)
		}
		return out, false
	case k == kindHstore || k == kindOther:
		return t.detectRaw(dst, f, value)
	}
	return append(dst, value...), false // numbers, dates and the like hold none
}

// detectDocument masks what is found in the strings of a document.
func (t *Transform) detectDocument(dst []byte, k kind, f Field, value []byte) ([]byte, bool) {
	head, doc, ok := versioned(k, f.Format, value)
	if !ok {
		return dst, true
	}
	at := len(dst)
	dst = append(dst, head...)
	if startsDocument(doc) {
		out, n := t.scan.text(dst, doc, f.Name, 0)
		if n > 0 {
			return out, false
		}
		return append(dst[:at], value...), false
	}
	doc = bytes.TrimSpace(doc)
	if len(doc) > 0 && doc[0] != '"' && jsontext.Value(doc).IsValid() { // a number, true, false or null
		return append(dst[:at], value...), false
	}
	plain, err := jsontext.AppendUnquote(nil, doc)
	if err != nil {
		return append(dst, `"`+redacted+`"`...), false
	}
	out, n := t.scan.text(nil, plain, f.Name, 0)
	if n == 0 {
		return append(dst[:at], value...), false
	}
	return appendString(dst, out), false
}

// foundIn reports whether anything is found in bytes as they are sent.
func (t *Transform) foundIn(value []byte) bool {
	d := t.scan.detect
	from := d.stirs(value)
	if from == len(value) {
		return false
	}
	s := d.whole(value, "", from)
	defer d.release(s)
	return len(s.found) > 0
}

// detectRaw masks what is found in a value of a type that is not known. As text
// what is found is replaced where it stands. In binary format arrays and rows
// say of what types their parts are; where anything is found in another value,
// that is NULL unless it is a text.
func (t *Transform) detectRaw(dst []byte, f Field, value []byte) ([]byte, bool) {
	at := len(dst)
	if f.Format == inBinary && !isPlainText(value) {
		if out, ok := t.binaryRow(dst, value); ok {
			return out, false
		}
		if looksLikeArray(value) {
			if out, null := t.binaryParts(dst[:at], value); !null {
				return out, false
			}
		}
		if t.foundIn(value) {
			return dst[:at], true
		}
		return append(dst[:at], value...), false
	}
	dst, n := t.scan.text(dst, value, f.Name, 0)
	if n == 0 {
		dst = append(dst[:at], value...)
	}
	// A document within a row has its escapes behind backslashes of the row's own.
	if bytes.Contains(dst[at:], []byte(`\u`)) && t.foundIn(unescapeAll(dst[at:])) {
		return dst[:at], true
	}
	return dst, false
}

// unescapeAll undoes the escapes of JSON, however many backslashes stand before them.
func unescapeAll(value []byte) []byte {
	var out []byte
	for i := 0; i < len(value); i++ {
		if i > 0 && value[i-1] == '\\' && value[i] == 'u' && i+4 < len(value) {
			if r, err := strconv.ParseUint(string(value[i+1:i+5]), 16, 16); err == nil {
				out = utf8.AppendRune(bytes.TrimRight(out, `\`), rune(r))
				i += 4
				continue
			}
		}
		out = append(out, value[i])
	}
	return out
}

// isPlainText reports whether bytes can be a text and nothing else.
func isPlainText(value []byte) bool {
	for _, c := range value {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return utf8.Valid(value)
}

// looksLikeArray reports whether bytes may be an array in binary format.
func looksLikeArray(value []byte) bool {
	return len(value) >= 12 && binary.BigEndian.Uint32(value) <= maxDimensions && binary.BigEndian.Uint32(value[4:]) <= 1
}

// binaryParts looks through the elements of an array in binary format, which
// says of what type they are.
func (t *Transform) binaryParts(dst, value []byte) ([]byte, bool) {
	if len(value) < 12 {
		return dst, true
	}
	dimensions := int(binary.BigEndian.Uint32(value))
	head := 12 + 8*dimensions
	if dimensions < 0 || dimensions > maxDimensions || len(value) < head {
		return dst, true
	}
	element := Field{Type: binary.BigEndian.Uint32(value[8:]), Modifier: -1, Format: inBinary}
	at := len(dst)
	dst = append(dst, value[:head]...)
	for rest := value[head:]; len(rest) > 0; {
		part, null, after, ok := cutPart(rest)
		if !ok {
			return dst[:at], true
		}
		rest = after
		if dst, ok = t.binaryPart(dst, element, part, null); !ok {
			dst[at+7] = 1 // there are NULLs
		}
	}
	return dst, false
}

// binaryRow looks through the fields of a row in binary format: how many, and
// each with its type. False when the bytes are no row.
// PostgreSQL 17, src/backend/utils/adt/rowtypes.c, record_send.
func (t *Transform) binaryRow(dst, value []byte) ([]byte, bool) {
	if len(value) < 4 {
		return dst, false
	}
	n, at, rest := binary.BigEndian.Uint32(value), len(dst), value[4:]
	if uint64(n)*8 > uint64(len(rest)) {
		return dst, false
	}
	dst = append(dst, value[:4]...)
	for range n {
		if len(rest) < 8 {
			return dst[:at], false
		}
		field := Field{Type: binary.BigEndian.Uint32(rest), Modifier: -1, Format: inBinary}
		dst = append(dst, rest[:4]...)
		part, null, after, ok := cutPart(rest[4:])
		if !ok {
			return dst[:at], false
		}
		rest = after
		dst, _ = t.binaryPart(dst, field, part, null)
	}
	if len(rest) > 0 {
		return dst[:at], false
	}
	return dst, true
}

// cutPart reads a value behind its length.
func cutPart(b []byte) (part []byte, null bool, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, false, nil, false
	}
	size := binary.BigEndian.Uint32(b)
	if b = b[4:]; size == 0xffffffff {
		return nil, true, b, true
	}
	if uint64(size) > uint64(len(b)) {
		return nil, false, nil, false
	}
	return b[:size], false, b[size:], true
}

// binaryPart appends a part behind its length; false where it became NULL.
func (t *Transform) binaryPart(dst []byte, f Field, part []byte, null bool) ([]byte, bool) {
	at := len(dst)
	dst = append(dst, 0xff, 0xff, 0xff, 0xff)
	if null {
		return dst, true
	}
	out, null := t.look(dst, kindOf(f.Type), f, part)
	if null {
		return dst[:at+4], false
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out, true
}

// Left reports whether a transform that looks for values found none: out is
// what it made of value.
func (t *Transform) Left(out, value []byte) bool { return t.scan != nil && bytes.Equal(out, value) }

// Text appends a text that no column holds, such as an error's, with what is
// found in it masked.
func (t *Transform) Text(dst, text []byte) []byte {
	if t == nil || t.scan == nil {
		return append(dst, text...)
	}
	out, _ := t.scan.text(dst, text, "", 0)
	return out
}
