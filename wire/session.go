package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/rs/zerolog"

	"sallyport/policy"
	"sallyport/recorder"
)

// Session is one client connection.
type Session struct {
	server  *Server
	id      string
	raw     net.Conn  // to the client; where deadlines are set
	conn    net.Conn  // the same; TLS once started
	secure  bool      // conn is TLS
	binding []byte    // of that TLS, for SCRAM; nil: it has none
	address string    // the client's, without port
	minor   int       // of protocol 3, as agreed: 0 or 2
	began   time.Time // when it connected
	in      *stream   // from the client
	out     *outbox   // to the client; the server loop's alone during the relay

	caller    policy.Caller
	target    *target
	up        *upstream
	recording Recording
	pipe      *pipeline
	kept      kept        // what SQL prepared and declared
	blank     Reading     // of an empty text: what SQL names without our knowing is read as this
	left      atomic.Bool // the client ended the session
	torn      bool        // the client saw half a message: nothing can be said any more

	// The client loop's own.
	count   int64   // statements recorded
	within  *Inside // the transaction, where it was asked
	lasting bool    // something ran that DISCARD ALL may not undo

	// The server loop's own.
	rested  bool     // it was stopped between two messages
	head    *awaited // the message being answered, as far as known
	row     []byte   // scratch for masked rows
	changed func()   // to call when the transaction that changed definitions ends
	touched bool     // the transaction reached protected columns: a deferred check can still quote them
}

// Times in which a peer must act. Only the first can be felt by a user.
const (
	loginTimeout = 30 * time.Second // from accept to ready
	closing      = 5 * time.Second  // for what is said and given back at the end
)

// past frees a blocked read or write when set as a deadline.
var past = time.Unix(1, 0)

// errLeft says that the client closed the connection or sent Terminate.
var errLeft = errors.New("the client left")

// Serve carries one client connection from its first byte to its last.
func (s *Session) Serve(ctx context.Context) error {
	err := apart(func() error { return s.enter(ctx) }) // who asks, for what
	if s.recording == nil {
		return err
	}
	defer s.close()
	if err == nil {
		err = s.relay(ctx) // one loop each way, until either ends
	}
	return s.bid(ctx, err)
}

// apart runs f on a stack of its own: what TLS and the logins need of one is not
// kept for as long as the session lasts.
func apart(f func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = guarded(f)
	}()
	<-done
	return err
}

// enter carries the client to its first ReadyForQuery. Without a recording it
// has not come so far, and was told why.
func (s *Session) enter(ctx context.Context) error {
	login, cancel := context.WithTimeoutCause(ctx, s.server.login, &policy.Refusal{Kind: policy.Timeout, Public: "the login took too long"})
	defer cancel()
	stop := context.AfterFunc(login, func() { _ = s.raw.SetDeadline(past) })
	defer stop()

	hello, err := s.greet(login) // TLS, then StartupMessage or CancelRequest
	if err != nil {
		return s.refuse(login, err)
	}
	s.out.conn = direct(s.conn) // whatever the connection has become
	s.in = newStream(s.conn, s.out)
	if hello.cancel != nil {
		return s.server.cancel(login, hello.cancel, s.address)
	}
	if s.caller, err = s.identify(login, hello); err != nil { // the password is a gateway token
		return s.refuse(login, err)
	}
	if err = s.dial(login, hello); err != nil { // grant, lease, log in upstream, open the recording
		return s.refuse(login, err)
	}
	if err = s.welcome(); !stop() && !isRefusal(err) { // what the server said at login
		err = context.Cause(login)
	}
	if err == nil {
		s.blank = s.server.needs.Judge.Judge(ctx, s.question(), "", nil)
	}
	return err
}

// dial checks the grant, logs in upstream and opens the recording.
func (s *Session) dial(ctx context.Context, h *hello) error {
	t, err := s.server.find(h, s.tlsState().ServerName)
	if err != nil {
		return err
	}
	if !s.server.needs.Access.Allows(s.caller.Principal, t.name) {
		return &policy.Refusal{
			Kind:   policy.Denied,
			Public: fmt.Sprintf("no grant for target %q", t.name),
			Hint:   "Ask the gateway's owner for a [[grant]].",
		}
	}
	params, err := t.startupParams(h)
	if err != nil {
		return err
	}
	up, err := s.server.dial(ctx, t, params)
	if err != nil {
		return err
	}
	defer func() {
		if s.recording == nil {
			up.close()
			s.server.giveBack(up.lease)
		}
	}()
	s.target, s.up = t, up
	recording, err := s.server.needs.Journal.Begin(ctx, recorder.Opening{
		Session: s.id, Protocol: recorder.Postgres, Target: t.name,
		Subject: s.caller.Subject, Issuer: s.caller.Issuer, Groups: s.caller.Groups, Token: s.caller.Token,
		Address: s.caller.Address, User: h.user, Application: valueOf(h.params, "application_name"),
		Credential: up.lease.Ref, SecretVersion: up.lease.Version,
	})
	if err != nil {
		return fmt.Errorf("open recording: %w", err)
	}
	s.recording = recording
	return nil
}

// log is the log with what is known of the session.
func (s *Session) log() *zerolog.Logger {
	c := s.server.log.With().Str("session", s.id)
	if s.target != nil {
		c = c.Str("who", s.caller.Subject).Str("target", s.target.name)
	}
	log := c.Logger()
	return &log
}

