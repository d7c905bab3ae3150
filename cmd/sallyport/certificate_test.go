package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// writePair writes a self-signed pair and dates it, since a file system's clock
// may be coarse.
func writePair(t *testing.T, cert, key string, at time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(at.UnixNano()), NotAfter: time.Now().Add(time.Hour)}
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
	c, err := openCertificate(cert, key, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	now := func() []byte {
		c.checked = time.Time{} // as if the age had passed
		return c.current().Certificate[0]
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
