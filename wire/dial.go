package wire

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgproto3/v2"

	"sallyport/credential"
	"sallyport/policy"
)

// upstream is one logged-in connection to a target's server. It belongs to one
// session; Close gives its lease back.
type upstream struct {
	target   *target
	endpoint endpoint
	conn     net.Conn
	in       *stream // from the server
	out      *outbox // to the server
	lease    *credential.Lease
	params   []param // as the server reported them, in order
	pid      uint32  // the server's process id
	key      []byte  // the server's cancel secret; none on servers that give none
	known    bool    // the server has let us in: its errors are about the client's settings
	torn     bool    // the server has half a message: nothing can be said after it
	status   byte    // of the latest ReadyForQuery of what we asked for ourselves

	startup []param     // what the login asked for, without what is the gateway's
	login   fingerprint // of the credential it logged in with
	born    time.Time   // when it logged in

	interrupts sync.WaitGroup // cancel requests on their way; none begins once cancels has removed it
}

// pinned are the settings under which parser and server read the same text.
// Sent in the StartupMessage they outrank the role's and the database's own,
// and RESET returns to them.
var pinned = []param{{"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}}

// dial lends the target's credential and takes a connection that is logged in
// with it and ready, or logs in. Its errors are Refusals that name no host, user
// or secret.
func (s *Server) dial(ctx context.Context, t *target, params []param) (*upstream, error) {
	lease, err := s.needs.Lender.Login(ctx, t.ref)
	if err != nil {
		return nil, err
	}
	if up := t.pool.take(lease, params); up != nil {
		up.lease = lease
		return up, nil
	}
	return s.logIn(ctx, t, lease, params)
}

// logIn opens a connection of its own with a lease, which it gives back when
// that fails.
func (s *Server) logIn(ctx context.Context, t *target, lease *credential.Lease, params []param) (*upstream, error) {
	up, err := t.dialAny(ctx, lease, params)
	if err == nil {
		return up, nil
	}
	s.giveBack(lease)
	s.metrics.dialErrors.WithLabelValues(t.name).Inc()
	if isRefusal(err) {
		return nil, err
	}
	return nil, unavailable(t, err)
}

// dialAny tries the target's servers in order, for the first that can be
// reached and is what target_session_attrs asks for. A server that refuses the
// login ends the search, as in libpq.
func (t *target) dialAny(ctx context.Context, lease *credential.Lease, params []param) (*upstream, error) {
	rounds := []string{t.attrs}
	if t.attrs == "prefer-standby" {
		rounds = []string{"standby", "any"}
	}
	var all []error
	for _, attrs := range rounds {
		for _, e := range t.endpoints {
			up, err := t.dialOne(ctx, e, lease, params)
			switch {
			case err == nil && up.suits(attrs):
				return up, nil
			case err == nil:
				up.close()
				err = fmt.Errorf("%s is not %s", e.address, attrs)
			case isRefusal(err):
				return nil, err
			}
			all = append(all, err)
		}
	}
	return nil, errors.Join(all...)
}

// dialOne connects to one server and logs in.
func (t *target) dialOne(ctx context.Context, e endpoint, lease *credential.Lease, params []param) (*upstream, error) {
	up, err := connect(ctx, t, e)
	if err != nil {
		return nil, err
	}
	up.lease, up.startup, up.login, up.born = lease, params, t.fingerprint(lease), time.Now()
	stop := context.AfterFunc(ctx, func() { _ = up.conn.SetDeadline(past) })
	err = up.logIn(params)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = up.conn.Close()
		return nil, err
	}
	return up, nil
}

// suits reports whether the server is what target_session_attrs asks for, by
// the settings that servers since PostgreSQL 14 report.
func (up *upstream) suits(attrs string) bool {
	standby := valueOf(up.params, "in_hot_standby") == "on"
	readOnly := standby || valueOf(up.params, "default_transaction_read_only") == "on"
	switch attrs {
	case "read-write":
		return !readOnly
	case "read-only":
		return readOnly
	case "primary":
		return !standby
	case "standby":
		return standby
	}
	return true
}

// unavailable is what the client reads when the target's server can't be had.
func unavailable(t *target, err error) *policy.Refusal {
	return &policy.Refusal{
		Kind:   policy.Unavailable,
		Public: fmt.Sprintf("target %q cannot be reached", t.name),
		Hint:   "The gateway's log says why.",
		Err:    err,
	}
}

// giveBack returns a lease, in its own time: the session is over.
func (s *Server) giveBack(lease *credential.Lease) {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if err := lease.Release(ctx); err != nil {
		s.log.Warn().Err(err).Str("credential", lease.Ref).Msg("lease not given back")
	}
}

// connect opens the connection and its TLS.
func connect(ctx context.Context, t *target, e endpoint) (*upstream, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, fmt.Errorf("dial upstream: %w", err)
	}
	if e.tls != nil {
		secured, err := startClientTLS(ctx, conn, e.tls)
		if err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("start TLS upstream: %w", err)
		}
		conn = secured
	}
	up := &upstream{target: t, endpoint: e, conn: conn, out: &outbox{conn: direct(conn)}}
	up.in = newStream(conn, up.out)
	return up, nil
}

