package httpguard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// rawPeer is an upstream that keeps every byte it gets and parses none but to see
// where one request ends. It answers each once and closes.
type rawPeer struct {
	net.Listener
	mu  sync.Mutex
	got []*string // by connection
}

func newRawPeer(t *testing.T) *rawPeer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return p
}

// serve answers when the announced bytes are there, and then listens on: whatever
// else comes is kept too.
func (p *rawPeer) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var got []byte
	p.mu.Lock()
	kept := new(string)
	p.got = append(p.got, kept)
	p.mu.Unlock()
	answered := false
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		p.mu.Lock()
		*kept = string(got)
		p.mu.Unlock()
		if err != nil {
			return
		}
		head, body, whole := bytes.Cut(got, []byte("\r\n\r\n"))
		length := 0
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(v))
			}
		}
		if bytes.Contains(head, []byte("\r\nTransfer-Encoding: ")) && !bytes.HasSuffix(body, []byte("0\r\n\r\n")) {
			continue // there may be trailers, which these tests have none of that pass
		}
		if whole && len(body) >= length && !answered {
			answered = true
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}
}

// taken is what came since the last time, by connection.
func (p *rawPeer) taken() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, got := range p.got {
		all = append(all, *got)
	}
	p.got = nil
	return all
}

// rawCall writes bytes to the gateway as they are, and reads until it closes. It
// ends its own side when the first answer is there, since a caller that has gone
// cancels what runs; at once when cut is set.
func rawCall(t *testing.T, address, text string, cut bool) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var out bytes.Buffer
	from := bufio.NewReader(io.TeeReader(conn, &out))
	_, _ = io.WriteString(conn, text)
	for !cut {
		res, err := http.ReadResponse(from, nil)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		cut = err != nil || res.StatusCode != http.StatusContinue
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, from)
	return out.String()
}

