package httpguard

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"sallyport/policy"
)

const (
	dialTimeout     = 10 * time.Second
	headerTimeout   = 10 * time.Minute // a model may think that long before its first byte
	continueTimeout = time.Second      // an upstream that does not answer Expect gets the body then
	idleTimeout     = 90 * time.Second // of an unused connection to an upstream
	idlePerHost     = 64               // unused connections to one upstream
	downTime        = 10 * time.Second // an upstream that could not be reached is tried last that long
)

// pool is the upstreams of one target and the connections to them. No two
// targets share a connection.
type pool struct {
	list      []*upstream
	next      atomic.Uint64
	transport *http.Transport
	now       func() time.Time
}

// upstream is one of a pool.
type upstream struct {
	url  *url.URL
	down atomic.Int64 // until when it is tried last, in Unix nanoseconds
}

// newPool dials what the target names and nothing else: no proxy of the
// environment, no redirect, no decompression behind our back.
func newPool(r reach, now func() time.Time) *pool {
	p := &pool{now: now}
	for _, u := range r.upstreams {
		p.list = append(p.list, &upstream{url: u})
	}
	p.transport = &http.Transport{
		Proxy:                 nil,
		DialContext:           r.dial,
		TLSClientConfig:       &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ExpectContinueTimeout: continueTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   idlePerHost,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
	if r.h2c {
		p.transport.Protocols = new(http.Protocols)
		p.transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return p
}

// dial connects to a host of the configuration, at an address that it may have.
func (r reach) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return r.dialAs(ctx, host, address)
}

// dialAs connects to an address, or to what it resolves to, on behalf of a host.
func (r reach) dialAs(ctx context.Context, host, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil || !r.dialable(host, at.Addr()) {
			return &policy.Refusal{
				Kind: policy.Unavailable, Public: "the upstream's name stands for an address that this target may not reach",
				Hint: "if it is an internal service, who runs the gateway sets allow_private = true",
			}
		}
		return nil
	}}
	return d.DialContext(ctx, "tcp", address)
}

// RoundTrip sends the request to one upstream, and to the next when there was no
// connection: then nothing was sent. Requests to another host than the first
// upstream's go there alone.
func (p *pool) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != p.list[0].url.Host {
		return p.transport.RoundTrip(req)
	}
	var last error
	for _, u := range p.order() {
		body := req.Body
		if req.GetBody != nil {
			var err error
			if body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		out := *req
		at := *req.URL
		at.Host = u.url.Host
		out.URL, out.Host, out.Body = &at, u.url.Host, body
		res, err := p.transport.RoundTrip(&out)
		if err == nil {
			res.Request = req
			return res, nil
		}
		last = err
		if !isUnconnected(err) || req.Context().Err() != nil {
			return nil, err
		}
		u.down.Store(p.now().Add(downTime).UnixNano())
	}
	return nil, last
}

// order is the upstreams in turn, those that are down last.
func (p *pool) order() []*upstream {
	if len(p.list) == 1 {
		return p.list
	}
	now := p.now().UnixNano()
	first := p.next.Add(1) - 1
	var up, down []*upstream
	for i := range p.list {
		u := p.list[(first+uint64(i))%uint64(len(p.list))]
		if u.down.Load() > now {
			down = append(down, u)
		} else {
			up = append(up, u)
		}
	}
	return append(up, down...)
}

// isUnconnected reports whether the error came before there was a connection.
func isUnconnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// reopened is a request's body that a transport may close before any of it was
// read: another attempt then reads it.
type reopened struct {
	io.Reader
	closed atomic.Bool
}

// Read reads on, unless this attempt was given up.
func (r *reopened) Read(p []byte) (int, error) {
	if r.closed.Load() {
		return 0, errors.New("the attempt was given up")
	}
	return r.Reader.Read(p)
}

// Close ends this attempt alone.
func (r *reopened) Close() error {
	r.closed.Store(true)
	return nil
}
