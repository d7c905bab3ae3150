package mask

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// TestMayBeAddress: the quick look at bytes and the look at characters agree.
func TestMayBeAddress(t *testing.T) {
	for r := range rune(0x3000) {
		value := utf8.AppendRune([]byte("a@"), r)
		value = append(value, ".com"...)
		if got, want := mayBeAddress(value), !bytes.ContainsFunc(value, notInAddress); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
