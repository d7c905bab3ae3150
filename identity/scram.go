package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"sallyport/policy"
)

// IsTokenID reports whether a name has the form of an issued token's public id:
// who logs in under it means to prove by SCRAM that the token is theirs.
func IsTokenID(name string) bool {
	rest, ok := strings.CutPrefix(name, idPrefix)
	return ok && len(rest) == idWidth && strings.Trim(rest, alphabet) == ""
}

// Scram is one login by SCRAM-SHA-256: what is known of the token that an id
// names, or what is made up for an id that names none.
type Scram struct {
	verifier
	known bool
	token TokenInfo
	by    *Identifier
}

// Scram begins a login with the issued token of an id. It fails only where the
// database cannot be asked: that an id names no token is found out no sooner
// than that a proof is wrong, and told in the same words.
func (i *Identifier) Scram(ctx context.Context, id string) (*Scram, error) {
	made, err := i.mock(ctx, id)
	if err == nil && i.issued != nil {
		var v verifier
		var info TokenInfo
		var found bool
		if v, info, found, err = i.issued.byID(ctx, id); err == nil && found {
			return &Scram{verifier: v, known: true, token: info, by: i}, nil
		}
	}
	if err != nil {
		return nil, &policy.Refusal{Kind: policy.Unavailable, Public: "gateway tokens cannot be checked now", Err: err}
	}
	return &Scram{verifier: made, by: i}, nil
}

// Salt is what the client is told.
func (s *Scram) Salt() []byte { return s.salt }

// Iterations is what the client is told.
func (s *Scram) Iterations() int { return s.iterations }

// Prove checks the client's proof for the AuthMessage of RFC 5802, and returns
// who it is and the signature by which the client knows the gateway. Its errors
// are refusals.
func (s *Scram) Prove(message string, proof []byte) (signature []byte, who policy.Principal, err error) {
	signature, proven := s.check(message, proof)
	if !proven || !s.known {
		return nil, policy.Principal{}, refuse("the gateway token is not valid")
	}
	who, err = s.by.holder(s.token)
	return signature, who, err
}

// mock is the verifier of an id that names no token. Nothing proves it.
func (i *Identifier) mock(ctx context.Context, id string) (verifier, error) {
	key, err := i.mocks.get(ctx, i.issued)
	if err != nil {
		return verifier{}, err
	}
	v := verifier{salt: mac(key, "salt "+id)[:scramSalt], iterations: scramIterations}
	copy(v.stored[:], mac(key, "stored "+id))
	copy(v.server[:], mac(key, "server "+id))
	return v, nil
}

// mockKey is the key that made-up salts come from, once it is known.
type mockKey struct {
	mu  sync.Mutex
	key []byte
}

func (m *mockKey) get(ctx context.Context, issued *Issued) (key []byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.key == nil {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
		if issued != nil {
			if key, err = issued.mockKey(ctx, key); err != nil {
				return nil, err
			}
		}
		m.key = key
	}
	return m.key, nil
}

// mockKey is the database's key for made-up salts; the offered one becomes it
// where there is none.
func (i *Issued) mockKey(ctx context.Context, offered []byte) (key []byte, err error) {
	if _, err := i.db.ExecContext(ctx, `INSERT INTO scram_mock (one, key) VALUES (1, ?) ON CONFLICT DO NOTHING`, offered); err != nil {
		return nil, fmt.Errorf("keep key: %w", err)
	}
	if err := i.db.QueryRowContext(ctx, `SELECT key FROM scram_mock`).Scan(&key); err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return key, nil
}

// byID finds a token that SCRAM can be used with.
func (i *Issued) byID(ctx context.Context, id string) (v verifier, info TokenInfo, found bool, err error) {
	var text sql.NullString
	row := i.db.QueryRowContext(ctx, `SELECT `+columns+`, scram FROM token WHERE id = ?`, id)
	_, info, err = scan(row, &text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, info, false, nil
	case err != nil:
		return v, info, false, fmt.Errorf("look up token: %w", err)
	case !text.Valid:
		return v, info, false, nil
	}
	if v, err = parseVerifier(text.String); err != nil {
		return v, info, false, fmt.Errorf("look up token %s: %w", id, err)
	}
	return v, info, true, nil
}
