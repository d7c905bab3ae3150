package wire

import (
	"crypto/tls"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// sleeping runs a statement that sleeps, and returns once it does; what it gives
// has the statement's end.
func (g *gateway) sleeping(t *testing.T, conn *pgx.Conn) chan error {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "select pg_sleep(60)")
		failed <- err
	}()
	watch := g.db.Conn(t)
	for active := false; !active; {
		if err := watch.QueryRow(t.Context(), "select exists (select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep')", int(conn.PgConn().PID())).Scan(&active); err != nil {
			t.Fatal(err)
		}
	}
	return failed
}

// TestCancelOverTLS: on both sides, as the sessions themselves.
func TestCancelOverTLS(t *testing.T) {
	cert, _ := certificate(t)
	for _, how := range []string{"sslmode=require", "sslnegotiation=direct sslmode=require"} {
		t.Run(how, func(t *testing.T) {
			g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}), withTarget(func(target *Target) { target.SSLMode = "require" }))
			conn, err := pgx.Connect(t.Context(), strings.Replace(g.dsn(""), "sslmode=disable", how, 1))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			failed := g.sleeping(t, conn)
			if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-failed; code(err) != "57014" {
				t.Fatalf("got %v", err)
			}
			if g.tap.received(string(binary.BigEndian.AppendUint32(nil, codeCancel))) {
				t.Fatal("the cancel request went to the server in clear")
			}
		})
	}
}

// TestCancelsAreLimited: keys can't be guessed, and what they name is left alone.
func TestCancelsAreLimited(t *testing.T) {
	g := start(t)
	conn := g.connect(t, "")
	failed := g.sleeping(t, conn)
	pid, key := conn.PgConn().PID(), conn.PgConn().SecretKey()
	for i := range maxStrays + 5 {
		cancelWith(t, g.addr, pid, []byte{key[0] ^ 1, key[1], key[2], byte(i)})
	}
	cancelWith(t, g.addr, pid, key)
	count := func(result string) float64 {
		return testutil.ToFloat64(g.server.metrics.cancels.WithLabelValues(result))
	}
	if count("unknown") != maxStrays || count("limited") != 6 || count("passed") != 0 {
		t.Fatalf("%v unknown, %v limited, %v passed", count("unknown"), count("limited"), count("passed"))
	}
	if !g.server.Kill("s1") {
		t.Fatal("the session is gone")
	}
	if err := <-failed; code(err) != "57P01" {
		t.Fatalf("got %v", err)
	}
}

// TestACancelReachesItsOwnSession, though another of another target has the same
// process id.
func TestACancelReachesItsOwnSession(t *testing.T) {
	c := cancels{byPID: map[uint32][]held{}}
	one, other := &upstream{pid: 7}, &upstream{pid: 7}
	key, otherKey := c.add(one, 0), c.add(other, 2)
	for _, k := range []struct {
		key  cancelKey
		want *upstream
	}{
		{key, one}, {otherKey, other}, {cancelKey{8, key.secret}, nil}, {cancelKey{7, nil}, nil}, {cancelKey{7, otherKey.secret[:4]}, nil},
		{cancelKey{7, append(key.secret[:4:4], 0)}, nil},
	} {
		if got := c.find(&k.key); got != k.want {
			t.Errorf("%v: another was found", k.key)
		}
	}
	c.remove(one)
	if c.find(&key) != nil || c.find(&otherKey) != other {
		t.Error("removed the wrong one")
	}
	c.remove(other)
	if len(c.byPID) > 0 {
		t.Error("something is left")
	}
}
