package wire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// ended waits for the session's end and gives its SQLSTATE.
func ended(t *testing.T, fe *pgproto3.Frontend) string {
	t.Helper()
	e := untilClosed(t, fe)
	return e.Severity + " " + e.Code
}

func TestIdleTimeouts(t *testing.T) {
	g := start(t, withTarget(func(target *Target) {
		target.IdleTimeout, target.IdleInTransactionTimeout = 300*time.Millisecond, 100*time.Millisecond
	}))
	_, fe := g.dialRaw(t)
	if got := ended(t, fe); got != "FATAL 57P05" {
		t.Errorf("idle: %s", got)
	}
	_, fe = g.dialRaw(t)
	fe.Send(&pgproto3.Query{String: "begin"})
	if err := fe.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := ended(t, fe); got != "FATAL 25P03" {
		t.Errorf("idle in transaction: %s", got)
	}
	// What runs is not idle.
	conn := g.connect(t, "")
	if _, err := conn.Exec(t.Context(), "select pg_sleep(0.6)"); err != nil {
		t.Error(err)
	}
}

func TestSessionsEndWithTheirToken(t *testing.T) {
	g := start(t)
	g.expires = time.Now().Add(2 * time.Second)
	_, idle := g.dialRaw(t)
	busy := g.connect(t, "")
	if _, err := busy.Exec(t.Context(), "select pg_sleep(2.5)"); err != nil {
		t.Errorf("what ran was cut: %v", err)
	}
	if got := ended(t, idle); got != "FATAL 28P01" {
		t.Errorf("idle: %s", got)
	}
	if _, err := busy.Exec(t.Context(), "select 1"); code(err) != "28P01" {
		t.Errorf("busy: %v", err)
	}
}

func TestFailedLoginsAreLimited(t *testing.T) {
	g := start(t)
	var last string
	for range maxFailures + 1 {
		_, err := pgx.Connect(t.Context(), g.dsn("password=spt_bad"))
		last = code(err)
	}
	if last != "53300" {
		t.Fatalf("after %d failures: %s", maxFailures, last)
	}
}

// TestProtocolVersions: 3.0 and 3.2 are spoken, more is negotiated down, and
// 3.2 has cancel keys of 32 bytes that work.
func TestProtocolVersions(t *testing.T) {
	g := start(t)
	for name, c := range map[string]struct {
		asked, option string
		negotiated    uint32 // 0: no NegotiateProtocolVersion
		key           int
	}{
		"3.0":            {"\x00\x03\x00\x00", "", 0, 4},
		"3.2":            {"\x00\x03\x00\x02", "", 0, 32},
		"3.1":            {"\x00\x03\x00\x01", "", 3 << 16, 4},
		"3.9999":         {"\x00\x03\x27\x0f", "", 3<<16 | 2, 32},
		"3.2, an option": {"\x00\x03\x00\x02", "_pq_.greasing\x00x\x00", 3<<16 | 2, 32},
		"3.0, an option": {"\x00\x03\x00\x00", "_pq_.greasing\x00x\x00", 3 << 16, 4},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(startup(binary.BigEndian.Uint32([]byte(c.asked)), "user\x00agent\x00database\x00orders\x00"+c.option+"\x00")); err != nil {
				t.Fatal(err)
			}
			fe := pgproto3.NewFrontend(conn, conn)
			fe.Send(&pgproto3.PasswordMessage{Password: goodToken})
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			var negotiated uint32
			var key []byte
			var pid uint32
			for ready := false; !ready; {
				m, err := fe.Receive()
				if err != nil {
					t.Fatal(err)
				}
				switch m := m.(type) {
				case *pgproto3.NegotiateProtocolVersion:
					negotiated = m.NewestMinorProtocol
					if (len(m.UnrecognizedOptions) > 0) != (c.option != "") {
						t.Errorf("options: %q", m.UnrecognizedOptions)
					}
				case *pgproto3.BackendKeyData:
					pid, key = m.ProcessID, append([]byte(nil), m.SecretKey...)
				case *pgproto3.ReadyForQuery:
					ready = true
				}
			}
			if negotiated != c.negotiated || len(key) != c.key {
				t.Fatalf("negotiated %#x, a key of %d bytes", negotiated, len(key))
			}
			fe.Send(&pgproto3.Query{String: "select pg_sleep(60)"})
			if err := fe.Flush(); err != nil {
				t.Fatal(err)
			}
			watch := g.db.Conn(t)
			for active := false; !active; {
				if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep')", int(pid)).Scan(&active); err != nil {
					t.Fatal(err)
				}
			}
			cancelWith(t, g.addr, pid, append([]byte{key[0] ^ 1}, key[1:]...)) // of another: nothing happens
			cancelWith(t, g.addr, pid, key[:len(key)-1])
			cancelWith(t, g.addr, pid, key)
			for {
				m, err := fe.Receive()
				if err != nil {
					t.Fatal(err)
				}
				if e, ok := m.(*pgproto3.ErrorResponse); ok {
					if e.Code != "57014" {
						t.Fatalf("got %s", e.Code)
					}
					return
				}
			}
		})
	}
}

// cancelWith sends a CancelRequest and waits for its end.
func cancelWith(t *testing.T, addr string, pid uint32, key []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(startup(codeCancel, string(binary.BigEndian.AppendUint32(nil, pid))+string(key))); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1))
}

