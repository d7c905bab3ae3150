package wire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/policy"
	"sallyport/secret"
)

// scripted is a server that lets everybody in and then says nothing.
func scripted(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			var head [4]byte
			_, _ = io.ReadFull(conn, head[:])
			_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:])-4))
			_, _ = conn.Write([]byte("R\x00\x00\x00\x08\x00\x00\x00\x00K\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x02Z\x00\x00\x00\x05I"))
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return ln.Addr().String()
}

// TestIdleSessionsAreSmall: ten thousand of them shall fit into 400 MiB.
func TestIdleSessionsAreSmall(t *testing.T) {
	const sessions, limit = 1000, 24 << 10
	h := &house{judge: func(string) Reading { return Reading{Verdict: policy.Verdict{Action: policy.Allow}} }, user: "u", password: secret.New("p")}
	server, err := New(Config{
		Targets: map[string]Target{"orders": {Upstream: scripted(t), SSLMode: "disable", Credential: "env://DB"}},
		Needs:   Needs{Identifier: h, Access: h, Lender: h, Judge: h, Journal: h},
		NewID:   func() string { return "s" }, Now: time.Now, Log: zerolog.Nop(), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ctx, ctx, ln) }()
	defer func() { stop(); <-done }()

	before := inUse()
	clients := make([]net.Conn, sessions)
	for i := range clients {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		clients[i] = conn
		message := append(startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00"), 'p', 0, 0, 0, byte(4+len(goodToken)+1))
		if _, err := conn.Write(append(append(message, goodToken...), 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range clients {
		fe := pgproto3.NewFrontend(conn, conn)
		for ready := false; !ready; {
			m, err := fe.Receive()
			if err != nil {
				t.Fatal(err)
			}
			_, ready = m.(*pgproto3.ReadyForQuery)
		}
	}
	each := (inUse() - before) / sessions
	t.Logf("%d bytes for each idle session, the client's end included", each)
	if each > limit {
		t.Errorf("an idle session holds %d bytes, more than %d", each, limit)
	}
	runtime.KeepAlive(clients)
}

// inUse is what the heap and the stacks hold.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
