// Package loopback finds addresses on 127.0.0.1 for servers that tests, the demo and the benchmarks start.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// Where the system gives ports to outgoing connections and to listeners that
// ask for any (Linux: 32768 and above), one that was free a moment ago is
// soon somebody else's.
const lowest, highest = 15000, 32000

// given counts the ports that this process was given: none is given twice, and
// processes that run at once begin far from each other.
var given atomic.Int64

// Port is one at which nobody listens, from a range that the system gives to
// nobody who does not ask for it by number.
func Port(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	for range highest - lowest {
		port := lowest + (int64(os.Getpid())*257+given.Add(1))%(highest-lowest)
		ln, err := lc.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return int(port), ln.Close()
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// Refusing is an address that refuses connections until it is given back:
// the port is taken, so nobody else can come to listen there.
func Refusing() (address string, giveBack func() error, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return "", nil, err
	}
	syscall.CloseOnExec(fd)
	giveBack = func() error { return syscall.Close(fd) }
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", nil, errors.Join(err, giveBack())
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		return "", nil, errors.Join(err, giveBack())
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), giveBack, nil
}
