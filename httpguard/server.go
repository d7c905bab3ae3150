package httpguard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/mask"
)

// Config is what a Server is made of. Every field is needed but Masks.
type Config struct {
	Targets    map[string]Target // by name
	Masks      []mask.Rule
	Proxy      Proxy // [proxy]; zero: the gateway is nobody's proxy
	Identifier Identifier
	Access     Access
	Lender     Lender
	Judge      Judge
	Journal    Journal
	Log        zerolog.Logger
	NewID      func() string    // a new id, a ULID
	Now        func() time.Time // the clock
	Registerer prometheus.Registerer
}

// Server is the HTTP door of the gateway: an http.Handler for one listener or
// several. The http.Server around it sets the limits of headers and of idle
// connections.
type Server struct {
	targets    map[string]*target
	identifier Identifier
	access     Access
	lender     Lender
	judge      Judge
	sessions   *sessions
	hosts      hosts
	proxy      *proxy // nil: the gateway is nobody's proxy
	buffers    *buffers
	metrics    *metrics
	ledger     *ledger
	log        zerolog.Logger
	newID      func() string
	now        func() time.Time
	upload     time.Duration // maxUpload
}

// New checks the targets and makes them ready. It dials nothing.
func New(cfg Config) (*Server, error) {
	s := &Server{
		targets:    make(map[string]*target, len(cfg.Targets)),
		identifier: cfg.Identifier,
		access:     cfg.Access,
		lender:     cfg.Lender,
		judge:      cfg.Judge,
		buffers:    newBuffers(),
		metrics:    newMetrics(),
		ledger:     &ledger{},
		log:        cfg.Log,
		newID:      cfg.NewID,
		now:        cfg.Now,
		upload:     maxUpload,
	}
	s.sessions = newSessions(cfg.Journal, cfg.NewID, cfg.Log, s.metrics)
	var all []error
	for name, t := range cfg.Targets {
		parsed, problems := t.parse(name)
		for _, p := range problems {
			all = append(all, fmt.Errorf("http.%s: %s: %s", name, p.Key, p.Message))
		}
		var err error
		if parsed.masks, err = mask.NewContents(cfg.Masks, name); err != nil {
			all = append(all, fmt.Errorf("http.%s: mask: %w", name, err))
		}
		parsed.pool = newPool(parsed.reach, cfg.Now)
		s.targets[name] = parsed
	}
	var err error
	if s.hosts, err = newHosts(s.targets); err != nil {
		all = append(all, err)
	}
	if s.proxy, err = newProxy(cfg.Proxy, cfg.Now); err != nil {
		all = append(all, fmt.Errorf("proxy: %w", err))
	}
	if len(all) > 0 {
		slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(all...)
	}
	if err := s.metrics.register(cfg.Registerer); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP carries one exchange from its first byte to its last. Whatever goes
// wrong in it, a fault of the gateway's own included, ends this exchange alone.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect && s.proxy != nil {
		s.connect(w, r)
		return
	}
	s.serve(w, r, nil)
}

// serve carries one exchange. t is the tunnel it came through, nil for none.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, t *tunnel) {
	x := &exchange{server: s, in: r, out: &tracked{ResponseWriter: w}, id: s.newID(), start: s.now(), tunnel: t}
	x.out.exchange = x
	defer x.leave()
	x.expect(time.Now().Add(s.upload))
	if err := x.safely(func() error { return x.carryOut(r.Context()) }); err != nil {
		x.refuse(err)
	}
}

// safely makes an error of a panic. The panic by which an exchange is cut in
// the middle of its response passes.
func (x *exchange) safely(do func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if cause, ok := p.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
			panic(p)
		}
		err = fmt.Errorf("panic: %v", p)
	}()
	return do()
}

// Close refuses new exchanges, waits for the running ones until ctx ends, and
// ends every recording.
func (s *Server) Close(ctx context.Context) error {
	defer func() {
		for _, t := range s.targets {
			t.pool.transport.CloseIdleConnections()
		}
	}()
	return errors.Join(s.proxy.close(ctx), s.sessions.close(ctx))
}

// tracked remembers whether the response has begun.
type tracked struct {
	http.ResponseWriter
	exchange *exchange
	begun    bool
}

// WriteHeader notes a final status. What goes before one holds no more than it.
func (t *tracked) WriteHeader(status int) {
	switch {
	case status == http.StatusContinue:
		return // the caller has ours
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		t.exchange.echo.header(t.Header())
		t.exchange.own(t.Header())
	default:
		t.begun = true
		t.last()
	}
	t.ResponseWriter.WriteHeader(status)
}

// last makes the response to a body in chunks the last one on its connection. It may
// have had a length, too, which net/http does not tell: a server in front that went
// by it takes what follows for another caller's. RFC 9112, section 6.3.
func (t *tracked) last() {
	if t.exchange.in.ProtoMajor == 1 && len(t.exchange.in.TransferEncoding) > 0 {
		t.Header().Set("Connection", "close")
	}
}

// Write notes that the response has begun.
func (t *tracked) Write(p []byte) (int, error) {
	t.begun = true
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }
