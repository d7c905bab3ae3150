package wire

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// TestASlowClientSlowsTheServer: what a client does not read is not taken from
// the server, beyond what the kernel and one buffer hold; and the other way round.
func TestASlowClientSlowsTheServer(t *testing.T) {
	const total, window = 256 << 20, 32 << 20
	row := message('D', "\x00\x01"+int32s(1<<10)+string(make([]byte, 1<<10)))
	t.Run("rows", func(t *testing.T) {
		var sent atomic.Int64
		stuck := make(chan struct{})
		g := startBefore(t, peer(t, func(conn net.Conn) {
			expect(t, conn, 'Q')
			_, _ = conn.Write(rowOf("v"))
			sendAll(conn, row, total, &sent, stuck)
			_, _ = conn.Write(append(message('C', "SELECT 1\x00"), message('Z', "I")...))
			expect(t, conn, 'X')
		}))
		conn, _ := g.dialRaw(t)
		_, _ = conn.Write(message('Q', "select\x00"))
		<-stuck
		if n := sent.Load(); n > window {
			t.Errorf("%d bytes were taken from the server, the client has read none", n)
		}
		if n, err := io.CopyN(io.Discard, conn, total); err != nil {
			t.Errorf("%d bytes came, %v", n, err)
		}
		_ = conn.Close()
	})
	t.Run("data", func(t *testing.T) {
		var sent atomic.Int64
		stuck, read, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		g := startBefore(t, peer(t, func(conn net.Conn) {
			defer close(done)
			<-read
			if n, err := io.CopyN(io.Discard, conn, total); err != nil {
				t.Errorf("%d bytes came, %v", n, err)
			}
		}))
		conn, _ := g.dialRaw(t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			sendAll(conn, message('d', string(make([]byte, 1<<10))), total, &sent, stuck)
		}()
		<-stuck
		if n := sent.Load(); n > window {
			t.Errorf("%d bytes were taken from the client, the server has read none", n)
		}
		close(read)
		<-ended
		<-done
		_ = conn.Close()
	})
}

// sendAll writes about total bytes in messages, and closes stuck as soon as the
// other side takes nothing for a while, or all is written.
func sendAll(conn net.Conn, message []byte, total int64, sent *atomic.Int64, stuck chan struct{}) {
	told := false
	tell := func() {
		if !told {
			told = true
			close(stuck)
		}
	}
	defer tell()
	for sent.Load() < total {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := conn.Write(message)
		sent.Add(int64(n))
		if err == nil {
			continue
		}
		tell()
		_ = conn.SetWriteDeadline(time.Time{})
		for n < len(message) {
			m, err := conn.Write(message[n:])
			sent.Add(int64(m))
			if err != nil {
				return
			}
			n += m
		}
	}
}
