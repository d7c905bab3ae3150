package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// certificate is a self-signed one for 127.0.0.1, and a file that holds it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestTLSToTheClient(t *testing.T) {
	cert, ca := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for _, how := range []string{"sslmode=require", "sslmode=verify-full sslrootcert=" + ca, "sslnegotiation=direct sslmode=verify-full sslrootcert=" + ca} {
		dsn := strings.Replace(g.dsn(""), "sslmode=disable", how, 1)
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		var one int
		if err := conn.QueryRow(t.Context(), "select 1").Scan(&one); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		_ = conn.Close(t.Context())
	}
}

// TestDirectTLSNeedsItsName: bytes of another protocol can't be replayed to us.
func TestDirectTLSNeedsItsName(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for name, protocols := range map[string][]string{"none": nil, "another": {"http/1.1"}} {
		conn, err := tls.Dial("tcp", g.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
		if err != nil {
			continue // the handshake itself failed
		}
		_, _ = conn.Write(startup(3<<16, "user\x00agent\x00database\x00orders\x00\x00"))
		answer, _ := io.ReadAll(conn)
		if strings.Contains(string(answer), "R\x00\x00\x00\x08\x00\x00\x00\x03") {
			t.Errorf("%s: asked for the token", name)
		}
		_ = conn.Close()
	}
}

// TestNothingBeforeTLS: what came ahead of the handshake is not taken for the
// client's. CVE-2021-23214.
func TestNothingBeforeTLS(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(append(startup(codeSSL, ""), startup(3<<16, "user\x00smuggled\x00\x00")...)); err != nil {
		t.Fatal(err)
	}
	var s [1]byte
	if _, err := io.ReadFull(conn, s[:]); err != nil || s[0] != 'S' {
		t.Fatalf("%q, %v", s, err)
	}
	if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()); err == nil {
		t.Fatal("the handshake went past the smuggled bytes")
	}
}

func TestTLSUpstream(t *testing.T) {
	_, stranger := certificate(t)
	for name, c := range map[string]struct {
		mode, root string // root: "" system, "ca" the server's own, "stranger" another
		host       string
		ok         bool
	}{
		"require":                     {mode: "require", ok: true},
		"require with a root":         {mode: "require", root: "ca", ok: true},
		"require with a wrong root":   {mode: "require", root: "stranger"},
		"verify-ca":                   {mode: "verify-ca", root: "ca", ok: true},
		"verify-ca, wrong":            {mode: "verify-ca", root: "stranger"},
		"verify-ca, the system's":     {mode: "verify-ca"},
		"verify-full":                 {mode: "verify-full", root: "ca", ok: true},
		"verify-full, wrong":          {mode: "verify-full", root: "stranger"},
		"default is verify-full":      {mode: "", root: "stranger"},
		"default, with the right one": {mode: "", root: "ca", ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t)
			target := Target{Upstream: g.tap.addr, Database: g.db.Name, SSLMode: c.mode, Credential: "env://DB"}
			switch c.root {
			case "ca":
				target.SSLRootCert = g.db.CAFile
			case "stranger":
				target.SSLRootCert = stranger
			}
			ready, err := newTarget("orders", target)
			if err != nil {
				t.Fatal(err)
			}
			ready.count = g.server.metrics.of("orders")
			g.server.targets["orders"] = ready
			conn, err := pgx.Connect(t.Context(), g.dsn(""))
			if c.ok {
				if err != nil {
					t.Fatal(err)
				}
				var secured bool
				var version string
				if err := conn.QueryRow(t.Context(), "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()").Scan(&secured, &version); err != nil || !secured {
					t.Fatalf("%t %s %v", secured, version, err)
				}
				_ = conn.Close(t.Context())
				return
			}
			if code(err) != "08006" {
				t.Fatalf("got %v", err)
			}
			if g.tap.received(g.db.User + "\x00") {
				t.Fatal("the server was told who we are before it was trusted")
			}
		})
	}
}

// TestNoFallingBack: a server without TLS is refused, whatever it answers.
func TestNoFallingBack(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	received := make(chan []byte, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request := make([]byte, 8)
		_, _ = io.ReadFull(conn, request)
		_, _ = conn.Write([]byte("N"))
		rest, _ := io.ReadAll(conn)
		received <- rest
	}()
	g := start(t)
	ready, err := newTarget("orders", Target{Upstream: ln.Addr().String(), SSLMode: "require", Credential: "env://DB"})
	if err != nil {
		t.Fatal(err)
	}
	g.server.targets["orders"] = ready
	if _, err := pgx.Connect(t.Context(), g.dsn("")); code(err) != "08006" {
		t.Fatalf("got %v", err)
	}
	if rest := <-received; len(rest) > 0 {
		t.Fatalf("the server received %q in clear", rest)
	}
}
