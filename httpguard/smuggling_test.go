package httpguard

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSmuggling sends published cases of request smuggling. Whatever the first
// request gets, the hidden second one never reaches the upstream by itself: it
// would have to be answered, and so to be identified.
func TestSmuggling(t *testing.T) {
	hidden := "GET /plain/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, head := range map[string]string{
		"CL.TE":                  "Content-Length: 45\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"TE.CL":                  "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
		"CL.CL":                  "Content-Length: 0\r\nContent-Length: 45\r\n\r\n",
		"CL list":                "Content-Length: 0, 45\r\n\r\n",
		"CL sign":                "Content-Length: +0\r\n\r\n",
		"CL space":               "Content-Length : 45\r\n\r\n",
		"CL hex":                 "Content-Length: 0x2d\r\n\r\n",
		"CL negative":            "Content-Length: -1\r\n\r\n",
		"TE.TE":                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
		"TE tab":                 "Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
		"TE vertical tab":        "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"TE name with space":     "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"TE folded":              "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"TE quoted":              "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"TE identity":            "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
		"TE gzip, chunked":       "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunk size sign":        "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
		"chunk size long":        "Transfer-Encoding: chunked\r\n\r\n00000000000000000000\r\n\r\n",
		"chunk extension, LF":    "Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n",
		"chunk without end":      "Transfer-Encoding: chunked\r\n\r\n1\r\naa\r\n0\r\n\r\n",
		"LF only":                "Content-Length: 0\n\n",
		"CR in value":            "X-A: b\rTransfer-Encoding: chunked\r\n\r\n",
		"NUL in value":           "X-A: b\x00c\r\n\r\n",
		"header without colon":   "X-A\r\n\r\n",
		"space at the beginning": " X-A: b\r\n\r\n",
		"Connection hides":       "Connection: X-Key, Content-Length\r\nContent-Length: 0\r\n\r\n",
		"two hosts":              "Host: y\r\n\r\n",
		"h2c upgrade":            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, nil)
			conn, err := net.Dial("tcp", g.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(conn, "POST /plain/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n"+head+hidden)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			for i, r := range p.requests() {
				if r.RequestURI != "/base/x" || strings.Contains(p.bodies[i], "hidden") && r.ContentLength != int64(len(p.bodies[i])) || r.Header.Get("X-Key") != key || len(r.TransferEncoding) > 0 || r.Header.Get("Upgrade") != "" {
					t.Errorf("the upstream received %s %v %q", r.RequestURI, r.Header, p.bodies[i])
				}
			}
			if len(p.requests()) > 1 {
				t.Errorf("the upstream received %d", len(p.requests()))
			}
		})
	}
}

// TestDowngrade sends over HTTP/2 what would be another request in HTTP/1.1.
func TestDowngrade(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	front := httptest.NewUnstartedServer(g.guard)
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	for name, change := range map[string]func(*http.Request){
		"line break in a value": func(r *http.Request) { r.Header["X-A"] = []string{"b\r\nX-Evil: 1"} },
		"line break in a name":  func(r *http.Request) { r.Header["X-A\r\nX-Evil"] = []string{"1"} },
		"transfer encoding":     func(r *http.Request) { r.Header["transfer-encoding"] = []string{"chunked"} },
		"another length":        func(r *http.Request) { r.Header["content-length"] = []string{"0"} },
		"host as header":        func(r *http.Request) { r.Header["host"] = []string{"evil.example"} },
		"method":                func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\n" },
		"path":                  func(r *http.Request) { r.URL.Opaque = "/plain/x HTTP/1.1\r\nX-Evil: 1" },
		"dots":                  func(r *http.Request) { r.URL.Opaque = "/plain/../closed/x" },
		"absolute path":         func(r *http.Request) { r.URL.Opaque = "//evil.example/plain/x" },
	} {
		t.Run(name, func(t *testing.T) {
			before := len(p.requests())
			req, _ := http.NewRequest("POST", front.URL+"/plain/x", strings.NewReader("{}"))
			req.Header.Set("X-Api-Key", token)
			change(req)
			res, err := front.Client().Do(req)
			if err == nil {
				res.Body.Close()
			}
			for i, r := range p.requests()[before:] {
				if r.RequestURI != "/base/x" || p.bodies[before+i] != "{}" || r.Header.Get("X-Evil") != "" || r.Host == "evil.example" || r.Method != "POST" {
					t.Errorf("the upstream received %s %s %s %v %q", r.Method, r.Host, r.RequestURI, r.Header, p.bodies[before+i])
				}
			}
		})
	}
	// Raw frames' worth of the same: HTTP/1.1 over TLS with h2's preface in it.
	conn, err := tls.Dial("tcp", front.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // a test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	before := len(p.requests())
	_, _ = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("the preface got %d", res.StatusCode)
		}
	}
	if len(p.requests()) > before {
		t.Error("the preface reached the upstream")
	}
}
