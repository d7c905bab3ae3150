package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sallyport/sqlguard"
	"sallyport/wire"
)

const (
	catalogAge     = 30 * time.Second // how old a catalog may be that knows every name it is asked for
	catalogTimeout = 15 * time.Second // for one load, all tries
	loadAgain      = 3                // times a load that failed is tried again
)

// sides opens connections beside the sessions.
type sides interface {
	Side(ctx context.Context, target string) (*wire.Side, error)
}

// catalog keeps one target's catalog current.
type catalog struct {
	target  string
	turn    chan struct{} // holds one token: who has it loads
	current atomic.Pointer[loadedCatalog]
}

type loadedCatalog struct {
	*sqlguard.Catalog
	began time.Time // it holds all that was committed before
}

func newCatalog(target string) *catalog {
	return &catalog{target: target, turn: make(chan struct{}, 1)}
}

// since is the catalog as of a moment no earlier than at. Those who ask while
// one is being loaded wait for it, and share it where it is young enough.
func (c *catalog) since(ctx context.Context, s sides, at time.Time) (*sqlguard.Catalog, error) {
	if now := c.current.Load(); now != nil && !now.began.Before(at) {
		return now.Catalog, nil
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTimeout)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for catalog: %w", ctx.Err())
	}
	if now := c.current.Load(); now != nil && !now.began.Before(at) {
		return now.Catalog, nil
	}
	loaded, err := load(ctx, s, c.target)
	for range loadAgain {
		if err == nil || ctx.Err() != nil {
			break
		}
		// Another session may drop what is being read.
		loaded, err = load(ctx, s, c.target)
	}
	if err != nil {
		return nil, err
	}
	c.current.Store(loaded)
	return loaded.Catalog, nil
}

// outdate makes the next who asks load it anew.
func (c *catalog) outdate() { c.current.Store(nil) }

// load reads the catalog over a connection of its own, in one snapshot.
func load(ctx context.Context, s sides, target string) (*loadedCatalog, error) {
	side, err := s.Side(ctx, target)
	if err != nil {
		return nil, err
	}
	defer side.Close()
	began := time.Now()
	if _, err := side.Query(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, err
	}
	cat, err := sqlguard.Load(ctx, side)
	if err != nil {
		return nil, err
	}
	return &loadedCatalog{cat, began}, nil
}
