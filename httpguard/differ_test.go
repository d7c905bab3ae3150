package httpguard

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDiffer asks a server of Go's directly and through the gateway, by HTTP/1.1
// and HTTP/2 on either side: who asks must see the same, and who answers must be
// asked the same.
func TestDiffer(t *testing.T) {
	for _, side := range []struct {
		name           string
		caller, behind bool // HTTP/2
	}{
		{"1 to 1", false, false},
		{"2 to 1", true, false},
		{"1 to 2", false, true},
		{"2 to 2", true, true},
	} {
		t.Run(side.name, func(t *testing.T) {
			d := newDiffer(t, side.caller, side.behind)
			for _, c := range differences {
				t.Run(c.name, func(t *testing.T) {
					if c.skip != nil {
						if why := c.skip(side.caller, side.behind); why != "" {
							t.Skip(why)
						}
					}
					direct, through := d.run(t, d.direct, d.near, c.ask), d.run(t, d.gateway, d.far, c.ask)
					compare(t, "the caller", direct.seen, through.seen, c.but)
					compare(t, "the upstream", direct.got, through.got, c.but)
				})
			}
		})
	}
}

// compare wants two lists of lines to be the same, except where one begins as
// said.
func compare(t *testing.T, who string, direct, through, but []string) {
	t.Helper()
	but = append([]string{
		"header X-Sallyport-", "early X-Sallyport-", // where the recording has it
		"Accept-Encoding", // the gateway asks for "identity": what is compressed can't be read
		"Referer",         // the address that the caller knows
	}, but...)
	spared := func(line string) bool {
		return slices.ContainsFunc(but, func(b string) bool { return strings.HasPrefix(line, b) })
	}
	direct, through = slices.DeleteFunc(direct, spared), slices.DeleteFunc(through, spared)
	if !slices.Equal(direct, through) {
		t.Errorf("%s\ndirectly:\n\t%s\nthrough the gateway:\n\t%s", who, strings.Join(direct, "\n\t"), strings.Join(through, "\n\t"))
	}
}

// differ is a server and a gateway in front of it.
type differ struct {
	mu              sync.Mutex
	round           string   // what is asked just now
	got             []string // what came to the server
	direct, gateway string
	near, far       *http.Transport // to the one and to the other
}

func newDiffer(t *testing.T, caller, behind bool) *differ {
	t.Helper()
	d := &differ{}
	up := httptest.NewUnstartedServer(http.HandlerFunc(d.answer))
	up.Config.ErrorLog = quiet()
	up.EnableHTTP2 = true
	up.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(up.Certificate())
	g := newGateway(t, up.URL, func(cfg *Config) {
		cfg.Targets["plain"] = Target{Upstream: up.URL + "/base", Credential: "env://KEY", Inject: "X-Key: {secret}", Cookies: true}
	})
	pool := g.guard.targets["plain"].pool.transport
	pool.TLSClientConfig = &tls.Config{RootCAs: roots}
	pool.Protocols = protocols(behind)
	front := httptest.NewUnstartedServer(g.guard)
	front.Config.ErrorLog = quiet()
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	d.direct, d.gateway = up.URL+"/base", front.URL+"/plain"
	d.near, d.far = up.Client().Transport.(*http.Transport), front.Client().Transport.(*http.Transport)
	// The answer of a server that speaks HTTP/1.1 is compared with what HTTP/1.1 says.
	d.near.Protocols, d.far.Protocols = protocols(caller), protocols(caller)
	t.Cleanup(func() {
		d.near.CloseIdleConnections()
		d.far.CloseIdleConnections()
		up.Close()
	})
	return d
}

func protocols(two bool) *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(!two)
	p.SetHTTP2(two)
	return p
}

// view is what both ends of an exchange saw.
type view struct{ seen, got []string }

func (d *differ) run(t *testing.T, base string, transport *http.Transport, ask func(t *testing.T, a *asking)) view {
	t.Helper()
	d.mu.Lock()
	d.got = nil
	d.round = t.Name() + base
	a := &asking{base: base, transport: transport, round: d.round}
	d.mu.Unlock()
	ask(t, a)
	d.mu.Lock()
	defer d.mu.Unlock()
	return view{a.seen, slices.Clone(d.got)}
}

// asking is a caller.
type asking struct {
	base      string
	round     string
	transport *http.Transport
	seen      []string
}

// note writes down what differs by nothing but who was asked.
func (a *asking) note(format string, args ...any) {
	text := strings.NewReplacer(a.base, "BASE", strings.TrimPrefix(a.base, "https://"), "BASE").Replace(fmt.Sprintf(format, args...))
	a.seen = append(a.seen, strings.ReplaceAll(text, "/plain/", "/base/"))
}

func (a *asking) request(t *testing.T, method, path string, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, a.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Sallyport-Token", token)
	req.Header.Set("X-Round", a.round)
	for i := 0; i < len(headers); i += 2 {
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
	}
	return req
}

func (a *asking) do(t *testing.T, method, path string, body io.Reader, headers ...string) {
	t.Helper()
	a.send(t, a.request(t, method, path, body, headers...))
}

