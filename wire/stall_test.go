package wire

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestOneDeadline: from accept to ready there is one, whatever the client has
// said so far. CVE-2026-25949 was one that started anew.
func TestOneDeadline(t *testing.T) {
	cert, _ := certificate(t)
	issued, who := tokens(t)
	_, info := issue(t, issued)
	secure := &tls.Config{InsecureSkipVerify: true}
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}), func(c *Config, _ *Target) { c.Login = 300 * time.Millisecond })
	hello := startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00")
	for name, c := range map[string]struct {
		said   []byte
		tls    bool
		then   []byte
		silent bool // nothing in clear to who expects a handshake
	}{
		"nothing":                {},
		"half a length":          {said: []byte{0, 0}},
		"an SSLRequest":          {said: startup(codeSSL, ""), silent: true},
		"a GSSENCRequest":        {said: startup(codeGSS, "")},
		"half a ClientHello":     {said: []byte{0x16, 3, 1}, silent: true},
		"TLS":                    {said: startup(codeSSL, ""), tls: true},
		"half a StartupMessage":  {said: hello[:12]},
		"a StartupMessage":       {said: hello},
		"one inside TLS":         {said: startup(codeSSL, ""), tls: true, then: hello},
		"half a password":        {said: append(hello, 'p', 0, 0, 0, 9)},
		"a StartupMessage, SASL": {said: startup(3<<16, "user\x00"+info.ID+"\x00\x00")},
		"half of SCRAM":          {said: append(startup(3<<16, "user\x00"+info.ID+"\x00\x00"), "p\x00\x00\x00\x1fSCRAM-SHA-256\x00\x00\x00\x00\x09n,,n=,r=a"...)},
	} {
		t.Run(name, func(t *testing.T) {
			var conn net.Conn
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a hang
			if _, err := conn.Write(c.said); err != nil {
				t.Fatal(err)
			}
			if c.tls {
				if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				secured := tls.Client(conn, secure)
				if err := secured.HandshakeContext(t.Context()); err != nil {
					t.Fatal(err)
				}
				conn = secured
			}
			if _, err := conn.Write(c.then); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if err != nil {
				t.Fatalf("not closed: %v", err)
			}
			told := strings.Contains(string(answer), "C57014\x00Mthe login took too long")
			if told == c.silent {
				t.Errorf("told %q", answer)
			}
		})
	}
	if g.tap.received("user") {
		t.Fatal("the server was reached before the login")
	}
}

// TestTheDeadlineHoldsForTheServerToo: one that does not answer is not waited for.
func TestTheDeadlineHoldsForTheServerToo(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := start(t, func(c *Config, target *Target) { c.Login, target.Upstream = 300*time.Millisecond, ln.Addr().String() })
	if err := login(t, g.dsn("")); code(err) != "57014" && code(err) != "08006" {
		t.Errorf("%v", err)
	}
}
