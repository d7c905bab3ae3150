package identity

import (
	"crypto/rand"
	"hash/crc32"
	"math/big"
	"strings"

	"sallyport/secret"
)

// An opaque token reads spt_ RANDOM CHECK, one word: the prefix and the check
// let secret scanners find it and a typo be told from a wrong token.
const (
	prefix    = "spt_"
	idPrefix  = "tok_"
	alphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randBytes = 32 // of a token
	randWidth = 43 // digits of 32 bytes in base 62
	sumWidth  = 6  // digits of a CRC-32 in base 62
	idBytes   = 8  // of a public id
	idWidth   = 11
)

// newOpaque makes a token.
func newOpaque() secret.Text {
	body := prefix + random(randBytes, randWidth)
	return secret.New(body + checksum(body))
}

// newID makes a token's public id.
func newID() string { return idPrefix + random(idBytes, idWidth) }

// mistyped reports whether t begins as an opaque token does and cannot be one.
func mistyped(t secret.Text) bool {
	text := t.Reveal()
	if !strings.HasPrefix(text, prefix) {
		return false
	}
	body := len(prefix) + randWidth
	return len(text) != body+sumWidth || checksum(text[:body]) != text[body:]
}

// checksum is the CRC-32 (IEEE) of s.
func checksum(s string) string {
	return base62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(s)))), sumWidth)
}

// random is n random bytes in base 62.
func random(n, width int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return base62(new(big.Int).SetBytes(raw), width)
}

// base62 writes n with exactly width digits.
func base62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(alphabet))), new(big.Int)
	for i := range out {
		n.DivMod(n, base, digit)
		out[width-1-i] = alphabet[digit.Int64()]
	}
	return string(out)
}