// send makes one exchange and writes down all there is to see of it.
func (a *asking) send(t *testing.T, req *http.Request) {
	t.Helper()
	ctx, cancel := context.WithTimeout(req.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex // the transport reads what comes in a goroutine of its own
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			a.note("early %d", code)
			a.headers("early ", http.Header(h))
			return nil
		},
	}))
	res, err := a.transport.RoundTrip(req)
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		a.note("fails before the answer")
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if len(body) == 0 && res.ContentLength < 0 && res.ProtoMajor == 2 {
		res.ContentLength = 0 // Go's client knows when the frames happen to come together
	}
	a.note("%s length %d chunked %v close %v", res.Status, res.ContentLength, slices.Equal(res.TransferEncoding, []string{"chunked"}), res.Close)
	a.headers("header ", res.Header)
	if len(body) > 200 {
		body = fmt.Appendf(nil, "%d bytes, %x", len(body), bytes.Count(body, []byte("x")))
	}
	a.note("body %q", body)
	if err != nil {
		a.note("the body breaks off")
	}
	a.headers("trailer ", res.Trailer)
}

func (a *asking) headers(what string, h http.Header) {
	for _, name := range slices.Sorted(keysOf(h)) {
		if name == "Date" {
			a.note("%s%s: %d", what, name, len(h[name]))
			continue
		}
		for _, v := range h[name] {
			if len(v) > 200 {
				v = fmt.Sprintf("%d bytes, %s", len(v), v[:20])
			}
			a.note("%s%s: %s", what, name, v)
		}
	}
}

func keysOf(h http.Header) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range h {
			if !yield(name) {
				return
			}
		}
	}
}

// note of the server: what came, but for what the gateway is there to change.
func (d *differ) heard(r *http.Request, body []byte, err error) {
	var lines []string
	lines = append(lines, fmt.Sprintf("%s %s", r.Method, r.RequestURI))
	for _, name := range slices.Sorted(keysOf(r.Header)) {
		switch name {
		case "X-Round", "X-Sallyport-Token", "X-Key": // the token directly, the key through the gateway
			continue
		}
		for _, v := range r.Header[name] {
			lines = append(lines, fmt.Sprintf("%s: %.100s %d", name, v, len(v)))
		}
	}
	lines = append(lines, fmt.Sprintf("body %d %.100q, breaks off %v", len(body), body, err != nil))
	for _, name := range slices.Sorted(keysOf(r.Trailer)) {
		lines = append(lines, fmt.Sprintf("trailer %s: %q", name, r.Trailer[name]))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("X-Round") == d.round { // and not what was asked before and broke off
		d.got = append(d.got, lines...)
	}
}

// answer is the server.
func (d *differ) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("early") {
		for code := range strings.SplitSeq(q.Get("early"), ",") {
			n, _ := strconv.Atoi(code)
			w.Header()["Link"] = []string{"</base/style.css>; rel=preload"}
			w.WriteHeader(n)
			w.Header().Del("Link")
		}
	}
	if q.Has("unread") { // answered before the body is read
		w.Header().Set("Connection", "close")
		http.Error(w, "no", http.StatusExpectationFailed)
		return
	}
	body, err := io.ReadAll(r.Body)
	d.heard(r, body, err)
	for name, values := range q {
		if name, ok := strings.CutPrefix(name, "h-"); ok {
			w.Header()[name] = values
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/base")
	switch {
	case path == "/file":
		w.Header().Set("Etag", `"one"`)
		http.ServeContent(w, r, "a.txt", time.Unix(1_700_000_000, 0), strings.NewReader(strings.Repeat("0123456789", 10)))
		return
	case path == "/moved":
		n, _ := strconv.Atoi(q.Get("status"))
		http.Redirect(w, r, "/base/there?from=moved", n)
		return
	case path == "/gzip" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"):
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "packed")
		_ = z.Close()
		return
	case path == "/gzip":
		_, _ = io.WriteString(w, "packed")
		return
	}
	if q.Has("trailer") {
		w.Header().Set("Trailer", "X-Sum, X-More")
	}
	if n, err := strconv.Atoi(q.Get("length")); err == nil {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	if n, err := strconv.Atoi(q.Get("status")); err == nil {
		w.WriteHeader(n)
	}
	pieces, _ := strconv.Atoi(q.Get("pieces"))
	for range pieces {
		_, _ = io.WriteString(w, "piece ")
		_ = http.NewResponseController(w).Flush()
	}
	if n, err := strconv.Atoi(q.Get("bytes")); err == nil {
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	}
	if q.Has("abort") {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	if q.Has("trailer") {
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-Sum", "12")
		w.Header()["X-More"] = []string{"a", "b"}
		w.Header().Set(http.TrailerPrefix+"X-Late", "unannounced")
	}
}

var errBroken = errors.New("broken off")

// difference is one thing that is asked.
type difference struct {
	name string
	ask  func(t *testing.T, a *asking)
	but  []string // beginnings of lines that may differ, each with its reason beside it
	skip func(caller, behind bool) string
}

func simply(method, path string, headers ...string) func(*testing.T, *asking) {
	return func(t *testing.T, a *asking) { a.do(t, method, path, nil, headers...) }
}

func with(method, path, body string, headers ...string) func(*testing.T, *asking) {
	return func(t *testing.T, a *asking) { a.do(t, method, path, strings.NewReader(body), headers...) }
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
