package wire

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"sallyport/policy"
	"sallyport/recorder"
)

func TestStatementsPassBothProtocols(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table items (id int primary key, name text); insert into items select i, 'n' || i from generate_series(1, 2000) i`)
	for _, mode := range []string{"simple_protocol", "exec", "describe_exec", "cache_statement", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			conn := g.connect(t, "default_query_exec_mode="+mode)
			for range 3 {
				rows, err := conn.Query(t.Context(), "select id, name from items where id > $1 order by id", 10)
				if err != nil {
					t.Fatal(err)
				}
				names, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
					var id int
					var name string
					return name, r.Scan(&id, &name)
				})
				if err != nil || len(names) != 1990 || names[0] != "n11" {
					t.Fatalf("%d rows, %v", len(names), err)
				}
			}
			if _, err := conn.Exec(t.Context(), "select 1/0"); code(err) != "22012" {
				t.Fatalf("a server error came as %v", err)
			}
			var one int
			if err := conn.QueryRow(t.Context(), "select 1").Scan(&one); err != nil || one != 1 {
				t.Fatalf("after an error: %d, %v", one, err)
			}
		})
	}
}

func TestRefusalIsAServerError(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table users (id int); insert into users values (1)`)
	for _, mode := range []string{"simple_protocol", "exec", "cache_statement"} {
		t.Run(mode, func(t *testing.T) {
			conn := g.connect(t, "default_query_exec_mode="+mode)
			_, err := conn.Exec(t.Context(), "drop table users")
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || pg.Code != "42501" || pg.Severity != "ERROR" ||
				!strings.Contains(pg.Message, `refused by rule "no-destructive": closed to agents`) ||
				pg.Detail != "statement: drop table" || pg.Hint != "ask a human" {
				t.Fatalf("got %+v", err)
			}
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "insert into users values (2)"); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "drop table users"); code(err) != "42501" {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "select 1"); code(err) != "25P02" {
				t.Fatalf("the transaction did not fail: %v", err)
			}
			if err := tx.Commit(t.Context()); !errors.Is(err, pgx.ErrTxCommitRollback) {
				t.Fatalf("commit after a refusal: %v", err)
			}
			var n int
			if err := conn.QueryRow(t.Context(), "select count(*) from users").Scan(&n); err != nil || n != 1 {
				t.Fatalf("%d rows, %v", n, err)
			}
		})
	}
	if g.tap.received("drop table") {
		t.Fatal("the server received a refused statement")
	}
	if !strings.Contains(g.story(), "deny drop table users\n-> 42501\n") {
		t.Fatalf("recorded:\n%s", g.story())
	}
}

