package wire

import (
	"context"
	"errors"
	"net/netip"

	"github.com/jackc/pgproto3/v2"

	"sallyport/policy"
	"sallyport/secret"
)

// identify asks for the gateway token, as a cleartext password, and says who
// it proves. A token crosses only TLS or loopback.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-AUTHENTICATIONCLEARTEXTPASSWORD.
func (s *Session) identify(ctx context.Context, h *hello) (policy.Caller, error) {
	caller := policy.Caller{Address: s.address}
	if !s.secure && !loopback(s.address) {
		return caller, &policy.Refusal{
			Kind:   policy.Unauthenticated,
			Public: "a gateway token is taken over TLS only",
			Hint:   "Connect with sslmode=require or stronger.",
		}
	}
	if !s.server.tries.May(s.address) {
		return caller, &policy.Refusal{
			Kind: policy.Busy, Public: "too many failed logins from this address", Hint: "Wait a minute, then try again.",
		}
	}
	if err := s.negotiate(h); err != nil {
		return caller, err
	}
	if err := s.say(&pgproto3.AuthenticationCleartextPassword{}); err != nil {
		return caller, err
	}
	token, err := s.readToken()
	if err != nil {
		return caller, err
	}
	caller.Principal, err = s.server.needs.Identifier.Identify(ctx, token)
	var refusal *policy.Refusal
	if errors.As(err, &refusal) && refusal.Kind == policy.Unauthenticated {
		s.server.tries.Take(s.address)
	}
	return caller, err
}

// readToken reads the PasswordMessage.
func (s *Session) readToken() (secret.Text, error) {
	kind, size, err := s.in.next()
	if err != nil {
		return secret.Text{}, err
	}
	if kind != 'p' {
		return secret.Text{}, malformed("expected a password, got message %s", quoteKind(kind))
	}
	if size > maxToken {
		return secret.Text{}, malformed("the password is longer than %d bytes", maxToken)
	}
	body, err := s.in.hold(size)
	if err != nil {
		return secret.Text{}, err
	}
	p := parts{b: body}
	token := secret.New(string(p.text()))
	whole := p.done()
	clear(body)
	if !whole {
		return secret.Text{}, malformed("the password has no end")
	}
	if token.Empty() {
		return secret.Text{}, &policy.Refusal{
			Kind:   policy.Unauthenticated,
			Public: "empty password returned by client",
			Hint:   "The password is the gateway token.",
		}
	}
	return token, nil
}

// loopback reports whether an address stays on this machine.
func loopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}
