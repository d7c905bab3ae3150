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
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/apipeer"
	"sallyport/recorder"
)

// TestRealRealtime runs OpenAI's libraries on the Realtime API, over TLS since
// one of them knows nothing else, and on responses over a WebSocket: deltas are
// masked as the texts they are, what answers used is recorded, the upstream gets
// the key alone, and no message that a rule denies.
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
				Token: realToken, Denied: "dear-1", NoTool: noTool, Answer: strings.ReplaceAll(apipeer.Answer, apipeer.Address, realMark), Tool: apipeer.Tool, City: apipeer.City,
			}
			w.HTTP = "https://" + startRealGatewayIn(t, dir, peers, "http://127.0.0.1:9", realtimeTables)
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
			if n := len(peers["openai"].Calls()); n != 3 {
				t.Errorf("%d sessions came to the peer", n)
			}
			untilSeen(t, "all sessions are recorded with what they used", func() bool {
				usages := usagesIn(t, filepath.Join(dir, "recordings"))
				if len(usages) != 3 {
					return false
				}
				slices.SortFunc(usages, func(a, b recorder.Usage) int { return int(b.OutputTokens - a.OutputTokens) })
				// Three answers to their end; two responses; one that was left within its first delta.
				whole, two, cut := usages[0], usages[1], usages[2]
				if whole.InputTokens != 27 || whole.OutputTokens != 57 || whole.USD == "" || whole.Estimated || cut.OutputTokens != 1 || !cut.Estimated {
					t.Fatalf("recorded %+v and %+v", whole, cut)
				}
				if two.InputTokens != 18 || two.OutputTokens != 38 || two.Model != "gpt-5-mini" || two.USD == "" || two.Estimated {
					t.Fatalf("recorded %+v", two)
				}
				return true
			})
		})
	}
}

// realtimeTables are the tables of gateway.toml that the test adds.
const realtimeTables = `
[tls]
cert = "cert.pem"
key  = "key.pem"

[[rule]]
name    = "no-drop-tool"
targets = ["openai"]
if      = '"` + noTool + `" in llm.tools'
then    = "deny"
`

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
