package wire

import (
	"context"
	"time"

	"sallyport/identity"
	"sallyport/policy"
)

// watch ends the session when its token expires or nobody uses it for too long.
// The function it returns stops the watch.
func (s *Session) watch(cancel context.CancelCauseFunc) (stop func()) {
	var timers []*time.Timer
	if expires := s.caller.Expires; !expires.IsZero() {
		timers = append(timers, time.AfterFunc(time.Until(expires), func() { s.finish(cancel, s.expired()) }))
	}
	limits := map[byte]time.Duration{'I': s.target.idle, 'T': s.target.idleTx, 'E': s.target.idleTx}
	if s.target.idle > 0 || s.target.idleTx > 0 {
		timers = append(timers, s.watchIdle(cancel, limits))
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// expired is the end of what let the client in.
func (s *Session) expired() *policy.Refusal {
	if s.caller.Issuer == identity.IssuerCertificate {
		return &policy.Refusal{Kind: policy.Unauthenticated, Public: "the client certificate has expired", Hint: "Connect again with a new one."}
	}
	return &policy.Refusal{
		Kind: policy.Unauthenticated, Public: "the gateway token has expired", Hint: "Connect again with a new token.",
	}
}

// watchIdle looks again when the limit could next be reached.
func (s *Session) watchIdle(cancel context.CancelCauseFunc, limits map[byte]time.Duration) *time.Timer {
	shortest := s.target.idle
	if s.target.idleTx > 0 && (shortest == 0 || s.target.idleTx < shortest) {
		shortest = s.target.idleTx
	}
	var timer *time.Timer
	ready := make(chan struct{}) // timer is set
	timer = time.AfterFunc(shortest, func() {
		<-ready
		idle, status := s.pipe.idle(time.Now())
		limit := limits[status]
		switch {
		case limit > 0 && idle >= limit:
			cancel(idleRefusal(status))
		case limit > 0:
			timer.Reset(limit - idle)
		default:
			timer.Reset(shortest)
		}
	})
	close(ready)
	return timer
}

// idleRefusal says which of the two limits it was.
func idleRefusal(status byte) *policy.Refusal {
	if status == 'I' {
		return &policy.Refusal{Kind: policy.Idle, Public: "terminating connection due to idle-session timeout"}
	}
	return &policy.Refusal{Kind: policy.IdleTransaction, Public: "terminating connection due to idle-in-transaction timeout"}
}
