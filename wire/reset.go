package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// reset undoes what a session has left in the server's, so that the connection
// is as after its login. It is called where nothing is outstanding and no
// transaction is open.
// PostgreSQL 17, sql-discard.html.
func (up *upstream) reset() error {
	ctx, cancel := context.WithTimeout(context.Background(), resetTime)
	defer cancel()
	_ = up.conn.SetDeadline(time.Time{})
	up.in.partner = up.out
	if _, err := up.query(ctx, "DISCARD ALL"); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	// A role's or a database's own settings are applied at login, and DISCARD ALL
	// returns to them, but not to these.
	settings, err := up.query(ctx, "SELECT c FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c")
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	for _, row := range settings {
		if name, _, _ := strings.Cut(row[0], "="); unresettable(strings.ToLower(name)) {
			return errors.New("reset: a role or database has a setting that DISCARD ALL does not return to")
		}
	}
	return up.untouched(ctx)
}

// ping reports whether the server of a waiting connection still answers, and
// takes in what it has to say of settings.
func (up *upstream) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), pingTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = up.conn.SetDeadline(past) })
	defer stop()
	if err := writeHeader(up.out, 'S', 0); err != nil {
		return err
	}
	if _, err := up.results(); err != nil {
		return err
	}
	if !stop() {
		return ctx.Err()
	}
	return up.untouched(ctx)
}

// untouched reports a connection that waits in a transaction, or that a deadline hit.
func (up *upstream) untouched(ctx context.Context) error {
	if up.status != 'I' || !up.idle() {
		return errors.New("the server is not idle")
	}
	return ctx.Err()
}

// idle reports whether nothing is half read or half sent, and gives the buffers
// back.
func (up *upstream) idle() bool {
	up.in.release()
	if up.in.in.buffered() > 0 || up.out.b != nil {
		return false
	}
	up.in.in.giveBack()
	return true
}

// takeBack gives the upstream connection to the pool. False, it is to be closed:
// the session did not end between transactions with all answered, or has done
// what DISCARD ALL does not undo.
func (s *Session) takeBack() bool {
	p := s.target.pool
	if p == nil || !s.rested || s.lasting || !s.pipe.settled() || !pooled(s.up.startup) || !s.up.idle() {
		return false
	}
	p.takeBack(s.up)
	return true
}
