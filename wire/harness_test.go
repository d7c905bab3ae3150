package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"sallyport/credential"
	"sallyport/internal/pgtest"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const goodToken = "spt_good"

// house stands in for the rooms below: each answer can be changed by a test.
type house struct {
	judge  func(text string) Reading
	events func(recorder.Event) error

	mu       sync.Mutex
	recorded []recorder.Event
	ended    []string
	user     string
	password secret.Text
	expires  time.Time
}

func (h *house) Identify(_ context.Context, token secret.Text) (policy.Principal, error) {
	if token.Reveal() != goodToken {
		return policy.Principal{}, &policy.Refusal{Kind: policy.Unauthenticated, Public: "the gateway token is not valid"}
	}
	return policy.Principal{Subject: "worker-1", Groups: []string{"agents"}, Expires: h.expires}, nil
}

func (h *house) Allows(_ policy.Principal, target string) bool { return target != "closed" }

func (h *house) Login(_ context.Context, ref credential.Ref) (*credential.Lease, error) {
	return &credential.Lease{Username: h.user, Secret: h.password, Ref: ref.String(), Version: "3"}, nil
}

func (h *house) Judge(_ context.Context, q policy.Question, text string, _ *Inside) Reading {
	return h.judge(text)
}

func (h *house) Begin(_ context.Context, o recorder.Opening) (Recording, error) {
	return h, h.Write(recorder.Event{Open: &o})
}

func (h *house) WriteLate(e recorder.Event) error { return h.Write(e) }

func (h *house) Write(e recorder.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.events != nil {
		if err := h.events(e); err != nil {
			return err
		}
	}
	h.recorded = append(h.recorded, e)
	return nil
}

func (h *house) End(c recorder.Closing) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, c.Reason)
	return nil
}

// story is the recording as lines: "allow select 1", "-> SELECT 1", "-> 42501".
func (h *house) story() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.recorded {
		switch {
		case e.Statement != nil:
			fmt.Fprintf(&b, "%s %s\n", e.Statement.Action, e.Statement.Text)
		case e.Outcome != nil:
			fmt.Fprintf(&b, "-> %s\n", e.Outcome.Tag+e.Outcome.Code)
		}
	}
	return b.String()
}

var allowed = Reading{Verdict: policy.Verdict{Action: policy.Allow}, Resettable: true}

// refuseDrops denies texts that hold "drop" or "forbidden".
func refuseDrops(text string) Reading {
	if lower := strings.ToLower(text); strings.Contains(lower, "drop") || strings.Contains(lower, "forbidden") {
		v := policy.Verdict{Action: policy.Deny, Rule: "no-destructive", Message: "closed to agents", Detail: "statement: drop table", Hint: "ask a human"}
		return Reading{Verdict: v, Refusal: policy.Refuse(v)}
	}
	return allowed
}

// gateway is a Server on loopback in front of a test's database.
type gateway struct {
	*house
	server *Server
	addr   string
	tap    *tap
	db     *pgtest.DB
	stop   context.CancelFunc // drains
	cut    context.CancelFunc
	done   chan struct{}
}

type option func(*Config, *Target)

func withTLS(cfg *tls.Config) option { return func(c *Config, _ *Target) { c.TLS = cfg } }

func withTarget(change func(*Target)) option { return func(_ *Config, t *Target) { change(t) } }

func start(t *testing.T, options ...option) *gateway {
	t.Helper()
	db := pgtest.New(t)
	g := &gateway{db: db, done: make(chan struct{}), tap: newTap(t, db.Addr())}
	g.house = &house{judge: refuseDrops, user: db.User, password: secret.New(db.Password)}
	target := Target{Upstream: g.tap.addr, Database: db.Name, SSLMode: "disable", Credential: "env://DB"}
	var ids atomic.Int64
	cfg := Config{
		Needs: Needs{Identifier: g.house, Access: g.house, Lender: g.house, Judge: g.house, Journal: g.house},
		NewID: func() string { return fmt.Sprintf("s%d", ids.Add(1)) },
		Now:   time.Now, Log: zerolog.New(zerolog.NewTestWriter(t)), Registry: prometheus.NewRegistry(),
	}
	for _, o := range options {
		o(&cfg, &target)
	}
	closed := target
	if len(target.Host) > 0 { // a name is one target's
		closed.Host = []string{"closed.gateway.example"}
	}
	cfg.Targets = map[string]Target{"orders": target, "closed": closed}
	var err error
	if g.server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	cutCtx, cut := context.WithCancel(context.Background())
	g.stop, g.cut = stop, cut
	go func() {
		defer close(g.done)
		if err := g.server.Serve(ctx, cutCtx, ln); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { stop(); cut(); <-g.done })
	return g
}

// dsn is the address of a target behind the gateway.
func (g *gateway) dsn(extra string) string {
	host, port, _ := net.SplitHostPort(g.addr)
	return fmt.Sprintf("host=%s port=%s dbname=orders user=agent password=%s sslmode=disable %s", host, port, goodToken, extra)
}

func (g *gateway) connect(t *testing.T, extra string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), g.dsn(extra))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// code is the SQLSTATE of an error from the server, "" for none.
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// tap stands between gateway and server and keeps what the server received.
type tap struct {
	addr string
	mu   sync.Mutex
	got  bytes.Buffer
}

func newTap(t *testing.T, upstream string) *tap {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{addr: ln.Addr().String()}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", upstream)
			if err != nil {
				_ = in.Close()
				continue
			}
			conns.Go(func() {
				_, _ = io.Copy(io.MultiWriter(out, p), in)
				_ = out.(*net.TCPConn).CloseWrite()
			})
			conns.Go(func() {
				_, _ = io.Copy(in, out)
				_ = in.Close()
				_ = out.Close()
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); conns.Wait() })
	return p
}

func (p *tap) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.Write(b)
}

// received reports whether the server received the text in clear.
func (p *tap) received(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Contains(p.got.Bytes(), []byte(text))
}

// Copy masks the second of two columns.
func (secretsPlan) Copy(_, columns int) (*mask.Copy, error) {
	if columns != 2 {
		return nil, errors.New("not two columns")
	}
	redact, _ := mask.Lookup("redact")
	return mask.NewCopy(mask.Plan{nil, redact}, []mask.Field{{Type: 23}, {Type: 25, Modifier: -1}}, mask.CopyDefaults(mask.CopyText))
}

// secretsPlan masks columns named secret, and lets all others pass.
type secretsPlan struct{}

func (secretsPlan) Plan(_ context.Context, _ int, fields []mask.Field) mask.Plan {
	redact, _ := mask.Lookup("redact")
	plan := make(mask.Plan, len(fields))
	for i, f := range fields {
		if f.Name == "secret" {
			plan[i] = redact
		}
	}
	return plan
}
