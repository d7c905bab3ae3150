package mask

import (
	"encoding/hex"
)

// parseUUID reads a uuid in either format.
// PostgreSQL 17, datatype-uuid.html.
func parseUUID(format int16, value []byte) (id [16]byte, ok bool) {
	if format == inBinary {
		return id, copy(id[:], value) == len(id) && len(value) == len(id)
	}
	if len(value) != 36 {
		return id, false
	}
	n := 0
	for i := 0; i < len(value); {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if value[i] != '-' {
				return id, false
			}
			i++
			continue
		}
		high, low := digitOf(value[i], 16), digitOf(value[i+1], 16)
		if high < 0 || low < 0 {
			return id, false
		}
		id[n] = byte(high<<4 | low)
		n++
		i += 2
	}
	return id, n == len(id)
}

// appendUUID writes a uuid in either format.
func appendUUID(dst []byte, format int16, id [16]byte) []byte {
	if format == inBinary {
		return append(dst, id[:]...)
	}
	for i := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, id[i:i+1])
	}
	return dst
}

// digitOf is the value of a digit in the base, -1 for what is none.
func digitOf(c byte, base int) int {
	d := -1
	switch {
	case c >= '0' && c <= '9':
		d = int(c - '0')
	case c >= 'a' && c <= 'f':
		d = int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		d = int(c-'A') + 10
	}
	if d >= base {
		return -1
	}
	return d
}

// appendRaw appends the bytes of a bytea in either format, and in text under
// either setting of bytea_output.
// PostgreSQL 17, datatype-binary.html.
func appendRaw(dst []byte, format int16, value []byte) ([]byte, bool) {
	if format == inBinary {
		return append(dst, value...), true
	}
	if len(value) >= 2 && value[0] == '\\' && value[1] == 'x' {
		out, err := hex.AppendDecode(dst, value[2:])
		return out, err == nil
	}
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] != '\\':
			dst = append(dst, value[i])
		case i+1 < len(value) && value[i+1] == '\\':
			dst = append(dst, '\\')
			i++
		case i+3 < len(value):
			a, b, c := digitOf(value[i+1], 4), digitOf(value[i+2], 8), digitOf(value[i+3], 8)
			if a < 0 || b < 0 || c < 0 {
				return dst, false
			}
			dst = append(dst, byte(a<<6|b<<3|c))
			i += 3
		default:
			return dst, false
		}
	}
	return dst, true
}

// appendBytea writes a bytea in either format.
func appendBytea(dst []byte, format int16, raw []byte) []byte {
	if format == inBinary {
		return append(dst, raw...)
	}
	return hex.AppendEncode(append(dst, `\x`...), raw)
}
