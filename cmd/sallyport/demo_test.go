package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/demo"
)

// startDemo puts the gateway in front of a world of the test's own.
func startDemo(t *testing.T) (*demo.World, demo.Addresses) {
	t.Helper()
	w, err := demo.Start(t.Context(), demo.Free())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg, err := config.Load(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, served := make(chan addresses, 1), make(chan error, 1)
	go func() {
		served <- serve(ctx, cfg, zerolog.New(zerolog.NewTestWriter(t)), func(at addresses) { ready <- at })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return w, listening(at)
	case err := <-served:
		served <- nil
		t.Fatalf("the gateway ended: %v", err)
	}
	panic("unreachable")
}

// protectedValues are the values that the demo's masks protect.
func protectedValues(t *testing.T, w *demo.World) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.Direct())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `SELECT password FROM users UNION SELECT api_key FROM users WHERE api_key IS NOT NULL
		UNION SELECT email FROM users UNION SELECT value FROM secrets`)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(values) == 0 {
		t.Fatal(values, err)
	}
	return values
}

// TestDemoOnce takes the tour, and finds nothing protected in what it printed
// and nothing left in the temporary folder.
func TestDemoOnce(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out, errOut bytes.Buffer
	if err := runDemo(t.Context(), &out, &errOut, true); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &out, &errOut)
	}
	t.Logf("%s", &out)
	for _, secret := range []string{"ada@example.com", "correct-horse-1", "shop-key-", "demo-key-", "\x1b["} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the tour printed %q", secret)
		}
	}
	for _, sign := range []string{"42501", `refused by rule "no-destructive"`, `refused by rule "where-required"`, demo.Answer(), "All "} {
		if !strings.Contains(out.String(), sign) {
			t.Errorf("the tour did not print %q", sign)
		}
	}
	nothingLeft(t, temp)
}

// TestDemoStaysUp starts the demo as `sallyport demo` does, pastes the psql
// line's address, and ends it.
func TestDemoStaysUp(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &watched{seen: make(chan string, 100)}
	ended := make(chan error, 1)
	go func() { ended <- runDemo(ctx, out, os.Stderr, false) }()
	deadline := time.After(time.Minute)
	for all := ""; ; {
		select {
		case text := <-out.seen:
			all += text
		case err := <-ended:
			t.Fatalf("it ended by itself: %v\n%s", err, all)
		case <-deadline:
			t.Fatalf("it did not come up: %s", all)
		}
		if _, rest, found := strings.Cut(all, `psql "`); found {
			dsn, _, _ := strings.Cut(rest, `"`)
			conn, err := pgx.Connect(ctx, dsn+" sslmode=disable")
			if err != nil {
				t.Fatalf("%v: %s", err, all)
			}
			var name string
			if err := conn.QueryRow(ctx, `SELECT name FROM users WHERE id = 1`).Scan(&name); err != nil || name != "Ada" {
				t.Errorf("%q, %v", name, err)
			}
			if err := conn.Close(ctx); err != nil {
				t.Error(err)
			}
			break
		}
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	nothingLeft(t, temp)
}

// watched hands on what is written to it.
type watched struct{ seen chan string }

func (w *watched) Write(p []byte) (int, error) {
	w.seen <- string(p)
	return len(p), nil
}

func nothingLeft(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("%s is left behind", entry.Name())
	}
}