func TestOpenedDoors(t *testing.T) {
	g := start(t, withTarget(func(target *Target) {
		target.FunctionCalls, target.Replication, target.ParserSettings = "allow", "allow", "free"
	}))
	g.judge = func(string) Reading { return allowed }
	conn, fe := g.dialRaw(t)
	body := append(binary.BigEndian.AppendUint32(nil, 2026), 0, 0, 0, 0, 0, 0) // pg_backend_pid()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32([]byte{'F'}, uint32(4+len(body))), body...)); err != nil {
		t.Fatal(err)
	}
	m, err := fe.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := m.(*pgproto3.FunctionCallResponse); !ok || len(v.Result) == 0 {
		t.Fatalf("function call: %+v", m)
	}
	free := g.connect(t, "options='-c standard_conforming_strings=off'")
	var s string
	if err := free.QueryRow(t.Context(), `select 'a\tb'`, pgx.QueryExecModeSimpleProtocol).Scan(&s); err == nil && s != "a\tb" {
		t.Fatalf("free settings: %q", s)
	}
	replication, err := pgx.Connect(t.Context(), g.dsn("replication=database default_query_exec_mode=simple_protocol"))
	if err != nil {
		t.Fatal(err)
	}
	defer replication.Close(context.Background())
	rows, err := replication.PgConn().Exec(t.Context(), "IDENTIFY_SYSTEM").ReadAll()
	if err != nil || len(rows) != 1 || len(rows[0].Rows) != 1 || !strings.Contains(string(rows[0].Rows[0][2]), "/") {
		t.Fatalf("replication: %v %v", rows, err)
	}
}

func TestKill(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "")
	failed := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "select pg_sleep(60)")
		failed <- err
	}()
	watch := g.db.Conn(t)
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where wait_event = 'PgSleep')").Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	if g.server.Kill("s99") || !g.server.Kill("s1") {
		t.Fatal("another session was ended, or none")
	}
	if err := <-failed; code(err) != "57P01" {
		t.Fatalf("got %v", err)
	}
}

func TestSeveralUpstreams(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close() // nobody listens there now
	for name, c := range map[string]struct {
		upstream func(live string) string
		attrs    string
		code     string
	}{
		"the second":        {func(live string) string { return dead.Addr().String() + "," + live }, "", ""},
		"a primary":         {func(live string) string { return live }, "primary", ""},
		"read-write":        {func(live string) string { return live }, "read-write", ""},
		"a standby at best": {func(live string) string { return live }, "prefer-standby", ""},
		"no standby":        {func(live string) string { return live }, "standby", "08006"},
		"none":              {func(string) string { return dead.Addr().String() }, "", "08006"},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, withTarget(func(target *Target) {
				target.Upstream, target.TargetSessionAttrs = c.upstream(target.Upstream), c.attrs
			}))
			conn, err := pgx.Connect(t.Context(), g.dsn(""))
			if code(err) != c.code {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				_ = conn.Close(t.Context())
			} else if strings.Contains(err.Error(), dead.Addr().String()) {
				t.Fatalf("the error names the upstream: %v", err)
			}
		})
	}
}

// TestTheSecondSignalCuts: what runs is ended, and the server is told to stop it.
func TestTheSecondSignalCuts(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "")
	failed := g.sleeping(t, conn)
	g.stop()
	g.cut()
	<-g.done
	if err := <-failed; code(err) != "57P01" {
		t.Fatalf("got %v", err)
	}
	var asleep int
	watch := g.db.Conn(t)
	for begun := time.Now(); ; {
		if err := watch.QueryRow(t.Context(), "select count(*) from pg_stat_activity where wait_event = 'PgSleep'").Scan(&asleep); err != nil {
			t.Fatal(err)
		}
		if asleep == 0 {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatal("the statement still runs on the server")
		}
	}
	if g.ended[0] != "shutting-down" {
		t.Errorf("recorded: %q", g.ended)
	}
}

// TestDrainInATransaction: the session ends with its next answer, and nobody is
// let in.
func TestDrainInATransaction(t *testing.T) {
	g := start(t)
	g.db.Exec(t, "create table t (id int)")
	_, fe := g.dialRaw(t)
	fe.Send(&pgproto3.Query{String: "begin; insert into t values (1)"})
	fe.Send(&pgproto3.Query{String: "select pg_sleep(0.3)"})
	if err := fe.Flush(); err != nil {
		t.Fatal(err)
	}
	watch := g.db.Conn(t)
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where wait_event = 'PgSleep')").Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	g.stop()
	var seen string
	for {
		m, err := fe.Receive()
		if err != nil {
			break
		}
		switch m := m.(type) {
		case *pgproto3.CommandComplete:
			seen += string(m.CommandTag) + " "
		case *pgproto3.ErrorResponse:
			seen += m.Severity + " " + m.Code
		}
	}
	if seen != "BEGIN INSERT 0 1 SELECT 1 FATAL 57P01" {
		t.Errorf("the client saw %s", seen)
	}
	<-g.done
	if _, err := net.Dial("tcp", g.addr); err == nil {
		t.Error("the listener is open")
	}
	if n := count(t, g, "t"); n != 0 {
		t.Error("the open transaction was committed")
	}
}

// TestALoginThatTakesTooLong is told so, at each of its steps, whoever it waits for.
func TestALoginThatTakesTooLong(t *testing.T) {
	silent := doorway(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	for name, c := range map[string]struct{ sent, code string }{
		"nothing":       {"", "57014"},
		"no token":      {string(startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00")), "57014"},
		"a slow server": {string(startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00")) + string(message('p', goodToken+"\x00")), "08006"},
	} {
		t.Run(name, func(t *testing.T) {
			g := startBefore(t, silent, func(c *Config, _ *Target) { c.Login = 100 * time.Millisecond })
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = conn.Write([]byte(c.sent))
			if got := ended(t, pgproto3.NewFrontend(conn, conn)); got != "FATAL "+c.code {
				t.Fatalf("got %s", got)
			}
		})
	}
}
