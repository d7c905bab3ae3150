package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/credential"
	"sallyport/policy"
	"sallyport/secret"
)

// TestEncryptionOnce: inside TLS nothing more is negotiated, and outside each
// kind is asked for once.
func TestEncryptionOnce(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for name, c := range map[string]struct {
		direct bool
		codes  []uint32
		want   string
	}{
		"SSL":                   {false, []uint32{codeSSL}, "S"},
		"GSS, then SSL":         {false, []uint32{codeGSS, codeSSL}, "NS"},
		"SSL inside TLS":        {false, []uint32{codeSSL, codeSSL}, "S 08P01"},
		"GSS inside TLS":        {false, []uint32{codeSSL, codeGSS}, "S 08P01"},
		"SSL inside direct TLS": {true, []uint32{codeSSL}, " 08P01"},
		"GSS twice":             {false, []uint32{codeGSS, codeGSS}, "N 08P01"},
		"direct TLS, after GSS": {false, []uint32{codeGSS, 0}, "N"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a hang
			secure := func() {
				secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}})
				if err := secured.HandshakeContext(t.Context()); err != nil {
					t.Logf("handshake: %v", err)
					return
				}
				conn = secured
			}
			if c.direct {
				secure()
			}
			got := ""
			for _, code := range c.codes {
				if code == 0 {
					secure()
					continue
				}
				if _, err := conn.Write(startup(code, "")); err != nil {
					t.Fatal(err)
				}
				var one [1]byte
				if _, err := io.ReadFull(conn, one[:]); err != nil {
					break
				}
				if one[0] == 'E' {
					rest, _ := io.ReadAll(conn)
					at := bytes.Index(rest, []byte("\x00C"))
					got += " " + string(rest[at+2:at+7])
					break
				}
				got += string(one[:])
				if one[0] == 'S' {
					secure()
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if g.tap.received("user") {
		t.Fatal("the server was reached before the login")
	}
}

// TestALPN: none is fine where TLS was asked for, another protocol's nowhere.
func TestALPN(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for name, c := range map[string]struct {
		protocols []string
		fails     bool
	}{
		"none":     {nil, false},
		"ours":     {[]string{alpn}, false},
		"among":    {[]string{"h2", alpn}, false},
		"another":  {[]string{"http/1.1"}, true},
		"nonsense": {[]string{"postgres"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := pgconn.ParseConfig(strings.Replace(g.dsn(""), "sslmode=disable", "sslmode=require", 1))
			if err != nil {
				t.Fatal(err)
			}
			cfg.TLSConfig.NextProtos = c.protocols
			conn, err := pgconn.ConnectConfig(t.Context(), cfg)
			if (err != nil) != c.fails {
				t.Errorf("%v", err)
			}
			if err == nil {
				_ = conn.Close(t.Context())
			}
		})
	}
}

// TestLongTokens: a JWT can be long, up to what the server takes of a password.
func TestLongTokens(t *testing.T) {
	g := start(t)
	for size, want := range map[int]string{1024: "28P01", 16 << 10: "28P01", maxToken - 1: "28P01", maxToken: "08P01", 1 << 20: "08P01"} {
		_, fe := g.hail(t, "agent")
		fe.Send(&pgproto3.PasswordMessage{Password: strings.Repeat("x", size)})
		if err := fe.Flush(); err != nil {
			t.Log(err) // it was told before it had said all
		}
		if last := untilClosed(t, fe); last.Code != want && last.Code != "" || size < maxToken && last.Code == "" {
			t.Errorf("%d bytes: %+v", size, last)
		}
	}
}

// TestAServerWithoutCancelKeys: the client gets none either; one of no length
// would be no message of the protocol.
func TestAServerWithoutCancelKeys(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		be := pgproto3.NewBackend(conn, conn)
		if _, err := be.ReceiveStartupMessage(); err != nil {
			return
		}
		be.Send(&pgproto3.AuthenticationOk{})
		be.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		_ = be.Flush()
		_, _ = be.Receive() // Terminate
	}()
	g := start(t, withTarget(func(target *Target) { target.Upstream = ln.Addr().String() }))
	conn, fe := g.hail(t, "agent")
	fe.Send(&pgproto3.PasswordMessage{Password: goodToken})
	if err := fe.Flush(); err != nil {
		t.Fatal(err)
	}
	for ready := false; !ready; {
		m, err := fe.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m.(type) {
		case *pgproto3.BackendKeyData:
			t.Error("a key out of nothing")
		case *pgproto3.ReadyForQuery:
			ready = true
		}
	}
	_ = conn.Close()
	<-served
}

