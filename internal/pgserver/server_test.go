package pgserver

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var out string
	if err := conn.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStartAndStop(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, o := range map[string]Options{
		"plain": {Settings: map[string]string{"work_mem": "7MB"}},
		"tls":   {TLS: true, Settings: map[string]string{"work_mem": "7MB"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			stopped := false
			defer func() {
				if !stopped {
					s.Stop()
				}
			}()
			for sql, want := range map[string]string{
				"show server_encoding":  "UTF8",
				"show work_mem":         "7MB",
				"show listen_addresses": "127.0.0.1",
				"select coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)::text": map[bool]string{true: "true", false: "false"}[o.TLS],
			} {
				if got := query(t, s.DSN("postgres"), sql); got != want {
					t.Errorf("%s = %q, want %q", sql, got, want)
				}
			}
			if _, err := pgx.Connect(t.Context(), s.DSNFor(s.Superuser, "wrong", "postgres")); err == nil {
				t.Error("a wrong password got in")
			}
			begin := time.Now()
			s.Stop()
			stopped = true
			if d := time.Since(begin); d > time.Minute { // no figure: a clean stop is a fraction of a second
				t.Errorf("Stop hung for %v", d)
			}
			if _, err := os.Stat(s.scratch); !os.IsNotExist(err) {
				t.Errorf("%s is left: %v", s.scratch, err)
			}
			if _, err := pgx.Connect(t.Context(), s.DSN("postgres")); err == nil {
				t.Error("it still answers")
			}
		})
	}
}

// TestParentKilled kills a process that holds a server, and waits for the
// server and its folder to go.
func TestParentKilled(t *testing.T) {
	if os.Getenv("PGSERVER_HOLD") != "" {
		s, err := Start(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("at " + s.scratch + "\n")
		select {}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestParentKilled$")
	cmd.Env = append(os.Environ(), "PGSERVER_HOLD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	scratch, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "at ")
	if !ok {
		t.Fatalf("got %q", buf[:n])
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.After(20 * time.Second)
	for {
		if _, err := os.Stat(scratch); os.IsNotExist(err) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s is left", scratch)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestFind(t *testing.T) {
	t.Setenv("SALLYPORT_PG_BIN", t.TempDir())
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "SALLYPORT_PG_BIN") {
		t.Fatalf("got %v", err)
	}
}
