package httpguard

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/net/http/httpguts"
)

const (
	// maxDirect is how many bytes of a request are written before anything is read:
	// what two sockets hold, so that nobody waits for the other.
	maxDirect = 32 << 10
	// maxResponseHeader is how many bytes the header of a response may have, those
	// that go before it included. http.Transport has the same.
	maxResponseHeader = 10 << 20
)

// direct carries short requests to upstreams that speak HTTP/1.1 without TLS, each
// on the goroutine that asks. http.Transport has two more for each connection, and
// to wake them is much of what a short exchange costs. It does what that does:
// writing and reading are left to net/http, a connection is used again when the
// response came to its end and the upstream has not said a word since.
type direct struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	idle  map[string][]*link // by address, the latest used last
	timer *time.Timer        // closes those that were idle for long; nil: none is idle
}

// link is one connection.
type link struct {
	net.Conn
	raw     syscall.RawConn
	owner   *direct
	address string
	in      *bufio.Reader
	out     *bufio.Writer
	reused  bool
	wrote   bool      // something of this request
	read    bool      // something of this response
	left    int64     // bytes that may be read
	since   time.Time // idle
}

// takes reports whether the request is one for it.
func (d *direct) takes(req *http.Request) bool {
	switch {
	case d == nil, req.URL.Scheme != "http", req.URL.Host == "", req.Method == http.MethodConnect:
		return false
	case req.ContentLength < 0, req.ContentLength > maxDirect, req.Body != nil && req.GetBody == nil:
		return false
	case len(req.Trailer) > 0, len(req.TransferEncoding) > 0, req.Header["Expect"] != nil, req.Header["Upgrade"] != nil, req.Close:
		return false
	}
	for name, values := range req.Header { // the other one says what is wrong
		if !httpguts.ValidHeaderFieldName(name) || slices.ContainsFunc(values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
			return false
		}
	}
	return isASCII(req.URL.Host)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > unicode.MaxASCII {
			return false
		}
	}
	return true
}

// addressOf is where to dial.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// RoundTrip sends the request and reads the header of its response.
func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, address := req.Context(), addressOf(req.URL)
	gone := func() error { return context.Cause(ctx) }
	for fresh := false; ; fresh = true {
		if err := gone(); err != nil {
			return nil, err
		}
		l, err := d.take(ctx, address, fresh)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // nobody waits any more
		res, err := l.exchange(req)
		if err == nil {
			return l.hand(res, gone, stop), nil
		}
		stop()
		_ = l.Close()
		switch {
		case gone() != nil:
			return nil, gone()
		case !l.reused || l.read || l.wrote && !replayable(req):
			return nil, err
		}
		// The upstream closed a connection that it had kept.
		if req.GetBody != nil {
			again := *req
			if again.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
			req = &again
		}
	}
}

// replayable reports whether the request may be sent twice: RFC 9110, section
// 9.2.2, and what clients say of others.
func replayable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

// take gives an idle connection that is good still, or a new one.
func (d *direct) take(ctx context.Context, address string, fresh bool) (*link, error) {
	for !fresh {
		l := d.pop(address)
		if l == nil {
			break
		}
		if l.quiet() {
			l.reused, l.wrote, l.read = true, false, false
			return l, nil
		}
		_ = l.Close()
	}
	conn, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: conn, owner: d, address: address}
	if c, ok := conn.(syscall.Conn); ok {
		if l.raw, err = c.SyscallConn(); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	l.in, l.out = bufio.NewReaderSize(l, 16<<10), bufio.NewWriter(l)
	return l, nil
}

func (d *direct) pop(address string) *link {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.idle[address]
	if len(list) == 0 {
		return nil
	}
	l := list[len(list)-1]
	list[len(list)-1] = nil
	d.idle[address] = list[:len(list)-1]
	return l
}

