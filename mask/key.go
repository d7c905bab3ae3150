package mask

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
)

// minSecret is the least number of bytes a key is made from. A shorter secret
// could be found by trying, from one known value and its masked form.
const minSecret = 16

// errShort is said of a secret that has too few bytes.
var errShort = fmt.Errorf("the secret of a mask's key must have at least %d bytes", minSecret)

// Key is what hash and token work by. Whoever has it can undo tokens and try
// values against hashes, so it comes from the secret store, by the reference
// `key` of a [[mask]], and is never printed. The zero Key is no key.
//
// Masks that name the same key give equal values equal masked forms, whatever
// the table, the column or the target.
type Key struct {
	// A closure, as in secret.Text: fmt would print a plain field.
	transforms func() map[string]*Transform
}

// NewKey makes a Key from a secret. It keeps no reference to the secret, and
// derives from it, by HKDF-SHA-256, one key for each use.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < minSecret {
		return Key{}, errShort
	}
	var m material
	var errs []error
	derive := func(use string) []byte {
		b, err := hkdf.Key(sha256.New, secret, nil, "sallyport mask v1 "+use, sha256.Size)
		errs = append(errs, err)
		return b
	}
	block := func(use string) cipher.Block {
		b, err := aes.NewCipher(derive(use))
		errs = append(errs, err)
		return b
	}
	m.hash, m.mix, m.expand = derive("hash"), block("token mix"), block("token expand")
	if err := errors.Join(errs...); err != nil {
		return Key{}, fmt.Errorf("derive a mask's key: %w", err)
	}
	all := map[string]*Transform{}
	for name, make := range keyed {
		all[name] = make(&m)
	}
	return Key{transforms: func() map[string]*Transform { return all }}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.transforms == nil }

// Format prints no key.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// material is what a Key was derived to, one key for each use.
type material struct {
	hash        []byte       // of HMAC-SHA-256
	mix, expand cipher.Block // AES-256
	macs        sync.Pool    // of *mac
	drafts      sync.Pool    // of *draft
	blocks      blocks       // of characters outside of ASCII
}
