package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// bufferSize is what one read or write carries at most, in bytes.
const bufferSize = 16 << 10

// buffers are lent to connections for as long as they have bytes under way: a
// session that waits holds none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// inbox buffers what comes from a connection.
type inbox struct {
	conn net.Conn
	buf  *[bufferSize]byte
	r, w int // buf[r:w] is unread

	raw    syscall.RawConn       // nil: conn has none, and a buffer is held while waiting
	try    func(fd uintptr) bool // reads once, made once
	failed error                 // of the latest try
}

func newInbox(conn net.Conn) *inbox {
	b := &inbox{conn: conn}
	if c, ok := conn.(*net.TCPConn); ok {
		b.raw, _ = c.SyscallConn()
		b.try = b.tryRead
	}
	return b
}

// buffered is how many bytes can be had without waiting.
func (b *inbox) buffered() int { return b.w - b.r }

// peek waits for n bytes, at most bufferSize, and returns them unread; valid
// until the next call. With an error it returns what there is.
func (b *inbox) peek(n int) ([]byte, error) {
	for b.buffered() < n {
		if err := b.fill(); err != nil {
			return b.unread(), err
		}
	}
	if n == 0 {
		return nil, nil
	}
	return b.buf[b.r : b.r+n], nil
}

// unread is all that is buffered.
func (b *inbox) unread() []byte {
	if b.buf == nil {
		return nil
	}
	return b.buf[b.r:b.w]
}

// discard reads past n bytes.
func (b *inbox) discard(n int) error {
	for n > 0 {
		if b.buffered() == 0 {
			if err := b.fill(); err != nil {
				return err
			}
		}
		step := min(n, b.buffered())
		b.r += step
		n -= step
	}
	return nil
}

// readFull fills p. What is not buffered already is read into p itself.
func (b *inbox) readFull(p []byte) error {
	n := copy(p, b.unread())
	b.r += n
	if n == len(p) {
		return nil
	}
	_, err := io.ReadFull(b.conn, p[n:])
	return err
}

// fill waits for more bytes.
func (b *inbox) fill() error {
	if b.buffered() == 0 {
		b.r, b.w = 0, 0
		if b.raw != nil {
			return b.await()
		}
	}
	if b.buf == nil {
		b.buf = buffers.Get().(*[bufferSize]byte)
	}
	if b.r > 0 {
		b.w = copy(b.buf[:], b.unread())
		b.r = 0
	}
	n, err := b.conn.Read(b.buf[b.w:])
	b.w += n
	if n > 0 {
		return nil
	}
	return err
}

// await reads when there is something to read, and holds no buffer until then.
func (b *inbox) await() error {
	switch err := b.raw.Read(b.try); {
	case err != nil:
		return err
	case b.failed != nil:
		return b.failed
	case b.w == 0:
		return io.EOF
	}
	return nil
}

// tryRead reads what there is; false asks to be called again when there is more.
func (b *inbox) tryRead(fd uintptr) (done bool) {
	if b.buf == nil {
		b.buf = buffers.Get().(*[bufferSize]byte)
	}
	var n int
	for {
		n, b.failed = syscall.Read(int(fd), b.buf[:])
		if !errors.Is(b.failed, syscall.EINTR) {
			break
		}
	}
	if errors.Is(b.failed, syscall.EAGAIN) {
		b.release()
		return false
	}
	b.w = max(n, 0)
	return true
}

// release gives the buffer back; nothing is unread.
func (b *inbox) release() {
	if b.buf != nil {
		buffers.Put(b.buf)
		b.buf = nil
	}
}

// outbox buffers what goes to a connection.
type outbox struct {
	conn io.Writer
	buf  *[bufferSize]byte
	n    int
	head [headerLen]byte // of the message that is begun
}

// Write takes p; what does not fit goes out first.
func (b *outbox) Write(p []byte) (int, error) {
	if b.n > 0 && len(p) > bufferSize-b.n {
		if err := b.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) > bufferSize {
		return b.conn.Write(p)
	}
	if b.buf == nil {
		b.buf = buffers.Get().(*[bufferSize]byte)
	}
	b.n += copy(b.buf[b.n:], p)
	return len(p), nil
}

// flush sends what was taken, and gives the buffer back.
func (b *outbox) flush() error {
	if b.buf == nil {
		return nil
	}
	_, err := b.conn.Write(b.buf[:b.n])
	buffers.Put(b.buf)
	b.buf, b.n = nil, 0
	return err
}
