package httpguard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"sallyport/credential"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "spt_gateway-token-of-the-agent"
	key   = "sk-the-real-key"
)

// peer is the upstream: it keeps every request it got.
type peer struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
}

func newPeer(t *testing.T, handler http.HandlerFunc) *peer {
	t.Helper()
	p := &peer{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.got = append(p.got, r)
		p.bodies = append(p.bodies, string(body))
		p.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) requests() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

// journal keeps recordings in memory, and fails when told to.
type journal struct {
	mu         sync.Mutex
	recordings []*recording
	failBegin  bool
	failOn     string // kind of event whose Write fails
}

type recording struct {
	j      *journal
	open   recorder.Opening
	events []recorder.Event
	closed string
	failed bool
}

func (j *journal) Begin(_ context.Context, o recorder.Opening) (Recording, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failBegin {
		return nil, errors.New("disk full")
	}
	r := &recording{j: j, open: o}
	j.recordings = append(j.recordings, r)
	return r, nil
}

func (r *recording) Write(e recorder.Event) error {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if r.failed = r.failed || r.j.failOn == "exchange" && e.Exchange != nil || r.j.failOn == "outcome" && e.Outcome != nil || r.j.failOn == "frame" && e.Frame != nil; r.failed {
		return errors.New("disk full")
	}
	r.events = append(r.events, e)
	return nil
}

func (r *recording) End(c recorder.Closing) error {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	r.closed = c.Reason
	return nil
}

// told lists what was recorded, one word or three an event.
func (j *journal) told() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, r := range j.recordings {
		out = append(out, "open "+r.open.Target)
		for _, e := range r.events {
			switch {
			case e.Exchange != nil:
				out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Exchange.Action, e.Exchange.Path, e.Exchange.Rule)))
			case e.Outcome != nil:
				out = append(out, strings.TrimSpace(e.Outcome.Code+" "+e.Outcome.Error))
			}
		}
		if r.closed != "" {
			out = append(out, "close "+r.closed)
		}
	}
	return out
}

func (j *journal) outcomes() []recorder.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []recorder.Outcome
	for _, r := range j.recordings {
		for _, e := range r.events {
			if e.Outcome != nil {
				out = append(out, *e.Outcome)
			}
		}
	}
	return out
}

func (j *journal) exchanges() []recorder.Exchange {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []recorder.Exchange
	for _, r := range j.recordings {
		for _, e := range r.events {
			if e.Exchange != nil {
				out = append(out, *e.Exchange)
			}
		}
	}
	return out
}

type identifierFunc func(secret.Text) (policy.Principal, error)

func (f identifierFunc) Identify(_ context.Context, t secret.Text) (policy.Principal, error) {
	return f(t)
}

type accessFunc func(policy.Principal, string) bool

func (f accessFunc) Allows(p policy.Principal, target string) bool { return f(p, target) }

type lenderFunc func() (*credential.Lease, error)

func (f lenderFunc) Key(context.Context, credential.Ref) (*credential.Lease, error)   { return f() }
func (f lenderFunc) Login(context.Context, credential.Ref) (*credential.Lease, error) { return f() }
func (f lenderFunc) Fields(context.Context, credential.Ref, []string, []string) (*credential.Lease, error) {
	return f()
}

type judgeFunc func(*policy.Question) policy.Verdict

func (f judgeFunc) Judge(q *policy.Question) policy.Verdict { return f(q) }

// gateway is a Server on a loopback port, with the parts that tests change.
type gateway struct {
	*httptest.Server
	guard   *Server
	journal *journal
	log     *safeBuffer
	lent    atomic.Int64
}

type safeBuffer struct {
	mu sync.Mutex
	strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

func (b *safeBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

func allow(*policy.Question) policy.Verdict { return policy.Verdict{Action: policy.Allow} }

// newGateway stands in front of p with the targets openai (whose clients know
// OpenAI's errors) and plain; change may change any of it.
func newGateway(t *testing.T, upstream string, change func(*Config)) *gateway {
	t.Helper()
	g := &gateway{journal: &journal{}, log: &safeBuffer{}}
	var ids atomic.Int64
	cfg := Config{
		Targets: map[string]Target{
			"openai": {Upstream: upstream, Provider: "openai", Credential: "env://KEY", Inject: "Authorization: Bearer {secret}"},
			"plain":  {Upstream: upstream + "/base", Credential: "env://KEY", Inject: "X-Key: {secret}"},
			"free":   {Upstream: upstream},
			"closed": {Upstream: upstream, Credential: "env://KEY", Inject: "X-Key: {secret}"},
		},
		Identifier: identifierFunc(func(got secret.Text) (policy.Principal, error) {
			if got.Reveal() != token {
				return policy.Principal{}, &policy.Refusal{Kind: policy.Unauthenticated, Public: "the token is not valid"}
			}
			return policy.Principal{Subject: "agent", Issuer: "sallyport", Token: "t1"}, nil
		}),
		Access: accessFunc(func(_ policy.Principal, target string) bool { return target != "closed" }),
		Lender: lenderFunc(func() (*credential.Lease, error) {
			g.lent.Add(1)
			return &credential.Lease{Secret: secret.New(key)}, nil
		}),
		Judge:      judgeFunc(allow),
		Journal:    g.journal,
		Log:        zerolog.New(g.log),
		NewID:      func() string { return fmt.Sprintf("id-%d", ids.Add(1)) },
		Now:        time.Now,
		Registerer: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&cfg)
	}
	guard, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.guard = guard
	g.Server = httptest.NewServer(guard)
	t.Cleanup(func() {
		g.Server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := guard.Close(ctx); err != nil {
			t.Error(err)
		}
		if text := g.log.text(); strings.Contains(text, key) || strings.Contains(text, token) {
			t.Errorf("the log has a secret: %s", text)
		}
	})
	return g
}

func masking(fields ...string) func(*Config) {
	return func(cfg *Config) { cfg.Masks = []mask.Rule{{Targets: []string{"*"}, Fields: fields}} }
}

// do sends a request with the gateway token and reads the whole response.
func (g *gateway) do(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header[headers[i]] = []string{headers[i+1]}
		}
	}
	return g.send(t, req)
}

func (g *gateway) send(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if errors.Is(err, io.EOF) { // cut before the first byte
		return &http.Response{}, "<cut>"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if err != nil {
		got = append(got, "<cut>"...)
	}
	return res, string(got)
}

// noToken fails if anything the upstream received holds the gateway token, and
// counts the injected key.
func (p *peer) noToken(t *testing.T, keys int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, r := range p.got {
		var all strings.Builder
		fmt.Fprintf(&all, "%s\n%s\n", r.RequestURI, r.Host)
		_ = r.Header.Write(&all)
		all.WriteString(p.bodies[i])
		if strings.Contains(all.String(), token) {
			t.Errorf("the upstream received the gateway token:\n%s", all.String())
		}
		if n := strings.Count(all.String(), key); n != keys {
			t.Errorf("the upstream received the key %d times, want %d:\n%s", n, keys, all.String())
		}
	}
}
