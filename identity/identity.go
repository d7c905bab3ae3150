package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"

	"sallyport/policy"
	"sallyport/secret"
)

// The issuers of this room's principals.
const (
	IssuerFixed  = "gateway.toml" // a [[token]]
	IssuerIssued = "sallyport"    // `sallyport token issue`
)

// Identifier knows every gateway token there is. It is safe for concurrent use.
type Identifier struct {
	fixed  []fixed
	issued *Issued
	now    func() time.Time
	mocks  mockKey
}

// fixed is one [[token]], made ready.
type fixed struct {
	hash      [sha256.Size]byte
	principal policy.Principal
}

// New puts the tokens of gateway.toml, each of which has passed [Token.Check],
// beside the issued ones, which may be nil. A token that does not pass
// identifies nobody.
func New(tokens []Token, issued *Issued, now func() time.Time) *Identifier {
	i := &Identifier{issued: issued, now: now}
	for _, t := range tokens {
		hash, err := t.hash()
		if err != nil || t.Check() != nil {
			continue
		}
		i.fixed = append(i.fixed, fixed{hash: hash, principal: policy.Principal{
			Subject: t.Subject,
			Issuer:  IssuerFixed,
			Groups:  append([]string(nil), t.Groups...),
			Token:   hex.EncodeToString(hash[:4]),
			Expires: t.Expires,
		}})
	}
	return i
}

// Identify says whose token it is. Its errors are refusals: Unauthenticated, or
// Unavailable when the database cannot be asked. A token that is unknown and
// one that is a single character wrong get the same answer after the same work.
func (i *Identifier) Identify(ctx context.Context, token secret.Text) (policy.Principal, error) {
	if token.Empty() {
		return policy.Principal{}, refuse("a gateway token is needed")
	}
	hash := token.Sum256()
	if p, found := i.findFixed(hash); found {
		if !p.Expires.IsZero() && !i.now().Before(p.Expires) {
			return policy.Principal{}, refuse("the gateway token has expired")
		}
		return p, nil
	}
	if i.issued != nil {
		info, found, err := i.issued.byHash(ctx, hash)
		if err != nil {
			return policy.Principal{}, &policy.Refusal{Kind: policy.Unavailable, Public: "gateway tokens cannot be checked now", Err: err}
		}
		if found {
			return i.holder(info)
		}
	}
	if mistyped(token) {
		return policy.Principal{}, refuse("the gateway token is mistyped or cut short")
	}
	return policy.Principal{}, refuse("the gateway token is not valid")
}

// findFixed compares with every fixed token, in a time that does not depend on
// which it is.
func (i *Identifier) findFixed(hash [sha256.Size]byte) (policy.Principal, bool) {
	at := -1
	for n := range i.fixed {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(i.fixed[n].hash[:], hash[:]), n, at)
	}
	if at < 0 {
		return policy.Principal{}, false
	}
	p := i.fixed[at].principal
	p.Groups = append([]string(nil), p.Groups...)
	return p, true
}

// holder is the principal of an issued token, as long as it holds.
func (i *Identifier) holder(t TokenInfo) (policy.Principal, error) {
	switch t.State(i.now()) {
	case StateRevoked:
		return policy.Principal{}, refuse("the gateway token was revoked")
	case StateExpired:
		return policy.Principal{}, refuse("the gateway token has expired")
	}
	return policy.Principal{Subject: t.Subject, Issuer: IssuerIssued, Groups: t.Groups, Token: t.ID, Expires: t.Expires}, nil
}

func refuse(public string) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Unauthenticated, Public: public, Hint: "sallyport token issue makes a token"}
}