func TestRefusalInAPipeline(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table users (id int)`)
	conn := g.connect(t, "").PgConn()
	p := conn.StartPipeline(t.Context())
	p.SendQueryParams("insert into users values (1)", nil, nil, nil, nil)
	p.SendQueryParams("drop table users", nil, nil, nil, nil)
	p.SendQueryParams("insert into users values (2)", nil, nil, nil, nil)
	if err := p.Sync(); err != nil {
		t.Fatal(err)
	}
	p.SendQueryParams("select count(*) from users", nil, nil, nil, nil)
	if err := p.Sync(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 8 {
		r, err := p.GetResults()
		switch {
		case err != nil:
			got = append(got, code(err))
		case r == nil:
			got = append(got, "end")
		default:
			if rr, ok := r.(*pgconn.ResultReader); ok {
				res := rr.Read()
				switch {
				case res.Err != nil:
					got = append(got, code(res.Err))
				case len(res.Rows) > 0:
					got = append(got, string(res.Rows[0][0]))
				default:
					got = append(got, res.CommandTag.String())
				}
			} else {
				got = append(got, "sync")
			}
		}
		if len(got) > 0 && got[len(got)-1] == "end" {
			break
		}
	}
	if err := p.Close(); err != nil && code(err) == "" {
		t.Fatal(err)
	}
	// The insert before the refusal is undone with the implicit transaction, the one after is skipped.
	if want := "INSERT 0 1 42501 sync 0 sync end"; strings.Join(got, " ") != want {
		t.Fatalf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if g.tap.received("drop table") {
		t.Fatal("the server received a refused statement")
	}
}

func TestWhatCannotBeRecordedDoesNotRun(t *testing.T) {
	full := errors.New("disk full")
	t.Run("statement", func(t *testing.T) {
		g := start(t)
		g.db.Exec(t, "create table items (id int)")
		conn := g.connect(t, "")
		g.mu.Lock()
		g.events = func(e recorder.Event) error {
			if e.Statement != nil {
				return full
			}
			return nil
		}
		g.mu.Unlock()
		_, err := conn.Exec(t.Context(), "insert into items values (1)")
		if code(err) != "XX000" || !conn.IsClosed() {
			t.Fatalf("got %v", err)
		}
		if g.tap.received("insert into items") && strings.Contains(g.story(), "allow insert") {
			t.Fatal("the statement ran unrecorded")
		}
		if n := count(t, g, "items"); n != 0 {
			t.Fatalf("%d rows", n)
		}
	})
	t.Run("session", func(t *testing.T) {
		g := start(t)
		g.events = func(recorder.Event) error { return full }
		_, err := pgx.Connect(t.Context(), g.dsn(""))
		if code(err) != "XX000" || strings.Contains(err.Error(), "disk full") {
			t.Fatalf("got %v", err)
		}
	})
}

func count(t *testing.T, g *gateway, table string) (n int) {
	t.Helper()
	if err := g.db.Conn(t).QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLoginRefusals(t *testing.T) {
	g := start(t)
	for name, c := range map[string]struct{ change, code, message string }{
		"wrong token":          {"password=spt_bad", "28P01", "not valid"},
		"unknown target":       {"dbname=nowhere", "3D000", `target "nowhere" does not exist`},
		"no grant":             {"dbname=closed", "42501", `no grant for target "closed"`},
		"another encoding":     {"client_encoding=GBK", "0A000", "client_encoding"},
		"backslashes":          {"options='-c standard_conforming_strings=off'", "0A000", "standard_conforming_strings"},
		"backslashes, long":    {"options='--standard-conforming-strings=off'", "0A000", "standard_conforming_strings"},
		"backslashes, escaped": {`options='-cstandard\\_conforming_strings=off'`, "0A000", "standard_conforming_strings"},
		"replication":          {"replication=database", "0A000", "replication"},
		"catalog surgery":      {"allow_system_table_mods=on", "0A000", "is closed"},
		"surgery by a switch":  {"options='-c allow_system_table_mods=on'", "0A000", "is closed"},
		"surgery, long":        {"options='--allow-system-table-mods=on'", "0A000", "is closed"},
		"surgery, grouped":     {"options='-ecallow_system_table_mods=on'", "0A000", "is closed"},
		"code loaded":          {"options='-c session_preload_libraries=auto_explain'", "0A000", "is closed"},
		"a setting unknown":    {"options='-c nothing_here=1'", "42704", `unrecognized configuration parameter "nothing_here"`},
		"a switch unknown":     {"options='-Z'", "42601", "invalid command-line argument"},
		"grouped switches":     {"options='-ec client_encoding=LATIN1'", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), g.dsn(c.change))
			if c.code == "" {
				// The server took it, and then the pinned setting.
				if err != nil || conn.PgConn().ParameterStatus("client_encoding") != "UTF8" {
					t.Fatalf("got %v", err)
				}
				_ = conn.Close(context.Background())
				return
			}
			if code(err) != c.code || !strings.Contains(err.Error(), c.message) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), g.db.Password) || strings.Contains(err.Error(), g.db.Addr()) {
				t.Fatalf("the error tells too much: %v", err)
			}
		})
	}
}

func TestUpstreamRefusesTheLogin(t *testing.T) {
	g := start(t)
	g.user = "nobody_here"
	_, err := pgx.Connect(t.Context(), g.dsn(""))
	if code(err) != "08006" || strings.Contains(err.Error(), "nobody_here") {
		t.Fatalf("got %v", err)
	}
}

func TestCancelReachesTheStatement(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "")
	var pid uint32
	if err := conn.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if pid != conn.PgConn().PID() {
		t.Fatalf("the client was given process id %d, the server's is %d", conn.PgConn().PID(), pid)
	}
	watch := g.db.Conn(t)
	failed := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "select pg_sleep(60)")
		failed <- err
	}()
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pid = $1 and state = 'active' and wait_event = 'PgSleep')", int(pid)).Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; code(err) != "57014" {
		t.Fatalf("got %v", err)
	}
}

func TestMaskedRows(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table t (id int, secret text, n text); insert into t values (1, 'hunter2', 'a'), (2, null, 'b')`)
	g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}} }
	for _, mode := range []string{"simple_protocol", "exec", "describe_exec", "cache_statement", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			conn := g.connect(t, "default_query_exec_mode="+mode)
			rows, err := conn.Query(t.Context(), "select id, secret, n from t order by id")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for rows.Next() {
				var id int
				var s *string
				var n string
				if err := rows.Scan(&id, &s, &n); err != nil {
					t.Fatal(err)
				}
				if s == nil {
					got = append(got, "null "+n)
				} else {
					got = append(got, *s+" "+n)
				}
			}
			if want := "[redacted] a,null b"; rows.Err() != nil || strings.Join(got, ",") != want {
				t.Fatalf("%v, %v", got, rows.Err())
			}
		})
	}
}

