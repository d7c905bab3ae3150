package mask

import (
	"bytes"
	"encoding/binary"
)

// maxDimensions is how many dimensions an array can have: MAXDIM.
const maxDimensions = 6

// appendArray masks an array's elements, each by itself; NULLs and dimensions
// stay. A transform of which nothing should tell how many there were leaves one
// element. Where elements would be NULL the array is.
func (t *Transform) appendArray(dst []byte, f Field, value []byte) ([]byte, bool) {
	element := Field{Type: elements[f.known()], Modifier: f.Modifier, Format: f.Format}
	if !t.leaves(kindOf(element.Type)) {
		return dst, true
	}
	if f.Format == inBinary {
		return t.binaryArray(dst, element, value)
	}
	return t.textArray(dst, element, value)
}

// binaryArray masks an array in binary format.
// PostgreSQL 17, src/backend/utils/adt/arrayfuncs.c, array_send.
func (t *Transform) binaryArray(dst []byte, element Field, value []byte) ([]byte, bool) {
	if len(value) < 12 {
		return dst, true
	}
	dimensions := int(binary.BigEndian.Uint32(value))
	if dimensions > maxDimensions || len(value) < 12+8*dimensions {
		return dst, true
	}
	at, rest := len(dst), value[12+8*dimensions:]
	if t.lone {
		dst = append(dst, 0, 0, 0, 1, 0, 0, 0, 0) // one dimension, no NULLs
		dst = append(dst, value[8:12]...)
		dst = append(dst, 0, 0, 0, 1, 0, 0, 0, 1) // one element, from 1 on
		return t.binaryElement(dst, element, loneValue(element))
	}
	dst = append(dst, value[:12+8*dimensions]...)
	for len(rest) > 0 {
		if len(rest) < 4 {
			return dst, true
		}
		size := binary.BigEndian.Uint32(rest)
		if rest = rest[4:]; size == 0xffffffff {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		if uint64(size) > uint64(len(rest)) {
			return dst, true
		}
		var null bool
		if dst, null = t.binaryElement(dst, element, rest[:size]); null {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			dst[at+7] = 1 // there are NULLs
		}
		rest = rest[size:]
	}
	return dst, false
}

// binaryElement appends an element's length and its masked form; nothing, when that
// is NULL.
func (t *Transform) binaryElement(dst []byte, element Field, value []byte) ([]byte, bool) {
	at := len(dst)
	out, null := t.Apply(append(dst, 0, 0, 0, 0), element, value)
	if null {
		return dst, true
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out, false
}

// textArray masks an array in text format: {a,"b c",NULL}, {{1},{2}},
// [0:1]={1,2}.
// PostgreSQL 17, arrays.html#ARRAYS-IO.
func (t *Transform) textArray(dst []byte, element Field, value []byte) ([]byte, bool) {
	if t.lone {
		return t.textElement(append(dst, '{'), element, loneValue(element), '}')
	}
	if len(value) > 0 && value[0] == '[' {
		bounds := bytes.IndexByte(value, '=')
		if bounds < 0 || len(bytes.Trim(value[:bounds], "[]:-0123456789")) > 0 {
			return dst, true
		}
		dst, value = append(dst, value[:bounds+1]...), value[bounds+1:]
	}
	if len(value) == 0 {
		return dst, true
	}
	var plain, scratch []byte
	depth, expected := 0, false
	for len(value) > 0 {
		switch c := value[0]; {
		case c == '{':
			depth++
			expected, dst, value = true, append(dst, c), value[1:]
			if depth > maxDimensions {
				return dst, true
			}
			continue
		case c == '}':
			depth--
			expected, dst, value = false, append(dst, c), value[1:]
			if depth < 0 || depth == 0 && len(value) > 0 {
				return dst, true
			}
			continue
		case c == ',' && !expected && depth > 0:
			expected, dst, value = true, append(dst, c), value[1:]
			continue
		case !expected || depth == 0:
			return dst, true
		}
		var quoted, ok bool
		if plain, scratch, value, quoted, ok = readElement(scratch, value); !ok {
			return dst, true
		}
		expected = false
		if !quoted && isNull(plain) {
			dst = append(dst, "NULL"...)
			continue
		}
		dst, _ = t.textElement(dst, element, plain, 0)
	}
	return dst, depth != 0
}

// loneValue is what the one element is the masked form of.
func loneValue(element Field) []byte {
	switch k := kindOf(element.Type); {
	case k == kindJSONB && element.Format == inBinary:
		return []byte("\x01\"\"")
	case k == kindJSON || k == kindJSONB:
		return []byte(`""`)
	}
	return nil
}

// textElement appends the masked form of an element, quoted where it has to be,
// and then the byte end unless it is 0.
func (t *Transform) textElement(dst []byte, element Field, value []byte, end byte) ([]byte, bool) {
	at := len(dst)
	dst, null := t.Apply(dst, element, value)
	if null {
		dst = append(dst, "NULL"...)
	} else if needsQuotes(dst[at:]) {
		dst = quote(dst, at)
	}
	if end != 0 {
		dst = append(dst, end)
	}
	return dst, false
}

// readElement reads one element: as it was before it was quoted, and what
// follows it. The element is part of value, or of scratch when there were
// backslashes.
func readElement(scratch, value []byte) (plain, kept, rest []byte, quoted, ok bool) {
	if value[0] != '"' {
		end := bytes.IndexAny(value, "{},\"\\")
		if end <= 0 || value[end] != ',' && value[end] != '}' {
			return nil, scratch, value, false, false
		}
		return value[:end], scratch, value[end:], false, true
	}
	end := bytes.IndexAny(value[1:], `"\`) + 1
	if end > 0 && value[end] == '"' {
		return value[1:end], scratch, value[end+1:], true, true
	}
	scratch = scratch[:0]
	for i := 1; i < len(value); i++ {
		switch value[i] {
		case '"':
			return scratch, scratch, value[i+1:], true, true
		case '\\':
			if i++; i == len(value) {
				return nil, scratch, value, true, false
			}
		}
		scratch = append(scratch, value[i])
	}
	return nil, scratch, value, true, false
}

func isNull(b []byte) bool { return len(b) == 4 && bytes.EqualFold(b, []byte("NULL")) }

// needsQuotes reports whether an element of an array can't be written bare.
func needsQuotes(b []byte) bool {
	return len(b) == 0 || isNull(b) || bytes.ContainsAny(b, "{},\"\\ \t\n\v\f\r")
}

// quote puts dst[at:] in double quotes, with a backslash before each of its
// quotes and backslashes.
func quote(dst []byte, at int) []byte {
	extra := 2
	for _, c := range dst[at:] {
		if c == '"' || c == '\\' {
			extra++
		}
	}
	end := len(dst)
	for range extra {
		dst = append(dst, '"')
	}
	to := len(dst) - 2 // the last stays a quote
	for i := end - 1; i >= at; i-- {
		c := dst[i]
		dst[to] = c
		to--
		if c == '"' || c == '\\' {
			dst[to] = '\\'
			to--
		}
	}
	dst[at] = '"'
	return dst
}
