package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/pgserver"
)

// guardWorld is a server of its own, on which nothing happens by itself, and a
// gateway before it that logs in as superuser: no privilege stops anything.
type guardWorld struct {
	direct  *pgconn.PgConn
	address string // of the gateway
	server  *pgserver.Server
}

const guardToken = "spt_guard"

// guardGateway has a target for each pack, all of them the same database.
const guardGateway = `
[listen]
postgres = "127.0.0.1:0"
http = "off"
console = "off"
metrics = "off"
[[token]]
subject = "agent"
sha256 = "%s"
[[grant]]
who = ["subject:*"]
targets = ["*"]
`

// guardPacks are the targets of the gateway, each under the pack of its name.
var guardPacks = []string{"no-destructive", "read-only", "no-ddl", "no-unbounded", "no-dynamic", "no-side-doors", "free"}

// newGuardWorld fills a database with testdata/sqlguard/verdicts.sql and some
// rows, and starts the gateway.
func newGuardWorld(t *testing.T) *guardWorld {
	t.Helper()
	server, err := pgserver.Start(t.Context(), pgserver.Options{Settings: map[string]string{
		"autovacuum": "off", "wal_level": "logical", "max_prepared_transactions": "4", "fsync": "off",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	w := &guardWorld{server: server, direct: connected(t, server.DSN("postgres"))}
	schema, err := os.ReadFile("../../testdata/sqlguard/verdicts.sql")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, string(schema))
	w.do(t, guardRows)
	w.gateway(t)
	return w
}

// guardRows is something to lose.
const guardRows = `
INSERT INTO users SELECT i, 'u' || i || '@example.com', 'User ' || i, '2024-01-01', i % 2 = 0, 'user' FROM generate_series(1, 5) i;
INSERT INTO customers SELECT i, i, 'c' || i, 'DE', '{"tier": "gold"}', 'n' FROM generate_series(1, 5) i;
INSERT INTO orders SELECT i, i, 'new', i * 10, now(), 'note', false FROM generate_series(1, 5) i;
INSERT INTO notes (body, n) SELECT 'note ' || i, i FROM generate_series(1, 5) i;
INSERT INTO products SELECT i, i, ARRAY['t' || i] FROM generate_series(1, 5) i;
INSERT INTO employees SELECT i, 1, 'x' FROM generate_series(1, 5) i;
INSERT INTO sessions VALUES ('t', '2024-01-01');
INSERT INTO ruled VALUES (1, 'v');
REFRESH MATERIALIZED VIEW user_cache;
SELECT lo_from_bytea(4242, 'large');
CREATE ROLE bob;
CREATE ROLE admin;
`

func connected(t *testing.T, dsn string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// do runs SQL on the server itself.
func (w *guardWorld) do(t *testing.T, sql string) []*pgconn.Result {
	t.Helper()
	results, err := w.direct.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%v: %.200s", err, sql)
	}
	return results
}

func (w *guardWorld) gateway(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	hash := sha256.Sum256([]byte(guardToken))
	text := fmt.Sprintf(guardGateway, hex.EncodeToString(hash[:]))
	for _, pack := range guardPacks {
		text += fmt.Sprintf("[postgres.%q]\nupstream = \"%s:%d\"\ndatabase = \"postgres\"\nsslmode = \"disable\"\ncredential = \"file://login.json\"\n",
			pack, w.server.Host, w.server.Port)
		if pack != "free" {
			text += fmt.Sprintf("[[rule]]\nname = %q\ntargets = [%q]\npack = %q\n", pack, pack, pack)
		}
	}
	for name, text := range map[string]string{
		"gateway.toml": text,
		"login.json":   fmt.Sprintf(`{"username": %q, "password": %q}`, w.server.Superuser, w.server.Password),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan addresses, 1), make(chan error, 1)
	go func() { done <- serve(ctx, cfg, zerolog.Nop(), func(a addresses) { ready <- a }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		w.address = at.Postgres
	case err := <-done:
		t.Fatal(err)
	}
}

// dsn is a way through the gateway to one of its targets.
func (w *guardWorld) dsn(target string) string {
	host, port, _ := net.SplitHostPort(w.address)
	return fmt.Sprintf("host=%s port=%s dbname=%s user=agent password=%s sslmode=disable", host, port, target, guardToken)
}

// fingerprint is what the whole server holds: every row with the transaction
// that wrote it, the catalogs, roles, large objects, settings and files.
func (w *guardWorld) fingerprint(t *testing.T) string {
	t.Helper()
	var parts []string
	for _, row := range w.do(t, fingerprintTables)[0].Rows {
		parts = append(parts, string(row[0]))
	}
	if len(parts) < 40 {
		t.Fatalf("a fingerprint of %d tables only", len(parts))
	}
	parts = append(parts, fingerprintRest)
	var out strings.Builder
	for _, row := range w.do(t, strings.Join(parts, "\nUNION ALL\n"))[0].Rows {
		fmt.Fprintf(&out, "%s %s\n", row[0], row[1])
	}
	return out.String()
}

// fingerprintTables writes a query for every table of users, and for the
// catalogs that hold more than statistics.
const fingerprintTables = `
SELECT format('SELECT %L, md5(coalesce(string_agg(x::text, E''\n'' ORDER BY x::text), '''')) FROM (SELECT t.xmin, %s FROM ONLY %s t) x', c.oid::regclass,
    CASE c.relkind WHEN 'S' THEN 't.last_value, t.is_called' ELSE 't' END, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname NOT LIKE 'pg\_temp%' AND n.nspname NOT LIKE 'pg\_toast%'
  AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
ORDER BY c.oid`

const fingerprintRest = `
SELECT 'files', md5(string_agg(f, ',' ORDER BY f)) FROM (SELECT pg_ls_dir('.') f UNION ALL SELECT pg_ls_dir('pg_replslot') UNION ALL SELECT pg_ls_dir('pg_logical/snapshots')
  UNION ALL SELECT pg_read_file('postgresql.auto.conf') UNION ALL SELECT pg_read_file('pg_hba.conf')) f
UNION ALL SELECT 'slots', coalesce(string_agg(slot_name, ',' ORDER BY slot_name), '') FROM pg_replication_slots
UNION ALL SELECT 'prepared', coalesce(string_agg(gid, ',' ORDER BY gid), '') FROM pg_prepared_xacts
UNION ALL SELECT 'loaded', pg_conf_load_time()::text
UNION ALL SELECT 'locks', count(*)::text FROM pg_locks WHERE mode IN ('ExclusiveLock', 'AccessExclusiveLock') AND locktype = 'relation' AND pid <> pg_backend_pid()
UNION ALL SELECT 'statistics', (stats_reset IS NULL)::text FROM pg_stat_database WHERE datname = current_database()`

// nextTransaction grows whenever anything is written in a transaction.
func (w *guardWorld) nextTransaction(t *testing.T) string {
	t.Helper()
	return string(w.do(t, "SELECT pg_snapshot_xmax(pg_current_snapshot())")[0].Rows[0][0])
}

// differences are the lines that two fingerprints do not share.
func differences(before, after string) string {
	var out []string
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, line := range a {
		if !strings.Contains(after, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range b {
		if !strings.Contains(before, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}