// TestProtectedStatementsByName: what was prepared over protected columns by the
// extended protocol can't be run by SQL, whose result has no lineage.
func TestProtectedStatementsByName(t *testing.T) {
	g := start(t)
	g.judge = func(text string) Reading {
		r := Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}, Protected: strings.Contains(text, "secret")}
		if name, ok := strings.CutPrefix(text, "execute "); ok {
			r.Uses = []string{name}
		}
		return r
	}
	conn := g.connect(t, "").PgConn()
	for _, sql := range []string{"select 'x'::text as secret", "select 1"} {
		name := map[bool]string{true: "hidden", false: "plain"}[strings.Contains(sql, "secret")]
		if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Exec(t.Context(), "execute hidden").Close(); code(err) != "42501" {
		t.Fatalf("got %v", err)
	}
	if err := conn.Exec(t.Context(), "execute plain").Close(); err != nil {
		t.Fatalf("got %v", err)
	}
}

func TestErrorsOfProtectedStatementsAreScrubbed(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table t (id int not null, secret text); insert into t values (1, 'hunter2');
		create function shout() returns trigger language plpgsql as $$ begin raise notice 'it is %', new.secret; return new; end $$;
		create trigger shout before update on t for each row execute function shout()`)
	g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}, Protected: true} }
	cfg, err := pgx.ParseConfig(g.dsn(""))
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message+n.Detail) }
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for sql, want := range map[string]string{
		"select secret::int from t":           "22P02",
		"update t set id = null where id = 1": "23502",
		"select no_such_column from t":        "42703",
		"select secret::regclass from t":      "42P01",
		"select secret::regrole from t":       "42704",
	} {
		_, err := conn.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != want || strings.Contains(pg.Message+pg.Detail+pg.Where, "hunter2") {
			t.Errorf("%s: %+v", sql, pg)
		}
		if pg != nil && want == "42703" && !strings.Contains(pg.Message, "no_such_column") {
			t.Errorf("a harmless message is withheld: %s", pg.Message)
		}
	}
	if len(notices) == 0 || strings.Contains(strings.Join(notices, ""), "hunter2") {
		t.Errorf("notices: %q", notices)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.recorded {
		if e.Outcome != nil && strings.Contains(e.Outcome.Error, "hunter2") {
			t.Errorf("recorded: %q", e.Outcome.Error)
		}
	}
}

// TestServerMustReadWhatTheGuardReads: a judge that lets the pinned settings be
// changed does not save the session.
func TestServerMustReadWhatTheGuardReads(t *testing.T) {
	for _, sql := range []string{"set client_encoding = 'LATIN1'", "set standard_conforming_strings = off"} {
		g := start(t)
		g.judge = func(string) Reading { return allowed }
		conn := g.connect(t, "")
		_, err := conn.Exec(t.Context(), sql)
		if !conn.IsClosed() && err == nil {
			if _, err = conn.Exec(t.Context(), "select 1"); err == nil {
				t.Errorf("%s: the session lives", sql)
			}
		}
	}
}

func TestResetReturnsToThePins(t *testing.T) {
	g := start(t)
	g.judge = func(string) Reading { return allowed }
	conn := g.connect(t, "")
	for _, sql := range []string{"reset all", "discard all", "reset client_encoding"} {
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	var encoding string
	if err := conn.QueryRow(t.Context(), "show client_encoding", pgx.QueryExecModeSimpleProtocol).Scan(&encoding); err != nil || encoding != "UTF8" {
		t.Fatalf("%s, %v", encoding, err)
	}
}

func TestDrain(t *testing.T) {
	g := start(t)
	idle, busy := g.connect(t, ""), g.connect(t, "")
	slept := make(chan error, 1)
	go func() {
		_, err := busy.Exec(t.Context(), "select pg_sleep(0.5), 'busy'")
		slept <- err
	}()
	watch := g.db.Conn(t)
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where wait_event = 'PgSleep')").Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	g.stop()
	if err := <-slept; err != nil {
		t.Fatalf("the busy session was cut: %v", err)
	}
	<-g.done
	for name, conn := range map[string]*pgx.Conn{"idle": idle, "busy": busy} {
		if _, err := conn.Exec(t.Context(), "select 1"); code(err) != "57P01" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEverySQLSTATE(t *testing.T) {
	for _, k := range policy.Kinds() {
		if len(sqlstates[k]) != 5 {
			t.Errorf("kind %s has no SQLSTATE", k)
		}
	}
	if len(sqlstates) != len(policy.Kinds()) {
		t.Error("sqlstates has more than the kinds")
	}
}

// TestSyntaxErrorsAreTheServersOwn: a text that the guard's parser rejects gets
// the server's words about it, and one that the server would take gets ours.
func TestSyntaxErrorsAreTheServersOwn(t *testing.T) {
	g := start(t)
	texts := map[string]string{ // to what the guard's parser says
		"selec 1":                            `syntax error at or near "selec"`,
		"select 1 +":                         "syntax error at end of input",
		"select 'ä', 1 1":                    `syntax error at or near "1"`,
		"select 'open":                       "unterminated quoted string",
		"select 1 /* open":                   "unterminated comment",
		"select 1 -- closed":                 "-",
		"select 1; selec":                    "-",
		"select $$ open":                     "-",
		`select "open`:                       "-",
		`select E'\`:                         "-",
		"create table evil (id int)":         "-",
		"create table evil (id int); select": "-",
		"create table evil (id int) --":      "-",
		"create table evil (id int) \\":      "-",
		"create table evil (id int);":        "-",
	}
	g.judge = func(text string) Reading {
		if message, ok := texts[text]; ok {
			return Reading{Refusal: &policy.Refusal{Kind: policy.Unparsed, Public: message}}
		}
		return allowed
	}
	direct := g.db.Conn(t)
	gateway := g.connect(t, "")
	for text := range texts {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeDescribeExec} {
			tx, err := direct.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, want := tx.Exec(t.Context(), text, mode)
			_ = tx.Rollback(t.Context())
			_, got := gateway.Exec(t.Context(), text, mode)
			var a, b *pgconn.PgError
			if !errors.As(got, &b) {
				t.Errorf("%q was run: %v", text, got)
				continue
			}
			if errors.As(want, &a) && strings.HasPrefix(text, "create") && a.Code != poisonCode {
				a = nil
			}
			if a == nil {
				if b.Code != "42501" || !strings.Contains(b.Message, "does not know its syntax") {
					t.Errorf("%q: the server takes it, the client got %+v", text, b)
				}
				continue
			}
			if strings.Contains(a.Message, "multiple commands") || strings.HasSuffix(a.Message, "end of input") && texts[text] == "-" {
				continue
			}
			a.Line, b.Line = 0, 0 // of scan.l: another branch raised it
			if *a != *b {
				t.Errorf("%q:\n direct  %+v\n gateway %+v", text, a, b)
			}
		}
	}
	if n := count(t, g, "pg_class where relname = 'evil'"); n != 0 {
		t.Error("a text that could not be judged ran")
	}
}

// TestDeferredErrorsAreScrubbed: a check that waits for COMMIT quotes what an
// earlier statement of the transaction touched.
func TestDeferredErrorsAreScrubbed(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table t (id int, secret text unique deferrable initially deferred); insert into t values (1, 'hunter2'), (2, 'other')`)
	g.judge = func(text string) Reading {
		return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}, Protected: strings.Contains(text, "secret")}
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec} {
		conn := g.connect(t, "")
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "update t set secret = (select secret from t where id = 1) where id = 2", mode); err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(t.Context(), "commit", mode)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "23505" || strings.Contains(pg.Message+pg.Detail, "hunter2") {
			t.Fatalf("got %+v", err)
		}
		if _, err := conn.Exec(t.Context(), "select 1/0", mode); !strings.Contains(err.Error(), "division by zero") {
			t.Fatalf("after the transaction: %v", err)
		}
		// The implicit transaction of a pipeline ends at its Sync.
		_, err = conn.Exec(t.Context(), "update t set secret = (select secret from t where id = 1) where id = 2", mode)
		if !errors.As(err, &pg) || pg.Code != "23505" || strings.Contains(pg.Message+pg.Detail, "hunter2") {
			t.Fatalf("got %+v", err)
		}
	}
}

