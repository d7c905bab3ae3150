package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/limit"
	"sallyport/policy"
)

// Needs is everything this room wants from outside; needs.go says what each owes.
type Needs struct {
	Identifier Identifier
	Scram      Tokens // nil: no login by SCRAM
	Access     Access
	Lender     Lender
	Judge      Judge
	Journal    Journal
}

// maxFailures is how many logins of an address may fail in a limit.Window.
const maxFailures = 30

// maxStrays is how many cancel requests of an address may name a session that
// isn't there, in a limit.Window: late ones are common, and a key has 32 bits.
const maxStrays = 120

// Config is what a Server is made of.
type Config struct {
	Targets  map[string]Target
	TLS      *tls.Config // nil: plaintext, for a listener on loopback
	OAuth    OAuth
	Login    time.Duration // from accept to ready; 30 s if zero
	Needs    Needs
	NewID    func() string // a new session's id
	Now      func() time.Time
	Log      zerolog.Logger
	Registry prometheus.Registerer
}

// Server accepts PostgreSQL clients.
type Server struct {
	targets  map[string]*target
	hosts    map[string]*target // by the names clients give for TLS
	tls      *tls.Config
	oauth    OAuth
	login    time.Duration // from accept to ready
	needs    Needs
	newID    func() string
	now      func() time.Time
	log      zerolog.Logger
	metrics  *metrics
	cancels  cancels
	tries    *limit.Tries // logins that failed
	strays   *limit.Tries // cancel requests with a key of nobody's
	open     openSessions
	draining context.Context // over once sessions shall end when idle
	drain    context.CancelFunc
}

// New checks the configuration and makes a Server of it.
func New(cfg Config) (*Server, error) {
	s := &Server{
		targets: make(map[string]*target, len(cfg.Targets)), tls: cfg.TLS, oauth: cfg.OAuth, login: cmp.Or(cfg.Login, loginTimeout),
		needs: cfg.Needs, newID: cfg.NewID, now: cfg.Now, log: cfg.Log,
		cancels: cancels{byPID: map[uint32][]held{}}, tries: limit.NewTries(maxFailures, cfg.Now),
		strays: limit.NewTries(maxStrays, cfg.Now),
	}
	s.metrics = newMetrics(cfg.Registry)
	for name, t := range cfg.Targets {
		ready, err := newTarget(name, t)
		if err != nil {
			return nil, fmt.Errorf("postgres.%s: %w", name, err)
		}
		ready.count = s.metrics.of(name)
		s.targets[name] = ready
	}
	var err error
	if s.hosts, err = newHosts(cfg.Targets, s.targets); err != nil {
		return nil, err
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	for name, t := range s.targets {
		t.pool = newPool(s, t, cfg.Targets[name].Pool)
	}
	if s.tls != nil {
		s.tls = listenerTLS(s.tls)
	}
	return s, nil
}

// Serve accepts clients until ctx ends, then lets sessions finish what they are
// doing, and cuts them when cut ends. It returns after all have ended.
func (s *Server) Serve(ctx, cut context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		s.drain()
		_ = ln.Close()
	})
	defer stop()
	defer s.servePools()()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer s.drain()
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept: %w", err)
		default:
			// Out of descriptors, most likely: those who are in go on.
			s.log.Error().Err(err).Msg("accept failed")
			pause(ctx, 100*time.Millisecond)
			continue
		}
		sessions.Go(func() { s.serve(cut, conn) })
	}
}

// servePools looks after the targets' pools until the draining begins; what it
// returns closes them, after the last session.
func (s *Server) servePools() (closePools func()) {
	var rounds sync.WaitGroup
	for _, t := range s.targets {
		if t.pool != nil {
			rounds.Go(t.pool.serve)
		}
	}
	return func() {
		rounds.Wait()
		for _, t := range s.targets {
			if t.pool != nil {
				t.pool.close()
			}
		}
	}
}

// serve carries one connection and keeps its faults to itself.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	s.metrics.active.Inc()
	defer s.metrics.active.Dec()
	session := &Session{
		server: s, id: s.newID(), raw: conn, conn: conn, address: host(conn.RemoteAddr()),
		pipe: newPipeline(), began: s.now(),
	}
	session.out = &outbox{conn: lateConn{session}}
	// The connection may have become TLS on the way.
	defer func() { _ = session.conn.Close() }()
	if err := guarded(func() error { return session.Serve(ctx) }); err != nil {
		level := zerolog.DebugLevel // clients come and go
		if !isConnError(err) {
			level = zerolog.ErrorLevel
		}
		session.log().WithLevel(level).Err(err).Msg("session failed")
	}
}

// openSessions are the sessions under way, by id, and how to end each.
type openSessions struct {
	mu  sync.Mutex
	end map[string]context.CancelCauseFunc
}

func (o *openSessions) add(id string, end context.CancelCauseFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end == nil {
		o.end = map[string]context.CancelCauseFunc{}
	}
	o.end[id] = end
}

func (o *openSessions) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.end, id)
}

// Kill ends a session at once, whatever it is doing, and reports whether it was
// open here.
func (s *Server) Kill(session string) bool {
	s.open.mu.Lock()
	end := s.open.end[session]
	s.open.mu.Unlock()
	if end == nil {
		return false
	}
	end(&policy.Refusal{Kind: policy.ShuttingDown, Public: "terminating connection due to administrator command"})
	return true
}

// lateConn writes to whatever connection the session has by now: plain, then TLS.
type lateConn struct{ session *Session }

func (c lateConn) Write(p []byte) (int, error) { return c.session.conn.Write(p) }

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// host is an address without its port.
func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}

// question is what is asked of every statement of a session.
func (s *Session) question() policy.Question {
	return policy.Question{Caller: s.caller, Target: s.target.name, Time: s.server.now(), Since: s.began}
}
