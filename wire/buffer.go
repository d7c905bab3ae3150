package wire

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// bufferSize is what one read or write carries at most, in bytes; bulkSize while
// much is under way.
const (
	bufferSize = 16 << 10
	bulkSize   = 64 << 10
)

// buffers and bulks are lent to connections for as long as they have bytes under
// way: a session that waits holds none.
var (
	buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	bulks   = sync.Pool{New: func() any { return new([bulkSize]byte) }}
)

// buffer is a lent one; the zero value is none.
type buffer struct {
	b    []byte
	few  *[bufferSize]byte
	many *[bulkSize]byte
}

// lend gets a buffer, if there is none.
func (l *buffer) lend(bulk bool) {
	switch {
	case l.b != nil:
	case bulk:
		l.many = bulks.Get().(*[bulkSize]byte)
		l.b = l.many[:]
	default:
		l.few = buffers.Get().(*[bufferSize]byte)
		l.b = l.few[:]
	}
}

// giveBack returns what was lent.
func (l *buffer) giveBack() {
	if l.few != nil {
		buffers.Put(l.few)
	}
	if l.many != nil {
		bulks.Put(l.many)
	}
	*l = buffer{}
}

// inbox buffers what comes from a connection.
type inbox struct {
	conn net.Conn
	wait func() error // called before a read that has to wait, and at the end
	buffer
	r, w int  // b[r:w] is unread
	much bool // the latest read filled a buffer

	raw    syscall.RawConn       // nil: conn has none, and a buffer is held while waiting
	try    func(fd uintptr) bool // reads once, made once
	failed error                 // of the latest try
}

func newInbox(conn net.Conn, wait func() error) *inbox {
	b := &inbox{conn: conn, wait: wait}
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
	return b.b[b.r : b.r+n], nil
}

// unread is all that is buffered.
func (b *inbox) unread() []byte {
	if b.b == nil {
		return nil
	}
	return b.b[b.r:b.w]
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

// fill waits for more bytes. What was forwarded leaves before.
func (b *inbox) fill() error {
	if b.r > 0 {
		b.w = copy(b.b, b.unread())
		b.r = 0
	}
	if b.w == 0 && b.many != nil && !b.much {
		b.giveBack()
	}
	if b.raw != nil {
		return b.await()
	}
	if err := b.wait(); err != nil {
		return err
	}
	b.lend(b.much)
	n, err := b.conn.Read(b.b[b.w:])
	b.read(n)
	if n > 0 {
		return nil
	}
	return err
}

// read notes that n bytes have come.
func (b *inbox) read(n int) {
	b.w += n
	b.much = b.w == len(b.b) || b.many != nil && b.w > bufferSize
}

// await reads when there is something to read, and holds no empty buffer until then.
func (b *inbox) await() error {
	had := b.w
	switch err := b.raw.Read(b.try); {
	case err != nil:
		return err
	case b.failed != nil:
		return b.failed
	case b.w == had:
		return io.EOF
	}
	return nil
}

// tryRead reads what there is; false asks to be called again when there is more.
func (b *inbox) tryRead(fd uintptr) (done bool) {
	b.lend(b.much)
	n, errno := read(int(fd), b.b[b.w:])
	for errno == syscall.EINTR {
		n, errno = read(int(fd), b.b[b.w:])
	}
	b.failed = nil
	if n > 0 {
		b.read(n)
		return true
	}
	if b.w == 0 {
		b.giveBack()
	}
	if err := b.wait(); err != nil {
		b.failed = err
	} else if errno != 0 && errno != syscall.EAGAIN {
		b.failed = os.NewSyscallError("read", errno)
	}
	return b.failed != nil || errno != syscall.EAGAIN
}

// outbox buffers what goes to a connection.
type outbox struct {
	conn io.Writer
	buffer
	n    int
	head [headerLen]byte // of the message that is begun
}

// Write takes p; what does not fit goes out first.
func (b *outbox) Write(p []byte) (int, error) {
	if len(p) > len(b.b)-b.n {
		if err := b.makeRoom(len(p)); err != nil {
			return 0, err
		}
		if b.b == nil {
			return b.conn.Write(p)
		}
	}
	b.n += copy(b.b[b.n:], p)
	return len(p), nil
}

// makeRoom makes room for n bytes; without a buffer, they are to be written as
// they are.
func (b *outbox) makeRoom(n int) error {
	if b.few != nil && n <= bulkSize-b.n { // much is on its way
		var bulk buffer
		bulk.lend(true)
		copy(bulk.b, b.b[:b.n])
		b.giveBack()
		b.buffer = bulk
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	if n <= bulkSize {
		b.lend(n > bufferSize)
	}
	return nil
}

// flush sends what was taken, and gives the buffer back.
func (b *outbox) flush() error {
	if b.b == nil {
		return nil
	}
	_, err := b.conn.Write(b.b[:b.n])
	b.giveBack()
	b.n = 0
	return err
}
