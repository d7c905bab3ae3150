package httpguard

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// newCA makes an authority as `sallyport ca init` does.
func newCA(t *testing.T) (Proxy, *x509.CertPool) {
	t.Helper()
	cert, key, err := NewAuthority("test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := Proxy{CACert: filepath.Join(t.TempDir(), "ca.crt"), CAKey: filepath.Join(t.TempDir(), "ca.key")}
	if os.WriteFile(p.CACert, cert, 0o600) != nil || os.WriteFile(p.CAKey, key, 0o600) != nil {
		t.Fatal("write")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return p, roots
}

// proxied is a client whose proxy is the gateway.
func (g *gateway) proxied(t *testing.T, roots *x509.CertPool, password string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword("agent", password), Host: g.Listener.Addr().String()}),
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func proxying(ca Proxy, upstream string) func(*Config) {
	return func(cfg *Config) {
		cfg.Proxy = ca
		cfg.Targets = map[string]Target{
			"plain": {Upstream: upstream + "/base", Credential: "env://KEY", Inject: "X-Key: {secret}", Paths: []string{"/base/*"}},
			"host":  {Upstream: upstream + "/other", Credential: "env://KEY", Inject: "X-Key: {secret}", Host: []string{"api.example.com"}},
			"a":     {Upstream: "https://two.example.com"},
			"b":     {Upstream: "https://two.example.com"},
		}
	}
}

func TestProxy(t *testing.T) {
	ca, roots := newCA(t)
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/base/next")
		w.Header().Set("X-Key-Echo", r.Header.Get("X-Key"))
		_, _ = io.WriteString(w, "answer")
	})
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	client := g.proxied(t, roots, token)
	for name, c := range map[string]struct{ url, uri, proto, told string }{
		"TLS, by host":       {"https://api.example.com/x?a=%41", "/other/x?a=%41", "HTTP/2.0", "allow /other/x"},
		"TLS, by upstream":   {"https://" + p.Listener.Addr().String() + "/base/x", "/base/x", "HTTP/2.0", "allow /base/x"},
		"plain, by upstream": {p.URL + "/base/x?b", "/base/x?b", "HTTP/1.1", "allow /base/x"},
		"plain, by host":     {"http://api.example.com", "/other/", "HTTP/1.1", "allow /other/"},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest("POST", c.url, strings.NewReader(`{"a":1}`))
			req.Header.Set("Authorization", "Bearer a-key-of-the-agents-own")
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != 200 || string(body) != "answer" || res.Proto != c.proto || res.Header.Get("Location") != "/base/next" || res.Header.Get("X-Key-Echo") != strings.Repeat("*", len(key)) {
				t.Fatalf("%s %d %s %v", res.Proto, res.StatusCode, body, res.Header)
			}
			r := p.requests()[len(p.requests())-1]
			if r.RequestURI != c.uri || r.Header.Get("X-Key") != key || r.Header.Get("Authorization") != "" || "http://"+r.Host != p.URL {
				t.Errorf("the upstream received %s %s %v", r.Host, r.RequestURI, r.Header)
			}
			if got := g.journal.told(); !slices.Contains(got, c.told) {
				t.Errorf("recorded %q", got)
			}
		})
	}
	p.noToken(t, 1)
	for _, e := range g.journal.exchanges() {
		if e.Body != `{"a":1}` {
			t.Errorf("recorded %+v", e)
		}
	}
}

// TestProxyRefuses: what a proxy's caller may not do. The upstream gets nothing.
func TestProxyRefuses(t *testing.T) {
	ca, roots := newCA(t)
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	at := p.Listener.Addr().String()
	for name, c := range map[string]struct{ url, token, says string }{
		"wrong token":        {"https://api.example.com/x", "wrong", "Proxy Authentication Required"},
		"no token":           {"https://api.example.com/x", "", "Proxy Authentication Required"},
		"plain, wrong token": {p.URL + "/base/x", "wrong", "407"},
		"no target":          {"https://elsewhere.example/x", token, "Forbidden"},
		"plain, no target":   {"http://elsewhere.example/x", token, "403"},
		"other port":         {"https://127.0.0.1:1/base/x", token, "Forbidden"},
		"plain, other port":  {"http://127.0.0.1:1/base/x", token, "403"},
		"outside of base":    {p.URL + "/x", token, "403"},
		"base as prefix":     {p.URL + "/basement/x", token, "403"},
		"dots out of base":   {p.URL + "/base/../x", token, "400"},
		"inside, outside":    {"https://" + at + "/x", token, "403"},
		"two targets":        {"https://two.example.com/x", token, "404"},
		"the gateway itself": {g.URL + "/plain/x", token, "403"},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", c.url, nil)
			res, err := g.proxied(t, roots, c.token).Do(req)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				got = fmt.Sprint(res.StatusCode, " ", string(body))
			}
			if !strings.Contains(got, c.says) || len(p.requests()) > 0 {
				t.Errorf("%s; the upstream received %d", got, len(p.requests()))
			}
		})
	}
}

