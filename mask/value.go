package mask

import "unicode/utf8"

// Field is one field of a RowDescription, as far as masking needs it.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ROWDESCRIPTION.
type Field struct {
	Name      string
	Table     uint32 // OID of the origin's table, 0 for none
	Attribute int16  // number of the origin's column, 0 for none
	Type      uint32 // OID of the type; a domain's base type
	Modifier  int32  // atttypmod: n+4 for varchar(n) and char(n), -1 for none
	Format    int16  // 0 text, 1 binary

	// Like is a type with a fixed OID whose values are written as those of Type,
	// when Type has none: text for citext. LikeOf finds it; 0 is unknown.
	Like uint32
	// NotNull asks for a value of the type, a zero, where the masked form would
	// be NULL: for results that are loaded into a table again.
	NotNull bool
}

// Plan holds the transform of each column of a row; nil passes untouched.
type Plan []*Transform

const (
	maxName   = 63 // bytes in a value of type name: NAMEDATALEN - 1
	headerLen = 4  // VARHDRSZ, which Modifier counts in
	jsonbV1   = 1  // first byte of a binary jsonb value
	inBinary  = 1  // Field.Format
)

// known is the OID that says how values of the field are written.
func (f Field) known() uint32 {
	if f.Like != 0 {
		return f.Like
	}
	return f.Type
}

// Apply appends the masked form of value, which is not NULL, to dst. The result
// is valid for the field's type and format; null asks for SQL NULL instead, and
// nothing was appended. A value that is not what its type says is NULL.
func (t *Transform) Apply(dst []byte, f Field, value []byte) (out []byte, null bool) {
	at := len(dst)
	out, null = t.apply(dst, f, value)
	if !null {
		return out, false
	}
	if f.NotNull {
		return appendZero(out[:at], f)
	}
	return out[:at], true
}

// apply is Apply, but may leave part of a value when it says NULL.
func (t *Transform) apply(dst []byte, f Field, value []byte) (out []byte, null bool) {
	k := kindOf(f.known())
	switch {
	case f.Format != 0 && f.Format != inBinary:
		return dst, true
	case t.scan != nil:
		return t.detect(dst, k, f, value)
	case t.inside != nil:
		return t.inside.apply(dst, k, f, value)
	case !t.leaves(k):
		return dst, true // no value of this type says "masked"
	case k.text():
		return t.appendAs(dst, k, f.Modifier, value), false
	case k == kindJSON || k == kindJSONB:
		return t.appendDocument(dst, k, f.Format, value)
	case k == kindArray:
		return t.appendArray(dst, f, value)
	case k == kindHstore:
		return t.appendHstore(dst, f.Format, value)
	}
	return t.typed(dst, k, f.Format, value)
}

// leaves reports whether the transform leaves more than NULL of a kind.
func (t *Transform) leaves(k kind) bool {
	switch {
	case k == kindOther || t.text == nil:
		return false
	case k.text() || k == kindJSON || k == kindJSONB || k == kindArray:
		return true
	case k == kindHstore:
		return t.typed == nil && t.inside == nil // a mark, and nothing of its own
	}
	return t.of.has(k)
}

// appendAs appends the transform of a text, as a value of the kind of text.
func (t *Transform) appendAs(dst []byte, k kind, modifier int32, value []byte) []byte {
	at := len(dst)
	switch k {
	case kindName:
		dst = t.appendText(dst, value)
		return dst[:at+cut(dst[at:], maxName)]
	case kindSized:
		return fit(t.appendText(dst, value), at, modifier, false)
	case kindPadded:
		for len(value) > 0 && value[len(value)-1] == ' ' {
			value = value[:len(value)-1]
		}
		return fit(t.appendText(dst, value), at, modifier, true)
	}
	return t.appendText(dst, value)
}

// appendText appends the transform of a text. Text in a client encoding other
// than UTF-8 has no characters we could keep some of, and is redacted.
func (t *Transform) appendText(dst, value []byte) []byte {
	if !utf8.Valid(value) {
		return append(dst, redacted...)
	}
	return t.text(dst, value)
}

// fit leaves of dst[at:] no more characters than the modifier allows, and with
// pad no fewer.
func fit(dst []byte, at int, modifier int32, pad bool) []byte {
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
	for ; pad && have < limit; have++ {
		dst = append(dst, ' ')
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
