// Package secret holds one type: text that cannot be printed.
//
// Passwords, tokens and keys become a [Text] in the line that reads them. From
// there on fmt, encoding/json, zerolog and a core of %+v show "[secret]".
// arch_test.go at the top of the tree lists the few files that may [Text.Reveal].
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"
)

// hidden is what every printer of a Text shows.
const hidden = "[secret]"

// Text is a password, token or key. Only Reveal returns it.
//
// The text lives in a closure. A plain field would be printed by fmt whenever a
// Text sits in an unexported field of another struct, methods or no methods.
type Text struct{ reveal func() string }

// New hides s.
func New(s string) Text { return Text{reveal: func() string { return s }} }

// Reveal returns the hidden text, empty for the zero Text.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// Empty reports whether nothing is hidden.
func (t Text) Empty() bool { return t.Reveal() == "" }

// Sum256 is the SHA-256 of the text: what a store may keep of a token.
func (t Text) Sum256() [sha256.Size]byte { return sha256.Sum256([]byte(t.Reveal())) }

// Is reports whether s is the text, in a time that tells nothing but its length.
// Nothing hidden is no text.
func (t Text) Is(s string) bool {
	return s != "" && subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(s)) == 1
}

// In reports whether s holds the text. Nothing hidden is in no text.
func (t Text) In(s string) bool { return !t.Empty() && strings.Contains(s, t.Reveal()) }

// Format writes "[secret]" whatever the verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String is "[secret]".
func (Text) String() string { return hidden }

// MarshalText writes "[secret]".
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON writes "[secret]", quoted.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
