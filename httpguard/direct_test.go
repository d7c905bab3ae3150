package httpguard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/policy"
)

// script is an upstream that answers each request on a connection with the next of
// its answers, byte for byte, and then closes it.
type script struct {
	net.Listener
	mu     sync.Mutex
	opened int
	got    []string // "connection method path"
	asked  chan int // connections that a request came by
	gone   chan int // those that the other side closed
}

func newScript(t *testing.T, answers ...string) *script {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &script{Listener: ln, asked: make(chan int, 16), gone: make(chan int, 16)}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.opened++
			number := p.opened
			p.mu.Unlock()
			all.Go(func() { p.serve(c, number, answers) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	return p
}

func (p *script) serve(c net.Conn, number int, answers []string) {
	defer c.Close()
	in := bufio.NewReader(c)
	for _, answer := range answers {
		req, err := http.ReadRequest(in)
		if err != nil {
			p.gone <- number
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		p.mu.Lock()
		p.got = append(p.got, fmt.Sprintf("%d %s %s", number, req.Method, req.URL.Path))
		p.mu.Unlock()
		p.asked <- number
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
		if strings.HasSuffix(answer, unfinished) {
			_, _ = in.ReadByte() // until the other side goes
			p.gone <- number
			return
		}
	}
}

const unfinished = "..."

func (p *script) saw() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.got, ", ")
}

func plainAnswer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// TestDirectConnections shows which connections are used again.
func TestDirectConnections(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string
		methods []string
		bodies  string // what the caller read, by exchange
		saw     string
	}{
		"kept": {
			[]string{plainAnswer("one"), plainAnswer("two")},
			[]string{"POST", "POST"},
			"one two",
			"1 POST /x, 1 POST /x",
		},
		"chunks": {
			[]string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n", plainAnswer("two")},
			[]string{"POST", "GET"},
			"one two",
			"1 POST /x, 1 GET /x",
		},
		"nothing in it": {
			[]string{"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", plainAnswer("three")},
			[]string{"POST", "HEAD", "POST"},
			"  three",
			"1 POST /x, 1 HEAD /x, 1 POST /x",
		},
		"something before it": {
			[]string{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + plainAnswer("one"), plainAnswer("two")},
			[]string{"POST", "POST"},
			"one two",
			"1 POST /x, 1 POST /x",
		},
		"said to be closed": {
			[]string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none"},
			[]string{"POST", "POST"},
			"one one",
			"1 POST /x, 2 POST /x",
		},
		"closed when idle": {
			[]string{plainAnswer("one")},
			[]string{"POST", "POST"},
			"one one",
			"1 POST /x, 2 POST /x",
		},
		"ended by its close": {
			[]string{"HTTP/1.1 200 OK\r\n\r\none"},
			[]string{"POST", "POST"},
			"one one",
			"1 POST /x, 2 POST /x",
		},
		"an answer nobody asked for": {
			[]string{plainAnswer("one") + plainAnswer("evil"), plainAnswer("evil")},
			[]string{"POST", "POST"},
			"one one",
			"1 POST /x, 2 POST /x",
		},
		"longer than it says": {
			[]string{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nonevil", plainAnswer("evil")},
			[]string{"POST", "POST"},
			"one one",
			"1 POST /x, 2 POST /x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newScript(t, c.answers...)
			g := newGateway(t, "http://"+p.Addr().String(), nil)
			var bodies []string
			for i, method := range c.methods {
				if i > 0 && name == "closed when idle" {
					waitClosed(t, g.guard.targets["free"].pool.direct)
				}
				res, body := g.do(t, method, "/free/x", map[bool]string{true: "{}"}[method == "POST"])
				if res.StatusCode/100 != 2 {
					t.Errorf("status %d: %s", res.StatusCode, body)
				}
				bodies = append(bodies, body)
			}
			if got := strings.Join(bodies, " "); got != c.bodies {
				t.Errorf("the caller read %q, want %q", got, c.bodies)
			}
			if got := p.saw(); got != c.saw {
				t.Errorf("the upstream saw %s, want %s", got, c.saw)
			}
		})
	}
}

// waitClosed waits until the upstream's close has arrived.
func waitClosed(t *testing.T, d *direct) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, list := range d.idle {
		for _, l := range list {
			_ = l.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := l.Conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("the idle connection: %v", err)
			}
			_ = l.SetReadDeadline(time.Time{})
		}
	}
}

