// Package pgtest gives every test a real PostgreSQL, fast: one server for the
// test binary, started by the first test that asks, and a fresh database for
// each. In the package's tests:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestIt(t *testing.T) {
//		db := pgtest.New(t)
//		db.Exec(t, `create table users (id int, password text)`)
//		...db.DSN()...
//	}
//
// A machine without PostgreSQL fails the tests and says what to install; none
// is skipped.
package pgtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgserver"
)

// cleanupDeadline bounds what a test does after its own context has ended.
const cleanupDeadline = 10 * time.Second

// shared is the one server of this test binary.
var shared struct {
	sync.Mutex
	server *pgserver.Server
	err    error
	made   int // databases so far
}

// Main runs the tests and then stops the server, if one was started.
func Main(m *testing.M) int {
	defer func() {
		shared.Lock()
		defer shared.Unlock()
		if shared.server != nil {
			shared.server.Stop()
			shared.server = nil
		}
	}()
	return m.Run()
}

// Server is the test binary's server, with TLS on offer, started if need be.
func Server(t testing.TB) *pgserver.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		// Not the test's context: the server outlives the test.
		shared.server, shared.err = pgserver.Start(context.Background(), pgserver.Options{
			TLS:      true,
			Settings: map[string]string{"max_prepared_transactions": "10"},
		})
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// DB is one test's own database, and the superuser who owns it.
type DB struct {
	Host     string // 127.0.0.1
	Port     int
	User     string // a superuser
	Password string
	Name     string // the database
	CAFile   string // PEM of the authority that signed the server's certificate

	server *pgserver.Server
}

// New makes a database that is dropped when the test ends.
func New(t testing.TB) *DB {
	t.Helper()
	s := Server(t)
	shared.Lock()
	shared.made++
	name := fmt.Sprintf("t%d", shared.made)
	shared.Unlock()
	admin(t, s, fmt.Sprintf("create database %s template template0", name))
	t.Cleanup(func() { admin(t, s, fmt.Sprintf("drop database if exists %s with (force)", name)) })
	return &DB{
		Host: s.Host, Port: s.Port, User: s.Superuser, Password: s.Password, Name: name,
		CAFile: s.CAFile, server: s,
	}
}

// Addr is host:port.
func (db *DB) Addr() string { return fmt.Sprintf("%s:%d", db.Host, db.Port) }

// DSN is the superuser's URL, without TLS.
func (db *DB) DSN() string { return db.DSNFor(db.User, db.Password) }

// DSNFor is a role's URL, without TLS.
func (db *DB) DSNFor(role, password string) string {
	return db.server.PlainDSNFor(role, password, db.Name)
}

// Exec runs each text, which may hold several statements, as the superuser.
func (db *DB) Exec(t testing.TB, sql ...string) {
	t.Helper()
	run(t, db.DSN(), sql...)
}

// Conn is a direct connection of the superuser's, closed when the test ends.
func (db *DB) Conn(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupDeadline)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

// Role makes a role that can log in, with attrs as in CREATE ROLE ("nosuperuser
// connection limit 2"), dropped when the test ends. Roles belong to the server,
// not to the database: two tests that run at once must not use one name.
func (db *DB) Role(t testing.TB, name, password, attrs string) {
	t.Helper()
	role := pgx.Identifier{name}.Sanitize()
	db.Exec(t, fmt.Sprintf("create role %s login password '%s' %s", role, strings.ReplaceAll(password, "'", "''"), attrs))
	t.Cleanup(func() { db.Exec(t, fmt.Sprintf("drop owned by %s cascade", role), "drop role "+role) })
}

// admin runs sql in the maintenance database.
func admin(t testing.TB, s *pgserver.Server, sql string) {
	t.Helper()
	run(t, s.PlainDSNFor(s.Superuser, s.Password, "postgres"), sql)
}

// run opens one connection for all of sql. It works in cleanups, too.
func run(t testing.TB, dsn string, sql ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), cleanupDeadline*3)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, text := range sql {
		// The simple protocol: text may hold several statements.
		if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
			t.Fatalf("%v\nin: %s", err, text)
		}
	}
}
