package credential

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sallyport/secret"
)

// releaseTimeout bounds Release: a session that ends does not wait for a store
// that does not answer.
const releaseTimeout = 10 * time.Second

// Lease is a credential lent to one session, and given back with Release.
type Lease struct {
	Username string      // "" for a key
	Secret   secret.Text // the password or the key
	Ref      string      // where it came from
	Version  string      // the store's version of it; "" when it has none

	Fields map[string]secret.Text // of a lease of several fields

	once    sync.Once
	release func(ctx context.Context) error
	err     error
}

// ForOneSession makes l a lease of one session: release gives it back.
func ForOneSession(l *Lease, release func(context.Context) error) *Lease {
	l.release = release
	return l
}

// PerSession reports whether the credential was made for one session: nothing
// that is logged in with it outlives that session.
func (l *Lease) PerSession() bool { return l != nil && l.release != nil }

// Release gives the credential back: one that was made for this session is
// revoked. It is safe on nil, and a second call does nothing more than the
// first. It goes on when ctx has ended, for ten seconds at most: the end of a
// session is when it is called.
func (l *Lease) Release(ctx context.Context) error {
	if l == nil || l.release == nil {
		return nil
	}
	l.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		if err := l.release(ctx); err != nil {
			l.err = fmt.Errorf("release %s: %w", l.Ref, err)
		}
	})
	return l.err
}
