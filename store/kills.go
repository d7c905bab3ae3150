package store

import (
	"context"
	"fmt"
	"time"
)

// killsKept is how long a wish to end a session is remembered: whichever
// gateway has the session looks far more often.
const killsKept = time.Hour

// Kill asks whichever gateway has the session to end it.
func (s *Store) Kill(ctx context.Context, session string) error {
	now := time.Now()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM kill WHERE at < ?`, now.Add(-killsKept).UnixMilli()); err != nil {
		return fmt.Errorf("kill session: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `INSERT INTO kill (session, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at`, session, now.UnixMilli()); err != nil {
		return fmt.Errorf("kill session: %w", err)
	}
	return nil
}

// Killed lists the sessions that shall end, asked for at since or later.
func (s *Store) Killed(ctx context.Context, since time.Time) (sessions []string, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT session FROM kill WHERE at >= ?`, since.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list kills: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var session string
		if err := rows.Scan(&session); err != nil {
			return nil, fmt.Errorf("list kills: %w", err)
		}
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}
