package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

const keptSchema = `
	CREATE TABLE users (id int PRIMARY KEY, name text, email text, profile jsonb);
	INSERT INTO users VALUES (1, 'Ada', 'CANARYem1x', '{"password": "CANARYpw1x", "city": "Rome"}'), (2, 'Ben', 'CANARYem2x', '{}');
	CREATE VIEW shown AS SELECT id, upper(name) AS n FROM users;`

const keptMasks = `
[[mask]]
targets = ["orders"]
columns = ["users.email"]
with = "last4"
[[mask]]
targets = ["orders"]
columns = ["users.profile"]
fields = ["password"]
`

// TestKept runs what SQL prepared and declared, by every way: its rows are
// masked by what was read when it was made.
func TestKept(t *testing.T) {
	w := newMaskedWorld(t, keptSchema, keptMasks)
	conn := w.connect(t).PgConn()
	for _, c := range []struct{ sql, want string }{
		{"PREPARE p AS SELECT id, upper(email), email, name FROM users WHERE id = $1; EXECUTE p(1)", "1|[redacted]|******em1x|Ada"},
		{"EXECUTE p(2)", "2|[redacted]|******em2x|Ben"},
		{"BEGIN; DECLARE c CURSOR FOR SELECT id, email || '', profile -> 'city', profile ->> 'password' FROM users ORDER BY id; FETCH 1 FROM c", `1|[redacted]|"Rome"|[redacted]`},
		{"FETCH ALL FROM c", "2|[redacted]|NULL|NULL"},
		{"CLOSE c; DECLARE c CURSOR FOR SELECT id, name, id, id FROM users; FETCH 1 FROM c", "1|Ada|1|1"},
		{"COMMIT", ""},
		{"DEALLOCATE p; PREPARE p AS SELECT count(*), max(name) FROM users; EXECUTE p", "2|Ben"},
		{"BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT lower(email) FROM users; COMMIT; FETCH 1 FROM h; FETCH BACKWARD 1 FROM h", "[redacted]"},
		{"PREPARE q AS UPDATE users SET name = name RETURNING upper(email), email; EXECUTE q", "[redacted]|******em1x\n[redacted]|******em2x"},
		{"PREPARE v AS SELECT n FROM shown; EXECUTE v", "ADA\nBEN"},
	} {
		results, err := conn.Exec(t.Context(), c.sql).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		var lines []string
		for _, r := range results {
			for _, row := range r.Rows {
				var values []string
				for _, v := range row {
					if v == nil {
						v = []byte("NULL")
					}
					values = append(values, string(v))
				}
				lines = append(lines, strings.Join(values, "|"))
			}
		}
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.sql, got, c.want)
		}
	}
	// A view that is another by now.
	w.db.Exec(t, "CREATE OR REPLACE VIEW shown AS SELECT id, upper(email) AS n FROM users")
	if got := rowsIn(t, conn, "EXECUTE v", 0); strings.Join(got, " ") != "[redacted] [redacted]" {
		t.Errorf("behind a replaced view: %q", got)
	}
	// By the extended protocol, in both formats, under SQL's names.
	for _, format := range []int16{0, 1} {
		result := conn.ExecPrepared(t.Context(), "q", nil, nil, []int16{format}).Read()
		if result.Err != nil || len(result.Rows) != 2 || string(result.Rows[0][0]) != "[redacted]" || string(result.Rows[0][1]) != "******em1x" {
			t.Errorf("got %q, %v", result.Rows, result.Err)
		}
	}
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}

// TestKeptElsewhere lets a portal run a name that means something else by now
// than when it was described.
func TestKeptElsewhere(t *testing.T) {
	w := newMaskedWorld(t, keptSchema, keptMasks)
	for _, c := range []struct{ first, second, run, close string }{
		{"DECLARE c CURSOR FOR SELECT name FROM users", "DECLARE c CURSOR FOR SELECT email FROM users", "FETCH ALL FROM c", "CLOSE c"},
		{"DECLARE c CURSOR FOR SELECT upper(name) FROM users", "DECLARE c CURSOR FOR SELECT upper(email) FROM users", "FETCH ALL FROM c", "CLOSE c"},
		{"PREPARE p AS SELECT name FROM users", "PREPARE p AS SELECT email FROM users", "EXECUTE p", "DEALLOCATE p"},
		{"DECLARE d CURSOR FOR SELECT name FROM users", "DECLARE d CURSOR FOR SELECT email FROM users", "", "CLOSE d"},
	} {
		t.Run(c.second, func(t *testing.T) {
			conn := w.connect(t).PgConn()
			front := conn.Frontend()
			run := func(sql string, portal string) {
				front.Send(&pgproto3.Parse{Query: sql})
				front.Send(&pgproto3.Bind{DestinationPortal: portal})
				front.Send(&pgproto3.Describe{ObjectType: 'P', Name: portal})
			}
			step := func(sql string) {
				run(sql, "")
				front.Send(&pgproto3.Execute{})
			}
			step("BEGIN")
			step(c.first)
			portal := "later"
			if c.run != "" {
				run(c.run, portal)
			} else {
				portal = "d"
				front.Send(&pgproto3.Describe{ObjectType: 'P', Name: portal})
			}
			step(c.close)
			step(c.second)
			front.Send(&pgproto3.Execute{Portal: portal})
			front.Send(&pgproto3.Sync{})
			if err := front.Flush(); err != nil {
				t.Fatal(err)
			}
			for {
				m, err := front.Receive()
				if err != nil {
					t.Log(err) // the session ended
					break
				}
				if e, ok := m.(*pgproto3.ErrorResponse); ok {
					t.Log(e.Message)
				}
				if _, ok := m.(*pgproto3.ReadyForQuery); ok {
					break
				}
			}
			if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
				t.Errorf("it came: %q", b)
			}
		})
	}
}

