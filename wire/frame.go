package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgproto3/v2"
)

// Sizes in bytes. The limits are the server's own where it has one.
const (
	headerLen = 5 // type byte and length

	maxStartup = 10_000     // MAX_STARTUP_PACKET_LENGTH in libpq/pqcomm.h
	maxToken   = 65_535     // PG_MAX_AUTH_TOKEN_LENGTH in libpq/auth.h
	maxSmall   = 10_000     // PQ_SMALL_MESSAGE_LIMIT in libpq/libpq.h
	maxLarge   = 0x3fffffff // PQ_LARGE_MESSAGE_LIMIT, which is MaxAllocSize - 1
	maxHeld    = 64 << 20   // what is held of one message; longer ones only stream
	maxText    = 16 << 20   // a longer statement is drained and refused unread
	maxKept    = 64 << 20   // what a session's prepared statements and portals may hold
	growStep   = 1 << 20    // how far a length is trusted ahead of its bytes; longer messages stream where they can
)

// errTorn marks an error inside a message that was already partly forwarded:
// nothing can be said after it.
var errTorn = errors.New("connection lost inside a message")

// stream reads framed messages from one peer.
//
// It flushes its partner, the writer to the other peer, before each read that
// blocks: what was forwarded leaves in one write, and never waits.
type stream struct {
	in      *inbox
	partner *outbox // flushed before in waits
	body    []byte  // for messages larger than a buffer
	skip    int     // bytes of the last body still to discard
}

// newStream reads from conn and flushes partner before each read that blocks.
func newStream(conn net.Conn, partner *outbox) *stream {
	s := &stream{partner: partner}
	s.in = newInbox(conn, s.flush)
	return s
}

// need makes n bytes, at most bufferSize, be there.
func (s *stream) need(n int) ([]byte, error) { return s.in.peek(n) }

// flush sends what was forwarded.
func (s *stream) flush() error {
	if err := s.partner.flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// next reads a header. The body has size bytes and is read by hold, pass or drop.
func (s *stream) next() (kind byte, size int, err error) {
	s.release()
	h, err := s.need(headerLen)
	if err != nil {
		if len(h) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, 0, err
	}
	kind = h[0]
	n := binary.BigEndian.Uint32(h[1:])
	if n < 4 || n-4 > maxLarge {
		return kind, 0, malformed("message %s claims %d bytes", quoteKind(kind), n)
	}
	return kind, int(n - 4), s.in.discard(headerLen)
}

// hold returns a whole body, valid until the next call of next.
//
// The length was claimed by the peer: memory grows with the bytes that come.
func (s *stream) hold(size int) ([]byte, error) {
	if size <= bufferSize {
		b, err := s.need(size)
		if err != nil {
			return nil, unexpected(err)
		}
		s.skip = size
		return b, nil
	}
	if size > maxHeld {
		return nil, tooLong("a message") // by how much, it does not say: that would tell of masked values
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	s.body = s.body[:0]
	for len(s.body) < size {
		step := min(size-len(s.body), growStep)
		at := len(s.body)
		s.body = append(s.body, make([]byte, step)...)
		if err := s.in.readFull(s.body[at:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return s.body, nil
}

// release gives back what hold returned.
func (s *stream) release() {
	_ = s.in.discard(s.skip) // buffered
	s.skip = 0
	if cap(s.body) > growStep {
		s.body = nil
	}
}

// pass forwards a message of which next read the header, without holding it.
func (s *stream) pass(w *outbox, kind byte, size int) error {
	if err := writeHeader(w, kind, size); err != nil {
		return err
	}
	for size > 0 {
		if s.in.buffered() == 0 {
			if _, err := s.need(1); err != nil {
				return fmt.Errorf("%w: %w", errTorn, unexpected(err))
			}
		}
		b := s.in.unread()
		b = b[:min(size, len(b))]
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("%w: %w", errTorn, err)
		}
		_ = s.in.discard(len(b)) // buffered
		size -= len(b)
	}
	return nil
}

// passRun forwards the messages of a kind that have come whole, up to the first
// that is not one. It gives their number, and the bytes of their bodies.
func (s *stream) passRun(w *outbox, kind byte) (count, size int64, err error) {
	b, end := s.in.unread(), 0
	for len(b)-end >= headerLen && b[end] == kind {
		n := binary.BigEndian.Uint32(b[end+1:])
		if n < 4 || int64(n) >= int64(len(b)-end) {
			break
		}
		end += 1 + int(n)
		count, size = count+1, size+int64(n-4)
	}
	if end == 0 {
		return 0, 0, nil
	}
	if _, err := w.Write(b[:end]); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errTorn, err)
	}
	return count, size, s.in.discard(end)
}

// drop reads a body and forgets it.
func (s *stream) drop(size int) error {
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.in.discard(size); err != nil {
		return unexpected(err)
	}
	return nil
}

// writeHeader writes a type byte and the length of a body of size bytes.
func writeHeader(w *outbox, kind byte, size int) error {
	w.head[0] = kind
	binary.BigEndian.PutUint32(w.head[1:], uint32(size+4))
	_, err := w.Write(w.head[:])
	return err
}

// writeMessage writes a whole message.
func writeMessage(w *outbox, kind byte, body []byte) error {
	if err := writeHeader(w, kind, len(body)); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// send writes one of our own messages.
func send(w io.Writer, m pgproto3.Message) error {
	b, err := m.Encode(nil)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = w.Write(b)
	return err
}

// unexpected says that an EOF came inside a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// quoteKind shows a message type byte, which need not be a letter.
func quoteKind(kind byte) string { return fmt.Sprintf("%q", rune(kind)) }
