package wire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/secret"
)

// letIn is what a scripted server says to every login.
const letIn = "R\x00\x00\x00\x08\x00\x00\x00\x00K\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x02Z\x00\x00\x00\x05I"

// peer is a scripted server: it lets everybody in, plays, and closes. It
// returns its address. The test ends after each play has.
func peer(t *testing.T, play func(conn net.Conn)) string {
	t.Helper()
	return doorway(t, func(conn net.Conn) {
		if startup := startupOf(conn); len(startup) > 0 && binary.BigEndian.Uint32(startup) != codeCancel {
			_, _ = conn.Write([]byte(letIn))
			play(conn)
		}
	})
}

// startupOf reads a message without a type byte; nil where there is none.
func startupOf(conn net.Conn) []byte {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil
	}
	startup := make([]byte, binary.BigEndian.Uint32(head[:])-4)
	if _, err := io.ReadFull(conn, startup); err != nil {
		return nil
	}
	return startup
}

// doorway is a server that plays from the first byte.
func doorway(t *testing.T, play func(conn net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				play(conn)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return ln.Addr().String()
}

// startBefore is start in front of a scripted server.
func startBefore(t *testing.T, upstream string, options ...option) *gateway {
	t.Helper()
	g := &gateway{done: make(chan struct{})}
	g.house = &house{judge: refuseDrops, user: "upstream_user", password: secret.New("upstream_password")}
	target := Target{Upstream: upstream, SSLMode: "disable", Credential: "env://DB"}
	cfg := Config{
		Needs: Needs{Identifier: g.house, Access: g.house, Lender: g.house, Judge: g.house, Journal: g.house},
		NewID: func() string { return "s1" }, Now: time.Now, Log: zerolog.New(zerolog.NewTestWriter(t)), Registry: prometheus.NewRegistry(),
	}
	for _, o := range options {
		o(&cfg, &target)
	}
	cfg.Targets = map[string]Target{"orders": target}
	var err error
	if g.server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	cutCtx, cut := context.WithCancel(context.Background())
	g.stop, g.cut = stop, cut
	go func() {
		defer close(g.done)
		if err := g.server.Serve(ctx, cutCtx, ln); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { stop(); cut(); <-g.done })
	return g
}

// header is a type byte and the length of a body of size bytes.
func header(kind byte, size int) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, uint32(size+4))
}

// message is a whole one.
func message(kind byte, body string) []byte { return append(header(kind, len(body)), body...) }

// nothings are n bytes that cost no memory.
func nothings(n int) io.Reader { return io.LimitReader(zeros{}, int64(n)) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// expect reads one message of a kind; its body, of at most 1 MB, is returned.
func expect(t *testing.T, r io.Reader, kind byte) []byte {
	t.Helper()
	var head [headerLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Errorf("message %q awaited: %v", kind, err)
		return nil
	}
	size := int(binary.BigEndian.Uint32(head[1:])) - 4
	if head[0] != kind || size > 1<<20 {
		t.Errorf("message %q of %d bytes, %q awaited", head[0], size, kind)
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		t.Error(err)
	}
	return body
}