// upstreamBytes are those of a request as the gateway writes it.
func upstreamBytes(method, path, host, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s /base%s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	if body != "" || method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("Accept-Encoding: identity\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "X-Key: " + key + "\r\n\r\n" + body
}

// framing are requests whose end two servers may see in different places, from
// RFC 9112, PortSwigger's HTTP Desync Attacks and Browser-Powered Desync, the table
// of http-garden, and the lists of smuggler.py: obfuscations of Transfer-Encoding
// among them. HIDDEN is another request.
var framing = map[string]struct {
	head, body string
	sent       string // the body that reaches the upstream; "-" when nothing does
}{
	"plain":                          {"Content-Length: 3\r\n", "abcHIDDEN", "abc"},
	"plain, no length":               {"", "HIDDEN", ""},
	"chunked":                        {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"chunked, in capitals":           {"Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"chunked, in tabs":               {"Transfer-Encoding:\tchunked\t\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"chunk extensions":               {"Transfer-Encoding: chunked\r\n", "3;a=b;c=\"d;e\"\r\nabc\r\n0;x\r\n\r\nHIDDEN", "abc"},
	"chunk size with zeros":          {"Transfer-Encoding: chunked\r\n", "0003\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"CL.TE":                          {"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN", ""}, // RFC 9112, 6.3: the length is none, and the connection ends
	"TE.CL":                          {"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "1\r\nZ\r\nQ\r\n\r\nHIDDEN", "-"},
	"CL.0":                           {"Content-Length: 9\r\n", "GET /x Y:HIDDEN", "GET /x Y:"},
	"0.CL":                           {"Content-Length : 3\r\n", "abcHIDDEN", "-"},
	"0.CL, on a line of its own":     {"Content-Length:\r\n 3\r\n", "abcHIDDEN", "abc"}, // RFC 9112, 5.2: a line that goes on may be read as one
	"length twice, the same":         {"Content-Length: 3\r\nContent-Length: 3\r\n", "abcHIDDEN", "abc"},
	"length twice":                   {"Content-Length: 3\r\nContent-Length: 0\r\n", "abcHIDDEN", "-"},
	"lengths in a list":              {"Content-Length: 3, 3\r\n", "abcHIDDEN", "-"},
	"length with a plus":             {"Content-Length: +3\r\n", "abcHIDDEN", "-"},
	"length with a minus":            {"Content-Length: -3\r\n", "abcHIDDEN", "-"},
	"length in hex":                  {"Content-Length: 0x3\r\n", "abcHIDDEN", "-"},
	"length with a point":            {"Content-Length: 3.0\r\n", "abcHIDDEN", "-"},
	"length with an underscore":      {"Content-Length: 0_3\r\n", "abcHIDDEN", "-"},
	"length with a space inside":     {"Content-Length: 1 3\r\n", "abcHIDDEN", "-"},
	"length in other digits":         {"Content-Length: ３\r\n", "abcHIDDEN", "-"},
	"length too large":               {"Content-Length: 18446744073709551619\r\n", "abcHIDDEN", "-"},
	"length, empty":                  {"Content-Length:\r\n", "HIDDEN", "-"},
	"length with a vertical tab":     {"Content-Length:\x0b3\r\n", "abcHIDDEN", "-"},
	"length behind a NUL":            {"Content-Length: 3\x00\r\n", "abcHIDDEN", "-"},
	"length, name with a NUL":        {"Content-Length\x00: 3\r\n", "abcHIDDEN", "-"},
	"length, name in another case":   {"cOnTeNt-lEnGtH: 3\r\n", "abcHIDDEN", "abc"},
	"length, another name":           {"Content_Length: 3\r\n", "HIDDEN", ""},
	"TE, another name":               {"Transfer_Encoding: chunked\r\n", "HIDDEN", ""},
	"TE.TE":                          {"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE.TE, the same":                {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE.TE, identity first":          {"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE unknown":                     {"Transfer-Encoding: xchunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE with more behind":            {"Transfer-Encoding: chunkedx\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE with a parameter":            {"Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE identity":                    {"Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abcHIDDEN", "-"},
	"TE gzip and chunked":            {"Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE chunked and identity":        {"Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE in a list with nothing":      {"Transfer-Encoding: ,chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE, empty":                      {"Transfer-Encoding:\r\nContent-Length: 3\r\n", "abcHIDDEN", "-"},
	"TE quoted":                      {"Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE in apostrophes":              {"Transfer-Encoding: 'chunked'\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE, name with a space":          {"Transfer-Encoding : chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE, name with a tab":            {"Transfer-Encoding\t: chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE behind a vertical tab":       {"Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE behind a form feed":          {"Transfer-Encoding: \x0cchunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE behind a hard space":         {"Transfer-Encoding: \u00a0chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE with a NUL":                  {"Transfer-Encoding: chunked\x00\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE with a letter of another":    {"Transfer-Encoding: ſhunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE folded":                      {"Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\nHIDDEN", ""},
	"TE folded, behind another":      {"X-A: b\r\n Transfer-Encoding: chunked\r\n", "HIDDEN", ""},
	"TE behind CR":                   {"X-A: b\rTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE behind LF":                   {"X-A: b\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"}, // RFC 9112, 2.2 lets a LF end a line; it goes on as a line of its own
	"TE behind LF CR":                {"X-A: b\n\rTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN", "-"},
	"TE in HTTP/1.0's way":           {"Connection: close\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"TE named by Connection":         {"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\nHIDDEN", "abc"},
	"length named by Connection":     {"Connection: Content-Length\r\nContent-Length: 3\r\n", "abcHIDDEN", "abc"},
	"chunk size with a sign":         {"Transfer-Encoding: chunked\r\n", "+3\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size with a minus":        {"Transfer-Encoding: chunked\r\n", "-3\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size with 0x":             {"Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size, underscore":         {"Transfer-Encoding: chunked\r\n", "0_3\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size behind a space":      {"Transfer-Encoding: chunked\r\n", " 3\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size, empty":              {"Transfer-Encoding: chunked\r\n", "\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size beyond 64 bits":      {"Transfer-Encoding: chunked\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size of all bits":         {"Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk longer than it says":      {"Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk without its end":          {"Transfer-Encoding: chunked\r\n", "3\r\nabcXX0\r\n\r\nHIDDEN", "-"},
	"chunk that ends with LF":        {"Transfer-Encoding: chunked\r\n", "3\r\nabc\n0\r\n\r\nHIDDEN", "-"},
	"chunk extension with LF":        {"Transfer-Encoding: chunked\r\n", "3;a\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size ended by LF":         {"Transfer-Encoding: chunked\r\n", "3\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk size ended by CR":         {"Transfer-Encoding: chunked\r\n", "3\rabc\r\n0\r\n\r\nHIDDEN", "-"},
	"chunk extension with CR":        {"Transfer-Encoding: chunked\r\n", "3;\rx\r\nabc\r\n0\r\n\r\nHIDDEN", "-"},
	"last chunk without a line":      {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nHIDDEN", "-"},
	"last chunk twice":               {"Transfer-Encoding: chunked\r\n", "0\r\n\r\n0\r\n\r\nHIDDEN", ""},
	"body cut short":                 {"Content-Length: 9999\r\n", "abcHIDDEN", "-"},
	"trailer with a length":          {"Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n", "3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\nHIDDEN", "-"},
	"trailer with an encoding":       {"Transfer-Encoding: chunked\r\nTrailer: X\r\n", "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\nHIDDEN", "abc"},
	"trailer with a host":            {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nHost: evil\r\n\r\nHIDDEN", "abc"},
	"trailer with a credential":      {"Transfer-Encoding: chunked\r\nTrailer: Authorization, X-Key\r\n", "3\r\nabc\r\n0\r\nAuthorization: x\r\nX-Key: y\r\n\r\nHIDDEN", "abc"},
	"trailer that is none":           {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nnone\r\n\r\nHIDDEN", "-"},
	"trailer with a space":           {"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nX-A : 1\r\n\r\nHIDDEN", "-"},
	"header behind a space":          {" X-A: b\r\n", "HIDDEN", "-"},
	"header without colon":           {"X-A\r\n", "HIDDEN", "-"},
	"header without name":            {": b\r\n", "HIDDEN", "-"},
	"header with a NUL":              {"X-A: b\x00c\r\n", "HIDDEN", "-"},
	"header with DEL":                {"X-A: b\x7fc\r\n", "HIDDEN", "-"},
	"header name with a bracket":     {"X(A): b\r\n", "HIDDEN", "-"},
	"header name in UTF-8":           {"X-É: b\r\n", "HIDDEN", "-"},
	"two hosts":                      {"Host: y\r\n", "HIDDEN", "-"},
	"two hosts, the same":            {"Host: x\r\n", "HIDDEN", "-"},
	"host with a space":              {"Host : y\r\n", "HIDDEN", "-"},
	"h2c":                            {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHIDDEN", ""},
	"upgrade to something":           {"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n", "HIDDEN", "-"},
	"upgrade in a list":              {"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", "HIDDEN", "-"},
	"WebSocket of another version":   {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "HIDDEN", "-"},
	"expectation that is none":       {"Expect: 200-ok\r\nContent-Length: 3\r\n", "abcHIDDEN", "-"},
	"expectation with a body":        {"Expect: 100-continue\r\nContent-Length: 3\r\n", "abcHIDDEN", "abc"},
	"expectation, obfuscated":        {"Expect: y 100-continue\r\nContent-Length: 3\r\n", "abcHIDDEN", "abc"},
	"Connection names what is added": {"Connection: X-Key, X-Api-Key, Accept-Encoding, Host\r\n", "HIDDEN", ""},
	"Connection, close and more":     {"Connection: close, X-Key\r\n", "HIDDEN", ""},
	"a header of the gateway's":      {"X-Key: mine\r\nX_Key: mine\r\nX-Sallyport-Session: x\r\n", "HIDDEN", ""},
	"another token":                  {"X-Sallyport-Token: spt_x\r\n", "HIDDEN", "-"},
	"method in a header":             {"X-HTTP-Method-Override: DELETE\r\n", "HIDDEN", "-"},
	"path in a header":               {"X-Original-URL: /admin\r\n", "HIDDEN", "-"},
	"proxy's own":                    {"Proxy-Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-Host: evil\r\n", "HIDDEN", ""},
}

// TestFraming: what is refused was never sent, and what passes is one request whose
// every byte is known.
func TestFraming(t *testing.T) {
	p := newRawPeer(t)
	host := p.Addr().String()
	g := newGateway(t, "http://"+host, nil)
	hidden := "GET /plain/hidden HTTP/1.1\r\nHost: x\r\nX-A: y\r\n\r\n"
	for name, c := range framing {
		t.Run(name, func(t *testing.T) {
			answer := rawCall(t, g.Listener.Addr().String(), "POST /plain/x HTTP/1.1\r\nHost: x\r\nX-Api-Key: "+token+"\r\n"+c.head+"\r\n"+strings.ReplaceAll(c.body, "HIDDEN", hidden), name == "body cut short" || name == "chunk size of all bits")
			got := p.taken()
			if c.sent == "-" {
				if len(got) > 0 {
					t.Errorf("the upstream received %q", got)
				}
				if strings.HasPrefix(answer, "HTTP/1.1 2") {
					t.Errorf("answered %q", answer)
				}
				return
			}
			want := upstreamBytes("POST", "/x", host, c.sent)
			if len(got) != 1 || got[0] != want && !strings.Contains(c.head, "X-A: b") {
				t.Errorf("the upstream received\n%q, want\n%q", got, want)
			}
			if strings.Count(strings.Join(got, ""), "hidden") > strings.Count(c.sent, "hidden") {
				t.Errorf("the hidden request came through: %q", got)
			}
			if strings.Count(answer, "HTTP/1.1 200") != 1 || strings.Contains(c.head, "chunked\r\n") && strings.Contains(answer, "401 Unauthorized") && len(c.body) > len("HIDDEN") {
				t.Errorf("answered %q", answer)
			}
		})
	}
}

// confusing are addresses that servers read in different ways, from Orange Tsai's
// talks on path normalization and the lists of bypass-403 tools. What passes is sent
// byte for byte; "-" does not pass.
var confusing = map[string]string{
	"/plain/x":                    "/x",
	"/plain/a%20b":                "/a%20b",
	"/plain/a;b=c/d":              "/a;b=c/d",
	"/plain/%61":                  "/%61",
	"/plain/x?a=b?c":              "/x?a=b?c",
	"/plain/x/":                   "/x/",
	"/plain/x?":                   "/x?",
	"/plain/../closed/x":          "-",
	"/plain/./x":                  "-",
	"/plain/x/..":                 "-",
	"/plain/x/.":                  "-",
	"/plain//x":                   "-",
	"//plain/x":                   "-",
	"/plain/%2e%2e/closed":        "-",
	"/plain/%2e/x":                "-",
	"/plain/.%2e/x":               "-",
	"/plain/%252e%252e/x":         "-",
	"/plain/..%2fx":               "-",
	"/plain/..%5cx":               "-",
	"/plain/..%c0%afx":            "-",
	"/plain/%c0%ae%c0%ae/x":       "-",
	"/plain/%e0%80%ae/x":          "-",
	"/plain/a%2fb":                "-",
	"/plain/a%2Fb":                "-",
	"/plain/a%5cb":                "-",
	"/plain/a\\b":                 "-",
	"/plain/a%00b":                "-",
	"/plain/x%00.json":            "-",
	"/plain/x%0d%0aX-Evil:%201":   "-",
	"/plain/x%0a":                 "-",
	"/plain/x%09":                 "-",
	"/plain/x%7f":                 "-",
	"/plain/x%u002e":              "-",
	"/plain/x%":                   "-",
	"/plain/x%2":                  "-",
	"/plain/x%gg":                 "-",
	"/plain/x%ff":                 "-",
	"/plain/é":                    "-",
	"/plain/..;/closed":           "-",
	"/plain/..;a=b/closed":        "-",
	"/plain/.;/x":                 "-",
	"/plain/;/x":                  "-",
	"/plain/x;/../y":              "-",
	"/plain/x#y":                  "-",
	"/plain#/x":                   "-",
	"/plain/x|y":                  "-",
	"/plain/<x>":                  "-",
	"/plain/{x}":                  "-",
	"/plain/\"x\"":                "-",
	"/%70lain/x":                  "-",
	"/plain%2fx":                  "-",
	"/PLAIN/x":                    "-",
	"/plain;/x":                   "-",
	"/plain./x":                   "-",
	"/closed/x":                   "-",
	"plain/x":                     "-",
	"*":                           "-",
	"?/plain/x":                   "-",
	"http://x/plain/x":            "-",
	"http://evil.example/plain/x": "-",
	"https://x/plain/x":           "-",
	"http:///plain/x":             "-",
	"http:/plain/x":               "-",
	"x:80":                        "-",
	"@evil.example/plain/x":       "-",
	"/plain/x?a=%zz":              "-",
	"/plain/x?a=%ff":              "-",
	"/plain/x?a;b=c":              "-",
	"/plain/x HTTP/1.1\tx":        "-",
	"/plain/x y":                  "-",
	"/plain/x\ty":                 "-",
	"/plain/x\x0by":               "-",
	"/plain/x\x00y":               "-",
	"":                            "-",
}

// TestConfusing: an address that two servers may read in two ways goes nowhere.
func TestConfusing(t *testing.T) {
	p := newRawPeer(t)
	host := p.Addr().String()
	g := newGateway(t, "http://"+host, nil)
	for address, sent := range confusing {
		t.Run(address, func(t *testing.T) {
			answer := rawCall(t, g.Listener.Addr().String(), "GET "+address+" HTTP/1.1\r\nHost: x\r\nX-Api-Key: "+token+"\r\n\r\n", false)
			got := p.taken()
			switch {
			case sent == "-" && (len(got) > 0 || strings.HasPrefix(answer, "HTTP/1.1 2")):
				t.Errorf("the upstream received %q, and the caller %q", got, answer)
			case sent != "-" && (len(got) != 1 || got[0] != upstreamBytes("GET", sent, host, "")):
				t.Errorf("the upstream received %q, and the caller %q", got, answer)
			}
		})
	}
}

// TestRequestLines are heads that are none, and one that is.
func TestRequestLines(t *testing.T) {
	p := newRawPeer(t)
	host := p.Addr().String()
	g := newGateway(t, "http://"+host, nil)
	rest := "Host: x\r\nX-Api-Key: " + token + "\r\n\r\n"
	for name, c := range map[string]struct {
		text  string
		sends bool
	}{
		"right":                  {"GET /plain/x HTTP/1.1\r\n" + rest, true},
		"HTTP/1.0":               {"GET /plain/x HTTP/1.0\r\n" + rest, true},
		"an empty line before":   {"\r\nGET /plain/x HTTP/1.1\r\n" + rest, false},
		"HTTP/0.9":               {"GET /plain/x\r\n", false},
		"HTTP/1.2":               {"GET /plain/x HTTP/1.2\r\n" + rest, true},
		"HTTP/2.0":               {"GET /plain/x HTTP/2.0\r\n" + rest, false},
		"HTTP/01.1":              {"GET /plain/x HTTP/01.1\r\n" + rest, false},
		"http/1.1":               {"GET /plain/x http/1.1\r\n" + rest, false},
		"two spaces":             {"GET  /plain/x HTTP/1.1\r\n" + rest, false},
		"a tab":                  {"GET\t/plain/x\tHTTP/1.1\r\n" + rest, false},
		"a space at the end":     {"GET /plain/x HTTP/1.1 \r\n" + rest, false},
		"method in small":        {"get /plain/x HTTP/1.1\r\n" + rest, false},
		"method with a colon":    {"GET: /plain/x HTTP/1.1\r\n" + rest, false},
		"TRACE":                  {"TRACE /plain/x HTTP/1.1\r\n" + rest, false},
		"CONNECT":                {"CONNECT x:80 HTTP/1.1\r\n" + rest, false},
		"no host":                {"GET /plain/x HTTP/1.1\r\nX-Api-Key: " + token + "\r\n\r\n", false},
		"host with a path":       {"GET /plain/x HTTP/1.1\r\nHost: x/y\r\nX-Api-Key: " + token + "\r\n\r\n", false},
		"host with a user":       {"GET /plain/x HTTP/1.1\r\nHost: a@x\r\nX-Api-Key: " + token + "\r\n\r\n", false},
		"host empty":             {"GET /plain/x HTTP/1.1\r\nHost:\r\nX-Api-Key: " + token + "\r\n\r\n", true},
		"a request within":       {"GET /plain/x HTTP/1.1\r\n" + strings.TrimSuffix(rest, "\r\n") + "X-A: GET /closed HTTP/1.1\r\n\r\n", true},
		"heads too large":        {"GET /plain/x HTTP/1.1\r\nX-A: " + strings.Repeat("a", 2<<20) + "\r\n" + rest, false},
		"too many":               {"GET /plain/x HTTP/1.1\r\n" + strings.Repeat("X-A: b\r\n", 1<<18) + rest, false},
		"a body without framing": {"GET /plain/x HTTP/1.1\r\n" + rest + "GET /plain/hidden HTTP/1.1\r\nHost: x\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := rawCall(t, g.Listener.Addr().String(), c.text, false)
			got := p.taken()
			if !c.sends && (len(got) > 0 || strings.HasPrefix(answer, "HTTP/1.1 2")) {
				t.Errorf("the upstream received %q", got)
			}
			if c.sends && (len(got) != 1 || !strings.HasPrefix(got[0], "GET /base/x HTTP/1.1\r\nHost: "+host+"\r\n") || strings.Count(got[0], "\r\n\r\n") != 1 || strings.Contains(got[0], "hidden")) {
				t.Errorf("the upstream received %q, and the caller %.200q", got, answer)
			}
		})
	}
}
