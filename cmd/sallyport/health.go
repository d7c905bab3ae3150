package main

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/config"
	"sallyport/console"
	"sallyport/policy"
	"sallyport/wire"
)

// How often targets are tried, and for how long each time.
const (
	healthEvery   = 30 * time.Second
	healthTimeout = 10 * time.Second
)

// health tries each target now and then: Postgres by logging in with a lease
// of its own, HTTP by connecting.
type health struct {
	tries []try
	mu    sync.Mutex
	last  map[string]console.TargetHealth
}

// try is how one target is tried.
type try struct {
	name, kind string
	reach      func(context.Context) error
}

func newHealth(cfg *config.Config, server *wire.Server) *health {
	h := &health{last: map[string]console.TargetHealth{}}
	for name := range cfg.Postgres {
		h.tries = append(h.tries, try{name, "postgres", func(ctx context.Context) error {
			side, err := server.Side(ctx, name)
			if err != nil {
				return err
			}
			side.Close()
			return nil
		}})
	}
	for name, t := range cfg.HTTP {
		h.tries = append(h.tries, try{name, "http", func(ctx context.Context) error { return reachHTTP(ctx, t.Upstream) }})
	}
	slices.SortFunc(h.tries, func(a, b try) int { return strings.Compare(a.name, b.name) })
	return h
}

// Serve tries all targets, again and again, until ctx ends.
func (h *health) Serve(ctx context.Context) error {
	ticker := time.NewTicker(healthEvery)
	defer ticker.Stop()
	for {
		var all sync.WaitGroup
		for _, t := range h.tries {
			all.Go(func() { h.try(ctx, t) })
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (h *health) try(ctx context.Context, t try) {
	within, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := t.reach(within)
	if ctx.Err() != nil {
		return
	}
	seen := console.TargetHealth{Name: t.name, Kind: t.kind, OK: err == nil, Detail: "reachable", Checked: time.Now()}
	if err != nil {
		seen.Detail = policy.AsRefusal(err).Public
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last[t.name] = seen
}

// Targets is what was last seen of each target, by name.
func (h *health) Targets() []console.TargetHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]console.TargetHealth, 0, len(h.tries))
	for _, t := range h.tries {
		seen, ok := h.last[t.name]
		if !ok {
			seen = console.TargetHealth{Name: t.name, Kind: t.kind, Detail: "not tried yet"}
		}
		out = append(out, seen)
	}
	return out
}

// reachHTTP connects to an upstream and says nothing.
func reachHTTP(ctx context.Context, upstream string) error {
	u, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return &policy.Refusal{Kind: policy.Unavailable, Public: "no connection to the upstream", Err: err}
	}
	return conn.Close()
}
