package identity

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sallyport/secret"
)

// What a token's verifier is made with. The iterations are RFC 7677's least: a
// token has 256 random bits, and who guesses at it gains nothing by their
// being few.
const (
	scramScheme     = "SCRAM-SHA-256"
	scramIterations = 4096
	scramSalt       = 16 // bytes
)

// verifier is what a server keeps of a password for SCRAM-SHA-256: enough to
// check a proof, and not to make one.
// RFC 5802, section 3; RFC 7677.
type verifier struct {
	salt       []byte
	iterations int
	stored     [sha256.Size]byte // StoredKey
	server     [sha256.Size]byte // ServerKey
}

// newVerifier makes the verifier of a token with a salt of its own.
func newVerifier(token secret.Text) (verifier, error) {
	salt := make([]byte, scramSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	return deriveVerifier(token, salt, scramIterations)
}

func deriveVerifier(token secret.Text, salt []byte, iterations int) (verifier, error) {
	salted, err := pbkdf2.Key(sha256.New, token.Reveal(), salt, iterations, sha256.Size)
	if err != nil {
		return verifier{}, fmt.Errorf("derive verifier: %w", err)
	}
	v := verifier{salt: salt, iterations: iterations}
	v.stored = sha256.Sum256(mac(salted, "Client Key"))
	copy(v.server[:], mac(salted, "Server Key"))
	return v, nil
}

// check says whether proof is that of who knows the token, for the message that
// both sides have agreed on, and signs the message for the client.
func (v verifier) check(message string, proof []byte) (signature []byte, proven bool) {
	client := mac(v.stored[:], message)
	subtle.XORBytes(client, client, proof) // a proof of another length leaves a key that does not fit
	key := sha256.Sum256(client)
	proven = subtle.ConstantTimeCompare(key[:], v.stored[:]) == 1 && len(proof) == sha256.Size
	return mac(v.server[:], message), proven
}

// String is the verifier as PostgreSQL writes it.
// PostgreSQL 17, catalog-pg-authid.html.
func (v verifier) String() string {
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", scramScheme, v.iterations, text(v.salt), text(v.stored[:]), text(v.server[:]))
}

// parseVerifier reads what String wrote.
func parseVerifier(s string) (v verifier, err error) {
	wrong := errors.New("not a SCRAM-SHA-256 verifier")
	parts := strings.Split(s, "$")
	if len(parts) != 3 || parts[0] != scramScheme {
		return v, wrong
	}
	rounds, salt, _ := strings.Cut(parts[1], ":")
	stored, server, _ := strings.Cut(parts[2], ":")
	if v.iterations, err = strconv.Atoi(rounds); err != nil || v.iterations < 1 {
		return v, wrong
	}
	if v.salt, err = base64.StdEncoding.DecodeString(salt); err != nil || len(v.salt) == 0 {
		return v, wrong
	}
	for _, key := range []struct {
		text string
		to   *[sha256.Size]byte
	}{{stored, &v.stored}, {server, &v.server}} {
		raw, err := base64.StdEncoding.DecodeString(key.text)
		if err != nil || len(raw) != sha256.Size {
			return v, wrong
		}
		copy(key.to[:], raw)
	}
	return v, nil
}

// mac is HMAC-SHA-256.
func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(message)) // never fails
	return h.Sum(nil)
}
