package httpguard

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Call sends one request as the fields are, and gives the status of its answer;
// "" when the stream or the connection ended without one.
func h2Call(t *testing.T, address string, fields []hpack.HeaderField, body string, trailers []hpack.HeaderField) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // a test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(conn, http2.ClientPreface)
	f := http2.NewFramer(conn, conn)
	f.AllowIllegalWrites = true
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = f.WriteSettings()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	encode := func(fields []hpack.HeaderField) []byte {
		block.Reset()
		for _, field := range fields {
			_ = enc.WriteField(field)
		}
		return bytes.Clone(block.Bytes())
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encode(fields), EndHeaders: true, EndStream: body == "" && trailers == nil})
	if body != "" {
		_ = f.WriteData(1, trailers == nil, []byte(body))
	}
	if trailers != nil {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encode(trailers), EndHeaders: true, EndStream: true})
	}
	for {
		frame, err := f.ReadFrame()
		var stream http2.StreamError
		switch {
		case errors.As(err, &stream):
			return ""
		case err != nil:
			return ""
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			if status := frame.PseudoValue("status"); status != "100" {
				return status
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return ""
		}
	}
}

// TestDowngradeFrames sends over HTTP/2 what would be another request, or two, in
// HTTP/1.1: after PortSwigger's HTTP/2: The Sequel is Always Worse.
func TestDowngradeFrames(t *testing.T) {
	p := newRawPeer(t)
	host := p.Addr().String()
	g := newGateway(t, "http://"+host, nil)
	front := httptest.NewUnstartedServer(g.guard)
	front.EnableHTTP2 = true
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	defer front.Close()
	const smuggled = "GET /plain/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	type pairs = []string
	for name, c := range map[string]struct {
		change   pairs // fields to put in place of, or behind, the right ones
		first    pairs // fields before all
		body     string
		trailers pairs
		sent     string // the whole request; "-" for none
	}{
		"right":                        {sent: upstreamBytes("POST", "/x", host, "abc"), body: "abc"},
		"a length that is right":       {change: pairs{"content-length", "3"}, body: "abc", sent: upstreamBytes("POST", "/x", host, "abc")},
		"H2.CL, none":                  {change: pairs{"content-length", "0"}, body: smuggled, sent: "-"},
		"H2.CL, less":                  {change: pairs{"content-length", "2"}, body: "abc" + smuggled, sent: "-"},
		"H2.CL, more":                  {change: pairs{"content-length", "9999"}, body: "abc", sent: "-"},
		"H2.CL, twice":                 {change: pairs{"content-length", "3", "content-length", "0"}, body: "abc", sent: upstreamBytes("POST", "/x", host, "abc")}, // it has another of its own
		"H2.CL, no number":             {change: pairs{"content-length", "+3"}, body: "abc", sent: "-"},
		"H2.TE":                        {change: pairs{"transfer-encoding", "chunked"}, body: "0\r\n\r\n" + smuggled, sent: "-"},
		"H2.TE in a value":             {change: pairs{"x-a", "b\r\nTransfer-Encoding: chunked"}, body: "0\r\n\r\n" + smuggled, sent: "-"},
		"H2.TE in a name":              {change: pairs{"x-a: b\r\ntransfer-encoding", "chunked"}, body: "0\r\n\r\n" + smuggled, sent: "-"},
		"H2.TE in a name with a colon": {change: pairs{"transfer-encoding: chunked\r\nx", "y"}, body: "0\r\n\r\n" + smuggled, sent: "-"},
		"LF in a value":                {change: pairs{"x-a", "b\nx-evil: 1"}, body: "abc", sent: "-"},
		"CR in a value":                {change: pairs{"x-a", "b\rx-evil: 1"}, body: "abc", sent: "-"},
		"NUL in a value":               {change: pairs{"x-a", "b\x00"}, body: "abc", sent: "-"},
		"space before a value":         {change: pairs{"x-a", " b"}, body: "abc", sent: upstreamBytes("POST", "/x", host, "abc", "X-A: b")},
		"a name in capitals":           {change: pairs{"X-A", "b"}, body: "abc", sent: "-"},
		"a name with a space":          {change: pairs{"x a", "b"}, body: "abc", sent: "-"},
		"a name with a colon":          {change: pairs{"x-a:", "b"}, body: "abc", sent: "-"},
		"a name that is empty":         {change: pairs{"", "b"}, body: "abc", sent: "-"},
		"connection":                   {change: pairs{"connection", "x-key"}, body: "abc", sent: "-"},
		"upgrade":                      {change: pairs{"upgrade", "h2c"}, body: "abc", sent: "-"},
		"keep-alive":                   {change: pairs{"keep-alive", "1"}, body: "abc", sent: "-"},
		"proxy-connection":             {change: pairs{"proxy-connection", "close"}, body: "abc", sent: "-"},
		"te":                           {change: pairs{"te", "chunked"}, body: "abc", sent: "-"},
		"method with a line":           {change: pairs{":method", "GET /plain/hidden HTTP/1.1\r\nHost: x\r\n\r\nPOST"}, body: "abc", sent: "-"},
		"method with a space":          {change: pairs{":method", "GET /"}, body: "abc", sent: "-"},
		"method CONNECT":               {change: pairs{":method", "CONNECT"}, body: "abc", sent: "-"},
		"path with a line":             {change: pairs{":path", "/plain/x HTTP/1.1\r\nX-Evil: 1\r\n\r\n"}, body: "abc", sent: "-"},
		"path with a space":            {change: pairs{":path", "/plain/x HTTP/1.1"}, body: "abc", sent: "-"},
		"path without a slash":         {change: pairs{":path", "plain/x"}, body: "abc", sent: "-"},
		"path that is a URL":           {change: pairs{":path", "https://evil.example/plain/x"}, body: "abc", sent: "-"},
		"path of two slashes":          {change: pairs{":path", "//evil.example/plain/x"}, body: "abc", sent: "-"},
		"path, empty":                  {change: pairs{":path", ""}, body: "abc", sent: "-"},
		"path, a star":                 {change: pairs{":path", "*"}, body: "abc", sent: "-"},
		"path with a fragment":         {change: pairs{":path", "/plain/x#y"}, body: "abc", sent: "-"},
		"path twice":                   {change: pairs{":path", "/plain/x"}, first: pairs{":path", "/plain/y"}, body: "abc", sent: "-"},
		"method twice":                 {first: pairs{":method", "GET"}, body: "abc", sent: "-"},
		"scheme with a line":           {change: pairs{":scheme", "https://evil.example/\r\n"}, body: "abc", sent: "-"},
		"scheme that is a URL":         {change: pairs{":scheme", "http://evil.example/plain/y?"}, body: "abc", sent: "-"},
		"scheme of nothing":            {change: pairs{":scheme", ""}, body: "abc", sent: "-"},
		"a pseudo-header behind":       {change: pairs{"x-a", "b", ":path2", "/plain/y"}, body: "abc", sent: "-"},
		"a pseudo-header of answers":   {first: pairs{":status", "200"}, body: "abc", sent: "-"},
		"a pseudo-header unknown":      {first: pairs{":foo", "bar"}, body: "abc", sent: "-"},
		"extended CONNECT":             {change: pairs{":method", "CONNECT"}, first: pairs{":protocol", "websocket"}, body: "", sent: "-"},
		"authority with a line":        {change: pairs{":authority", "x\r\nX-Evil: 1"}, body: "abc", sent: "-"},
		"authority with a user":        {change: pairs{":authority", "a:b@x"}, body: "abc", sent: "-"},
		"authority with a path":        {change: pairs{":authority", "x/closed"}, body: "abc", sent: "-"},
		"another host":                 {change: pairs{"host", "evil.example"}, body: "abc", sent: upstreamBytes("POST", "/x", host, "abc")},           // RFC 9113, 8.3.1: the authority counts, and no caller's host goes upstream
		"trailers that are headers":    {body: "abc", trailers: pairs{"transfer-encoding", "chunked"}, sent: upstreamBytes("POST", "/x", host, "abc")}, // left out
		"trailers with a path":         {body: "abc", trailers: pairs{":path", "/plain/y"}, sent: "-"},
		"trailers with a line":         {body: "abc", trailers: pairs{"x-a", "b\r\nX-Evil: 1"}, sent: "-"},
		"trailers with a credential":   {change: pairs{"trailer", "authorization, x-key"}, body: "abc", trailers: pairs{"authorization", "x", "x-key", "y"}, sent: "-"},
		"trailers that nobody named":   {body: "abc", trailers: pairs{"x-a", "b"}, sent: upstreamBytes("POST", "/x", host, "abc")},
	} {
		t.Run(name, func(t *testing.T) {
			right := pairs{":method", "POST", ":scheme", "https", ":authority", "x", ":path", "/plain/x", "x-api-key", token}
			var fields []hpack.HeaderField
			add := func(list pairs) {
				for i := 0; i < len(list); i += 2 {
					fields = append(fields, hpack.HeaderField{Name: list[i], Value: list[i+1]})
				}
			}
			add(c.first)
			add(right)
		changes:
			for i := 0; i < len(c.change); i += 2 {
				for k := range fields {
					if fields[k].Name == c.change[i] && strings.HasPrefix(c.change[i], ":") {
						fields[k].Value = c.change[i+1]
						continue changes
					}
				}
				add(c.change[i : i+2])
			}
			var trailers []hpack.HeaderField
			for i := 0; i < len(c.trailers); i += 2 {
				trailers = append(trailers, hpack.HeaderField{Name: c.trailers[i], Value: c.trailers[i+1]})
			}
			status := h2Call(t, front.Listener.Addr().String(), fields, c.body, trailers)
			got := p.taken()
			switch {
			case c.sent == "-" && (len(got) > 0 || strings.HasPrefix(status, "2")):
				t.Errorf("the upstream received %q, the answer was %s", got, status)
			case c.sent != "-" && (len(got) != 1 || got[0] != c.sent || status != "200"):
				t.Errorf("the upstream received\n%q, want\n%q, the answer was %s", got, c.sent, status)
			}
		})
	}
}