// TestDirectFails shows what becomes of answers that are none.
func TestDirectFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
		body   string
	}{
		"no HTTP":          {"hello\r\n\r\n", 502, "could not be reached"},
		"nothing":          {"", 502, "could not be reached"},
		"two lengths":      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nfour", 502, "could not be reached"},
		"endless header":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", maxResponseHeader/1000), 502, "could not be reached"},
		"cut off":          {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", 200, "four<cut>"},
		"another protocol": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 502, "changed the protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newScript(t, c.answer)
			g := newGateway(t, "http://"+p.Addr().String(), nil)
			res, body := g.do(t, "POST", "/free/x", "{}")
			if res.StatusCode != c.status || !strings.Contains(body, c.body) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, c.status, c.body)
			}
			if got := p.saw(); got != "1 POST /x" {
				t.Errorf("the upstream saw %s", got)
			}
		})
	}
}

// TestDirectCallerLeaves ends the upstream's connection with the caller's, before
// the response and within it.
func TestDirectCallerLeaves(t *testing.T) {
	for name, answer := range map[string]string{
		"header": "HTTP/1.1 200 OK\r\nX: " + unfinished,
		"body":   "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome" + unfinished,
	} {
		t.Run(name, func(t *testing.T) {
			p := newScript(t, answer)
			g := newGateway(t, "http://"+p.Addr().String(), nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				req, _ := http.NewRequestWithContext(ctx, "POST", g.URL+"/free/x", strings.NewReader("{}"))
				req.Header.Set("Authorization", "Bearer "+token)
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				if res, err := transport.RoundTrip(req); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
			}()
			select {
			case <-p.asked:
			case <-time.After(time.Minute):
				t.Fatal("nothing was asked")
			}
			cancel()
			select {
			case <-p.gone:
			case <-time.After(time.Minute):
				t.Fatal("the upstream's connection stays")
			}
			<-done
		})
	}
}

// TestDirectTakes shows what goes the other way.
func TestDirectTakes(t *testing.T) {
	d := &direct{}
	request := func(change func(*http.Request)) *http.Request {
		req, err := http.NewRequest("POST", "http://upstream/x", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		return req
	}
	if !d.takes(request(func(*http.Request) {})) {
		t.Error("a short request is not taken")
	}
	if (*direct)(nil).takes(request(func(*http.Request) {})) {
		t.Error("none takes one")
	}
	for name, change := range map[string]func(*http.Request){
		"TLS":         func(r *http.Request) { r.URL.Scheme = "https" },
		"long":        func(r *http.Request) { r.ContentLength = maxDirect + 1 },
		"no length":   func(r *http.Request) { r.ContentLength = -1 },
		"read once":   func(r *http.Request) { r.GetBody = nil },
		"expecting":   func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"trailers":    func(r *http.Request) { r.Trailer = http.Header{"X": nil} },
		"bad header":  func(r *http.Request) { r.Header["X"] = []string{"a\r\nb"} },
		"bad name":    func(r *http.Request) { r.Header["X y"] = []string{"a"} },
		"other words": func(r *http.Request) { r.URL.Host = "exämple" },
	} {
		if d.takes(request(change)) {
			t.Errorf("%s: is taken", name)
		}
	}
}

// TestDirectReaches dials what the target may reach and nothing else.
func TestDirectReaches(t *testing.T) {
	refused := &policy.Refusal{Kind: policy.Unavailable, Public: "not there"}
	d := &direct{dial: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
	req, err := http.NewRequest("GET", "http://upstream/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.RoundTrip(req); !errors.Is(err, error(refused)) {
		t.Errorf("%v", err)
	}
}

// TestDirectSweeps closes what is idle for too long, and keeps what is not.
func TestDirectSweeps(t *testing.T) {
	d := &direct{}
	conns := make([]net.Conn, 2)
	for i, age := range []time.Duration{2 * idleTimeout, 0} {
		ours, theirs := net.Pipe()
		conns[i] = theirs
		d.put(&link{Conn: ours, owner: d, address: "a"})
		d.idle["a"][i].since = time.Now().Add(-age)
	}
	d.sweep(idleTimeout)
	if _, err := conns[0].Write([]byte("x")); err == nil {
		t.Error("the old one is open")
	}
	if len(d.idle["a"]) != 1 || d.timer == nil {
		t.Errorf("%d are idle, timer %v", len(d.idle["a"]), d.timer)
	}
	d.sweep(0)
	if len(d.idle) != 0 || d.timer != nil {
		t.Error("some are idle still")
	}
}
