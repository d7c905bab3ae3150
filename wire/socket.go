package wire

import (
	"io"
	"net"
	"os"
	"syscall"
)

// socket writes to a TCP connection. Its calls never block, so the scheduler is
// not told of them (syscall_linux.go): what that costs, on a gateway that often
// has nothing to do for microseconds, is as much as the call itself.
// Not for concurrent use.
type socket struct {
	raw    syscall.RawConn
	try    func(fd uintptr) bool // writes once, made once
	rest   []byte
	failed error
}

// direct is the shortest way to write to conn.
func direct(conn net.Conn) io.Writer {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	s := &socket{raw: raw}
	s.try = s.tryWrite
	return s
}

// Write writes all of p, or says why not.
func (s *socket) Write(p []byte) (int, error) {
	s.rest, s.failed = p, nil
	err := s.raw.Write(s.try)
	if err == nil {
		err = s.failed
	}
	n := len(p) - len(s.rest)
	s.rest = nil
	return n, err
}

// tryWrite writes what there is room for; false asks to be called again when there is more.
func (s *socket) tryWrite(fd uintptr) (done bool) {
	for len(s.rest) > 0 {
		n, err := write(int(fd), s.rest)
		switch err {
		case 0:
			s.rest = s.rest[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			s.failed = os.NewSyscallError("write", err)
			return true
		}
	}
	return true
}