func TestCopyOutIsMasked(t *testing.T) {
	g := start(t)
	g.db.Exec(t, `create table t (id int, secret text); insert into t values (1, 'hunter2'), (2, e'hunter2\tand\nmore'), (3, null)`)
	g.judge = func(text string) Reading {
		return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}, Protected: strings.Contains(text, "t")}
	}
	conn := g.connect(t, "").PgConn()
	var out strings.Builder
	if _, err := conn.CopyTo(t.Context(), &out, "copy t to stdout"); err != nil || out.String() != "1\t[redacted]\n2\t[redacted]\n3\t\\N\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
	// What can't be planned ends the session before a row.
	out.Reset()
	if _, err := conn.CopyTo(t.Context(), &out, "copy (select id, secret, 1 from t) to stdout"); code(err) != "XX000" || out.Len() > 0 {
		t.Fatalf("%q, %v", out.String(), err)
	}
}

// TestNamesOfTheClientsOwnAreNotWithheld: the error quotes what its message held.
func TestNamesOfTheClientsOwnAreNotWithheld(t *testing.T) {
	g := start(t)
	g.judge = func(string) Reading { return Reading{Verdict: allowed.Verdict, Plans: secretsPlan{}, Protected: true} }
	_, fe := g.dialRaw(t)
	for _, c := range []struct {
		message pgproto3.FrontendMessage
		want    string
	}{
		{&pgproto3.Execute{Portal: "gone"}, `portal "gone" does not exist`},
		{&pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "gone"}, `prepared statement "gone" does not exist`},
		{&pgproto3.Describe{ObjectType: 'S', Name: "gone"}, `prepared statement "gone" does not exist`},
	} {
		fe.Send(c.message)
		fe.Send(&pgproto3.Sync{})
		if err := fe.Flush(); err != nil {
			t.Fatal(err)
		}
		for ready := false; !ready; {
			m, err := fe.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := m.(*pgproto3.ErrorResponse); ok && e.Message != c.want {
				t.Errorf("%T: %s", c.message, e.Message)
			}
			_, ready = m.(*pgproto3.ReadyForQuery)
		}
	}
}
