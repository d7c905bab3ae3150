package wire

import (
	"bufio"
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
	maxHeld    = 256 << 20  // what one session holds of one message; longer ones only stream
	maxText    = 16 << 20   // a longer statement is drained and refused unread
	clientBuf  = 8 << 10    // per session
	serverBuf  = 16 << 10   // per session
	growStep   = 1 << 20    // how far a length is trusted ahead of its bytes
)

// errTorn marks an error inside a message that was already partly forwarded:
// nothing can be said after it.
var errTorn = errors.New("connection lost inside a message")

// stream reads framed messages from one peer.
//
// It flushes its partner, the writer to the other peer, before each read that
// may block: what was forwarded leaves in one write, and never waits.
type stream struct {
	conn    net.Conn
	partner *bufio.Writer // flushed before conn is read
	r       *bufio.Reader
	body    []byte // for messages larger than r's buffer
	skip    int    // bytes of the last body still to discard from r
}

// newStream reads from conn and flushes partner before each read that may block.
func newStream(conn net.Conn, partner *bufio.Writer, size int) *stream {
	s := &stream{conn: conn, partner: partner}
	s.r = bufio.NewReaderSize(flushFirst{s}, size)
	return s
}

// flushFirst is the connection below a stream's buffer.
type flushFirst struct{ s *stream }

func (f flushFirst) Read(p []byte) (int, error) {
	if err := f.s.partner.Flush(); err != nil {
		return 0, fmt.Errorf("flush: %w", err)
	}
	return f.s.conn.Read(p)
}

// next reads a header. The body has size bytes and is read by hold, pass or drop.
func (s *stream) next() (kind byte, size int, err error) {
	s.release()
	h, err := s.r.Peek(headerLen)
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
	_, _ = s.r.Discard(headerLen)
	return kind, int(n - 4), nil
}

// hold returns a whole body, valid until the next call of next.
//
// The length was claimed by the peer: memory grows with the bytes that come.
func (s *stream) hold(size int) ([]byte, error) {
	if size <= s.r.Size() {
		b, err := s.r.Peek(size)
		s.skip = len(b)
		if err != nil {
			return nil, unexpected(err)
		}
		return b, nil
	}
	s.body = s.body[:0]
	for len(s.body) < size {
		step := min(size-len(s.body), growStep)
		at := len(s.body)
		s.body = append(s.body, make([]byte, step)...)
		if _, err := io.ReadFull(s.r, s.body[at:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return s.body, nil
}

// release gives back what hold returned.
func (s *stream) release() {
	if s.skip > 0 {
		_, _ = s.r.Discard(s.skip)
		s.skip = 0
	}
	if cap(s.body) > growStep {
		s.body = nil
	}
}

// pass forwards a message of which next read the header, without holding it.
func (s *stream) pass(w *bufio.Writer, kind byte, size int) error {
	if err := writeHeader(w, kind, size); err != nil {
		return err
	}
	for size > 0 {
		if s.r.Buffered() == 0 {
			if _, err := s.r.Peek(1); err != nil {
				return fmt.Errorf("%w: %w", errTorn, unexpected(err))
			}
		}
		b, _ := s.r.Peek(min(size, s.r.Buffered()))
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("%w: %w", errTorn, err)
		}
		_, _ = s.r.Discard(len(b))
		size -= len(b)
	}
	return nil
}

// drop reads a body and forgets it.
func (s *stream) drop(size int) error {
	_, err := s.r.Discard(size)
	if err != nil {
		return unexpected(err)
	}
	return nil
}

// writeHeader writes a type byte and the length of a body of size bytes.
func writeHeader(w *bufio.Writer, kind byte, size int) error {
	h := append(w.AvailableBuffer(), kind)
	h = binary.BigEndian.AppendUint32(h, uint32(size+4))
	_, err := w.Write(h)
	return err
}

// writeMessage writes a whole message.
func writeMessage(w *bufio.Writer, kind byte, body []byte) error {
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
