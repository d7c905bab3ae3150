package httpguard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sallyport/recorder"
)

// echoServer answers each message with what it was told, and its key.
func echoServer(t *testing.T, handshake func(*http.Request)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handshake(r)
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"realtime"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			switch string(text) {
			case "key":
				text = []byte("your key is " + r.Header.Get("X-Key"))
			case "bye":
				_ = c.Close(4001, "as you wish")
				return
			case "break":
				return
			}
			if c.Write(r.Context(), kind, text) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (g *gateway) frames() []recorder.Frame {
	g.journal.mu.Lock()
	defer g.journal.mu.Unlock()
	var out []recorder.Frame
	for _, r := range g.journal.recordings {
		for _, e := range r.events {
			if e.Frame != nil {
				out = append(out, *e.Frame)
			}
		}
	}
	return out
}

// ended waits for the exchange's outcome.
func (g *gateway) ended(t *testing.T) recorder.Outcome {
	t.Helper()
	g.Server.Close()
	if err := g.guard.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := g.journal.outcomes()
	if len(o) != 1 {
		t.Fatalf("outcomes %+v", o)
	}
	return o[0]
}

func (g *gateway) dial(t *testing.T, path string, h http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	return websocket.Dial(t.Context(), g.URL+path, &websocket.DialOptions{HTTPHeader: h, Subprotocols: protocols, CompressionMode: websocket.CompressionContextTakeover})
}

func TestWebSocket(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := echoServer(t, func(r *http.Request) { seen <- r.Header.Clone() })
	g := newGateway(t, s.URL, nil)
	c, res, err := g.dial(t, "/plain/rt?model=m", nil, "realtime", "openai-insecure-api-key."+token)
	if err != nil {
		t.Fatal(err, res)
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	if c.Subprotocol() != "realtime" || res.Header.Get("X-Sallyport-Session") == "" {
		t.Errorf("subprotocol %q, %v", c.Subprotocol(), res.Header)
	}
	h := <-seen
	if h.Get("X-Key") != key || h.Get("Sec-Websocket-Protocol") != "realtime" || h.Get("Sec-Websocket-Extensions") != "" || h.Get("Authorization") != "" {
		t.Errorf("the upstream received %v", h)
	}
	long := strings.Repeat("ä", 200<<10)
	for _, m := range []struct {
		kind       websocket.MessageType
		sent, want string
	}{
		{websocket.MessageText, "hello", "hello"},
		{websocket.MessageText, "", ""},
		{websocket.MessageBinary, "\x00\xff", "\x00\xff"},
		{websocket.MessageText, long, long},
		{websocket.MessageText, "key", "your key is " + strings.Repeat("*", len(key))},
	} {
		if err := c.Write(t.Context(), m.kind, []byte(m.sent)); err != nil {
			t.Fatal(err)
		}
		kind, got, err := c.Read(t.Context())
		if err != nil || kind != m.kind || string(got) != m.want {
			t.Fatalf("%v %.50q %v", kind, got, err)
		}
	}
	reading := c.CloseRead(t.Context())
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_ = c.Close(websocket.StatusNormalClosure, "done")
	<-reading.Done()
	o := g.ended(t)
	if o.Code != "101" || o.Error != "" || o.Bytes < int64(len(long)) {
		t.Errorf("outcome %+v", o)
	}
	var told []string
	for _, f := range g.frames() {
		told = append(told, f.From+" "+f.Type+" "+f.Code+" "+f.Body[:min(len(f.Body), 12)])
		if len(f.Body) > maxFrameText+10 || strings.Contains(f.Body, key) || f.ID != 1 {
			t.Errorf("recorded %d bytes: %+v", len(f.Body), f.ID)
		}
	}
	want := []string{"caller text  hello", "upstream text  hello", "caller text  ", "upstream text  ", "caller binary  ", "upstream binary  "}
	if len(told) < 14 || !slices.Equal(told[:6], want) || !slices.Contains(told, "caller close 1000 done") {
		t.Errorf("recorded %q", told)
	}
	if text := g.log.text(); strings.Contains(text, "hello") {
		t.Error("the log has a message")
	}
}

// TestWebSocketEnds is every way it ends, but for an orderly one.
func TestWebSocketEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(*testing.T, *gateway, *websocket.Conn)
		code   websocket.StatusCode // that the caller gets
		reason string               // recorded
	}{
		"the upstream closes": {func(t *testing.T, _ *gateway, c *websocket.Conn) { _ = c.Write(t.Context(), 1, []byte("bye")) }, 4001, ""},
		"the upstream breaks": {func(t *testing.T, _ *gateway, c *websocket.Conn) { _ = c.Write(t.Context(), 1, []byte("break")) }, 1001, "the upstream went away"},
		"not UTF-8":           {func(t *testing.T, _ *gateway, c *websocket.Conn) { _ = c.Write(t.Context(), 1, []byte("\xff")) }, 1007, "caller: a text is not UTF-8"},
		"too large": {func(t *testing.T, _ *gateway, c *websocket.Conn) {
			_ = c.Write(t.Context(), 2, make([]byte, maxMessage+1))
		}, 1009, "caller: a message is too large"},
		"nothing for a while": {func(t *testing.T, g *gateway, _ *websocket.Conn) {}, -1, "idle"},
		"the recording is full": {func(t *testing.T, g *gateway, c *websocket.Conn) {
			g.journal.mu.Lock()
			g.journal.failOn = "frame"
			g.journal.mu.Unlock()
			_ = c.Write(t.Context(), 1, []byte("hello"))
		}, 1011, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			s := echoServer(t, func(*http.Request) {})
			g := newGateway(t, s.URL, func(cfg *Config) {
				target := cfg.Targets["plain"]
				if name == "nothing for a while" {
					target.IdleTimeout = 50 * time.Millisecond
				}
				cfg.Targets["plain"] = target
			})
			conn, _, err := g.dial(t, "/plain/x", http.Header{"Authorization": {"Bearer " + token}})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			go c.do(t, g, conn)
			_, text, err := conn.Read(t.Context())
			if got := websocket.CloseStatus(err); got != c.code || err == nil {
				t.Errorf("closed with %v: %v, %q", got, err, text)
			}
			g.Server.Close()
			_ = g.guard.Close(t.Context())
			if o := g.journal.outcomes(); c.reason != "-" && (len(o) != 1 || o[0].Error != c.reason) {
				t.Errorf("outcomes %+v", o)
			}
		})
	}
}

