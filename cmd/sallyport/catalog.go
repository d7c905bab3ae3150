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
	catalogAge     = 5 * time.Second  // catalog_refresh by itself
	catalogTimeout = 15 * time.Second // for one load, all tries
	loadAgain      = 3                // times a load that failed is tried again

	// A lock that comes between is not waited for: the next try goes around it.
	beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '1s'"

	sideIdle = 2 * time.Second // a connection is kept between loads: PostgreSQL waits longer than that to drop its database
	sideAge  = 5 * time.Minute // and no longer, for its lease may end
)

// sides opens connections beside the sessions.
type sides interface {
	Side(ctx context.Context, target string) (*wire.Side, error)
}

// catalog keeps one target's catalog current.
type catalog struct {
	target   string
	age      time.Duration // how old it may be where it knows every name it is asked for
	turn     chan struct{} // holds one token: who has it loads
	current  atomic.Pointer[loadedCatalog]
	outdated atomic.Pointer[time.Time] // nothing loaded before holds

	// Of whoever has the turn.
	side   *wire.Side // kept from the last load
	opened time.Time
	idle   *time.Timer
	closed bool
}

type loadedCatalog struct {
	*sqlguard.Catalog
	began time.Time // it holds all that was committed before
}

func newCatalog(target string, age time.Duration) *catalog {
	if age <= 0 {
		age = catalogAge
	}
	return &catalog{target: target, age: age, turn: make(chan struct{}, 1)}
}

// known is the catalog where it is as of a moment no earlier than at; nil where
// it has to be loaded.
func (c *catalog) known(at time.Time) *sqlguard.Catalog {
	now := c.current.Load()
	if now == nil || now.began.Before(c.noEarlier(at)) {
		return nil
	}
	return now.Catalog
}

// latest is the catalog as it was loaded last, however long ago; nil if it never was.
func (c *catalog) latest() *sqlguard.Catalog {
	if now := c.current.Load(); now != nil {
		return now.Catalog
	}
	return nil
}

// noEarlier is at, or the moment when the catalog was last known to have changed.
func (c *catalog) noEarlier(at time.Time) time.Time {
	if o := c.outdated.Load(); o != nil && at.Before(*o) {
		return *o
	}
	return at
}

// since is the catalog as of a moment no earlier than at. Those who ask while
// one is being loaded wait for it, and share it where it is young enough.
func (c *catalog) since(ctx context.Context, s sides, at time.Time) (*sqlguard.Catalog, error) {
	if now := c.known(at); now != nil {
		return now, nil
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTimeout)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for catalog: %w", ctx.Err())
	}
	if now := c.known(at); now != nil {
		return now, nil
	}
	loaded, err := c.load(ctx, s)
	for range loadAgain {
		if err == nil || ctx.Err() != nil {
			break
		}
		// Another session may drop what is being read.
		loaded, err = c.load(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	c.current.Store(loaded)
	return loaded.Catalog, nil
}

// outdate makes the next who asks load it anew.
func (c *catalog) outdate() {
	now := time.Now()
	c.outdated.Store(&now)
}

// load reads the catalog in one snapshot, what has changed of it.
func (c *catalog) load(ctx context.Context, s sides) (*loadedCatalog, error) {
	side, err := c.open(ctx, s)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	cat, err := read(ctx, side, c.current.Load())
	if err != nil {
		c.drop()
		return nil, err
	}
	if c.closed {
		c.drop()
	} else {
		c.idle = time.AfterFunc(sideIdle, c.rest)
	}
	return &loadedCatalog{cat, began}, nil
}

func read(ctx context.Context, side *wire.Side, old *loadedCatalog) (*sqlguard.Catalog, error) {
	if _, err := side.Query(ctx, beginRead); err != nil {
		return nil, err
	}
	var before *sqlguard.Catalog
	if old != nil {
		before = old.Catalog
	}
	cat, err := sqlguard.Reload(ctx, side, before)
	if err != nil {
		return nil, err
	}
	_, err = side.Query(ctx, "COMMIT")
	return cat, err
}

// open is the connection to load over.
func (c *catalog) open(ctx context.Context, s sides) (*wire.Side, error) {
	if c.idle != nil {
		c.idle.Stop()
	}
	if c.side != nil && time.Since(c.opened) < sideAge {
		return c.side, nil
	}
	c.drop()
	side, err := s.Side(ctx, c.target)
	if err != nil {
		return nil, err
	}
	c.side, c.opened = side, time.Now()
	return side, nil
}

// drop ends the connection.
func (c *catalog) drop() {
	if c.side != nil {
		c.side.Close()
		c.side = nil
	}
}

// rest ends a connection that nobody has used, unless somebody does now.
func (c *catalog) rest() {
	select {
	case c.turn <- struct{}{}:
		c.drop()
		<-c.turn
	default:
	}
}

// close ends the connection when nobody loads any more.
func (c *catalog) close() {
	c.turn <- struct{}{}
	c.closed = true
	if c.idle != nil {
		c.idle.Stop()
	}
	c.drop()
	<-c.turn
}
