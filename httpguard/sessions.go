package httpguard

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"sallyport/policy"
	"sallyport/recorder"
)

// idleSession is how long a session waits for its next exchange.
const idleSession = 15 * time.Minute

// sessions groups the exchanges of one principal, from one address, with one
// target into one recording.
type sessions struct {
	journal Journal
	newID   func() string
	log     zerolog.Logger
	metrics *metrics

	mu     sync.Mutex
	open   map[sessionKey]*session
	count  int           // sessions whose recording has not ended yet, those no longer in open included
	closed chan struct{} // not nil: no more sessions; closed when count is zero
}

type sessionKey struct{ issuer, subject, token, address, target string }

// session is one recording and the exchanges in it.
type session struct {
	id   string
	key  sessionKey
	last atomic.Int64 // number of the latest exchange

	begin     sync.Once
	recording Recording
	err       error // of begin

	kept kept // values that come back

	broken atomic.Bool // a write failed: nothing more can be recorded here

	// Under sessions.mu:
	running int         // exchanges
	joins   int         // exchanges there ever were
	timer   *time.Timer // ends the session when nothing joins it
}

func newSessions(journal Journal, newID func() string, log zerolog.Logger, m *metrics) *sessions {
	return &sessions{journal: journal, newID: newID, log: log, metrics: m, open: map[sessionKey]*session{}}
}

// join finds or begins the session that opening describes. Each join wants a
// leave.
func (all *sessions) join(ctx context.Context, o recorder.Opening) (*session, error) {
	key := sessionKey{o.Issuer, o.Subject, o.Token, o.Address, o.Target}
	all.mu.Lock()
	if all.closed != nil {
		all.mu.Unlock()
		return nil, &policy.Refusal{Kind: policy.ShuttingDown, Public: "the gateway is shutting down"}
	}
	s := all.open[key]
	if s == nil {
		s = &session{id: all.newID(), key: key}
		all.open[key] = s
		all.count++
		all.metrics.sessions.Inc()
	}
	s.running++
	s.joins++
	if s.timer != nil {
		s.timer.Stop()
	}
	all.mu.Unlock()

	joined := false
	defer func() { // an error of Begin, or a panic
		if !joined {
			s.broken.Store(true)
			all.leave(s)
		}
	}()
	s.begin.Do(func() {
		o.Session = s.id
		s.recording, s.err = all.journal.Begin(context.WithoutCancel(ctx), o)
	})
	if s.err != nil {
		return nil, unrecorded(s.err)
	}
	joined = true
	return s, nil
}

// leave ends one exchange's part in the session. A broken session ends with its
// last exchange, any other after a while.
func (all *sessions) leave(s *session) {
	all.mu.Lock()
	s.running--
	if s.broken.Load() && all.open[s.key] == s {
		delete(all.open, s.key) // the next exchange begins another
	}
	ends := s.running == 0 && (all.closed != nil || all.open[s.key] != s)
	if s.running == 0 && !ends {
		joins := s.joins
		s.timer = time.AfterFunc(idleSession, func() { all.expire(s, joins) })
	}
	if ends && all.open[s.key] == s {
		delete(all.open, s.key)
	}
	all.mu.Unlock()
	if ends {
		all.end(s, "the gateway shut down")
	}
}

// expire ends a session whose timer ran out, unless it was used since.
func (all *sessions) expire(s *session, joins int) {
	all.mu.Lock()
	mine := s.joins == joins && all.open[s.key] == s
	if mine {
		delete(all.open, s.key)
	}
	all.mu.Unlock()
	if mine {
		all.end(s, "idle")
	}
}

// end ends the recording of a session that is no longer open.
func (all *sessions) end(s *session, reason string) {
	if s.err == nil && s.recording != nil { // begin neither failed nor panicked
		if s.broken.Load() {
			reason = "the recording failed"
		}
		if err := s.recording.End(recorder.Closing{Reason: reason}); err != nil {
			all.log.Error().Err(err).Str("session", s.id).Msg("end the recording")
		}
	}
	all.metrics.sessions.Dec()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.count--; all.count == 0 && all.closed != nil {
		close(all.closed)
	}
}

// close ends every session, those with running exchanges when they have left.
func (all *sessions) close(ctx context.Context) error {
	all.mu.Lock()
	if all.closed != nil {
		done := all.closed
		all.mu.Unlock()
		return wait(ctx, done)
	}
	all.closed = make(chan struct{})
	done := all.closed
	if all.count == 0 {
		close(done)
	}
	var idle []*session
	for key, s := range all.open {
		if s.running == 0 {
			s.timer.Stop()
			delete(all.open, key)
			idle = append(idle, s)
		}
	}
	all.mu.Unlock()
	for _, s := range idle {
		all.end(s, "the gateway shut down")
	}
	return wait(ctx, done)
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for running exchanges: %w", ctx.Err())
	}
}

// number is the next exchange's.
func (s *session) number() int64 { return s.last.Add(1) }

// write records an event. After a failure the session takes no more.
func (s *session) write(e recorder.Event) error {
	if err := s.recording.Write(e); err != nil {
		s.broken.Store(true)
		return err
	}
	return nil
}
