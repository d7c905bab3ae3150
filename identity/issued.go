package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/secret"
	"sallyport/store"
)

// ErrNoToken is returned for an id that names no issued token.
var ErrNoToken = errors.New("no such token")

// The states of an issued token.
const (
	StateActive  = "active"
	StateExpired = "expired"
	StateRevoked = "revoked"
)

// Issued is the table of issued tokens.
type Issued struct {
	db  *sql.DB
	now func() time.Time
}

// TokenInfo is what may be known of an issued token.
type TokenInfo struct {
	ID      string    `json:"id"` // public: tok_...
	Subject string    `json:"subject"`
	Groups  []string  `json:"groups"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Revoked time.Time `json:"revoked,omitzero"` // zero: not revoked
}

// State is the token's state at a time. A revoked token stays revoked.
func (t TokenInfo) State(now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return StateRevoked
	case !now.Before(t.Expires):
		return StateExpired
	}
	return StateActive
}

// NewIssued uses the table in s.
func NewIssued(s *store.Store) *Issued { return &Issued{db: s.DB(), now: time.Now} }

// Issue makes a token that holds for ttl. The token is returned once and kept
// nowhere.
func (i *Issued) Issue(ctx context.Context, subject string, groups []string, ttl time.Duration) (secret.Text, TokenInfo, error) {
	if err := checkNames(subject, groups); err != nil {
		return secret.Text{}, TokenInfo{}, fmt.Errorf("issue token: %w", err)
	}
	if ttl < time.Second {
		return secret.Text{}, TokenInfo{}, errors.New("issue token: it must hold for a second at least")
	}
	token, now := newOpaque(), i.now().UTC().Truncate(time.Millisecond)
	info := TokenInfo{ID: newID(), Subject: subject, Groups: append([]string{}, groups...), Created: now, Expires: now.Add(ttl)}
	list, err := json.Marshal(info.Groups)
	if err != nil {
		return secret.Text{}, TokenInfo{}, fmt.Errorf("issue token: %w", err)
	}
	proof, err := newVerifier(token)
	if err != nil {
		return secret.Text{}, TokenInfo{}, fmt.Errorf("issue token: %w", err)
	}
	hash := token.Sum256()
	_, err = i.db.ExecContext(ctx, `INSERT INTO token (hash, id, subject, groups, created, expires, scram) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		hash[:], info.ID, subject, string(list), now.UnixMilli(), info.Expires.UnixMilli(), proof.String())
	if err != nil {
		return secret.Text{}, TokenInfo{}, fmt.Errorf("issue token: %w", err)
	}
	return token, info, nil
}

const columns = `hash, id, subject, groups, created, expires, revoked`

// List returns every token ever issued, the latest first.
func (i *Issued) List(ctx context.Context) ([]TokenInfo, error) {
	rows, err := i.db.QueryContext(ctx, `SELECT `+columns+` FROM token ORDER BY created DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []TokenInfo
	for rows.Next() {
		_, info, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		all = append(all, info)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

// Revoke ends a token for good. One that was revoked before keeps its time.
func (i *Issued) Revoke(ctx context.Context, id string) error {
	done, err := i.db.ExecContext(ctx, `UPDATE token SET revoked = coalesce(revoked, ?) WHERE id = ?`, i.now().UnixMilli(), id)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("revoke token: %w: %q", ErrNoToken, id)
	}
	return nil
}

// byHash finds a token; found is false for a hash that no token has.
func (i *Issued) byHash(ctx context.Context, hash [sha256.Size]byte) (info TokenInfo, found bool, err error) {
	stored, info, err := scan(i.db.QueryRowContext(ctx, `SELECT `+columns+` FROM token WHERE hash = ?`, hash[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return TokenInfo{}, false, nil
	}
	if err != nil {
		return TokenInfo{}, false, fmt.Errorf("look up token: %w", err)
	}
	return info, subtle.ConstantTimeCompare(stored, hash[:]) == 1, nil
}

// scan reads one row of columns, and more behind them.
func scan(row interface{ Scan(...any) error }, more ...*sql.NullString) (hash []byte, info TokenInfo, err error) {
	var groups string
	var created, expires int64
	var revoked sql.NullInt64
	into := []any{&hash, &info.ID, &info.Subject, &groups, &created, &expires, &revoked}
	for _, m := range more {
		into = append(into, m)
	}
	if err := row.Scan(into...); err != nil {
		return nil, TokenInfo{}, err
	}
	if err := json.Unmarshal([]byte(groups), &info.Groups); err != nil {
		return nil, TokenInfo{}, fmt.Errorf("groups of %s: %w", info.ID, err)
	}
	info.Created, info.Expires = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	if revoked.Valid {
		info.Revoked = time.UnixMilli(revoked.Int64).UTC()
	}
	return hash, info, nil
}
