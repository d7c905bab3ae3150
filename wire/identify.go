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
	tls := s.tlsState()
	shown, err := identity.OfConnection(&tls, s.server.now())
	if err != nil {
		return caller, err
	}
	prove, err := s.method(h, shown)
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
	who, err := prove(ctx)
	if err != nil {
		return caller, err
	}
	caller.Principal, err = identity.Both(shown, who)
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
// knows and only a JWT needs: the user name, which means nothing else here. A
// client that showed a certificate has proved it already.
func (s *Session) method(h *hello, shown *policy.Principal) (func(context.Context) (policy.Principal, error), error) {
	private := s.secure || loopback(s.address)
	switch mechanisms := s.mechanisms(h.user, private); {
	case len(mechanisms) > 0:
		return func(ctx context.Context) (policy.Principal, error) { return s.proveBySASL(ctx, h.user, mechanisms) }, nil
	case shown != nil:
		return func(context.Context) (policy.Principal, error) { return *shown, nil }, nil
	case private && s.server.oauth.Always:
		return func(ctx context.Context) (policy.Principal, error) {
			return s.proveBySASL(ctx, h.user, []string{oauthBearer})
		}, nil
	case private:
		return s.proveByPassword, nil
	}
	return nil, asServer("28000", &policy.Refusal{
		Kind:   policy.Unauthenticated,
		Public: "a gateway token is taken over TLS only",
		Hint:   "Connect with sslmode=require or stronger, or, by SCRAM, with the token's id as user name.",
	})
}

// mechanisms are those of SASL that the user name asks for. Private is a way on
// which a token may be sent.
func (s *Session) mechanisms(user string, private bool) []string {
	var all []string
	if s.server.needs.Scram != nil && identity.IsTokenID(user) {
		if s.binding != nil {
			all = append(all, scramSHA256Plus)
		}
		all = append(all, scramSHA256)
	}
	if private && (len(all) > 0 || asksOAuth(user)) {
		all = append(all, oauthBearer)
	}
	return all
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
