package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgproto3/v2"
	"github.com/xdg-go/scram"
)

// The SASL mechanisms of a PostgreSQL server.
// PostgreSQL 17, sasl-authentication.html.
const (
	scramSHA256     = "SCRAM-SHA-256"
	scramSHA256Plus = "SCRAM-SHA-256-PLUS"
)

// saslClient is one SCRAM conversation with a server.
type saslClient struct {
	conv   *scram.ClientConversation
	proven bool // the server proved that it knows the password too
}

// startSASL picks a mechanism from the server's list and begins. Inside TLS the
// login is bound to the channel when the server offers it.
func (up *upstream) startSASL(p *parts, password string) (*saslClient, error) {
	var offered []string
	for name := p.text(); len(name) > 0; name = p.text() {
		offered = append(offered, string(name))
	}
	if !p.done() {
		return nil, errors.New("malformed list of SASL mechanisms")
	}
	client, err := scram.SHA256.NewClient("", password, "") // the server takes the user from the StartupMessage
	if err != nil {
		// libpq sends a password that SASLprep refuses as it is.
		client, err = scram.SHA256.NewClientUnprepped("", password, "")
	}
	if err != nil {
		return nil, errors.New("the password cannot be used for SCRAM")
	}
	secured, isTLS := up.conn.(*tls.Conn)
	mechanism, c := scramSHA256, &saslClient{}
	switch {
	case isTLS && slices.Contains(offered, scramSHA256Plus):
		state := secured.ConnectionState()
		binding, err := scram.NewTLSServerEndpointBinding(&state)
		if err != nil {
			return nil, fmt.Errorf("bind SCRAM to the channel: %w", err)
		}
		mechanism, c.conv = scramSHA256Plus, client.NewConversationWithChannelBinding(binding)
	case !slices.Contains(offered, scramSHA256):
		return nil, fmt.Errorf("the server offers no SCRAM-SHA-256 but %q", offered)
	case isTLS:
		c.conv = client.NewConversationAdvertisingChannelBinding()
	default:
		c.conv = client.NewConversation()
	}
	first, err := c.conv.Step("")
	if err != nil {
		return nil, err
	}
	return c, up.say(&pgproto3.SASLInitialResponse{AuthMechanism: mechanism, Data: []byte(first)})
}

// continueSASL answers the server's challenge, or checks its proof.
func (up *upstream) continueSASL(c *saslClient, challenge []byte, final bool) error {
	answer, err := c.conv.Step(string(challenge))
	if err != nil {
		return fmt.Errorf("SCRAM: %w", err)
	}
	if final {
		c.proven = c.conv.Valid()
		if !c.proven {
			return errors.New("SCRAM: the server could not prove that it knows the password")
		}
		return nil
	}
	return up.say(&pgproto3.SASLResponse{Data: []byte(answer)})
}