// startClientTLS sends SSLRequest and reads exactly the one byte of the answer:
// there is no falling back to plaintext, and nothing unencrypted is kept.
func startClientTLS(ctx context.Context, conn net.Conn, cfg *tls.Config) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })
	defer stop()
	if err := send(conn, &pgproto3.SSLRequest{}); err != nil {
		return nil, err
	}
	var answer [1]byte
	if _, err := conn.Read(answer[:]); err != nil {
		return nil, err
	}
	if answer[0] != 'S' {
		return nil, errors.New("the server has no TLS")
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secured, nil
}

// logIn says who we are and reads up to the first ReadyForQuery.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-START-UP.
func (up *upstream) logIn(params []param) error {
	startup := pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{
		"user": up.lease.Username, "database": up.target.database,
	}}
	for _, p := range params {
		startup.Parameters[p.name] = p.value
	}
	for _, p := range pinned {
		if up.target.free {
			break
		}
		startup.Parameters[p.name] = p.value
	}
	if err := up.say(&startup); err != nil {
		return err
	}
	if err := up.authenticate(); err != nil {
		return fmt.Errorf("log in upstream: %w", err)
	}
	return up.settle()
}

// authenticate answers the server's authentication requests up to AuthenticationOk.
func (up *upstream) authenticate() error {
	var sasl *saslClient
	for {
		kind, body, err := up.receive()
		if err != nil {
			return err
		}
		if kind != 'R' {
			return fmt.Errorf("unexpected message %s", quoteKind(kind))
		}
		p := parts{b: body}
		switch code := p.int32(); code {
		case pgproto3.AuthTypeOk:
			if sasl != nil && !sasl.proven {
				return errors.New("the server skipped the end of SCRAM")
			}
			up.known = true
			return nil
		case pgproto3.AuthTypeCleartextPassword:
			if up.endpoint.tls == nil && !loopback(host(up.conn.RemoteAddr())) {
				return errors.New("the server wants the password in clear, without TLS")
			}
			err = up.say(&pgproto3.PasswordMessage{Password: up.lease.Secret.Reveal()})
		case pgproto3.AuthTypeMD5Password:
			err = up.say(&pgproto3.PasswordMessage{Password: md5Answer(up.lease, p.take(4))})
		case pgproto3.AuthTypeSASL:
			sasl, err = up.startSASL(&p, up.lease.Secret.Reveal())
		case pgproto3.AuthTypeSASLContinue, pgproto3.AuthTypeSASLFinal:
			if sasl == nil {
				return errors.New("SCRAM continues without a start")
			}
			err = up.continueSASL(sasl, p.b, code == pgproto3.AuthTypeSASLFinal)
		default:
			return fmt.Errorf("authentication method %d is not offered", code)
		}
		if err != nil {
			return err
		}
	}
}