// TestTunnelTricks sends bytes that Go's client would not.
func TestTunnelTricks(t *testing.T) {
	ca, roots := newCA(t)
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	for name, c := range map[string]struct{ server, request, status string }{
		"good":             {"api.example.com", "GET /x HTTP/1.1\r\nHost: api.example.com", "200"},
		"good, with port":  {"api.example.com", "GET /x HTTP/1.1\r\nHost: api.example.com:443", "200"},
		"another host":     {"api.example.com", "GET /base/x HTTP/1.1\r\nHost: " + p.Listener.Addr().String(), "421"},
		"another port":     {"api.example.com", "GET /x HTTP/1.1\r\nHost: api.example.com:80", "421"},
		"absolute":         {"api.example.com", "GET http://api.example.com/x HTTP/1.1\r\nHost: api.example.com", "421"},
		"absolute, tls":    {"api.example.com", "GET https://api.example.com/x HTTP/1.1\r\nHost: api.example.com", "400"},
		"a target's name":  {"api.example.com", "GET /plain/x HTTP/1.1\r\nHost: api.example.com", "200"},
		"a tunnel within":  {"api.example.com", "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443", "400"},
		"another token":    {"api.example.com", "GET /x HTTP/1.1\r\nHost: api.example.com\r\nProxy-Authorization: Bearer wrong", "200"},
		"another name":     {"elsewhere.example", "", ""},
		"two hosts":        {"api.example.com", "GET /x HTTP/1.1\r\nHost: api.example.com\r\nHost: other", "400"},
		"no host":          {"api.example.com", "GET /x HTTP/1.0", "421"},
		"dots":             {"api.example.com", "GET /../base/x HTTP/1.1\r\nHost: api.example.com", "400"},
		"token in address": {"api.example.com", "GET /" + token + " HTTP/1.1\r\nHost: api.example.com", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(p.requests())
			conn := g.tunnel(t, "api.example.com:443")
			inside := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: c.server})
			err := inside.Handshake()
			if c.request == "" {
				if err == nil {
					t.Error("a certificate for another name")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer inside.Close()
			_, _ = io.WriteString(inside, c.request+"\r\nConnection: close\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(inside), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if !strings.HasPrefix(res.Status, c.status) || (len(p.requests()) > before) != (c.status == "200") {
				t.Errorf("%s %s, the upstream received %d", res.Status, body, len(p.requests())-before)
			}
			for _, r := range p.requests()[before:] {
				if !strings.HasPrefix(r.RequestURI, "/other/") {
					t.Errorf("received %s", r.RequestURI)
				}
			}
		})
	}
}

// tunnel is a connection through CONNECT.
func (g *gateway) tunnel(t *testing.T, authority string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Authorization: Bearer %s\r\n\r\n", authority, authority, token)
	answer := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
	if _, err := io.ReadFull(conn, answer); err != nil || !strings.Contains(string(answer), " 200 ") {
		t.Fatalf("%s %v", answer, err)
	}
	return conn
}

// TestTunnelPlain speaks HTTP without TLS in a tunnel, as some clients do for http://.
func TestTunnelPlain(t *testing.T) {
	ca, _ := newCA(t)
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	conn := g.tunnel(t, p.Listener.Addr().String())
	r := bufio.NewReader(conn)
	for range 2 {
		_, _ = fmt.Fprintf(conn, "GET /base/x HTTP/1.1\r\nHost: %s\r\n\r\n", p.Listener.Addr())
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || string(body) != `{"ok":true}` {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	}
	p.noToken(t, 1)
}

// TestTunnelWebSocket carries a WebSocket through a tunnel.
func TestTunnelWebSocket(t *testing.T) {
	ca, roots := newCA(t)
	s := echoServer(t, func(*http.Request) {})
	g := newGateway(t, s.URL, proxying(ca, s.URL))
	client := g.proxied(t, roots, token)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	c, _, err := websocket.Dial(t.Context(), "wss://api.example.com/x", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_ = c.Write(t.Context(), websocket.MessageText, []byte("hello"))
	if _, text, err := c.Read(t.Context()); string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
}

// TestTunnelShutdown ends an idle tunnel when the gateway closes.
func TestTunnelShutdown(t *testing.T) {
	ca, roots := newCA(t)
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	res, err := g.proxied(t, roots, token).Get("https://api.example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := g.guard.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestProxyCurl is a client of another make.
func TestProxyCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	ca, _ := newCA(t)
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	out, err := exec.CommandContext(t.Context(), curl, "-sS", "--max-time", "10", "--cacert", ca.CACert,
		"-x", "http://agent:"+token+"@"+g.Listener.Addr().String(), "https://api.example.com/x", "http://api.example.com/y").CombinedOutput()
	if err != nil || string(out) != `{"ok":true}{"ok":true}` {
		t.Errorf("%s %v", out, err)
	}
	p.noToken(t, 1)
}

// TestNoProxy: without [proxy] the gateway is nobody's.
func TestNoProxy(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	res, err := g.proxied(t, nil, token).Get(p.URL + "/base/x")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 400 || len(p.requests()) > 0 {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestAuthority(t *testing.T) {
	ca, roots := newCA(t)
	now := time.Now()
	a, err := loadAuthority(ca, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first, err := a.leaf("api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "api.example.com"}); err != nil {
		t.Error(err)
	}
	if again, _ := a.leaf("api.example.com"); again != first {
		t.Error("made anew")
	}
	now = now.Add(leafLife * 3 / 4)
	if again, _ := a.leaf("api.example.com"); again == first {
		t.Error("not renewed")
	}
	if got := (Proxy{CACert: "x"}).Problems(); len(got) != 1 || got[0].Key != "ca_key" {
		t.Errorf("%v", got)
	}
	if got := (Proxy{CAKey: "x"}).Problems(); len(got) != 1 || got[0].Key != "ca_cert" {
		t.Errorf("%v", got)
	}
	if got := (Proxy{CACert: ca.CAKey, CAKey: ca.CAKey}).Problems(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}