// welcome tells the client what the server told us, with a cancel key of ours.
func (s *Session) welcome() error {
	key := s.server.cancels.add(s.up, s.minor)
	_ = s.say(&pgproto3.AuthenticationOk{})
	for _, p := range s.up.params {
		if err := s.target.pins(p.name, p.value); err != nil {
			return err
		}
		_ = s.say(&pgproto3.ParameterStatus{Name: p.name, Value: p.value})
	}
	if len(s.up.key) > 0 {
		_ = writeMessage(s.out, 'K', append(binary.BigEndian.AppendUint32(nil, key.pid), key.secret...))
	}
	_ = s.say(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	s.log().Info().Msg("session opened")
	return s.out.flush()
}

// close ends what dial began.
func (s *Session) close() {
	s.server.cancels.remove(s.up)
	if s.takeBack() {
		return // its lease is for all sessions, and has no end
	}
	s.up.close()
	s.server.giveBack(s.up.lease)
}

// relay runs one loop each way until either ends, and returns why.
func (s *Session) relay(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	freed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(freed)
		s.pipe.end()
		_ = s.raw.SetDeadline(past)
		_ = s.up.conn.SetDeadline(past)
	})
	stop := context.AfterFunc(s.server.draining, func() { s.finish(cancel, shuttingDown()) })
	defer stop()
	defer s.watch(cancel)()
	s.server.open.add(s.id, cancel)
	defer s.server.open.remove(s.id)

	s.in.partner, s.up.in.partner = s.up.out, s.out
	left := make(chan struct{})
	go func() {
		defer close(left)
		err := guarded(func() error { return s.fromClient(ctx) })
		if errors.Is(err, errLeft) {
			err = s.leave(err)
		}
		if err != nil {
			cancel(err)
		}
	}()
	err := guarded(func() error { return s.fromServer(ctx) })
	if s.left.Load() {
		err = errLeft
	}
	cancel(err) // no answers, no session
	<-left
	<-freed // the connections are used again
	return context.Cause(ctx)
}

// finish ends the session as soon as nothing is under way.
func (s *Session) finish(cancel context.CancelCauseFunc, why error) {
	if s.pipe.finish(why) {
		cancel(why)
	}
}

// leave passes the client's end on to the server, which finishes what it has
// begun: the server loop ends when the server does.
func (s *Session) leave(why error) error {
	s.left.Store(true)
	if s.target.pool != nil && !s.lasting && s.pipe.settled() {
		return why // the server need not hear of it
	}
	_ = s.up.say(&pgproto3.Terminate{})
	if err := s.up.out.flush(); err != nil {
		return why
	}
	return nil
}

// guarded turns a panic into an error: it ends this session and no other.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

// bid records how the session ended and tells a client that is still there.
func (s *Session) bid(ctx context.Context, why error) error {
	if errors.Is(why, context.Canceled) {
		why = shuttingDown() // the drain was cut
	}
	left := s.pipe.drop()
	if len(left) > 0 && isRefusal(why) && len(s.up.key) > 0 {
		// We end it, and what it is doing: the server would not notice before it is done.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err := interrupt(within, s.up); err != nil {
			s.log().Warn().Err(err).Msg("running statement not interrupted")
		}
	}
	for _, a := range left {
		if a.id != 0 && !a.ours {
			a.message = "the session ended before the answer"
			if err := s.recordOutcome(a); err != nil {
				why = errors.Join(why, err)
				break
			}
		}
	}
	reason := endReason(why)
	if err := s.recording.End(recorder.Closing{Reason: reason}); err != nil {
		s.log().Error().Err(err).Msg("recording not ended")
	}
	s.server.metrics.sessions.WithLabelValues(s.target.name, reason).Inc()
	s.log().Info().Str("end", reason).Msg("session closed")
	switch reason {
	case "client left", "server left":
		_ = s.out.flush()
		return nil
	}
	return s.refuse(ctx, why)
}

// endReason names the end of a session, for the record and the metric.
func endReason(err error) string {
	var refusal *policy.Refusal
	switch {
	case err == nil, errors.Is(err, errLeft):
		return "client left"
	case errors.Is(err, errServerLeft):
		return "server left"
	case errors.As(err, &refusal):
		return refusal.Kind.String()
	case isConnError(err):
		return "connection lost"
	}
	return policy.Internal.String()
}

// isConnError reports whether err is a peer's connection breaking.
func isConnError(err error) bool {
	var op net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &op)
}

// refuse says FATAL to the client, if it can still be told, and returns what is
// left for the log: nil for an ordinary refusal.
func (s *Session) refuse(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !isRefusal(err) {
		err = cause
	}
	if !isRefusal(err) && isConnError(err) {
		return err // nobody is there
	}
	if errors.Is(err, context.Canceled) {
		err = shuttingDown()
	}
	refusal := policy.AsRefusal(err)
	s.server.metrics.refusals.WithLabelValues(refusal.Kind.String()).Inc()
	s.log().Warn().Str("kind", refusal.Kind.String()).Str("rule", refusal.Rule).Err(refusal.Err).Msg(refusal.Public)
	if refusal.Kind == policy.Internal {
		refusal = &policy.Refusal{Kind: refusal.Kind, Public: refusal.Public, Detail: "session " + s.id}
	}
	var stray unsaid
	if !s.torn && !errors.As(err, &stray) {
		_ = s.raw.SetDeadline(time.Now().Add(closing))
		var theirs *serverError
		if errors.As(err, &theirs) {
			_ = writeMessage(s.out, 'E', theirs.encode())
		} else {
			_ = s.say(errorResponse(refusal, "FATAL"))
		}
		_ = s.out.flush()
	}
	return nil
}

func isRefusal(err error) bool {
	var refusal *policy.Refusal
	return errors.As(err, &refusal)
}

func shuttingDown() *policy.Refusal {
	return &policy.Refusal{Kind: policy.ShuttingDown, Public: "terminating connection: the gateway is shutting down"}
}
