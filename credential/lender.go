package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/policy"
)

// fetchTimeout bounds one fetch, logging in to the store included.
const fetchTimeout = 10 * time.Second

// refused is all that a client learns.
const refused = "the credential for this target could not be fetched"

// Lender lends credentials from every provider. It is safe for concurrent use.
type Lender struct {
	sources map[string]source
	metrics *metrics
}

// New makes a lender. v is [vault], nil when there is none; relative paths, in
// it and in file:// references, start from the folder base. Nothing is fetched
// or logged in to before the first lease.
func New(v *Vault, base string) (*Lender, error) {
	l := &Lender{sources: make(map[string]source, len(providers)), metrics: newMetrics()}
	for scheme, p := range providers {
		s, err := p.open(settings{vault: v, base: base})
		if err != nil {
			return nil, fmt.Errorf("%s credentials: %w", scheme, err)
		}
		l.sources[scheme] = s
	}
	return l, nil
}

// Login lends a username and a password: the fields of those names. Its error
// is a *policy.Refusal.
func (l *Lender) Login(ctx context.Context, ref Ref) (*Lease, error) {
	if err := ref.CheckLogin(); err != nil {
		return nil, refuse(err)
	}
	return l.lend(ctx, ref, func(m *material, lease *Lease) (err error) {
		if lease.Username, err = m.plain("username"); err != nil {
			return err
		}
		lease.Secret, err = m.field("password")
		return err
	})
}

// Key lends one value: the field that ref names, or the whole text. Its error
// is a *policy.Refusal.
func (l *Lender) Key(ctx context.Context, ref Ref) (*Lease, error) {
	if err := ref.CheckKey(); err != nil {
		return nil, refuse(err)
	}
	return l.lend(ctx, ref, func(m *material, lease *Lease) (err error) {
		if ref.Field == "" {
			lease.Secret, err = m.whole()
		} else {
			lease.Secret, err = m.field(ref.Field)
		}
		return err
	})
}

// lend fetches what ref names and lets take pick from it.
func (l *Lender) lend(ctx context.Context, ref Ref, take func(*material, *Lease) error) (_ *Lease, err error) {
	s, ok := l.sources[ref.Scheme]
	if !ok {
		return nil, refuse(errNotRef)
	}
	begin := time.Now()
	defer func() { l.metrics.fetched(ref.Scheme, time.Since(begin), err) }()
	within, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	m, err := s.fetch(within, ref)
	if err != nil {
		return nil, refuse(fmt.Errorf("fetch %s: %w", ref, err))
	}
	lease := &Lease{Ref: ref.String(), Version: m.version, release: m.release}
	if err := take(m, lease); err != nil {
		// What cannot be used is given back at once.
		return nil, refuse(errors.Join(fmt.Errorf("fetch %s: %w", ref, err), lease.Release(ctx)))
	}
	return lease, nil
}

// refuse hides err from the client and keeps it for the log.
func refuse(err error) error {
	return &policy.Refusal{Kind: policy.Unavailable, Public: refused, Err: err}
}
