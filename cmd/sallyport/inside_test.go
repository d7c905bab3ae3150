package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

const insideSchema = `
	CREATE TABLE users (id int PRIMARY KEY, name text, email text);
	INSERT INTO users VALUES (1, 'Ada', 'CANARYem1x');
	CREATE TABLE free (id int, body text);
	CREATE VIEW shown AS SELECT id, email AS body FROM users;`

const insideMasks = `
[[mask]]
targets = ["orders"]
columns = ["auth_user.password", "users.email", "*.secret"]
with = "last4"
`

// insideStep is a text, and what comes of it: its rows, an SQLSTATE, or "" for neither.
type insideStep struct{ sql, want string }

func runSteps(t *testing.T, conn *pgconn.PgConn, way string, steps []insideStep) {
	t.Helper()
	for i, s := range steps {
		var results []*pgconn.Result
		var err error
		if way == "simple" {
			results, err = conn.Exec(t.Context(), s.sql).ReadAll()
		} else {
			r := conn.ExecParams(t.Context(), s.sql, nil, nil, nil, nil).Read()
			results, err = []*pgconn.Result{r}, r.Err
		}
		var lines []string
		for _, r := range results {
			for _, row := range r.Rows {
				lines = append(lines, string(bytes.Join(row, []byte("|"))))
			}
		}
		got := strings.Join(lines, "\n")
		if err != nil {
			got = err.Error()
			if i := strings.Index(got, "SQLSTATE "); i >= 0 && len(s.want) == 5 {
				got = got[i+9 : i+14]
			}
		}
		if got != s.want {
			t.Errorf("%s, step %d: %s\ngot  %s\nwant %s", way, i, s.sql, got, s.want)
		}
	}
}

// TestInsideTransaction uses what its own open transaction has made, which no
// other session sees: it works, and is masked at once.
func TestInsideTransaction(t *testing.T) {
	for _, way := range []string{"simple", "extended"} {
		t.Run(way, func(t *testing.T) {
			w := newMaskedWorld(t, insideSchema, insideMasks)
			runSteps(t, w.connect(t).PgConn(), way, []insideStep{
				{"BEGIN", ""},
				{"CREATE TABLE auth_user (id serial PRIMARY KEY, username text, password varchar(128) NOT NULL)", ""},
				{"CREATE INDEX auth_user_name ON auth_user (username)", ""},
				{"ALTER TABLE auth_user ADD CONSTRAINT named UNIQUE (username)", ""},
				{"ALTER TABLE auth_user ADD CONSTRAINT same UNIQUE (password)", "42501"},
				{"ROLLBACK", ""},

				{"BEGIN", ""},
				{"CREATE TABLE auth_user (id serial PRIMARY KEY, username text, password varchar(128) NOT NULL)", ""},
				{"CREATE INDEX auth_user_name ON auth_user (username)", ""},
				{"CREATE UNIQUE INDEX auth_user_name2 ON auth_user (username)", ""},
				{"INSERT INTO auth_user (username, password) VALUES ('ada', 'CANARYpw1x'), ('ben', 'CANARYpw2x')", ""},
				{"INSERT INTO auth_user (username, password) VALUES ('cleo', 'CANARYpw3x') RETURNING id, password", "3|******pw3x"},
				{"SELECT username, password FROM auth_user ORDER BY id", "ada|******pw1x\nben|******pw2x\ncleo|******pw3x"},
				{"SELECT upper(password) FROM auth_user WHERE username = 'ada'", "[redacted]"},
				{"SELECT a.username, u.name FROM auth_user a JOIN users u ON u.id = a.id", "ada|Ada"},
				{"CREATE TABLE auth_group (id int, user_id int REFERENCES auth_user (id))", ""},
				{"INSERT INTO auth_group VALUES (1, 1)", ""},
				{"SELECT g.id, a.password FROM auth_group g JOIN auth_user a ON a.id = g.user_id", "1|******pw1x"},
				{"CREATE VIEW names AS SELECT id, upper(username) AS n FROM auth_user", ""},
				{"SELECT n FROM names ORDER BY id LIMIT 1", "ADA"},
				{"SAVEPOINT s", ""},
				{"ALTER TABLE free ADD COLUMN secret text", ""},
				{"UPDATE free SET secret = 'CANARYsec1x'", ""},
				{"INSERT INTO free VALUES (7, 'b', 'CANARYsec1x')", ""},
				{"SELECT id, secret FROM free", "7|*******ec1x"},
				{"SELECT lower(secret) FROM free", "[redacted]"},
				{"INSERT INTO auth_group SELECT length(secret) FROM free", "42501"},
				{"ROLLBACK TO s", ""},
				{"SELECT secret FROM free", "42703"},
				{"ROLLBACK TO s", ""},
				{"SELECT id FROM auth_user LIMIT 1", "1"},
				{"COMMIT", ""},
				{"SELECT upper(password), password, username FROM auth_user WHERE id = 1", "[redacted]|******pw1x|ada"},
				{"SELECT n FROM names ORDER BY id LIMIT 1", "ADA"},

				{"BEGIN", ""},
				{"CREATE TEMP TABLE scratch (id int, secret text)", ""},
				{"INSERT INTO scratch VALUES (1, 'CANARYsec1x')", ""},
				{"SELECT secret, secret || '' FROM scratch", "*******ec1x|[redacted]"},
				{"CREATE TEMP TABLE plain AS SELECT id FROM scratch", ""},
				{"CREATE TEMP TABLE stolen AS SELECT secret AS x FROM scratch", "42501"},
				{"ROLLBACK", ""},
				{"SELECT 1 FROM scratch", "42P01"},
				{"CREATE TEMP TABLE scratch (id int, secret text)", ""},
				{"INSERT INTO scratch VALUES (1, 'CANARYsec1x')", ""},
				{"SELECT secret, secret || '' FROM scratch", "*******ec1x|[redacted]"},
				{"DROP TABLE scratch", ""},

				// What can't be asked leaves the transaction as it is.
				{"BEGIN", ""},
				{"CREATE ROLE inside_" + way, ""},
				{"REVOKE ALL ON FUNCTION pg_catalog.hashint8extended(int8, int8) FROM PUBLIC", ""},
				{"CREATE TABLE unasked (id int)", ""},
				{"SET LOCAL ROLE inside_" + way, ""},
				{"CREATE TEMP TABLE own (id int)", ""},
				{"SELECT 1", "1"},
				{"RESET ROLE", ""},
				{"SELECT count(*) FROM unasked", "0"},
				{"ROLLBACK", ""},

				{"BEGIN ISOLATION LEVEL SERIALIZABLE", ""},
				{"CREATE TABLE late (id int, secret text)", ""},
				{"SELECT secret FROM late", "42P01"}, // it does not see what others commit: refused
				{"ROLLBACK", ""},
			})
			if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
				t.Errorf("it came: %q", b)
			}
		})
	}
}

