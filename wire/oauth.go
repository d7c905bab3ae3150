package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"sallyport/policy"
	"sallyport/secret"
)

// oauthBearer is the SASL mechanism that carries a token as it is.
// RFC 7628; PostgreSQL 18, sasl-authentication.html#SASL-OAUTHBEARER.
const oauthBearer = "OAUTHBEARER"

// OAuth is [oauth] of gateway.toml: logins by OAUTHBEARER, and what a client
// that has no token yet is told about where to get one.
type OAuth struct {
	Discovery string `toml:"discovery"` // URL of the issuer's discovery document
	Scope     string `toml:"scope"`     // what to ask the issuer for
	Always    bool   `toml:"always"`    // in place of the cleartext password, whatever the user name
}

// Problems says what is wrong with the keys.
func (o OAuth) Problems() []policy.KeyError {
	var all []policy.KeyError
	if o.Discovery != "" {
		u, err := url.Parse(o.Discovery)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !strings.Contains(u.Path, "/.well-known/") {
			all = append(all, policy.KeyError{Key: "discovery", Err: fmt.Errorf("must be an https URL with /.well-known/ in its path, as in https://login.example.com/.well-known/openid-configuration, is %q", o.Discovery)})
		}
	}
	if o.Scope != "" && o.Discovery == "" {
		all = append(all, policy.KeyError{Key: "scope", Err: errors.New("means nothing without discovery")})
	}
	return all
}

// oauthUser is the user name, and behind a + its ending, with which a client
// asks for OAUTHBEARER: the StartupMessage has no other place to say so.
const oauthUser = "oauth"

// asksOAuth reports whether the user name asks for OAUTHBEARER.
func asksOAuth(user string) bool {
	return user == oauthUser || strings.HasSuffix(user, "+"+oauthUser)
}

// proveByOAuth takes the token of the client's first message. A client whose
// token is refused, or that has none, is told what RFC 7628 has for it before
// the connection ends.
func (s *Session) proveByOAuth(ctx context.Context, first []byte) (who policy.Principal, err error) {
	token, err := parseBearer(first)
	clear(first)
	if err != nil {
		return who, err
	}
	refusal := &policy.Refusal{
		Kind: policy.Unauthenticated, Public: "OAuth bearer authentication failed: no token was sent",
		Hint: "The bearer token is a gateway token.",
	}
	if !token.Empty() {
		if who, err = s.server.needs.Identifier.Identify(ctx, token); err == nil {
			return who, nil
		}
		err = s.counted(err)
		if !errors.As(err, &refusal) || refusal.Kind != policy.Unauthenticated {
			return who, err
		}
	}
	status, err := s.server.oauth.failure()
	if err != nil {
		return who, err
	}
	answer, err := s.answerSASL(status, maxScram)
	switch {
	case isConnError(err): // pgx doesn't wait for the end
	case err != nil:
		return who, err
	case !bytes.Equal(answer, []byte{separator}):
		return who, malformed("malformed OAUTHBEARER message")
	}
	return policy.Principal{}, refusal
}

// failure is the challenge after a failed proof.
// RFC 7628, section 3.2.2.
func (o OAuth) failure() ([]byte, error) {
	return json.Marshal(struct {
		Status    string `json:"status"`
		Discovery string `json:"openid-configuration,omitempty"`
		Scope     string `json:"scope,omitempty"`
	}{"invalid_token", o.Discovery, o.Scope})
}

// separator ends each key and value, and the message.
const separator = 0x01

// parseBearer reads the client's first message; the token is empty where the
// client has none and asks for the discovery document.
// RFC 7628, section 3.1.
func parseBearer(message []byte) (secret.Text, error) {
	var none secret.Text
	wrong := malformed("malformed OAUTHBEARER message")
	flag, rest, ok := bytes.Cut(message, []byte{','})
	switch {
	case bytes.HasPrefix(flag, []byte("p=")):
		return none, unsupported("OAUTHBEARER has no channel binding", "")
	case !ok || string(flag) != "n" && string(flag) != "y":
		return none, wrong
	}
	identity, rest, ok := bytes.Cut(rest, []byte{','})
	switch {
	case len(identity) > 0:
		return none, unsupported("the client uses an authorization identity, which is not supported", "")
	case !ok || len(rest) == 0 || rest[0] != separator:
		return none, wrong
	}
	token, seen := none, false
	for rest = rest[1:]; ; {
		pair, more, ok := bytes.Cut(rest, []byte{separator})
		switch {
		case !ok:
			return none, wrong
		case len(pair) == 0 && (len(more) > 0 || !seen):
			return none, wrong
		case len(pair) == 0:
			return token, nil
		}
		rest = more
		key, value, ok := bytes.Cut(pair, []byte{'='})
		switch {
		case !ok || len(key) == 0:
			return none, wrong
		case string(key) != "auth": // host, port: for proxies
			continue
		case seen:
			return none, wrong
		}
		seen = true
		if token, ok = bearer(value); !ok {
			return none, wrong
		}
	}
}

// bearer is the token of an Authorization header, empty where that is.
func bearer(header []byte) (token secret.Text, ok bool) {
	if len(header) == 0 {
		return token, true
	}
	scheme, word, _ := bytes.Cut(header, []byte{' '})
	word = bytes.TrimLeft(word, " ")
	if !strings.EqualFold(string(scheme), "Bearer") || !isBearer(word) {
		return token, false
	}
	return secret.New(string(word)), true
}

// isBearer reports whether b is a b64token.
// RFC 6750, section 2.1.
func isBearer(b []byte) bool {
	word := bytes.TrimRight(b, "=")
	return len(word) > 0 && bytes.IndexFunc(word, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/", r))
	}) < 0
}
