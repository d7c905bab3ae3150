package mask

import (
	"bytes"
	"unicode/utf8"
)

// Field is one field of a RowDescription, as far as masking needs it.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ROWDESCRIPTION.
type Field struct {
	Name      string
	Table     uint32 // OID of the origin's table, 0 for none
	Attribute int16  // number of the origin's column, 0 for none
	Type      uint32 // OID of the type; a domain's base type
	Modifier  int32  // atttypmod: n+4 for varchar(n) and char(n), -1 for none
	Format    int16  // 0 text, 1 binary
}

// Plan holds the transform of each column of a row; nil passes untouched.
type Plan []*Transform

// Types whose values are text in both formats, and the two that are JSON.
// PostgreSQL 17, src/include/catalog/pg_type.dat.
const (
	oidName    = 19
	oidText    = 25
	oidJSON    = 114
	oidUnknown = 705
	oidBpchar  = 1042
	oidVarchar = 1043
	oidJSONB   = 3802
)

const (
	maxName   = 63 // bytes in a value of type name: NAMEDATALEN - 1
	headerLen = 4  // VARHDRSZ, which Modifier counts in
	jsonbV1   = 1  // first byte of a binary jsonb value
)

// Apply appends the masked form of value, which is not NULL, to dst. The result
// is valid for the field's type and format; null asks for SQL NULL instead, and
// nothing was appended.
func (t *Transform) Apply(dst []byte, f Field, value []byte) (out []byte, null bool) {
	if t.text == nil {
		return dst, true
	}
	switch f.Type {
	case oidText, oidUnknown:
		return t.appendText(dst, value), false
	case oidName:
		at := len(dst)
		dst = t.appendText(dst, value)
		return dst[:at+cut(dst[at:], maxName)], false
	case oidVarchar:
		return t.appendSized(dst, value, f.Modifier, false), false
	case oidBpchar:
		return t.appendSized(dst, bytes.TrimRight(value, " "), f.Modifier, true), false
	case oidJSON, oidJSONB:
		if f.Type == oidJSONB && f.Format == 1 {
			dst = append(dst, jsonbV1)
		}
		return append(dst, `"`+redacted+`"`...), false
	}
	return dst, true // no value of this type says "masked"
}

// appendText appends the transform of a text. Text in a client encoding other
// than UTF-8 has no characters we could keep some of, and is redacted.
func (t *Transform) appendText(dst, value []byte) []byte {
	if !utf8.Valid(value) {
		return append(dst, redacted...)
	}
	return t.text(dst, value)
}

// appendSized appends no more characters than the modifier allows, and with pad
// no fewer.
func (t *Transform) appendSized(dst, value []byte, modifier int32, pad bool) []byte {
	at := len(dst)
	dst = t.appendText(dst, value)
	if modifier < headerLen {
		return dst
	}
	limit, have := int(modifier)-headerLen, 0
	for i := at; i < len(dst); have++ {
		if have == limit {
			return dst[:i]
		}
		_, size := utf8.DecodeRune(dst[i:])
		i += size
	}
	if pad {
		dst = append(dst, bytes.Repeat([]byte{' '}, limit-have)...)
	}
	return dst
}

// cut is the length of the longest prefix of b that has no more than limit
// bytes and ends with a whole character.
func cut(b []byte, limit int) int {
	if len(b) <= limit {
		return len(b)
	}
	for limit > 0 && !utf8.RuneStart(b[limit]) {
		limit--
	}
	return limit
}