// TestWebSocketRefused never reaches the upstream.
func TestWebSocketRefused(t *testing.T) {
	good := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-Websocket-Version", "13", "Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
	with := func(name, value string) []string { return append(slices.Clone(good), name, value) }
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"version":       {headers: with("Sec-Websocket-Version", "8"), status: 400},
		"key":           {headers: with("Sec-Websocket-Key", "AAAA"), status: 400},
		"no connection": {headers: with("Connection", "close"), status: 400},
		"post":          {method: "POST", headers: good, status: 400},
		"other":         {headers: with("Upgrade", "irc"), status: 501},
		"two":           {headers: with("Upgrade", "irc, websocket"), status: 501},
		"no token":      {headers: with("Authorization", ""), status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, nil)
			method := c.method
			if method == "" {
				method = "GET"
			}
			res, body := g.do(t, method, "/plain/x", "", c.headers...)
			if res.StatusCode != c.status || len(p.requests()) > 0 {
				t.Errorf("%d %s, the upstream received %d", res.StatusCode, body, len(p.requests()))
			}
		})
	}
}

// TestWebSocketNotUpstream hands on the answer of an upstream that offers none,
// and refuses one whose handshake is not right.
func TestWebSocketNotUpstream(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(r.Header.Get("X-Key"))
	})
	g := newGateway(t, p.URL, nil)
	_, res, err := g.dial(t, "/plain/x", http.Header{"X-Api-Key": {token}})
	if err == nil || res.StatusCode != 403 {
		t.Fatalf("%v %v", res, err)
	}
	if body, _ := io.ReadAll(res.Body); strings.Contains(string(body), key) {
		t.Errorf("body %s", body)
	}
	bad := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
	})
	g = newGateway(t, bad.URL, nil)
	if _, res, err := g.dial(t, "/plain/x", http.Header{"X-Api-Key": {token}}); err == nil || res.StatusCode != 502 {
		t.Errorf("%v %v", res, err)
	}
}

// TestWebSocketShutdown ends when the gateway's exchanges are cut.
func TestWebSocketShutdown(t *testing.T) {
	s := echoServer(t, func(*http.Request) {})
	g := newGateway(t, s.URL, nil)
	ctx, cut := context.WithCancel(context.Background())
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.guard.ServeHTTP(w, r.WithContext(ctx)) }))
	front.Start()
	defer front.Close()
	c, _, err := websocket.Dial(t.Context(), front.URL+"/plain/x", &websocket.DialOptions{HTTPHeader: http.Header{"X-Api-Key": {token}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	cut()
	if _, _, err := c.Read(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if o := g.ended(t); o.Error != "the gateway shut down" {
		t.Errorf("outcome %+v", o)
	}
}
