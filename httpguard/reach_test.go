package httpguard

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/loopback"
	"sallyport/policy"
)

// TestHosts routes by host: the whole path is the upstream's.
func TestHosts(t *testing.T) {
	a, b := newPeer(t, ok), newPeer(t, ok)
	g := newGateway(t, a.URL, func(cfg *Config) {
		cfg.Targets["a"] = Target{Upstream: a.URL + "/base", Credential: "env://KEY", Inject: "X-Key: {secret}", Host: []string{"api.example.com"}}
		cfg.Targets["b"] = Target{Upstream: b.URL, Credential: "env://KEY", Inject: "X-Key: {secret}", Host: []string{"*.Example.com.", "other.test"}}
		cfg.Targets["c"] = Target{Upstream: b.URL + "/c", Host: []string{"*.c.example.com"}}
	})
	for name, c := range map[string]struct {
		host, path string
		status     int
		on         *peer
		uri        string
	}{
		"a name":               {"api.example.com", "/b/x?y=1", 200, a, "/base/b/x?y=1"},
		"with port":            {"API.Example.COM:8080", "/x", 200, a, "/base/x"},
		"with dot":             {"api.example.com.", "/x", 200, a, "/base/x"},
		"in a domain":          {"x.y.example.com", "/a/x", 200, b, "/a/x"},
		"in the longer domain": {"x.c.example.com", "/x", 200, b, "/c/x"},
		"root":                 {"other.test", "/", 200, b, "/"},
		"the domain itself":    {"example.com", "/b/x", 200, b, "/x"},
		"no domain":            {"evilexample.com", "/api/x", 404, nil, ""},
		"dots":                 {"api.example.com", "/../b/x", 400, nil, ""},
		"two slashes":          {"api.example.com", "//b/x", 400, nil, ""},
		"no such host":         {"gateway", "/b/x", 200, b, "/x"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range []*peer{a, b} {
				p.mu.Lock()
				p.got, p.bodies = nil, nil
				p.mu.Unlock()
			}
			req, _ := http.NewRequest("GET", g.URL, nil)
			path, query, _ := strings.Cut(c.path, "?")
			req.URL.Opaque, req.URL.RawQuery = path, query
			if strings.HasPrefix(path, "//") {
				req.URL.Opaque = "//" + g.Listener.Addr().String() + path
			}
			req.Host = c.host
			req.Header.Set("X-Api-Key", token)
			res, body := g.send(t, req)
			if res.StatusCode != c.status {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if n := len(a.requests()) + len(b.requests()); c.on == nil && n > 0 {
				t.Fatalf("the upstreams received %d", n)
			} else if c.on != nil && (n != 1 || c.on.requests()[0].RequestURI != c.uri) {
				t.Errorf("received %v", c.on.requests())
			}
		})
	}
	_, err := New(Config{Now: time.Now, Targets: map[string]Target{"a": {Upstream: "http://x", Host: []string{"h"}}, "b": {Upstream: "http://x", Host: []string{"H."}}}})
	if err == nil || !strings.Contains(err.Error(), "that of http.a as well") {
		t.Errorf("two targets with one host: %v", err)
	}
}

func TestAllowLists(t *testing.T) {
	for at, status := range map[string]int{
		"GET /t/v1/items":        200,
		"GET /t/v1/items/1":      200,
		"POST /t/v1/items":       403,
		"HEAD /t/v1/items":       403,
		"GET /t/v2/items":        403,
		"GET /t/v1x":             403,
		"GET /t/v1/../v2/items":  400,
		"GET /t/v1/%2e%2e/items": 400,
		"GET /t":                 403,
		"GET /t/health":          200,
		"GET /t/health/x":        403,
	} {
		t.Run(at, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Targets["t"] = Target{Upstream: p.URL, Methods: []string{"GET"}, Paths: []string{"/v1/*", "/health"}}
			})
			method, path, _ := strings.Cut(at, " ")
			res, body := g.do(t, method, path, "")
			if res.StatusCode != status || (len(p.requests()) > 0) != (status == 200) {
				t.Errorf("%d %s, the upstream received %d", res.StatusCode, body, len(p.requests()))
			}
			if status == 403 && (len(g.journal.exchanges()) != 1 || g.journal.exchanges()[0].Action != "deny") {
				t.Errorf("recorded %v", g.journal.told())
			}
		})
	}
}

// refusing is an address that refuses connections until the test ends.
func refusing(t *testing.T) string {
	t.Helper()
	address, giveBack, err := loopback.Refusing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = giveBack() })
	return "http://" + address
}

