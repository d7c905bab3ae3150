package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"sallyport/credential"
	"sallyport/secret"
)

// startPool is start with a pool in which nothing happens by the clock.
func startPool(t *testing.T, n int) *gateway {
	t.Helper()
	g := start(t, withTarget(func(t *Target) { t.Pool = n }))
	p := g.server.targets["orders"].pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grace = time.Hour
	return g
}

// settle returns when the pool has done what it had begun.
func (g *gateway) settle(t *testing.T) {
	t.Helper()
	p := g.server.targets["orders"].pool
	for deadline := time.Now().Add(time.Minute); testutil.ToFloat64(g.server.metrics.active) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a session does not end")
		}
	}
	p.work.Wait()
}

// waiting are the process ids of the connections that wait.
func (g *gateway) waiting() []uint32 {
	p := g.server.targets["orders"].pool
	p.mu.Lock()
	defer p.mu.Unlock()
	var pids []uint32
	for _, set := range p.sets {
		for _, up := range set.ready {
			pids = append(pids, up.pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// once runs one session of one statement and gives its process id.
func (g *gateway) once(t *testing.T, extra string, statements ...string) uint32 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), g.dsn(extra+" default_query_exec_mode=simple_protocol"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	pid := conn.PgConn().PID()
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.settle(t)
	return pid
}

func (g *gateway) logins(result string) float64 {
	return testutil.ToFloat64(g.server.metrics.poolTaken.WithLabelValues("orders", result))
}

func (g *gateway) closed(reason string) float64 {
	return testutil.ToFloat64(g.server.metrics.poolClosed.WithLabelValues("orders", reason))
}

// TestAPoolSparesLogins: after the first session, logins upstream are those of
// the pool, and sessions one after another share one connection.
func TestAPoolSparesLogins(t *testing.T) {
	g := startPool(t, 3)
	g.once(t, "", "select 1")
	ready := g.waiting()
	if len(ready) != 3 {
		t.Fatalf("%v wait after the first session", ready)
	}
	for range 5 {
		if pid := g.once(t, "", "select 1"); !slices.Contains(ready, pid) {
			t.Fatalf("the session got %d, %v waited", pid, ready)
		}
	}
	if again := g.waiting(); !slices.Equal(again, ready) {
		t.Fatalf("%v wait, %v did before", again, ready)
	}
	if g.logins("hit") != 5 || g.logins("miss") != 1 {
		t.Fatalf("%v hits, %v misses", g.logins("hit"), g.logins("miss"))
	}
	if n := testutil.ToFloat64(g.server.metrics.poolReady.WithLabelValues("orders")); n != 3 {
		t.Fatalf("the gauge says %v", n)
	}
}

// TestAPooledSessionIsAsNew: what one session left is not there for the next.
func TestAPooledSessionIsAsNew(t *testing.T) {
	g := startPool(t, 1)
	g.db.Exec(t, "create table t (id serial primary key)")
	g.once(t, "application_name=me", "select 1")
	dirty := g.once(t, "application_name=me", "set timezone = 'Asia/Tokyo'", "set application_name = 'other'", "set search_path = 'nowhere'",
		"create temp table left_over (id int)", "prepare p as select 1", "declare c cursor with hold for select 1",
		"listen news", "select pg_advisory_lock(7)", "insert into public.t default values", "set session authorization default")
	conn := g.connect(t, "application_name=me default_query_exec_mode=simple_protocol")
	if conn.PgConn().PID() != dirty {
		t.Fatalf("another connection: %d, not %d", conn.PgConn().PID(), dirty)
	}
	if got := conn.PgConn().ParameterStatus("application_name"); got != "me" {
		t.Errorf("application_name is reported as %q", got)
	}
	fresh := g.db.Conn(t)
	for what, sql := range map[string]string{
		"settings": "select string_agg(name || '=' || setting || '/' || reset_val || '/' || source, ' ' order by name) from pg_settings where name in ('search_path', 'work_mem', 'DateStyle')",
		"temp":     "select count(*) from pg_class where relname = 'left_over'",
		"prepared": "select count(*) from pg_prepared_statements",
		"cursors":  "select count(*) from pg_cursors where is_holdable",
		"listens":  "select count(*) from pg_listening_channels()",
		"locks":    "select count(*) from pg_locks where locktype = 'advisory'",
		"role":     "select current_setting('role')",
		"timezone": "select reset_val = setting from pg_settings where name = 'TimeZone'",
	} {
		var want, got *string
		if err := fresh.QueryRow(t.Context(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&want); err != nil {
			t.Fatal(what, err)
		}
		if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
			t.Fatal(what, err)
		}
		if want != nil && (got == nil || *got != *want) {
			t.Errorf("%s: %v, on a new connection %s", what, got, *want)
		}
	}
	if _, err := conn.Exec(t.Context(), "select currval('public.t_id_seq')"); code(err) != "55000" {
		t.Errorf("currval of the session before: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "reset application_name; select 1"); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := conn.QueryRow(t.Context(), "show application_name").Scan(&name); err != nil || name != "me" {
		t.Errorf("RESET leads to %q, %v", name, err)
	}
}

// TestWhatIsNotGivenOn: a connection with something outstanding, or with more
// left in it than DISCARD ALL undoes, is closed.
func TestWhatIsNotGivenOn(t *testing.T) {
	query := func(sql string) pgproto3.FrontendMessage { return &pgproto3.Query{String: sql} }
	for name, c := range map[string]struct {
		messages []pgproto3.FrontendMessage
		last     string // what to read up to, as %T
		gone     bool   // the client goes without a word
		again    bool   // the connection is given on
	}{
		"idle":                    {[]pgproto3.FrontendMessage{query("select 1")}, "*pgproto3.ReadyForQuery", false, true},
		"idle, without a goodbye": {[]pgproto3.FrontendMessage{query("select 1")}, "*pgproto3.ReadyForQuery", true, true},
		"in a transaction":        {[]pgproto3.FrontendMessage{query("begin")}, "*pgproto3.ReadyForQuery", false, false},
		"in a failed transaction": {[]pgproto3.FrontendMessage{query("begin"), query("select 1/0")}, "*pgproto3.ErrorResponse", false, false},
		"without a Sync":          {[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: "insert into t values (1)"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Flush{}}, "*pgproto3.CommandComplete", false, false},
		"an error and no Sync":    {[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: "selec"}, &pgproto3.Flush{}}, "*pgproto3.ErrorResponse", false, false},
		"in COPY":                 {[]pgproto3.FrontendMessage{query("copy t from stdin")}, "*pgproto3.CopyInResponse", false, false},
		"an answer is due":        {[]pgproto3.FrontendMessage{query("select 1"), query("select pg_sleep(0.3)")}, "*pgproto3.ReadyForQuery", true, false},
		"code was loaded":         {[]pgproto3.FrontendMessage{query("select 'lasting'")}, "*pgproto3.ReadyForQuery", false, false},
		"a refused text":          {[]pgproto3.FrontendMessage{query("drop table t")}, "*pgproto3.ReadyForQuery", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := startPool(t, 1)
			g.db.Exec(t, "create table t (id int)")
			g.judge = func(text string) Reading {
				r := refuseDrops(text)
				r.Resettable = r.Resettable && !strings.Contains(text, "lasting")
				return r
			}
			g.raw(t, nil, "") // fills
			g.settle(t)
			before := g.waiting()
			g.raw(t, c.messages, c.last)(c.gone)
			g.settle(t)
			if again := slices.Equal(g.waiting(), before); len(before) != 1 || again != c.again {
				t.Fatalf("%v waited, and then %v", before, g.waiting())
			}
			if n := count(t, g, "t"); n != 0 {
				t.Fatal("what the client did not end was committed")
			}
		})
	}
}

// raw logs in, sends messages and reads up to the last of its kind; what it
// returns ends the session. Without messages it has ended already.
func (g *gateway) raw(t *testing.T, messages []pgproto3.FrontendMessage, last string) (end func(rudely bool)) {
	t.Helper()
	conn, fe := g.dialRaw(t)
	end = func(rudely bool) {
		if !rudely {
			fe.Send(&pgproto3.Terminate{})
			_ = fe.Flush()
		}
		_ = conn.Close()
	}
	if len(messages) == 0 {
		end(false)
	}
	for i, m := range messages {
		fe.Send(m)
		if err := fe.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, simple := m.(*pgproto3.Query); !simple && i < len(messages)-1 {
			continue
		}
		want := "*pgproto3.ReadyForQuery"
		if i == len(messages)-1 {
			want = last
		}
		if want == "*pgproto3.ReadyForQuery" && strings.Contains(fmt.Sprint(m), "pg_sleep") {
			return end
		}
		for {
			got, err := fe.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%T", got) == want {
				break
			}
		}
	}
	return end
}

// TestAPoolIsOfOneKind: a connection is fit for the same startup parameters
// only, and the places follow those who ask.
func TestAPoolIsOfOneKind(t *testing.T) {
	g := startPool(t, 2)
	a := "application_name=a"
	g.once(t, a)
	if n := len(g.waiting()); n != 2 {
		t.Fatalf("%d wait", n)
	}
	waiting := g.waiting()
	if pid := g.once(t, "application_name=b"); slices.Contains(waiting, pid) {
		t.Fatal("a connection of other parameters was used")
	}
	if n := len(g.waiting()); n != 2 {
		t.Fatalf("%d wait", n)
	}
	for _, how := range []string{a, "application_name=b"} {
		before := g.waiting()
		if pid := g.once(t, how); !slices.Contains(before, pid) {
			t.Errorf("%s: none of its own waited", how)
		}
	}
	for _, never := range []string{"role=pg_monitor", "options='-c role=pg_monitor'", "options='-crole=pg_monitor'", "options='--role=pg_monitor'", "options='-c session-authorization=x -c role=pg_monitor'"} {
		hits, misses := g.logins("hit"), g.logins("miss")
		if conn, err := pgx.Connect(t.Context(), g.dsn(never)); err == nil {
			_ = conn.Close(t.Context())
		}
		g.settle(t)
		if g.logins("hit") != hits || g.logins("miss") != misses {
			t.Errorf("%s: pooled", never)
		}
	}
}

// TestDeadConnectionsAreNotGivenOut: the server ended them while they waited.
func TestDeadConnectionsAreNotGivenOut(t *testing.T) {
	g := startPool(t, 2)
	kill := func() {
		g.db.Exec(t, "select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	}
	g.once(t, "")
	before := g.waiting()
	kill()
	if pid := g.once(t, "", "select 1"); slices.Contains(before, pid) {
		t.Fatal("the session got a dead connection")
	}
	if g.closed("dead") != 2 || len(g.waiting()) != 2 {
		t.Fatalf("%v were found dead, %v wait", g.closed("dead"), g.waiting())
	}
	// Without a session: the rounds find them.
	before = g.waiting()
	kill()
	p := g.server.targets["orders"].pool
	p.round(time.Now())
	g.settle(t)
	after := g.waiting()
	if len(after) != 2 || slices.Equal(before, after) {
		t.Fatalf("%v wait, %v did before", after, before)
	}
	// Old ones are replaced, and what nobody asks for is let go.
	for _, set := range p.sets {
		for _, up := range set.ready {
			up.born = up.born.Add(-poolAge)
		}
	}
	p.round(time.Now())
	g.settle(t)
	if now := g.waiting(); len(now) != 2 || slices.Equal(now, after) || g.closed("old") != 2 {
		t.Fatalf("%v wait, %v old ones did", now, after)
	}
	p.round(time.Now().Add(poolIdle + time.Second))
	g.settle(t)
	if now := g.waiting(); len(now) != 0 {
		t.Fatalf("%v wait for nobody", now)
	}
}

// TestARotatedSecretEmptiesThePool, and one made for each session keeps it empty.
func TestARotatedSecretEmptiesThePool(t *testing.T) {
	g := startPool(t, 2)
	g.once(t, "")
	old := g.waiting()
	g.db.Role(t, "rotated", "second", "")
	g.db.Exec(t, "grant connect on database "+g.db.Name+" to rotated")
	g.user, g.password = "rotated", secret.New("second")
	pid := g.once(t, "", "select 1")
	if slices.Contains(old, pid) || g.closed("credential") != 2 {
		t.Fatalf("%d of %v was given out, %v closed", pid, old, g.closed("credential"))
	}
	conn := g.connect(t, "")
	var user string
	if err := conn.QueryRow(t.Context(), "select session_user").Scan(&user); err != nil || user != "rotated" {
		t.Fatalf("%s, %v", user, err)
	}
	g.password = secret.New("not that")
	if _, err := pgx.Connect(t.Context(), g.dsn("")); code(err) != "08006" {
		t.Fatalf("a connection of the old secret was given out: %v", err)
	}
	_ = conn.Close(context.Background())
	g.settle(t)
}

// perSession lends a credential of its own to each session.
type perSession struct{ *house }

func (l perSession) Login(ctx context.Context, ref credential.Ref) (*credential.Lease, error) {
	lease, err := l.house.Login(ctx, ref)
	return credential.ForOneSession(lease, func(context.Context) error { return nil }), err
}

func TestNoPoolOfLeasesPerSession(t *testing.T) {
	g := startPool(t, 2)
	g.server.needs.Lender = perSession{g.house}
	g.once(t, "", "select 1")
	if n := g.waiting(); len(n) != 0 || !g.server.targets["orders"].pool.off {
		t.Fatalf("%v wait", n)
	}
}

// TestASettingOfTheRoleIsKept: DISCARD ALL does not return to it.
func TestASettingOfTheRoleIsKept(t *testing.T) {
	g := startPool(t, 1)
	g.db.Role(t, "lowered", "x", "")
	g.db.Exec(t, "create role low", "grant low to lowered", "alter role lowered set role = 'low'")
	t.Cleanup(func() { g.db.Exec(t, "drop role low") })
	g.user, g.password = "lowered", secret.New("x")
	for range 3 {
		conn, err := pgx.Connect(t.Context(), g.dsn("default_query_exec_mode=simple_protocol"))
		if err != nil {
			t.Fatal(err)
		}
		var user string
		if err := conn.QueryRow(t.Context(), "select current_user").Scan(&user); err != nil || user != "low" {
			t.Fatalf("the session runs as %q, %v", user, err)
		}
		_ = conn.Close(t.Context())
		g.settle(t)
	}
}

// TestDrainEmptiesThePool: nothing is left on the server.
func TestDrainEmptiesThePool(t *testing.T) {
	g := startPool(t, 2)
	g.once(t, "")
	g.stop()
	<-g.done
	if n := g.waiting(); len(n) != 0 || g.closed("shutdown") != 2 {
		t.Fatalf("%v wait, %v closed", n, g.closed("shutdown"))
	}
}

// TestCancelsOfThePast: a cancel key ends with its session, though the server's
// process goes on.
func TestCancelsOfThePast(t *testing.T) {
	g := startPool(t, 1)
	g.once(t, "")
	first := g.connect(t, "")
	pid, key := first.PgConn().PID(), first.PgConn().SecretKey()
	_ = first.Close(t.Context())
	g.settle(t)
	second := g.connect(t, "")
	if second.PgConn().PID() != pid {
		t.Fatal("another connection")
	}
	failed := make(chan error, 1)
	go func() {
		_, err := second.Exec(t.Context(), "select pg_sleep(60)")
		failed <- err
	}()
	watch := g.db.Conn(t)
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where wait_event = 'PgSleep')").Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	cancelWith(t, g.addr, pid, key)
	if n := testutil.ToFloat64(g.server.metrics.cancels.WithLabelValues("unknown")); n != 1 {
		t.Fatalf("the old key was known: %v", n)
	}
	cancelWith(t, g.addr, pid, second.PgConn().SecretKey())
	if err := <-failed; code(err) != "57014" {
		t.Fatalf("got %v", err)
	}
}

func TestSetKey(t *testing.T) {
	keys := map[string]string{}
	for name, params := range map[string][]param{
		"none": nil, "a": {{"a", "b"}}, "ab": {{"a", ""}, {"b", ""}}, "a b": {{"a", "b"}, {"b", ""}}, "empty": {{"a", ""}},
	} {
		key := setKey(params)
		if other, taken := keys[key]; taken {
			t.Errorf("%s and %s are the same", name, other)
		}
		keys[key] = name
	}
	if setKey([]param{{"a", "1"}, {"b", "2"}}) != setKey([]param{{"b", "2"}, {"a", "1"}}) {
		t.Error("the order counts")
	}
}
