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
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStream wants each event before the upstream sends the next.
func TestStream(t *testing.T) {
	next := make(chan struct{})
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	g := newGateway(t, p.URL, nil)
	req, _ := http.NewRequest("GET", g.URL+"/plain/x", nil)
	req.Header.Set("X-Api-Key", token)
	res, err := g.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
			t.Fatalf("event %d: %q", i, lines.Text())
		}
		lines.Scan()
		if n := len(g.journal.outcomes()); n != 0 {
			t.Fatal("an outcome before the end")
		}
		next <- struct{}{}
	}
	if lines.Scan() {
		t.Fatalf("more: %q", lines.Text())
	}
	o := g.journal.outcomes()
	if len(o) != 1 || o[0].Body != "data: 0\n\ndata: 1\n\ndata: 2\n\n" || o[0].Error != "" {
		t.Errorf("outcomes %+v", o)
	}
	p.noToken(t, 1)
}

// TestCallerLeaves cancels the upstream's request and is recorded.
func TestCallerLeaves(t *testing.T) {
	gone := make(chan struct{})
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	g := newGateway(t, p.URL, nil)
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "POST", g.URL+"/plain/x", strings.NewReader("hello"))
	req.Header.Set("X-Api-Key", token)
	res, err := g.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("the upstream was not told")
	}
	g.Server.Close()
	if err := g.guard.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if o := g.journal.outcomes(); len(o) != 1 || o[0].Error == "" || o[0].Body != "first" {
		t.Errorf("outcomes %+v", o)
	}
}

func TestUpstreamBreaksOff(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	g := newGateway(t, p.URL, nil)
	_, body := g.do(t, "GET", "/plain/x", "")
	if body != "half<cut>" {
		t.Errorf("body %q", body)
	}
	if got := g.journal.told(); !slices.Equal(got, []string{"open plain", "allow /base/x", "200 the upstream broke off"}) {
		t.Errorf("recorded %q", got)
	}
}

// TestLongBody keeps the beginning of a long response, whole characters of it.
func TestLongBody(t *testing.T) {
	long := "x" + strings.Repeat("ä", maxCopy)
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) })
	g := newGateway(t, p.URL, nil)
	if _, body := g.do(t, "GET", "/plain/x", ""); body != long {
		t.Errorf("%d bytes arrived of %d", len(body), len(long))
	}
	o := g.journal.outcomes()[0]
	if o.Bytes != int64(len(long)) || o.Body != long[:maxCopy-1] {
		t.Errorf("recorded %d bytes, the first %d", o.Bytes, len(o.Body))
	}
}

// TestSlowBody costs the one who sends it the connection, and nobody else.
func TestSlowBody(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	g.guard.upload = 50 * time.Millisecond
	for sent, want := range map[string]int{token: http.StatusRequestTimeout, "wrong": http.StatusUnauthorized} {
		conn, err := net.Dial("tcp", g.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(conn, "POST /plain/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer "+sent+"\r\n\r\nhalf")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != want || len(p.requests()) > 0 {
			t.Errorf("status %d, upstream received %d", res.StatusCode, len(p.requests()))
		}
	}
	if res, _ := g.do(t, "GET", "/plain/x", ""); res.StatusCode != 200 {
		t.Errorf("the next caller: %d", res.StatusCode)
	}
}

// TestSlowUpstream may take longer than a caller may for its body.
func TestSlowUpstream(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(150 * time.Millisecond): // three times the limit below
		}
		ok(w, r)
	})
	g := newGateway(t, p.URL, nil)
	g.guard.upload = 50 * time.Millisecond
	for _, body := range []string{"", "{}"} {
		if res, _ := g.do(t, "POST", "/plain/x", body); res.StatusCode != 200 {
			t.Errorf("with body %q: status %d", body, res.StatusCode)
		}
	}
}

// TestEarlyHints hands on what comes before the response, but for what leads
// past the gateway.
func TestEarlyHints(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.Header().Set("Set-Cookie", "session=upstream")
		w.WriteHeader(http.StatusEarlyHints)
		ok(w, r)
	})
	g := newGateway(t, p.URL, nil)
	req, _ := http.NewRequest("GET", g.URL+"/plain/x", nil)
	req.Header.Set("X-Api-Key", token)
	var early textproto.MIMEHeader
	trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { early = h; return nil }}
	res, _ := g.send(t, req.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
	if res.StatusCode != 200 || early.Get("Link") == "" || early.Get("Set-Cookie") != "" || res.Header.Get("X-Sallyport-Session") == "" {
		t.Errorf("%d after %v with %v", res.StatusCode, early, res.Header)
	}
}

// TestHTTP2 speaks HTTP/2 over TLS on both sides, body and stream.
func TestHTTP2(t *testing.T) {
	p := &peer{}
	var got []string
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Proto+" "+r.Host+" "+r.Header.Get("X-Key")+" "+string(body))
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}))
	p.EnableHTTP2 = true
	p.StartTLS()
	defer p.Close()
	g := newGateway(t, p.URL, nil)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	g.guard.targets["plain"].pool.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	front := httptest.NewUnstartedServer(g.guard)
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	for range 2 {
		req, _ := http.NewRequest("POST", front.URL+"/plain/x", strings.NewReader("{}"))
		req.Header.Set("Api-Key", token)
		res, err := front.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.ProtoMajor != 2 || string(body) != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
			t.Errorf("%v: %s %q", err, res.Proto, body)
		}
	}
	want := "HTTP/2.0 " + strings.TrimPrefix(p.URL, "https://") + " " + key + " {}"
	if !slices.Equal(got, []string{want, want}) {
		t.Errorf("upstream received %q", got)
	}
}