// TestUpstreams tries the next upstream where there was no connection, and
// nowhere else.
func TestUpstreams(t *testing.T) {
	a, b := newPeer(t, ok), newPeer(t, ok)
	gone := refusing(t)
	now := time.Unix(1e9, 0)
	g := newGateway(t, a.URL, func(cfg *Config) {
		cfg.Now = func() time.Time { return now }
		cfg.Targets["t"] = Target{Upstream: gone + ", " + a.URL + "," + b.URL, Credential: "env://KEY", Inject: "X-Key: {secret}"}
	})
	for i := range 12 {
		if res, body := g.do(t, "POST", "/t/x", fmt.Sprintf(`{"n":%d}`, i)); res.StatusCode != 200 {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
	}
	if len(a.requests())+len(b.requests()) != 12 || len(a.requests()) < 3 || len(b.requests()) < 3 {
		t.Errorf("%d and %d", len(a.requests()), len(b.requests()))
	}
	for i, r := range b.requests() {
		if "http://"+r.Host != b.URL || !strings.HasPrefix(b.bodies[i], `{"n":`) {
			t.Errorf("received %s %q", r.Host, b.bodies[i])
		}
	}
	if order := g.guard.targets["t"].pool.order(); "http://"+order[2].url.Host != gone {
		t.Error("one that is down is not tried last")
	}
	now = now.Add(downTime + 1)
	up := 0
	for range 3 {
		if "http://"+g.guard.targets["t"].pool.order()[0].url.Host == gone {
			up++
		}
	}
	if up != 1 {
		t.Errorf("after a while it is tried first %d times of three", up)
	}

	// One that breaks off after it was sent to: no other gets the request.
	bad := newPeer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	good := newPeer(t, ok)
	g = newGateway(t, a.URL, func(cfg *Config) { cfg.Targets["t"] = Target{Upstream: bad.URL + "," + good.URL} })
	if res, _ := g.do(t, "POST", "/t/x", "{}"); res.StatusCode != 502 || len(good.requests()) > 0 {
		t.Errorf("%d, the other received %d", res.StatusCode, len(good.requests()))
	}
}

func TestH2C(t *testing.T) {
	var got []string
	p := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Proto+" "+r.Header.Get("Te")+" "+string(body)+" "+r.Trailer.Get("X-Sum"))
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.WriteString(w, "answer")
		w.Header().Set("Grpc-Status", "0")
	}))
	p.Config.Protocols = new(http.Protocols)
	p.Config.Protocols.SetUnencryptedHTTP2(true)
	p.Start()
	defer p.Close()
	var asked *policy.HTTP
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["t"] = Target{Upstream: "h2c://" + p.Listener.Addr().String()}
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict { asked = q.HTTP; return allow(q) })
	})
	req, _ := http.NewRequest("POST", g.URL+"/t/x", struct{ io.Reader }{strings.NewReader("{}")})
	req.Header.Set("X-Api-Key", token)
	req.Header.Set("Te", "trailers")
	req.Trailer = http.Header{"X-Sum": {"abc"}, "Api-Key": {"mine"}}
	res, body := g.send(t, req)
	if res.StatusCode != 200 || body != "answer" || res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("%d %s %v", res.StatusCode, body, res.Trailer)
	}
	if !slices.Equal(got, []string{"HTTP/2.0 trailers {} abc"}) || asked.Headers["x-sum"] != "abc" {
		t.Errorf("the upstream received %q, the rules saw %v", got, asked.Headers)
	}
}

// TestTrailers: one that repeats a header, or changes the request, is refused.
func TestTrailers(t *testing.T) {
	for name, h := range map[string]http.Header{"repeats": {"X-Other": {"b"}}, "override": {"X-Http-Method-Override": {"DELETE"}}} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, nil)
			req, _ := http.NewRequest("POST", g.URL+"/plain/x", struct{ io.Reader }{strings.NewReader("{}")})
			req.Header.Set("X-Api-Key", token)
			req.Header.Set("X-Other", "a")
			req.Trailer = h
			if res, body := g.send(t, req); res.StatusCode != 400 || len(p.requests()) > 0 {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
}

func TestCACert(t *testing.T) {
	p := httptest.NewTLSServer(http.HandlerFunc(ok))
	defer p.Close()
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["trusted"] = Target{Upstream: p.URL, CACert: file}
		cfg.Targets["system"] = Target{Upstream: p.URL}
	})
	if res, body := g.do(t, "GET", "/trusted/x", ""); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := g.do(t, "GET", "/system/x", ""); res.StatusCode != 502 {
		t.Errorf("%d", res.StatusCode)
	}
}

