package mask

import (
	"encoding/binary"
	"strconv"
)

// parseInt reads an integer in either format.
func parseInt(k kind, format int16, value []byte) (int64, bool) {
	if format == inBinary {
		switch {
		case len(value)*8 != k.bits():
			return 0, false
		case k == kindInt2:
			return int64(int16(binary.BigEndian.Uint16(value))), true
		case k == kindInt4:
			return int64(int32(binary.BigEndian.Uint32(value))), true
		}
		return int64(binary.BigEndian.Uint64(value)), true
	}
	digits, negative := value, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		d := digitOf(c, 10)
		if d < 0 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	limit := uint64(1)<<(k.bits()-1) - 1
	if negative {
		limit++
	}
	if n > limit {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// appendInt writes an integer in either format.
func appendInt(dst []byte, k kind, format int16, n int64) []byte {
	switch {
	case format != inBinary:
		return strconv.AppendInt(dst, n, 10)
	case k == kindInt2:
		return binary.BigEndian.AppendUint16(dst, uint16(n))
	case k == kindInt4:
		return binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}

// Signs of a binary numeric; others are NaN and the infinities.
// PostgreSQL 17, src/backend/utils/adt/numeric.c, numeric_send.
const (
	numericPlus  = 0x0000
	numericMinus = 0x4000
)

// numericGroups bounds the groups of four digits in a binary numeric: 131072 digits
// before the point and 16383 after it.
const numericGroups = (131072 + 16384) / 4

// decimalOf appends a binary numeric as digits: -123.4500
func decimalOf(dst, value []byte) ([]byte, bool) {
	if len(value) < 8 || len(value)%2 != 0 {
		return dst, false
	}
	part := func(i int) int { return int(binary.BigEndian.Uint16(value[2*i:])) }
	groups, weight, sign, scale := part(0), int(int16(part(1))), part(2), part(3)
	if len(value) != 8+2*groups || groups > numericGroups || weight >= numericGroups || weight < -numericGroups || scale > 16383 || sign != numericPlus && sign != numericMinus {
		return dst, false
	}
	if sign == numericMinus {
		dst = append(dst, '-')
	}
	group := func(i int) (int, bool) {
		if i < 0 || i >= groups {
			return 0, true
		}
		g := part(4 + i)
		return g, g < 10000
	}
	if weight < 0 {
		dst = append(dst, '0')
	}
	for i := 0; i <= weight; i++ {
		g, ok := group(i)
		if !ok {
			return dst, false
		}
		if i == 0 {
			dst = strconv.AppendInt(dst, int64(g), 10)
			continue
		}
		dst = append(dst, byte('0'+g/1000), byte('0'+g/100%10), byte('0'+g/10%10), byte('0'+g%10))
	}
	if scale == 0 {
		return dst, true
	}
	dst = append(dst, '.')
	end := len(dst) + scale
	for i := weight + 1; len(dst) < end; i++ {
		g, ok := group(i)
		if !ok {
			return dst, false
		}
		dst = append(dst, byte('0'+g/1000), byte('0'+g/100%10), byte('0'+g/10%10), byte('0'+g%10))
	}
	return dst[:end], true
}

// appendNumeric writes digits, as decimalOf leaves them, as a binary numeric.
func appendNumeric(dst, digits []byte) []byte {
	sign := numericPlus
	if digits[0] == '-' {
		sign, digits = numericMinus, digits[1:]
	}
	point := len(digits)
	for i, c := range digits {
		if c == '.' {
			point = i
		}
	}
	scale := max(0, len(digits)-point-1)
	head := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(sign>>8), byte(sign), byte(scale>>8), byte(scale))
	at := func(i int) int { // the digit i places behind the point, before it when i < 0
		if i += point; i > point-1 {
			i++ // the point
		}
		if i < 0 || i >= len(digits) {
			return 0
		}
		return int(digits[i] - '0')
	}
	first := (point + 3) / 4 // groups before the point
	weight, groups, last := first-1, 0, 0
	for i := -first; i*4 < scale; i++ {
		g := at(i*4)*1000 + at(i*4+1)*100 + at(i*4+2)*10 + at(i*4+3)
		if groups == 0 && g == 0 {
			weight--
			continue
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(g))
		if groups++; g != 0 {
			last = groups
		}
	}
	if groups == 0 {
		weight = 0
	}
	dst = dst[:head+8+2*last]
	binary.BigEndian.PutUint16(dst[head:], uint16(last))
	binary.BigEndian.PutUint16(dst[head+2:], uint16(int16(weight)))
	return dst
}
