package wire

import (
	"context"
	"slices"

	"github.com/jackc/pgproto3/v2"

	"sallyport/policy"
)

// maxScram is PG_MAX_SASL_MESSAGE_LENGTH in libpq/auth-sasl.h, in bytes.
const maxScram = 1024

// proveBySASL lets the client choose among the mechanisms and carries the
// conversation. A user name that is a token's id offers SCRAM for that token.
// PostgreSQL 17, sasl-authentication.html; protocol-flow.html#PROTOCOL-FLOW-START-UP.
func (s *Session) proveBySASL(ctx context.Context, id string, mechanisms []string) (policy.Principal, error) {
	if err := s.say(&pgproto3.AuthenticationSASL{AuthMechanisms: mechanisms}); err != nil {
		return policy.Principal{}, err
	}
	limit := maxScram
	if slices.Contains(mechanisms, oauthBearer) {
		limit = maxToken
	}
	body, err := s.readProof(limit)
	if err != nil {
		return policy.Principal{}, err
	}
	p := parts{b: body}
	mechanism := string(p.text())
	first, none := p.value()
	switch {
	case !p.done():
		return policy.Principal{}, malformed("malformed SASL response")
	case !slices.Contains(mechanisms, mechanism):
		return policy.Principal{}, malformed("the client selected an invalid SASL authentication mechanism")
	}
	if none {
		if first, err = s.answerSASL(nil, limit); err != nil {
			return policy.Principal{}, err
		}
	}
	if mechanism == oauthBearer {
		return s.proveByOAuth(ctx, first)
	}
	return s.proveByScram(ctx, id, mechanism == scramSHA256Plus, first)
}

// proveByScram carries a SCRAM conversation from its first message.
func (s *Session) proveByScram(ctx context.Context, id string, plus bool, first []byte) (who policy.Principal, err error) {
	token, err := s.server.needs.Scram.Scram(ctx, id)
	if err != nil {
		return who, err
	}
	login := newScramLogin(token, plus, s.binding)
	challenge, err := login.challenge(first)
	if err != nil {
		return who, err
	}
	last, err := s.answerSASL([]byte(challenge), maxScram)
	if err != nil {
		return who, err
	}
	final, who, err := login.finish(last)
	if err != nil {
		return policy.Principal{}, s.counted(err)
	}
	return who, s.say(&pgproto3.AuthenticationSASLFinal{Data: []byte(final)})
}

// answerSASL sends a challenge and reads the response to it, valid until the
// next message.
func (s *Session) answerSASL(challenge []byte, limit int) ([]byte, error) {
	if err := s.say(&pgproto3.AuthenticationSASLContinue{Data: challenge}); err != nil {
		return nil, err
	}
	return s.readProof(limit)
}

// readProof reads the body of a PasswordMessage, SASLInitialResponse or
// SASLResponse, which have one type byte; valid until the next message.
func (s *Session) readProof(limit int) ([]byte, error) {
	kind, size, err := s.in.next()
	if err != nil {
		return nil, err
	}
	if kind != 'p' {
		return nil, malformed("expected a password, got message %s", quoteKind(kind))
	}
	if size > limit {
		return nil, malformed("the password is longer than %d bytes", limit)
	}
	return s.in.hold(size)
}