// TestDialable is where a target's connections may go.
func TestDialable(t *testing.T) {
	for name, c := range map[string]struct {
		host, address string
		private       bool
		want          bool
	}{
		"public":                      {"api.example.com", "93.184.216.34", false, true},
		"public, 6":                   {"api.example.com", "2606:2800:220:1::1", false, true},
		"a literal":                   {"10.0.0.1", "10.0.0.1", false, true},
		"a metadata literal":          {"169.254.169.254", "169.254.169.254", false, true},
		"localhost":                   {"localhost", "127.0.0.1", false, true},
		"one label":                   {"vllm", "10.1.2.3", false, true},
		"an internal name":            {"vllm.svc.cluster.internal", "10.1.2.3", false, true},
		"rebound to private":          {"api.example.com", "10.0.0.1", false, false},
		"rebound to loopback":         {"api.example.com", "127.0.0.1", false, false},
		"rebound to loopback, 6":      {"api.example.com", "::1", false, false},
		"rebound, mapped":             {"api.example.com", "::ffff:127.0.0.1", false, false},
		"rebound, NAT64":              {"api.example.com", "64:ff9b::7f00:1", false, false},
		"rebound, 6to4":               {"api.example.com", "2002:a00:1::1", false, false},
		"rebound to ULA":              {"api.example.com", "fd12::1", false, false},
		"rebound to CGNAT":            {"api.example.com", "100.64.0.1", false, false},
		"rebound to zero":             {"api.example.com", "0.0.0.0", false, false},
		"metadata":                    {"api.example.com", "169.254.169.254", false, false},
		"metadata, 6":                 {"api.example.com", "fd00:ec2::254", false, false},
		"metadata, zone":              {"api.example.com", "fe80::1%eth0", false, false},
		"private":                     {"api.example.com", "10.0.0.1", true, true},
		"private metadata":            {"api.example.com", "169.254.169.254", true, false},
		"private metadata, 6":         {"api.example.com", "fd00:ec2::254", true, false},
		"private metadata, mapped":    {"api.example.com", "::ffff:169.254.169.254", true, false},
		"Alibaba's":                   {"api.example.com", "100.100.100.200", true, false},
		"an internal name's metadata": {"metadata.google.internal", "169.254.169.254", false, false},
	} {
		r := reach{private: c.private, upstreams: []*url.URL{{Host: c.host}}}
		if got := r.dialable(c.host, netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	other := reach{upstreams: []*url.URL{{Host: "10.0.0.1"}}, dataHosts: []string{"*"}}
	if other.dialable("10.0.0.2", netip.MustParseAddr("10.0.0.2")) || other.dialable("vllm", netip.MustParseAddr("10.0.0.2")) {
		t.Error("a host that only a pattern allows is dialled inside")
	}
}

// TestRebinding has a public name that stands for this machine.
func TestRebinding(t *testing.T) {
	p := newPeer(t, ok)
	_, port, _ := net.SplitHostPort(p.Listener.Addr().String())
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Targets["t"] = Target{Upstream: "http://localhost:" + port}
		cfg.Targets["u"] = Target{Upstream: "http://api.example.com"}
	})
	if res, body := g.do(t, "GET", "/t/x", ""); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	r := g.guard.targets["u"].reach
	conn, err := (reach{upstreams: r.upstreams}).dialAs(t.Context(), "api.example.com", p.Listener.Addr().String())
	if err == nil {
		conn.Close()
		t.Error("connected")
	}
	if refusal := policy.AsRefusal(err); refusal.Kind != policy.Unavailable || !strings.Contains(refusal.Hint, "allow_private") {
		t.Errorf("%v", err)
	}
}

func TestReachProblems(t *testing.T) {
	for want, c := range map[string]Target{
		"upstream: several upstreams must have": {Upstream: "http://a,https://b"},
		"upstream: \"a\" is there twice":        {Upstream: "http://a,http://a"},
		"host: \"a:80\": want":                  {Upstream: "http://a", Host: []string{"a:80"}},
		"host: \"*\": want":                     {Upstream: "http://a", Host: []string{"*"}},
		"host: \"a\" is there twice":            {Upstream: "http://a", Host: []string{"a", "A."}},
		"methods: \"get\"":                      {Upstream: "http://a", Methods: []string{"get"}},
		"methods: \"CONNECT\"":                  {Upstream: "http://a", Methods: []string{"CONNECT"}},
		"paths: \"v1\"":                         {Upstream: "http://a", Paths: []string{"v1"}},
		"cacert: means nothing":                 {Upstream: "http://a", CACert: "x"},
		"cacert: none:":                         {Upstream: "https://a", CACert: "none"},
		"data_hosts: only for":                  {Upstream: "http://a", DataHosts: []string{"a"}},
		"data_hosts: \"*\"":                     {Upstream: "http://a", Provider: "pinecone", DataHosts: []string{"*"}},
	} {
		got := ""
		for _, p := range c.Problems() {
			got += p.Key + ": " + p.Message + "\n"
		}
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
