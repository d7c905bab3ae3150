package mask

import "strings"

// Header masks one value of a header or trailer: whole where a field of its name
// is protected, in small letters, else what is found in it. It says how many
// values those were. An empty value is what a transform left nothing of.
func (c *Content) Header(name, value string) (string, int) {
	out, n := c.named([]string{strings.ToLower(name)}, []byte(value))
	if n == 0 {
		return value, 0
	}
	// No transform makes a line end; one that did would make another header.
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, string(out)), n
}
