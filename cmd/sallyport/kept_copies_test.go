package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// TestKeptCopies makes tables from prepared statements: from those that reach
// nothing protected as of now, and from no other.
func TestKeptCopies(t *testing.T) {
	w := newMaskedWorld(t, keptSchema+`
		CREATE TABLE plain (id int, name text);
		INSERT INTO plain VALUES (1, 'tea'), (2, 'rice');
		CREATE VIEW over AS SELECT id, upper(name) AS n FROM plain;`, keptMasks)
	conn := w.connect(t).PgConn()
	exec := func(sql string) error {
		_, err := conn.Exec(t.Context(), sql).ReadAll()
		return err
	}
	prepare := func(name, sql string) error {
		_, err := conn.Prepare(t.Context(), name, sql, nil)
		return err
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "SQLSTATE 42501") {
			t.Errorf("%s: %v", what, err)
		}
	}
	const copies = "CREATE TABLE copied AS EXECUTE p"

	refused("nothing prepared", exec(copies))
	do(exec("PREPARE p AS SELECT id, email FROM users"))
	refused("protected", exec(copies))
	refused("protected, explained", exec("EXPLAIN ANALYZE "+copies))
	do(exec("DEALLOCATE p; PREPARE p AS SELECT id, name FROM users"))
	refused("beside protected columns", exec(copies))
	do(exec("DEALLOCATE p; PREPARE p AS SELECT id, name FROM plain WHERE id = $1"))
	refused("free, explained", exec("EXPLAIN ANALYZE "+copies+"(1)"))
	do(exec("CREATE TABLE bought AS EXECUTE p(2)"))
	if got := rowsIn(t, conn, "SELECT name FROM bought", 0); strings.Join(got, " ") != "rice" {
		t.Errorf("copied %q", got)
	}
	refused("another one of the same text", exec("DEALLOCATE p; PREPARE p AS SELECT email FROM users; "+copies))
	refused("it could be another one when it runs", prepare("", copies))
	refused("in a body", exec("DO $$ BEGIN EXECUTE 'PREPARE own AS SELECT 1'; END $$"))

	for name, sql := range map[string]string{"x": "SELECT email FROM users", "y": "SELECT name FROM plain"} {
		do(exec("PREPARE " + name + " AS SELECT id FROM plain; DEALLOCATE " + name))
		do(prepare(name, sql))
		refused("prepared by the protocol: "+sql, exec("CREATE TABLE copied AS EXECUTE "+name))
	}

	do(exec("DEALLOCATE p; PREPARE p AS SELECT n FROM over"))
	do(exec("CREATE TABLE over_free AS EXECUTE p"))
	w.db.Exec(t, "CREATE OR REPLACE VIEW over AS SELECT id, upper(email) AS n FROM users")
	refused("over a view that is another by now", exec(copies))

	do(exec("DEALLOCATE p; PREPARE p AS SELECT name FROM plain"))
	front := conn.Frontend()
	for _, sql := range []string{"DEALLOCATE p", "PREPARE p AS SELECT email FROM users"} {
		front.Send(&pgproto3.Parse{Query: sql})
		front.Send(&pgproto3.Bind{})
		front.Send(&pgproto3.Execute{})
	}
	front.Send(&pgproto3.Query{String: copies})
	do(front.Flush())
	for done := false; !done; {
		m, err := front.Receive()
		do(err)
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			refused("behind what is under way", pgconn.ErrorResponseToPgError(m))
		case *pgproto3.CommandComplete:
			if string(m.CommandTag) == "SELECT 2" {
				t.Error("it was copied behind what is under way")
			}
		case *pgproto3.ReadyForQuery:
			done = true
		}
	}
	if got := rowsIn(t, conn, "SELECT count(*) FROM pg_class WHERE relname = 'copied'", 0); got[0] != "0" {
		t.Error("a table was made")
	}
}
