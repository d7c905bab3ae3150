package httpguard

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCleanPath(t *testing.T) {
	for raw, want := range map[string]string{ // want "" is an error
		"/a":              "/a",
		"/a/":             "/a/",
		"/":               "/",
		"/a/b%20c":        "/a/b c",
		"/a/b+c":          "/a/b+c",
		"/a/...":          "/a/...",
		"/a/.well-known":  "/a/.well-known",
		"/a/b..c":         "/a/b..c",
		"/a/%C3%A4":       "/a/ä",
		"/a/100%25":       "/a/100%",
		"/a/m[0];v=1,2":   "/a/m[0];v=1,2",
		"/a/%41":          "/a/A",
		"/a/..":           "",
		"/a/./b":          "",
		"/a/../b":         "",
		"/a/..;x/b":       "",
		"/a/.;/b":         "",
		"//a":             "",
		"/a//b":           "",
		"/a//":            "",
		"/a/;x/b":         "",
		"/a/%2e%2e/b":     "",
		"/a/%2E/b":        "",
		"/a/.%2e/b":       "",
		"/a%2fb":          "",
		"/a%2Fb":          "",
		"/a%5cb":          "",
		`/a\b`:            "",
		"/a%00":           "",
		"/a%0d%0a":        "",
		"/a%7f":           "",
		"/a%":             "",
		"/a%zz":           "",
		"/a%252e%252e/b":  "",
		"/a%252fb":        "",
		"/a%c0%ae":        "",
		"/a b":            "",
		"/a#b":            "",
		"/a|b":            "",
		"/a\"b":           "",
		"/ä":              "",
		"/a\x00":          "",
		"/a%ff":           "",
		"/a/%2e%2e%2fetc": "",
	} {
		got, err := cleanPath(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", raw, got, err, want)
		}
	}
}

// TestRawRequests sends bytes that Go's client would not.
func TestRawRequests(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	for name, lines := range map[string]string{
		"absolute form":        "GET http://evil.example/plain/x HTTP/1.1",
		"absolute, our host":   "GET " + g.URL + "/plain/x HTTP/1.1",
		"authority form":       "CONNECT evil.example:443 HTTP/1.1",
		"no slash":             "GET plain/x HTTP/1.1",
		"two slashes":          "GET //evil.example/plain/x HTTP/1.1",
		"backslash":            `GET /plain\..\x HTTP/1.1`,
		"two lengths":          "GET /plain/x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4",
		"two codings":          "GET /plain/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"unknown coding":       "GET /plain/x HTTP/1.1\r\nTransfer-Encoding: xchunked",
		"bad length":           "GET /plain/x HTTP/1.1\r\nContent-Length: +3",
		"space before colon":   "GET /plain/x HTTP/1.1\r\nX-A : b",
		"escaped target name":  "GET /%70lain/x HTTP/1.1",
		"two content types":    "GET /plain/x HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Type: application/json",
		"length and upgrade":   "GET /plain/x HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: foo",
		"header names by wire": "GET /plain/x HTTP/1.1\r\nx-original-url: /admin",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", g.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(conn, lines+"\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode < 400 || len(p.requests()) > 0 {
				t.Errorf("status %d, upstream received %d", res.StatusCode, len(p.requests()))
			}
		})
	}
}

// TestSmuggledBody sends a length and chunks: one body is read, one is sent.
func TestSmuggledBody(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	conn, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, "POST /plain/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+
		"\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /plain/smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	for i, r := range p.requests() {
		if r.RequestURI != "/base/x" || p.bodies[i] != "" || r.ContentLength > 0 {
			t.Errorf("upstream received %s %q", r.RequestURI, p.bodies[i])
		}
	}
}

// FuzzRoute looks for a path that is taken and not sent as it came, or that
// leads out of the target's base path.
func FuzzRoute(f *testing.F) {
	for _, s := range []string{"/t/a/b", "/t/a%20b?x=1", "/t/../x", "/t//x", "/t/%2e%2e/x", "//evil/x", "/t/a;b=c", "/t", "http://evil/t/x", "/t/%252e", `/t/\x`} {
		f.Add(s)
	}
	upstream, err := parseUpstream("https://api.example.com/base%20x")
	if err != nil {
		f.Fatal(err)
	}
	to := &target{name: "t", upstream: upstream}
	s := &Server{targets: map[string]*target{"t": to}}
	f.Fuzz(func(t *testing.T, uri string) {
		in, err := url.ParseRequestURI(uri)
		if err != nil {
			return // net/http answers that
		}
		r := &http.Request{Method: "GET", RequestURI: uri, URL: in}
		got, err := s.find(r, nil)
		if err != nil || got.target != "t" {
			return
		}
		raw, query, _ := strings.Cut(uri, "?")
		out := got.url(to, query)
		want := "/base%20x" + strings.TrimPrefix(raw, "/t")
		if out.EscapedPath() != want || out.Host != "api.example.com" || out.Scheme != "https" {
			t.Fatalf("%q is sent as %q to %s", uri, out.EscapedPath(), out.Host)
		}
		if !strings.HasPrefix(out.Path, "/base x") {
			t.Fatalf("%q leaves the base path: %q", uri, out.Path)
		}
		for _, s := range strings.Split(out.Path, "/") {
			if s == "." || s == ".." {
				t.Fatalf("%q has dots: %q", uri, out.Path)
			}
		}
		// What a strict reader makes of it is the same.
		if again := httptest.NewRequest("GET", out.RequestURI(), nil); again.URL.Path != out.Path || again.URL.JoinPath().Path != out.Path {
			t.Fatalf("%q is read as %q", out.Path, again.URL.Path)
		}
	})
}

// FuzzBody looks for JSON that is taken and that Go's own decoder reads otherwise.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[1,"x",null,true,{"b":{}}]`, `{"a":1,"a":2}`, `1e400`, `"\ud800"`, `{} {}`, " ", `{"a":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseBody("application/json", body)
		if err != nil {
			return
		}
		compareJSON(t, body, got)
	})
}

func compareJSON(t *testing.T, body []byte, got any) {
	t.Helper()
	if len(body) == 0 {
		return
	}
	var want any
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatalf("%q is taken: %v", body, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: got %v, want %v", body, got, want)
	}
}