// FuzzLogin: whatever a client says before it is known, nothing panics, nobody
// is let in, and no credential is fetched.
func FuzzLogin(f *testing.F) {
	hello := startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00")
	for _, seed := range [][]byte{
		hello,
		append(startup(codeGSS, ""), hello...),
		append(startup(codeSSL, ""), hello...),
		append(hello, "p\x00\x00\x00\x08spt\x00"...),
		append(startup(3<<16|2, "user\x00oauth\x00_pq_.x\x00\x00\x00"), "p\x00\x00\x00\x2cOAUTHBEARER\x00\x00\x00\x00\x18n,,\x01auth=Bearer spt_x\x01\x01p\x00\x00\x00\x05\x01"...),
		append(startup(3<<16, "user\x00tok_00000000000\x00\x00"), "p\x00\x00\x00\x20SCRAM-SHA-256\x00\x00\x00\x00\x0an,,n=,r=abp\x00\x00\x00\x12c=biws,r=ab,p="...),
		startup(codeCancel, "\x00\x00\x00\x01\x00\x00\x00\x02"),
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		{0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5},
	} {
		f.Add(seed)
	}
	h := &nobody{}
	var log bytes.Buffer
	var ids atomic.Int64
	server, err := New(Config{
		Targets: map[string]Target{"orders": {Upstream: "127.0.0.1:1", SSLMode: "disable", Credential: "env://DB"}},
		Needs:   Needs{Identifier: h, Access: h, Lender: h},
		NewID:   func() string { return fmt.Sprint(ids.Add(1)) },
		Now:     func() time.Time { return time.Unix(int64(ids.Load())*3600, 0) }, // each its own window of tries
		Log:     zerolog.New(&log).Level(zerolog.ErrorLevel), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		log.Reset()
		conn := &spoken{from: bytes.NewReader(said)}
		server.serve(t.Context(), conn)
		if log.Len() > 0 {
			t.Fatal(log.String())
		}
		if h.lent {
			t.Fatal("a credential was fetched")
		}
		if bytes.Contains(conn.answer.Bytes(), []byte("R\x00\x00\x00\x08\x00\x00\x00\x00")) {
			t.Fatalf("let in: %q", conn.answer.Bytes())
		}
	})
}

// nobody knows nobody.
type nobody struct{ lent bool }

func (nobody) Identify(context.Context, secret.Text) (policy.Principal, error) {
	return policy.Principal{}, &policy.Refusal{Kind: policy.Unauthenticated, Public: "no"}
}
func (nobody) Allows(policy.Principal, string) bool { return false }
func (n *nobody) Login(context.Context, credential.Ref) (*credential.Lease, error) {
	n.lent = true
	return nil, errors.New("none")
}

// spoken is a connection on which all has been said, from loopback.
type spoken struct {
	addressed
	from   io.Reader
	answer bytes.Buffer
}

func (s *spoken) Read(p []byte) (int, error)     { return s.from.Read(p) }
func (s *spoken) Write(p []byte) (int, error)    { return s.answer.Write(p) }
func (*spoken) Close() error                     { return nil }
func (*spoken) SetDeadline(time.Time) error      { return nil }
func (*spoken) SetReadDeadline(time.Time) error  { return nil }
func (*spoken) SetWriteDeadline(time.Time) error { return nil }
