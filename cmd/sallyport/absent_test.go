package main

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

const absentMasks = `
[[mask]]
targets = ["orders"]
columns = ["*.password", "users.email"]
with = "redact"
`

// TestAbsentNames asks for what is not there, through the gateway and directly:
// the SQLSTATE, the words and the position are the server's, though it is the
// gateway that says so.
func TestAbsentNames(t *testing.T) {
	w := newMaskedWorld(t, `
		CREATE TABLE users (id int PRIMARY KEY, name text, email text, password text);
		CREATE TABLE notes (id int, body text);`, absentMasks)
	gate, direct := w.connect(t).PgConn(), w.db.Conn(t).PgConn()
	for _, sql := range []string{
		"SELECT nothing FROM users",
		"SELECT id, 'é', nothing FROM users WHERE id = 1",
		"SELECT 1 FROM users u WHERE u.nothing = 1",
		"SELECT name FROM users ORDER BY nothing",
		"SELECT count(*) FROM users GROUP BY nothing",
		"SELECT x.name FROM users u",
		"SELECT x.* FROM users",
		"SELECT * FROM nothing",
		"SELECT 1 FROM users, nothing",
		"SELECT * FROM nowhere.users",
		"SELECT name FROM users JOIN nothing USING (id)",
		"SELECT * FROM users JOIN notes USING (nothing)",
		"SELECT * FROM notes JOIN users USING (name)",
		"SELECT (SELECT nothing FROM notes) FROM users",
		"WITH w AS (SELECT id FROM users) SELECT w.name FROM w",
		"INSERT INTO users (nothing) VALUES (1)",
		"INSERT INTO nothing VALUES (1)",
		"UPDATE users SET nothing = 1",
		"UPDATE users SET name = nothing",
		"DELETE FROM users WHERE nothing = 1",
		"DELETE FROM nothing",
		"DELETE FROM users RETURNING nothing",
		"COPY users (nothing) TO STDOUT",
		"COPY nothing TO STDOUT",
		"COPY nothing FROM STDIN",
		"LOCK TABLE nothing",
		"TRUNCATE nothing",
		"ALTER TABLE nothing ADD COLUMN x int",
		"DROP TABLE nothing",
		"CREATE INDEX ON nothing (id)",
		"SELECT 'nothing'::regclass",
		"EXPLAIN SELECT nothing FROM users",
	} {
		for _, way := range []string{"simple", "extended"} {
			want, got := errorOf(t, direct, sql, way), errorOf(t, gate, sql, way)
			if got == nil || want == nil {
				t.Errorf("%s, %s: got %v, directly %v", sql, way, got, want)
				continue
			}
			if got.Code != want.Code || got.Message != want.Message || got.Position != want.Position && got.Position != 0 {
				t.Errorf("%s, %s\ngot  %s %s at %d\nwant %s %s at %d", sql, way, got.Code, got.Message, got.Position, want.Code, want.Message, want.Position)
			}
		}
	}
	// What another session has just made is there at once.
	w.db.Exec(t, "ALTER TABLE users ADD COLUMN nothing int; CREATE TABLE nothing (password text); INSERT INTO nothing VALUES ('CANARY')")
	if got := rowsIn(t, gate, "SELECT nothing FROM users", 0); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := rowsIn(t, gate, "SELECT upper(password) FROM nothing", 0); len(got) != 1 || got[0] != "[redacted]" {
		t.Errorf("got %q", got)
	}
}

// errorOf runs a text that fails, in a transaction of its own.
func errorOf(t *testing.T, conn *pgconn.PgConn, sql, way string) *pgconn.PgError {
	t.Helper()
	err := error(nil)
	if way == "simple" {
		_, err = conn.Exec(t.Context(), sql).ReadAll()
	} else {
		err = conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read().Err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said
	}
	if err != nil {
		t.Error(err)
	}
	return nil
}