// TestKeptErrors: what an error of EXECUTE, FETCH and the like may quote is
// known where it is known what they run.
func TestKeptErrors(t *testing.T) {
	w := newMaskedWorld(t, keptSchema+`CREATE TABLE plain (t text); INSERT INTO plain VALUES ('shown');
		CREATE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'inside'; BEGIN OPEN c FOR SELECT t::int FROM plain; RETURN c; END $$;`,
		strings.Replace(keptMasks, `with = "last4"`, `filter = "allow"`, 1))
	conn := w.connect(t).PgConn()
	const quotes, withheld = `invalid input syntax for type integer: "shown"`, "the database's message is withheld: it may quote a protected value"
	extended := func(portal, statement string) func() error {
		return func() error {
			front := conn.Frontend()
			if statement != "" {
				front.Send(&pgproto3.Bind{DestinationPortal: portal, PreparedStatement: statement})
			}
			front.Send(&pgproto3.Execute{Portal: portal})
			front.Send(&pgproto3.Sync{})
			if err := front.Flush(); err != nil {
				t.Fatal(err)
			}
			var failed error
			for {
				m, err := front.Receive()
				if err != nil {
					t.Fatal(err)
				}
				switch m := m.(type) {
				case *pgproto3.ErrorResponse:
					failed = errors.New(m.Message)
				case *pgproto3.ReadyForQuery:
					return failed
				}
			}
		}
	}
	simple := func(sql string) func() error {
		return func() error {
			_, err := conn.Exec(t.Context(), sql).ReadAll()
			return err
		}
	}
	for _, c := range []struct {
		before string
		run    func() error
		want   string
	}{
		{"PREPARE f AS SELECT t::int FROM plain", simple("EXECUTE f"), quotes},
		{"", extended("", "f"), quotes},
		{"BEGIN; DECLARE c CURSOR FOR SELECT t::int FROM plain", simple("FETCH c"), quotes},
		{"BEGIN; DECLARE c CURSOR FOR SELECT t::int FROM plain", extended("c", ""), quotes},
		{"DEALLOCATE f; PREPARE f AS SELECT email::int FROM users", simple("EXECUTE f"), withheld},
		{"", extended("", "f"), withheld},
		{"", simple("EXECUTE f"), withheld},
		{"PREPARE g AS SELECT t::int FROM plain", simple("EXECUTE g"), quotes},
		{"", simple("EXECUTE g; EXECUTE f"), quotes},
		{"", simple("EXECUTE f; EXECUTE g"), withheld},
		{"BEGIN; DECLARE c CURSOR FOR SELECT email::int FROM users", simple("FETCH c"), withheld},
		{"BEGIN; DECLARE c CURSOR FOR SELECT email::int FROM users", extended("c", ""), withheld},
		{"BEGIN; SELECT opened()", simple("FETCH inside"), withheld}, // who knows what a function opened
	} {
		if c.before != "" {
			if _, err := conn.Exec(t.Context(), "ROLLBACK; "+c.before).ReadAll(); err != nil {
				t.Fatalf("%s: %v", c.before, err)
			}
		}
		if err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("after %q: got %v, want %q", c.before, err, c.want)
		}
		if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
			t.Errorf("it came: %q", b)
		}
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK").ReadAll(); err != nil {
		t.Fatal(err)
	}
	// A statement of the protocol's own that runs another by its name is named by SQL.
	if _, err := conn.Prepare(t.Context(), "around", "EXECUTE f", nil); err != nil {
		t.Fatal(err)
	}
	if err := simple("EXECUTE around")(); err == nil || !strings.Contains(err.Error(), "can't be run by EXECUTE") {
		t.Errorf("got %v", err)
	}
	if b := w.seen.take(); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("it came: %q", b)
	}
}
