package wire

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"io"
	"sync"

	"sallyport/policy"
)

// cancelKey names a session to a CancelRequest: the server's own process id,
// which clients use in SQL, and a secret of ours.
type cancelKey struct {
	pid    uint32
	secret []byte
}

// Bytes of our secret: protocol 3.0 has room for four, 3.2 for up to 256.
// PostgreSQL 18, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-BACKENDKEYDATA.
const (
	shortSecret = 4
	longSecret  = 32
	maxSecret   = 256
)

// parseCancel reads a CancelRequest's body.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-CANCELREQUEST.
func parseCancel(body []byte) (*cancelKey, *policy.Refusal) {
	p := parts{b: body}
	key := &cancelKey{pid: uint32(p.int32())}
	key.secret = p.b
	if p.bad || len(key.secret) < shortSecret || len(key.secret) > maxSecret {
		return nil, malformed("invalid length of cancel request")
	}
	return key, nil
}

// cancels finds the session a CancelRequest means.
type cancels struct {
	mu    sync.Mutex
	byPID map[uint32][]held // several targets can use the same process id
}

type held struct {
	secret []byte
	up     *upstream
}

// add makes a secret for up and gives the key that its client, of protocol
// 3.minor, gets.
func (c *cancels) add(up *upstream, minor int) cancelKey {
	key := cancelKey{pid: up.pid, secret: make([]byte, shortSecret)}
	if minor >= 2 {
		key.secret = make([]byte, longSecret)
	}
	_, _ = rand.Read(key.secret) // never fails: crypto/rand
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byPID[key.pid] = append(c.byPID[key.pid], held{key.secret, up})
	return key
}

// remove forgets up.
func (c *cancels) remove(up *upstream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.byPID[up.pid]
	for i, h := range list {
		if h.up == up {
			c.byPID[up.pid] = append(list[:i:i], list[i+1:]...)
		}
	}
	if len(c.byPID[up.pid]) == 0 {
		delete(c.byPID, up.pid)
	}
}

// find compares in constant time. The caller calls Done of what it found's
// interrupts, once the server has heard.
func (c *cancels) find(key *cancelKey) *upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *upstream
	for _, h := range c.byPID[key.pid] {
		if subtle.ConstantTimeCompare(h.secret, key.secret) == 1 {
			found = h.up
		}
	}
	if found != nil {
		found.interrupts.Add(1)
	}
	return found
}

// cancel passes a CancelRequest on with the server's own key, over the TLS of
// its target, and waits until the server has taken it. The client is told
// nothing either way: that is the protocol.
func (s *Server) cancel(ctx context.Context, key *cancelKey, address string) error {
	if !s.strays.May(address) {
		s.metrics.cancels.WithLabelValues("limited").Inc()
		return nil
	}
	up := s.cancels.find(key)
	if up != nil {
		defer up.interrupts.Done()
	}
	if up == nil || len(up.key) == 0 {
		s.strays.Take(address)
		s.metrics.cancels.WithLabelValues("unknown").Inc()
		return nil
	}
	err := interrupt(ctx, up)
	if err != nil {
		s.metrics.cancels.WithLabelValues("failed").Inc()
		return err
	}
	s.metrics.cancels.WithLabelValues("passed").Inc()
	return nil
}

// interrupt asks the server to cancel what up is doing, over a connection of
// its own, and waits until the server has heard it.
func interrupt(ctx context.Context, up *upstream) error {
	side, err := connect(ctx, up.target, up.endpoint)
	if err != nil {
		return err
	}
	defer side.conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = side.conn.SetDeadline(past) })
	defer stop()
	message := binary.BigEndian.AppendUint32(nil, uint32(12+len(up.key)))
	message = binary.BigEndian.AppendUint32(message, codeCancel)
	message = binary.BigEndian.AppendUint32(message, up.pid)
	if _, err := side.conn.Write(append(message, up.key...)); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, side.conn)
	return nil
}