// quiet reports whether the upstream neither closed the connection nor sent
// anything that nobody asked for.
func (l *link) quiet() bool {
	if l.raw == nil || l.in.Buffered() > 0 {
		return false
	}
	var b [1]byte
	var err error
	failed := l.raw.Read(func(fd uintptr) bool {
		_, err = syscall.Read(int(fd), b[:])
		return true
	})
	return failed == nil && errors.Is(err, syscall.EAGAIN)
}

// put keeps a connection for the next exchange.
func (d *direct) put(l *link) {
	l.since = time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.idle[l.address]) >= idlePerHost {
		_ = l.Close()
		return
	}
	if d.idle == nil {
		d.idle = map[string][]*link{}
	}
	d.idle[l.address] = append(d.idle[l.address], l)
	if d.timer == nil {
		d.timer = time.AfterFunc(idleTimeout, func() { d.sweep(idleTimeout) })
	}
}

// sweep closes what was idle for so long.
func (d *direct) sweep(age time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	for address, list := range d.idle {
		kept := slices.DeleteFunc(list, func(l *link) bool {
			old := time.Since(l.since) >= age
			if old {
				_ = l.Close()
			}
			return old
		})
		if d.idle[address] = kept; len(kept) == 0 {
			delete(d.idle, address)
		}
	}
	if len(d.idle) > 0 {
		d.timer = time.AfterFunc(age, func() { d.sweep(age) })
	}
}

// errHeaderTooLong is said of a response.
var errHeaderTooLong = errors.New("the header of the response is too long")

// Read is net.Conn's, within what may be read.
func (l *link) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errHeaderTooLong
	}
	n, err := l.Conn.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	l.read = l.read || n > 0
	return n, err
}

// Write is net.Conn's.
func (l *link) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.wrote = l.wrote || n > 0
	return n, err
}

// exchange writes the request, and reads up to the response's body.
func (l *link) exchange(req *http.Request) (*http.Response, error) {
	if err := req.Write(l.out); err != nil {
		return nil, err
	}
	if err := l.out.Flush(); err != nil {
		return nil, err
	}
	_ = l.SetReadDeadline(time.Now().Add(headerTimeout))
	l.left = maxResponseHeader
	for {
		res, err := http.ReadResponse(l.in, req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode >= http.StatusOK || res.StatusCode == http.StatusSwitchingProtocols {
			_ = l.SetReadDeadline(time.Time{})
			l.left = math.MaxInt64
			return res, nil
		}
		if t := httptrace.ContextClientTrace(req.Context()); t != nil && t.Got1xxResponse != nil {
			if err := t.Got1xxResponse(res.StatusCode, textproto.MIMEHeader(res.Header)); err != nil {
				return nil, err
			}
			l.left = maxResponseHeader // who is told bounds how many there are
		}
	}
}

// hand gives the response a body that gives the connection back at its end.
func (l *link) hand(res *http.Response, gone func() error, stop func() bool) *http.Response {
	b := &linkBody{ReadCloser: res.Body, link: l, gone: gone, stop: stop, keep: !res.Close && res.StatusCode != http.StatusSwitchingProtocols}
	if res.Body == http.NoBody {
		b.finish(true)
		return res
	}
	res.Body = b
	return res
}

// linkBody is the body of a response.
type linkBody struct {
	io.ReadCloser
	link *link
	gone func() error // why nobody waits any more; nil: somebody does
	stop func() bool
	keep bool // the connection outlives the response
	over bool
}

// Read reads on.
func (b *linkBody) Read(p []byte) (int, error) {
	if b.over {
		return b.ReadCloser.Read(p) // says again what it said
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		end := errors.Is(err, io.EOF)
		b.finish(end)
		if gone := b.gone(); gone != nil && !end {
			err = gone
		}
	}
	return n, err
}

// Close gives up what has not come yet, with the connection.
func (b *linkBody) Close() error {
	b.finish(false)
	return nil
}

// finish is behind the last byte that is read.
func (b *linkBody) finish(end bool) {
	if b.over {
		return
	}
	b.over = true
	if b.stop() && end && b.keep && b.link.in.Buffered() == 0 {
		b.link.owner.put(b.link)
		return
	}
	_ = b.link.Close()
}
