package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"sallyport/config"
	"sallyport/internal/pgtest"
)

// maskedWorld is a database, and a gateway before it that masks.
type maskedWorld struct {
	db      *pgtest.DB
	gateway string // its DSN
	seen    *eavesdropper
}

// newMaskedWorld makes a database of the schema, and a gateway with the [[mask]]
// tables, on targets named orders, that logs in as a superuser: no privilege
// stops anything.
func newMaskedWorld(t testing.TB, schema, masks string) *maskedWorld {
	t.Helper()
	db := pgtest.New(t)
	db.Exec(t, schema)
	dir, token := t.TempDir(), "spt_masked"
	hash := sha256.Sum256([]byte(token))
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("login.json", fmt.Sprintf(`{"username": %q, "password": %q}`, db.User, db.Password))
	write("mask.key", "0123456789abcdef0123456789abcdef")
	write("gateway.toml", fmt.Sprintf(`
[listen]
postgres = "%s"
http = "off"
console = "off"
metrics = "off"
[[token]]
subject = "worker-1"
sha256 = "%s"
[postgres.orders]
upstream = "%s"
database = "%s"
sslmode = "disable"
credential = "file://login.json"
[[grant]]
who = ["subject:*"]
targets = ["orders"]
%s`, freeAddress(t), hex.EncodeToString(hash[:]), db.Addr(), db.Name, masks))
	cfg, err := config.Load(filepath.Join(dir, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan addresses, 1), make(chan error, 1)
	go func() {
		done <- serve(ctx, cfg, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), func(a addresses) { ready <- a })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		seen := &eavesdropper{addr: at.Postgres}
		if _, timed := t.(*testing.B); !timed {
			seen = eavesdrop(t, at.Postgres)
		}
		host, port, _ := net.SplitHostPort(seen.addr)
		return &maskedWorld{db, fmt.Sprintf("host=%s port=%s dbname=orders user=agent password=%s sslmode=disable", host, port, token), seen}
	case err := <-done:
		t.Fatal(err)
	}
	return nil
}

// connect opens a connection through the gateway.
func (w *maskedWorld) connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), w.gateway)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// eavesdropper stands between client and gateway and keeps what the client received.
type eavesdropper struct {
	addr string
	mu   sync.Mutex
	got  bytes.Buffer
}

func eavesdrop(t testing.TB, gateway string) *eavesdropper {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &eavesdropper{addr: ln.Addr().String()}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", gateway)
			if err != nil {
				_ = client.Close()
				continue
			}
			conns.Go(func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
			conns.Go(func() {
				_, _ = io.Copy(io.MultiWriter(e, client), server)
				_ = client.Close()
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); conns.Wait() })
	return e
}

func (e *eavesdropper) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got.Write(b)
}

// take gives all that the clients received since it was last called.
func (e *eavesdropper) take() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := bytes.Clone(e.got.Bytes())
	e.got.Reset()
	return b
}
