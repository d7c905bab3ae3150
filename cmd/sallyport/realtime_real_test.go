//go:build real

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/apipeer"
	"sallyport/recorder"
)

// TestRealRealtime runs OpenAI's libraries on the Realtime API, over TLS since
// one of them knows nothing else: deltas are masked as the texts they are, what
// answers used is recorded, and the upstream gets the key alone.
func TestRealRealtime(t *testing.T) {
	python := os.Getenv("SALLYPORT_TEST_PYTHON")
	if python == "" || os.Getenv("SALLYPORT_TEST_NODE") == "" {
		t.Fatal("SALLYPORT_TEST_PYTHON and SALLYPORT_TEST_NODE are not set: run this by `make test-real`, which installs the clients")
	}
	for name, command := range map[string][]string{
		"python": {python, "python/openai_realtime.py"},
		"node":   {"node", "node/openai_realtime.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			peers, dir := startPeers(t), t.TempDir()
			writeLoopbackCert(t, dir)
			w := httpWorld{
				Token: realToken, Denied: "dear-1", Answer: strings.ReplaceAll(apipeer.Answer, apipeer.Address, realMark), Tool: apipeer.Tool, City: apipeer.City,
			}
			w.HTTP = "https://" + startRealGatewayIn(t, dir, peers, "http://127.0.0.1:9", "[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n")
			cmd := realScript(t, w, command)
			cert := filepath.Join(dir, "cert.pem")
			cmd.Env = append(cmd.Env, "NODE_EXTRA_CA_CERTS="+cert, "SSL_CERT_FILE="+cert)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", bytes.TrimSpace(out))
			untilSeen(t, "the peer sees the cancel", func() bool { return peers["openai"].Cancelled() == 1 })
			checkPeer(t, "openai", peers["openai"])
			if n := len(peers["openai"].Calls()); n != 2 {
				t.Errorf("%d sessions came to the peer", n)
			}
			untilSeen(t, "both sessions are recorded with what they used", func() bool {
				usages := usagesIn(t, filepath.Join(dir, "recordings"))
				if len(usages) != 2 {
					return false
				}
				whole, cut := usages[0], usages[1]
				if whole.Estimated {
					whole, cut = cut, whole
				}
				// Three answers to their end; one that was left within its first delta.
				if whole.InputTokens != 27 || whole.OutputTokens != 57 || whole.USD == "" || whole.Estimated || cut.OutputTokens != 1 || !cut.Estimated {
					t.Fatalf("recorded %+v and %+v", whole, cut)
				}
				return true
			})
		})
	}
}

// usagesIn are those in the recordings of a folder.
func usagesIn(t *testing.T, dir string) (all []recorder.Usage) {
	t.Helper()
	r, err := recorder.Open("file:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := r.Sessions(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		events, err := r.Events(s.Session)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if strings.Contains(e.Kind, "frame") && e.Frame != nil && strings.Contains(e.Frame.Body, apipeer.Address) {
				t.Errorf("recorded %s", e.Frame.Body)
			}
			if e.Outcome != nil && e.Outcome.Usage != nil {
				all = append(all, *e.Outcome.Usage)
			}
		}
	}
	return all
}

// writeLoopbackCert puts a certificate for 127.0.0.1 into cert.pem and key.pem.
func writeLoopbackCert(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
