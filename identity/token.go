package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Token is one [[token]] of gateway.toml: a fixed gateway token, by its hash.
type Token struct {
	Subject string    `toml:"subject"`
	Groups  []string  `toml:"groups"`
	SHA256  string    `toml:"sha256"`  // hex
	Expires time.Time `toml:"expires"` // zero: never
}

// Check reports what is wrong with it, nil when nothing is.
func (t Token) Check() error {
	_, err := t.hash()
	return errors.Join(err, checkNames(t.Subject, t.Groups))
}

// hash decodes SHA256.
func (t Token) hash() (sum [sha256.Size]byte, err error) {
	if t.SHA256 == "" {
		return sum, errors.New("sha256 is missing: want the SHA-256 of the token in hex")
	}
	raw, err := hex.DecodeString(t.SHA256)
	if err != nil || len(raw) != sha256.Size {
		return sum, fmt.Errorf("sha256 must be the SHA-256 of the token in hex: %d digits", 2*sha256.Size)
	}
	copy(sum[:], raw)
	if sum == sha256.Sum256(nil) {
		return sum, errors.New("sha256 is that of an empty token")
	}
	if sum == sha256.Sum256([]byte("\n")) {
		return sum, errors.New("sha256 is that of a line without a token")
	}
	return sum, nil
}

// checkNames refuses a subject and groups that no rule could name, or that
// would garble a log.
func checkNames(subject string, groups []string) error {
	if subject == "" {
		return errors.New("subject is missing")
	}
	for _, name := range append([]string{subject}, groups...) {
		if name == "" {
			return errors.New("a group is empty")
		}
		if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%q holds characters that cannot be printed", name)
		}
	}
	return nil
}