// TestInsideIsOver prepares statements over what its transaction has put in the
// place of a protected relation: they are judged again when it is gone.
func TestInsideIsOver(t *testing.T) {
	w := newMaskedWorld(t, insideSchema, insideMasks)
	for i, over := range []string{"ROLLBACK", "ROLLBACK TO s"} {
		conn := w.connect(t).PgConn()
		do := func(sql string) { t.Helper(); runSteps(t, conn, "simple", []insideStep{{sql, ""}}) }
		do("BEGIN; SAVEPOINT s")
		do("DROP VIEW shown")
		do("CREATE TABLE shown (id int, body text)")
		read, copied, kept := fmt.Sprint("read", i), fmt.Sprint("copied", i), fmt.Sprint("kept", i)
		for name, sql := range map[string]string{read: "SELECT upper(body) FROM shown", copied: "INSERT INTO free SELECT id, body FROM shown", "": "SELECT body || '' FROM shown"} {
			if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
				t.Fatal(err)
			}
		}
		if r := conn.ExecPrepared(t.Context(), read, nil, nil, nil).Read(); r.Err != nil || len(r.Rows) != 0 {
			t.Errorf("inside: %v, %q", r.Err, r.Rows)
		}
		if _, err := conn.Exec(t.Context(), "PREPARE "+kept+" AS SELECT lower(body) FROM shown").ReadAll(); err != nil {
			t.Error(err)
		}
		do(over)
		for name, want := range map[string]string{read: "[redacted]", kept: "[redacted]"} {
			r := conn.ExecPrepared(t.Context(), name, nil, nil, nil).Read()
			if r.Err != nil || len(r.Rows) != 1 || string(r.Rows[0][0]) != want {
				t.Errorf("%s, %s: got %q, %v", over, name, r.Rows, r.Err)
			}
		}
		if r := conn.ExecPrepared(t.Context(), copied, nil, nil, nil).Read(); r.Err == nil || !strings.Contains(r.Err.Error(), "42501") {
			t.Errorf("%s: copied: %v", over, r.Err)
		}
		if conn.TxStatus() != 'I' {
			do("ROLLBACK")
		}
		if got := rowsIn(t, conn, "SELECT count(*) FROM free", 0); got[0] != "0" {
			t.Errorf("%s: %s rows were copied", over, got)
		}
	}
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}
