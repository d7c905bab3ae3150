package httpguard

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"sync"
	"time"

	"sallyport/policy"
	"sallyport/secret"
)

// Proxy is [proxy]: the authority whose certificates the gateway shows to those
// who use it as a forward proxy. Both empty: it is nobody's proxy.
type Proxy struct {
	CACert string `toml:"ca_cert"` // PEM file, as `sallyport ca init` makes it
	CAKey  string `toml:"ca_key"`  // PEM file
}

// Problems lists everything that is wrong with [proxy].
func (p Proxy) Problems() []Problem {
	switch {
	case p == Proxy{}:
	case p.CACert == "":
		return []Problem{{"ca_cert", "is required: sallyport ca init makes one"}}
	case p.CAKey == "":
		return []Problem{{"ca_key", "is required: sallyport ca init makes one"}}
	default:
		if _, err := loadAuthority(p, time.Now); err != nil {
			return []Problem{{"ca_cert", err.Error()}}
		}
	}
	return nil
}

// proxy is the gateway as a forward proxy: for its targets, and nothing else.
type proxy struct {
	authority *authority

	mu     sync.Mutex
	open   map[*http.Server]bool
	closed bool
	all    sync.WaitGroup
}

func newProxy(p Proxy, now func() time.Time) (*proxy, error) {
	if p == (Proxy{}) {
		return nil, nil
	}
	a, err := loadAuthority(p, now)
	if err != nil {
		return nil, err
	}
	return &proxy{authority: a, open: map[*http.Server]bool{}}, nil
}

// tunnel is one CONNECT: the exchanges in it are for one host and by one token.
type tunnel struct {
	authority string // host:port
	token     secret.Text
	state     *tls.ConnectionState // of the connection that the tunnel is in; nil without TLS
}

// connect answers CONNECT. TLS ends here; what is inside is carried by the same
// exchanges as everything else.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, in: r, out: &tracked{ResponseWriter: w}, id: s.newID(), start: s.now()}
	x.out.exchange = x
	err := x.safely(func() error { return x.serveTunnel(r.Context()) })
	if err != nil {
		x.refuse(err)
	}
}

// serveTunnel holds the connection until it ends.
func (x *exchange) serveTunnel(ctx context.Context) error {
	shown, err := x.shown()
	if err != nil {
		return asProxy(err)
	}
	token, err := findProxyToken(x.in.Header)
	if err != nil && (shown == nil || !errors.Is(err, errNoToken)) {
		return err
	}
	if _, err := x.server.proved(ctx, shown, token); err != nil {
		return asProxy(err)
	}
	if _, _, err := net.SplitHostPort(x.in.RequestURI); err != nil || x.in.RequestURI != x.in.Host {
		return malformed("CONNECT wants host:port", nil)
	}
	t := &tunnel{authority: withPort(x.in.RequestURI, "443"), token: token, state: x.in.TLS}
	if !x.server.known(t.authority) {
		return &policy.Refusal{Kind: policy.Denied, Public: "no target is at that address", Hint: "the gateway is a proxy for its targets only"}
	}
	conn, buffered, err := http.NewResponseController(x.out).Hijack()
	if err != nil {
		return &policy.Refusal{Kind: policy.Unsupported, Public: "CONNECT is offered over HTTP/1.1 alone", Err: err}
	}
	x.out.begun = true
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return nil // the caller went away
	}
	return x.server.proxy.serve(ctx, x.server, &rewound{Conn: conn, from: unread(conn, buffered)}, t)
}

// unread is what comes on a hijacked connection. The server's own reader gives
// only what it has read already: it ends the request when a read fails.
func unread(conn net.Conn, buffered *bufio.ReadWriter) io.Reader {
	ahead := make([]byte, buffered.Reader.Buffered())
	n, _ := io.ReadFull(buffered.Reader, ahead) // it has them
	return io.MultiReader(bytes.NewReader(ahead[:n]), conn)
}

// rewound is a connection with what was read of it before.
type rewound struct {
	net.Conn
	from io.Reader
}

// Read reads on.
func (r *rewound) Read(p []byte) (int, error) { return r.from.Read(p) }

const handshakeTimeout = 10 * time.Second

// serve carries the exchanges of one tunnel, over TLS or, where the caller
// begins with something else, without it.
func (p *proxy) serve(ctx context.Context, s *Server, conn *rewound, t *tunnel) error {
	first := make([]byte, 1)
	_ = conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	if _, err := io.ReadFull(conn, first); err != nil {
		return nil // nothing came
	}
	_ = conn.SetReadDeadline(time.Time{})
	conn.from = io.MultiReader(&one{b: first[0]}, conn.from)
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, t) }),
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog:    stdlog.New(s.log.With().Str("tunnel", t.authority).Logger(), "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	if !p.enter(srv) {
		return nil
	}
	defer p.leave(srv)
	cut := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer cut()
	l := newSingle(conn)
	srv.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			_ = l.Close()
		}
	}
	const handshake = 22 // a TLS record: RFC 8446, section 5.1
	var err error
	if first[0] == handshake {
		srv.TLSConfig = p.authority.config(t.authority)
		err = srv.ServeTLS(l, "", "")
	} else {
		err = srv.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		l.wait()
		return nil
	}
	return fmt.Errorf("serve tunnel: %w", err)
}

// enter notes a running tunnel, unless the proxy has closed.
func (p *proxy) enter(srv *http.Server) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.open[srv] = true
	p.all.Add(1)
	return true
}

func (p *proxy) leave(srv *http.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, srv)
	p.all.Done()
}

// close ends the tunnels: those that are idle at once, the others when their
// exchanges have ended or ctx has.
func (p *proxy) close(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	p.closed = true
	var open []*http.Server
	for srv := range p.open {
		open = append(open, srv)
	}
	p.mu.Unlock()
	var each sync.WaitGroup
	for _, srv := range open {
		each.Go(func() {
			if srv.Shutdown(ctx) != nil {
				_ = srv.Close()
			}
		})
	}
	each.Wait()
	p.all.Wait()
	return nil
}

// one is a reader of one byte.
type one struct {
	b    byte
	done bool
}

// Read gives the byte.
func (o *one) Read(p []byte) (int, error) {
	if o.done || len(p) == 0 {
		return 0, io.EOF
	}
	p[0], o.done = o.b, true
	return 1, nil
}

// single is a listener of one connection.
type single struct {
	conn  net.Conn
	given bool
	once  sync.Once
	end   chan struct{} // closed when the connection has ended
}

func newSingle(conn *rewound) *single {
	s := &single{end: make(chan struct{})}
	s.conn = &watched{Conn: conn, ended: make(chan struct{})}
	return s
}

// Accept gives the connection, then waits for its end.
func (s *single) Accept() (net.Conn, error) {
	if !s.given {
		s.given = true
		return s.conn, nil
	}
	<-s.end
	return nil, net.ErrClosed
}

// Close ends the waiting.
func (s *single) Close() error {
	s.once.Do(func() { close(s.end) })
	return nil
}

// Addr is the connection's.
func (s *single) Addr() net.Addr { return s.conn.LocalAddr() }

// wait returns when the connection was closed: until then an upgraded one may
// be in use.
func (s *single) wait() { <-s.conn.(*watched).ended }

// watched tells that it was closed.
type watched struct {
	net.Conn
	once  sync.Once
	ended chan struct{}
}

// Close closes once.
func (w *watched) Close() error {
	err := w.Conn.Close()
	w.once.Do(func() { close(w.ended) })
	return err
}
