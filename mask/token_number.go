package mask

import "bytes"

// tokenInt draws the digits of an integer anew.
func (m *material) tokenInt(dst []byte, k kind, format int16, value []byte) ([]byte, bool) {
	n, ok := parseInt(k, format, value)
	if !ok {
		return dst, true
	}
	d := m.draft()
	defer m.done(d)
	d.digits = appendInt(d.digits, k, 0, n)
	m.tokenDigits(d)
	n, ok = parseInt(k, 0, d.digits)
	if !ok {
		return dst, true
	}
	return appendInt(dst, k, format, n), false
}

// tokenNumeric draws the digits of a numeric anew; NaN and the infinities are
// NULL.
func (m *material) tokenNumeric(dst []byte, format int16, value []byte) ([]byte, bool) {
	d := m.draft()
	defer m.done(d)
	if format != inBinary {
		d.digits = append(d.digits, value...)
		if !m.tokenDigits(d) {
			return dst, true
		}
		return append(dst, d.digits...), false
	}
	var ok bool
	if d.digits, ok = decimalOf(d.digits, value); !ok || !m.tokenDigits(d) {
		return dst, true
	}
	return appendNumeric(dst, d.digits), false
}

// tokenNumber draws the digits of a JSON number anew; its exponent stays.
func (m *material) tokenNumber(dst, value []byte) []byte {
	end := len(value)
	if i := bytes.IndexAny(value, "eE"); i >= 0 {
		end = i
	}
	d := m.draft()
	defer m.done(d)
	d.digits = append(d.digits, value[:end]...)
	if !m.tokenDigits(d) {
		return append(dst, '0')
	}
	return append(append(dst, d.digits...), value[end:]...)
}

// tokenDigits draws the digits in d.digits anew: -123.4500
//
// The sign, the number of digits before the point and behind it stay, and so do
// zeros at the end behind the point: 5, 5.0 and 5.00 are one number, and the
// tokens are. Among the numbers of one shape it is a permutation. A whole
// number that fits int2, int4 or int8 has a token that fits, and it is the same
// whatever the type.
func (m *material) tokenDigits(d *draft) bool {
	number := d.digits
	negative := len(number) > 0 && number[0] == '-'
	if negative {
		number = number[1:]
	}
	whole, fraction, pointed := bytes.Cut(number, []byte("."))
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' || pointed && len(fraction) == 0 || !isDigits(whole) || !isDigits(fraction) {
		return false
	}
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if negative && len(fraction) == 0 && whole[0] == '0' {
		return true // -0, of JSON: there is nothing to draw but another sign
	}
	within := rangeOf(whole, fraction, negative)
	for {
		d.symbols, d.radices = d.symbols[:0], d.radices[:0]
		for i, c := range whole {
			switch {
			case len(whole) == 1 && len(fraction) == 0 && !negative:
				d.push(int(c-'0'), 10)
			case i > 0:
				d.push(int(c-'0'), 10)
			case c != '0':
				d.push(int(c-'1'), 9) // the first digit is no zero, before and after
			}
		}
		for i, c := range fraction {
			if i < len(fraction)-1 {
				d.push(int(c-'0'), 10)
			} else {
				d.push(int(c-'1'), 9)
			}
		}
		m.permute(d)
		next := 0
		draw := func(c *byte) {
			zero := byte('0')
			if d.radices[next] == 9 {
				zero = '1'
			}
			*c = zero + byte(d.symbols[next])
			next++
		}
		for i := range whole {
			if i > 0 || whole[0] != '0' || len(d.radices) > 0 && len(whole) == 1 && len(fraction) == 0 {
				draw(&whole[i])
			}
		}
		for i := range fraction {
			draw(&fraction[i])
		}
		// Permuted until it is in the range it came from: still one-to-one.
		if rangeOf(whole, fraction, negative) == within {
			return true
		}
	}
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if digitOf(c, 10) < 0 {
			return false
		}
	}
	return true
}

// limits are the largest integers of a type that isn't all of its digits'
// range, and their negative counterparts.
var limits = map[bool][]string{
	false: {"32767", "2147483647", "9223372036854775807"},
	true:  {"32768", "2147483648", "9223372036854775808"},
}

// rangeOf says on which side of the limit of its length a whole number is.
func rangeOf(whole, fraction []byte, negative bool) bool {
	if len(fraction) > 0 {
		return false
	}
	for _, limit := range limits[negative] {
		if len(limit) == len(whole) {
			return string(whole) > limit
		}
	}
	return false
}
