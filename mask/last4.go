package mask

import "unicode/utf8"

const (
	kept     = 4 // characters last4 leaves readable
	tooShort = 8 // below this many, four would be most of the value
)

// last4 keeps the last four characters and puts a * for each other one.
func last4(dst, value []byte) []byte {
	n := utf8.RuneCount(value)
	keep := kept
	if n < tooShort {
		keep = 0
	}
	i := 0
	for ; n > keep; n-- {
		_, size := utf8.DecodeRune(value[i:])
		i += size
		dst = append(dst, '*')
	}
	return append(dst, value[i:]...)
}
