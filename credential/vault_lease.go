package credential

import (
	"context"
	"errors"

	"github.com/hashicorp/vault/api"
)

// keeper renews one thing of Vault's until it is stopped or cannot be renewed
// any more.
type keeper struct{ watcher *api.LifetimeWatcher }

func startKeeper(client *api.Client, what *api.Secret) (*keeper, error) {
	watcher, err := client.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: what})
	if err != nil {
		return nil, errOddAnswer
	}
	go watcher.Start() // ends by Stop, or at the end of the lease
	return &keeper{watcher}, nil
}

// stop returns when the keeper has ended, or ctx has.
func (k *keeper) stop(ctx context.Context) {
	k.watcher.Stop()
	select {
	case <-k.watcher.DoneCh():
	case <-ctx.Done():
	}
}

// keep holds a lease alive, and with it the login: Vault revokes what a token
// was lent when the token ends. What it returns gives the lease back.
func (l *login) keep(found *api.Secret) (release func(context.Context) error, err error) {
	id := found.LeaseID
	lease, err := startKeeper(l.client, &api.Secret{
		LeaseID: id, LeaseDuration: found.LeaseDuration, Renewable: found.Renewable,
	})
	if err != nil {
		return nil, err
	}
	if err := l.hold(); err != nil {
		lease.watcher.Stop()
		return nil, err
	}
	return func(ctx context.Context) error {
		lease.stop(ctx) // before the revoking, so that nothing is renewed after it
		err := l.client.Sys().RevokeWithContext(ctx, id)
		l.let(ctx)
		if err != nil {
			return errors.Join(errors.New("revoke the lease (the policy needs update on sys/leases/revoke)"), explain(err))
		}
		return nil
	}, nil
}

// hold counts one more lease; the first keeps the token alive.
func (l *login) hold() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leases == 0 && l.token != nil && l.token.Auth.Renewable {
		k, err := startKeeper(l.client, l.token)
		if err != nil {
			return err
		}
		l.renew = k
	}
	l.leases++
	return nil
}

// let counts one lease less; the last lets the token go.
func (l *login) let(ctx context.Context) {
	l.mu.Lock()
	l.leases--
	k := l.renew
	if l.leases > 0 || k == nil {
		l.mu.Unlock()
		return
	}
	l.renew = nil
	l.mu.Unlock()
	k.stop(ctx)
}
