package main

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

const storedSchema = keptSchema + `CREATE TABLE plain (t text); INSERT INTO plain VALUES ('shown');
	CREATE FUNCTION word() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT email FROM users WHERE id = 1';`

// TestKeptStored puts the rows of what SQL or the protocol has prepared into
// tables, and looks at their plans.
func TestKeptStored(t *testing.T) {
	w := newMaskedWorld(t, storedSchema, keptMasks)
	conn := w.connect(t).PgConn()
	if _, err := conn.Prepare(t.Context(), "free", "SELECT t FROM plain", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Prepare(t.Context(), "held", "SELECT email FROM users", nil); err != nil {
		t.Fatal(err)
	}
	runSteps(t, conn, "simple", []insideStep{
		{"PREPARE p(int) AS SELECT t, upper(t) AS u, $1 AS n FROM plain", ""},
		{"CREATE TABLE z AS EXECUTE p(7)", ""},
		{"SELECT * FROM z", "shown|SHOWN|7"},
		{"DROP TABLE z; CREATE TEMP TABLE z AS EXECUTE p(8)", ""},
		{"SELECT * FROM z", "shown|SHOWN|8"},
		{"DROP TABLE z", ""},
		{"PREPARE q AS SELECT t FROM plain; CREATE TABLE z AS EXECUTE q; DROP TABLE z", ""},
		{"CREATE TABLE z AS EXECUTE free; DROP TABLE z", ""},
		{"CREATE TABLE z AS EXECUTE held", "42501"},
		{"CREATE TABLE z AS EXECUTE nobody", "42501"},
		{"PREPARE e AS SELECT upper(email) AS x FROM users", ""},
		{"CREATE TABLE z AS EXECUTE e", "42501"},
		{"DEALLOCATE p; PREPARE p AS SELECT email FROM users; CREATE TABLE z AS EXECUTE p", "42501"},
		{"EXECUTE p(1)", "shown|SHOWN|1"}, // nothing of it ran
		{"DEALLOCATE p; PREPARE p AS SELECT email FROM users", ""},
		{"CREATE TABLE z AS EXECUTE p", "42501"},
		{"EXPLAIN (COSTS OFF) CREATE TABLE z AS EXECUTE q", "Seq Scan on plain"},
		{"EXPLAIN CREATE TABLE z AS EXECUTE held", "42501"},
		{"EXPLAIN ANALYZE CREATE TABLE z AS EXECUTE e", "42501"},
		{"EXPLAIN ANALYZE CREATE TABLE z AS EXECUTE nobody", "42501"},
		{"DEALLOCATE q; PREPARE q AS SELECT email FROM users; EXPLAIN ANALYZE CREATE TABLE z AS EXECUTE q", "42501"},
		{"DO $$ BEGIN CREATE TABLE z AS EXECUTE q; END $$", "42501"},
		{"CREATE FUNCTION stores() RETURNS void LANGUAGE sql AS 'CREATE TABLE z AS EXECUTE q'", "42501"},
		{"PREPARE i AS SELECT t::int FROM plain", ""},
		{"CREATE TABLE z AS EXECUTE i", "22P02"},
		{"SELECT count(*) FROM pg_class WHERE relname = 'z'", "0"},

		{"EXPLAIN (COSTS OFF) EXECUTE e", "Seq Scan on users"},
		{"PREPARE f AS SELECT word() AS w", ""},
		{"EXECUTE f", "[redacted]"},
		{"EXPLAIN (VERBOSE, COSTS OFF) EXECUTE f", "42501"},
		{"PREPARE g AS SELECT word() AS w; EXPLAIN (VERBOSE) EXECUTE g", "42501"},
		{"EXPLAIN EXECUTE held", "42501"},
	})
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}

// TestKeptStoredLater gives the name away between Parse, Bind and Execute.
func TestKeptStoredLater(t *testing.T) {
	w := newMaskedWorld(t, storedSchema, keptMasks)
	for _, when := range []string{"before Bind", "before Execute", "in the same pipeline"} {
		t.Run(when, func(t *testing.T) {
			conn := w.connect(t).PgConn()
			front := conn.Frontend()
			sync := func() (failed string) {
				front.Send(&pgproto3.Sync{})
				if err := front.Flush(); err != nil {
					t.Fatal(err)
				}
				for {
					m, err := front.Receive()
					if err != nil {
						t.Fatal(err)
					}
					switch m := m.(type) {
					case *pgproto3.ErrorResponse:
						failed = m.Code
					case *pgproto3.ReadyForQuery:
						return failed
					}
				}
			}
			give := func(wait bool) {
				for _, sql := range []string{"DEALLOCATE p", "PREPARE p AS SELECT email FROM users"} {
					front.Send(&pgproto3.Parse{Query: sql})
					front.Send(&pgproto3.Bind{})
					front.Send(&pgproto3.Execute{})
				}
				if wait {
					if code := sync(); code != "" {
						t.Fatal(code)
					}
				}
			}
			runSteps(t, conn, "simple", []insideStep{{"PREPARE p AS SELECT t FROM plain", ""}, {"BEGIN", ""}})
			front.Send(&pgproto3.Parse{Name: "into", Query: "CREATE TABLE z AS EXECUTE p"})
			if code := sync(); code != "" {
				t.Fatal(code)
			}
			if when != "before Execute" {
				give(when == "before Bind")
			}
			front.Send(&pgproto3.Bind{DestinationPortal: "into", PreparedStatement: "into"})
			if when == "before Execute" {
				if code := sync(); code != "" {
					t.Fatal(code)
				}
				give(true)
			}
			front.Send(&pgproto3.Execute{Portal: "into"})
			if code := sync(); code != "42501" {
				t.Errorf("got %q", code)
			}
			runSteps(t, conn, "simple", []insideStep{{"COMMIT", ""}, {"SELECT count(*) FROM pg_class WHERE relname = 'z'", "0"}})
		})
	}
	// By the extended protocol as it is usually sent.
	conn := w.connect(t).PgConn()
	runSteps(t, conn, "extended", []insideStep{
		{"PREPARE p AS SELECT t FROM plain", ""},
		{"CREATE TABLE z AS EXECUTE p", ""},
		{"SELECT t FROM z", "shown"},
		{"PREPARE e AS SELECT email FROM users", ""},
		{"CREATE TABLE z2 AS EXECUTE e", "42501"},
	})
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}
