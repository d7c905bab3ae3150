package main

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestInsideTurns goes on in the same text after a COMMIT or a ROLLBACK: what
// follows sees other definitions than the open transaction.
func TestInsideTurns(t *testing.T) {
	w := newMaskedWorld(t, insideSchema+`INSERT INTO free VALUES (1, 'b');`, insideMasks)
	for _, c := range []struct{ sql, want string }{
		{"ROLLBACK; SELECT upper(body) FROM shown", "42501"},
		{"ROLLBACK TO s; SELECT upper(body) FROM shown", "42501"},
		{"ABORT; SELECT upper(body) FROM shown", "42501"},
		{"ROLLBACK AND CHAIN; SELECT upper(body) FROM shown", "42501"},
		{"ROLLBACK; BEGIN; SELECT upper(body) FROM shown", "42501"},
		{"SELECT 1; ROLLBACK; INSERT INTO free SELECT id, body FROM shown; SELECT * FROM free", "42501"},
		{"ROLLBACK; CREATE TABLE stolen AS SELECT body FROM shown", "42501"},
		{"ROLLBACK; PREPARE p AS SELECT upper(body) FROM shown; EXECUTE p", "[redacted]"},
		{"ROLLBACK; BEGIN; DECLARE c CURSOR FOR SELECT upper(body) FROM shown; FETCH c", "42501"},
		{"COMMIT AND CHAIN; SELECT upper(body) FROM shown", "42501"},
		{"SELECT count(*) FROM shown; ROLLBACK", "0"},
		{"ROLLBACK; SELECT id FROM free", "1"},
		{"ROLLBACK TO s; RELEASE s; SELECT name, upper(email) FROM users", "Ada|[redacted]"},
	} {
		conn := w.connect(t).PgConn()
		runSteps(t, conn, "simple", []insideStep{
			{"BEGIN; SAVEPOINT s", ""},
			{"DROP VIEW shown", ""},
			{"CREATE TABLE shown (id int, body text)", ""},
			{c.sql, c.want},
			{"ROLLBACK", ""},
			{"SELECT body FROM free", "b"},
		})
		// And in one pipeline, without waiting.
		runSteps(t, conn, "simple", []insideStep{{"BEGIN; SAVEPOINT s; DROP VIEW shown; CREATE TABLE shown (id int, body text)", ""}})
		batch := &pgconn.Batch{}
		batch.ExecParams("ROLLBACK TO s", nil, nil, nil, nil)
		batch.ExecParams("SELECT upper(body) FROM shown", nil, nil, nil, nil)
		if r, err := conn.ExecBatch(t.Context(), batch).ReadAll(); err != nil || len(r) != 2 || string(r[1].Rows[0][0]) != "[redacted]" {
			t.Errorf("a pipeline: %v, %v", r, err)
		}
		runSteps(t, conn, "simple", []insideStep{{"ROLLBACK", ""}})
	}
	if b := w.seen.take(); bytes.Contains(bytes.ToUpper(b), []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}

// TestInsideDefinedByCode: what a function or DO makes is known at once.
func TestInsideDefinedByCode(t *testing.T) {
	w := newMaskedWorld(t, insideSchema+`CREATE FUNCTION ddl() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE made (id int, secret text); RETURN 1; END $$;`, insideMasks)
	for _, c := range []insideStep{{"SELECT ddl()", "1"}, {"DO $$ BEGIN CREATE TABLE made (id int, secret text); END $$", ""}} {
		runSteps(t, w.connect(t).PgConn(), "simple", []insideStep{
			{"BEGIN", ""},
			c,
			{"INSERT INTO made VALUES (1, 'CANARYx')", ""},
			{"SELECT upper(secret) FROM made", "[redacted]"},
			{"ROLLBACK", ""},
		})
	}
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}

// TestPreparedBefore prepares, and then the definitions change: by another
// session, or in an own transaction.
func TestPreparedBefore(t *testing.T) {
	const reads, copies = "SELECT to_json(f)::text FROM free f WHERE id = 1", "INSERT INTO free (id, body) SELECT 9, f::text FROM free f"
	for _, by := range []string{"protocol", "sql"} {
		t.Run(by, func(t *testing.T) {
			w := newMaskedWorld(t, insideSchema+`INSERT INTO free VALUES (1, 'b');`, insideMasks)
			conn := w.connect(t).PgConn()
			run := func(name string) *pgconn.Result { return conn.ExecPrepared(t.Context(), name, nil, nil, nil).Read() }
			if by == "sql" {
				runSteps(t, conn, "simple", []insideStep{{"PREPARE a AS " + reads + "; PREPARE b AS " + copies, ""}})
			} else {
				for name, sql := range map[string]string{"a": reads, "b": copies} {
					if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			runSteps(t, conn, "simple", []insideStep{{"BEGIN", ""}, {"ALTER TABLE free ADD COLUMN secret text DEFAULT 'CANARYsec'", ""}})
			if r := run("a"); by == "protocol" && (r.Err != nil || string(r.Rows[0][0]) != "[redacted]") {
				t.Errorf("in a transaction: %q, %v", r.Rows, r.Err)
			}
			runSteps(t, conn, "simple", []insideStep{{"ROLLBACK", ""}})
			w.seen.take()
			w.db.Exec(t, "ALTER TABLE free ADD COLUMN secret text; UPDATE free SET secret = 'CANARYsec'")
			runSteps(t, conn, "simple", []insideStep{{"SELECT 1 FROM nowhere", "42P01"}}) // the catalog is read
			if r := run("a"); r.Err != nil || string(r.Rows[0][0]) != "[redacted]" {
				t.Errorf("after: %q, %v", r.Rows, r.Err)
			}
			if r := run("b"); r.Err == nil {
				t.Error("copied")
			}
			if by == "sql" {
				runSteps(t, conn, "simple", []insideStep{{"EXECUTE a", "[redacted]"}, {"EXECUTE b", "42501"}})
			}
			runSteps(t, conn, "simple", []insideStep{{"SELECT count(*) FROM free", "1"}})
			if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
				t.Errorf("it came: %q", b)
			}
		})
	}
}
