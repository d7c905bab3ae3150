package wire

import (
	"context"
	"errors"
	"net/netip"

	"github.com/jackc/pgproto3/v2"

	"sallyport/identity"
	"sallyport/policy"
	"sallyport/secret"
)

// identify asks for a proof of who it is: the gateway token, as a cleartext
// password or by a mechanism of SASL. A token crosses only TLS or loopback; a
// proof by SCRAM does not hold it.
func (s *Session) identify(ctx context.Context, h *hello) (policy.Caller, error) {
	caller := policy.Caller{Address: s.address}
	prove, err := s.method(h)
	if err != nil {
		return caller, err
	}
	if !s.server.tries.May(s.address) {
		return caller, &policy.Refusal{
			Kind: policy.Busy, Public: "too many failed logins from this address", Hint: "Wait a minute, then try again.",
		}
	}
	if err := s.negotiate(h); err != nil {
		return caller, err
	}
	caller.Principal, err = prove(ctx)
	return caller, err
}

// counted counts a failed proof against the address, as soon as it is known to
// have failed: what the client still does after that must not put it off.
func (s *Session) counted(err error) error {
	var refusal *policy.Refusal
	if errors.As(err, &refusal) && refusal.Kind == policy.Unauthenticated {
		s.server.tries.Take(s.address)
	}
	return err
}

// method is how this client is to prove who it is. The StartupMessage has one
// place to ask for another way than the cleartext password that every driver
// knows and only a JWT needs: the user name, which means nothing else here.
func (s *Session) method(h *hello) (func(context.Context) (policy.Principal, error), error) {
	private := s.secure || loopback(s.address)
	var mechanisms []string
	if s.server.needs.Scram != nil && identity.IsTokenID(h.user) {
		if s.binding != nil {
			mechanisms = append(mechanisms, scramSHA256Plus)
		}
		mechanisms = append(mechanisms, scramSHA256)
	}
	if private && (len(mechanisms) > 0 || s.server.oauth.asksOAuth(h.user)) {
		mechanisms = append(mechanisms, oauthBearer)
	}
	switch {
	case len(mechanisms) > 0:
		return func(ctx context.Context) (policy.Principal, error) { return s.proveBySASL(ctx, h.user, mechanisms) }, nil
	case private:
		return s.proveByPassword, nil
	}
	return nil, asServer("28000", &policy.Refusal{
		Kind:   policy.Unauthenticated,
		Public: "a gateway token is taken over TLS only",
		Hint:   "Connect with sslmode=require or stronger, or, by SCRAM, with the token's id as user name.",
	})
}

// proveByPassword takes the gateway token as a cleartext password.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-AUTHENTICATIONCLEARTEXTPASSWORD.
func (s *Session) proveByPassword(ctx context.Context) (policy.Principal, error) {
	if err := s.say(&pgproto3.AuthenticationCleartextPassword{}); err != nil {
		return policy.Principal{}, err
	}
	token, err := s.readToken()
	if err != nil {
		return policy.Principal{}, err
	}
	who, err := s.server.needs.Identifier.Identify(ctx, token)
	return who, s.counted(err)
}

// readToken reads the PasswordMessage.
func (s *Session) readToken() (secret.Text, error) {
	body, err := s.readProof(maxToken)
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