// settle keeps what the server says between AuthenticationOk and ReadyForQuery.
func (up *upstream) settle() error {
	for {
		kind, body, err := up.receive()
		if err != nil {
			return err
		}
		p := parts{b: body}
		switch kind {
		case 'S':
			up.reported(string(p.text()), string(p.text()))
		case 'K':
			up.pid = uint32(p.int32())
			up.key = append([]byte(nil), p.b...)
			p.b = nil
		case 'Z':
			p.byte()
		default:
			return fmt.Errorf("unexpected message %s", quoteKind(kind))
		}
		if !p.done() {
			return fmt.Errorf("malformed message %s", quoteKind(kind))
		}
		if kind == 'Z' {
			return nil
		}
	}
}

// reported keeps what the server reports of a setting.
func (up *upstream) reported(name, value string) {
	i := slices.IndexFunc(up.params, func(p param) bool { return p.name == name })
	if i < 0 {
		up.params = append(up.params, param{name, value})
		return
	}
	up.params[i].value = value
}

// fingerprint tells credentials apart without keeping them.
type fingerprint [sha256.Size]byte

// fingerprint of what a lease logs in with, under a key of this process.
func (t *target) fingerprint(lease *credential.Lease) fingerprint {
	mac := hmac.New(sha256.New, t.key)
	fmt.Fprintf(mac, "%d %s%s", len(lease.Username), lease.Username, lease.Secret.Reveal())
	return fingerprint(mac.Sum(nil))
}

// receive reads the next message of the login, whole. Notices are dropped and
// errors become ours, without the server's words: they name user and address.
func (up *upstream) receive() (kind byte, body []byte, err error) {
	for {
		kind, size, err := up.in.next()
		if err != nil {
			return 0, nil, err
		}
		if size > maxToken {
			return 0, nil, fmt.Errorf("message %s of %d bytes during login", quoteKind(kind), size)
		}
		body, err := up.in.hold(size)
		if err != nil {
			return 0, nil, err
		}
		switch kind {
		case 'N':
		case 'E':
			r, err := parseReport(body)
			if err != nil {
				return 0, nil, err
			}
			return 0, nil, up.loginError(r)
		default:
			return kind, body, nil
		}
	}
}

// loginError is what the client reads when the server ends the login. Errors
// about what the client asked for are passed on, as long as they do not name
// the user, which is the gateway's.
func (up *upstream) loginError(r report) error {
	refusal := &policy.Refusal{
		Kind:   policy.Unavailable,
		Public: fmt.Sprintf("target %q refused the gateway's login (SQLSTATE %s)", up.target.name, r.get('C')),
		Hint:   "The gateway's log says why.",
		Err:    errors.New(r.get('M')),
	}
	public := up.known || r.get('C') == "53300" || r.get('C') == "57P03"
	if text := r.get('M') + "\n" + r.get('D'); public && !strings.Contains(text, up.lease.Username) {
		return &serverError{r, refusal}
	}
	return refusal
}

// serverError is an error of the server's that the client may read as it is.
type serverError struct {
	report
	refusal *policy.Refusal
}

// Error is for the log.
func (e *serverError) Error() string { return e.refusal.Error() }

// Unwrap gives the refusal that stands for it in metrics.
func (e *serverError) Unwrap() error { return e.refusal }

// say writes one message to the server's buffer; the next receive sends it.
func (up *upstream) say(m pgproto3.FrontendMessage) error {
	return send(up.out, m)
}

// close ends the connection as a client does.
func (up *upstream) close() {
	if !up.torn {
		_ = up.conn.SetDeadline(time.Now().Add(closing))
		_ = up.say(&pgproto3.Terminate{})
		_ = up.out.flush()
	}
	_ = up.conn.Close()
}

// md5Answer is the md5 challenge's answer.
// PostgreSQL 17, protocol-flow.html#PROTOCOL-FLOW-START-UP.
func md5Answer(lease *credential.Lease, salt []byte) string {
	inner := md5.Sum([]byte(lease.Secret.Reveal() + lease.Username))
	outer := md5.Sum(append([]byte(hex.EncodeToString(inner[:])), salt...))
	return "md5" + hex.EncodeToString(outer[:])
}
