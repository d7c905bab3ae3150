package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// busy is how many milliseconds a connection waits for another's lock.
const busy = "5000"

// Store is the open state database.
type Store struct{ db *sql.DB }

// Open opens the database, makes it when there is none, and brings its tables
// up to date. The DSN is "sqlite:PATH".
func Open(ctx context.Context, dsn string) (*Store, error) {
	scheme, path, found := strings.Cut(dsn, ":")
	switch {
	case !found:
		return nil, fmt.Errorf("database %q: want sqlite:PATH", dsn)
	case scheme == "postgres", scheme == "postgresql": // the DSN may hold a password: not in the error
		return nil, errors.New("a postgres:// database is known, but not built yet: use sqlite:PATH")
	case scheme != "sqlite":
		return nil, fmt.Errorf("database %q: unknown scheme: use sqlite:PATH", scheme+":")
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok && strings.HasPrefix(rest, "/") {
		path = rest
	}
	if path == "" {
		return nil, errors.New("database: sqlite: names no file")
	}
	db, err := openSQLite(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return &Store{db: db}, nil
}

// openSQLite makes the file the owner's alone before SQLite sees it: the files
// SQLite puts beside it get the same mode.
func openSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// _txlock: a transaction takes the write lock at BEGIN, where waiting for
	// it is possible; taken later it could only fail.
	return sql.Open("sqlite3", (&url.URL{
		Scheme: "file",
		Path:   path,
		RawQuery: url.Values{
			"_journal_mode": {"WAL"},
			"_synchronous":  {"FULL"},
			"_busy_timeout": {busy},
			"_foreign_keys": {"on"},
			"_txlock":       {"immediate"},
		}.Encode(),
	}).String())
}

// DB is the handle.
func (s *Store) DB() *sql.DB { return s.db }

// Close closes the handle.
func (s *Store) Close() error { return s.db.Close() }
