package mask

import "encoding/binary"

// zeros is the zero of each kind in text format. ISO dates are read under every
// DateStyle.
var zeros = map[kind]string{
	kindJSON: "null", kindJSONB: "null", kindHstore: "", kindBytea: `\x`, kindArray: "{}",
	kindUUID: "00000000-0000-0000-0000-000000000000",
	kindInt2: "0", kindInt4: "0", kindInt8: "0", kindNumeric: "0", kindFloat4: "0", kindFloat8: "0",
	kindInet: "0.0.0.0", kindCIDR: "0.0.0.0/32", kindMACAddr: "00:00:00:00:00:00", kindMACAddr8: "00:00:00:00:00:00:00:00",
	kindBool: "f", kindDate: "2000-01-01", kindTime: "00:00:00", kindTimeTZ: "00:00:00+00",
	kindTimestamp: "2000-01-01 00:00:00", kindTimestampTZ: "2000-01-01 00:00:00+00", kindInterval: "00:00:00",
}

// binaryZeros is the zero of each kind in binary format.
var binaryZeros = map[kind]string{
	kindJSON: "null", kindJSONB: "\x01null", kindHstore: "\x00\x00\x00\x00", kindBytea: "",
	kindUUID: "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	kindInt2: "\x00\x00", kindInt4: "\x00\x00\x00\x00", kindInt8: "\x00\x00\x00\x00\x00\x00\x00\x00",
	kindNumeric: "\x00\x00\x00\x00\x00\x00\x00\x00", kindFloat4: "\x00\x00\x00\x00", kindFloat8: "\x00\x00\x00\x00\x00\x00\x00\x00",
	kindInet: "\x02\x20\x00\x04\x00\x00\x00\x00", kindCIDR: "\x02\x20\x01\x04\x00\x00\x00\x00",
	kindMACAddr: "\x00\x00\x00\x00\x00\x00", kindMACAddr8: "\x00\x00\x00\x00\x00\x00\x00\x00",
	kindBool: "\x00", kindDate: "\x00\x00\x00\x00", kindTime: "\x00\x00\x00\x00\x00\x00\x00\x00",
	kindTimeTZ:    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	kindTimestamp: "\x00\x00\x00\x00\x00\x00\x00\x00", kindTimestampTZ: "\x00\x00\x00\x00\x00\x00\x00\x00",
	kindInterval: "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
}

// appendZero appends the zero of the field's type; a type that isn't known has
// none, and is NULL after all.
func appendZero(dst []byte, f Field) ([]byte, bool) {
	k := kindOf(f.known())
	switch {
	case k == kindPadded:
		return fit(dst, len(dst), f.Modifier, true), false
	case k.text():
		return dst, false
	case k == kindArray && f.Like != 0:
		return dst, true // the element's OID is not known, and goes into the binary form
	case k == kindArray && f.Format == inBinary:
		dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // no dimensions, no NULLs
		return binary.BigEndian.AppendUint32(dst, elements[f.Type]), false
	}
	table := zeros
	if f.Format == inBinary {
		table = binaryZeros
	}
	zero, ok := table[k]
	return append(dst, zero...), !ok
}
