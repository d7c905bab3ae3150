package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sallyport/config"
)

// writePair writes a self-signed pair and dates it, since a file system's clock
// may be coarse.
func writePair(t *testing.T, cert, key string, at time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(at.UnixNano()), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		Subject: pkix.Name{CommonName: filepath.Base(cert)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	start := time.Now().Add(-time.Hour)
	writePair(t, cert, key, start)
	c, err := openCertificate(config.TLS{Cert: cert, Key: key}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	now := func() []byte {
		c.check = time.Time{} // as if the age had passed
		pair, _ := c.current()
		return pair.Certificate[0]
	}
	first := now()
	if !bytes.Equal(first, now()) {
		t.Fatal("an unchanged certificate was changed")
	}
	if err := os.WriteFile(key, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, now()) {
		t.Fatal("a pair that does not fit together was taken")
	}
	writePair(t, cert, key, start.Add(time.Minute))
	if bytes.Equal(first, now()) {
		t.Fatal("the new certificate was not taken")
	}
}

// TestClientAuthoritiesAreReadAnew: who renews them lets new clients in, and
// shuts the door to those of the old one, without a restart.
func TestClientAuthoritiesAreReadAnew(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	start := time.Now().Add(-time.Hour)
	writePair(t, file("server.crt"), file("server.key"), start)
	writePair(t, file("one.crt"), file("one.key"), start)
	writePair(t, file("two.crt"), file("two.key"), start)
	authorities := func(from string, at time.Time) {
		t.Helper()
		pem, err := os.ReadFile(file(from))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(file("ca.crt"), pem, 0o600), os.Chtimes(file("ca.crt"), at, at)); err != nil {
			t.Fatal(err)
		}
	}
	authorities("one.crt", start)
	c, err := openCertificate(config.TLS{Cert: file("server.crt"), Key: file("server.key"), ClientCA: file("ca.crt")}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	listener := c.forClients("x")
	// shows is whether a client's certificate is taken; none is always.
	shows := func(name string) bool {
		t.Helper()
		c.check = time.Time{} // as if the age had passed
		cfg := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"x"}}
		if name != "" {
			pair, err := tls.LoadX509KeyPair(file(name+".crt"), file(name+".key"))
			if err != nil {
				t.Fatal(err)
			}
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil } // whoever is asked for
		}
		near, far := net.Pipe()
		defer near.Close()
		server := tls.Server(far, listener)
		done := make(chan error, 1)
		go func() {
			defer far.Close()
			done <- server.HandshakeContext(t.Context())
		}()
		client := tls.Client(near, cfg)
		err := client.HandshakeContext(t.Context())
		go func() { _, _ = client.Read(make([]byte, 1)) }() // or the server waits to say what is wrong
		taken := <-done == nil
		if taken && (err != nil || server.ConnectionState().NegotiatedProtocol != "x" || (name != "") != (len(server.ConnectionState().VerifiedChains) > 0)) {
			t.Fatalf("%s: %v, %+v", name, err, server.ConnectionState())
		}
		return taken
	}
	expect := func(when string, none, one, two bool) {
		t.Helper()
		if a, b, c := shows(""), shows("one"), shows("two"); a != none || b != one || c != two {
			t.Errorf("%s: without a certificate %t, with the first authority's %t, the second's %t", when, a, b, c)
		}
	}
	expect("at first", true, true, false)
	authorities("two.crt", start.Add(time.Minute))
	expect("changed", true, false, true)
	if err := os.WriteFile(file("ca.crt"), []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("broken", true, false, true)
	if plain := c.config("x"); plain.ClientAuth != tls.NoClientCert || plain.GetConfigForClient != nil {
		t.Error("the console asks for certificates")
	}
}
