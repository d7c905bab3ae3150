package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/loopback"
	"sallyport/internal/pgtest"
)

// canary is in every secret of the scripts' world.
const canary = "canary"

// The gateway tokens of testdata/script/gateway.toml.
const (
	agentToken    = "canary-token-agent"    // group agents, which has the grants
	adminToken    = "canary-token-admin"    // group admins, who have the console
	strangerToken = "canary-token-stranger" // no group
	expiredToken  = "canary-token-expired"
)

// world is what one script's gateway stands between.
type world struct {
	t       testing.TB
	dir     string
	seen    traffic
	gateway *process // nil while none runs
	garbage []net.Conn
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// setUpWorld makes a script's database, upstream and addresses, and puts their
// names into its *.toml, *.json and *.sql files, as ${NAME}. A script without
// gateway.toml or orders.sql gets those of testdata/script.
func setUpWorld(env *testscript.Env) error {
	t, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("the scripts are not run by a test")
	}
	w := &world{t: t, dir: env.WorkDir}
	env.Values[worldKey{}] = w
	env.Defer(func() {
		w.sweep()
		if w.gateway != nil {
			w.stop()
		}
	})
	for _, name := range []string{"gateway.toml", "orders.sql"} {
		if err := w.provide(name); err != nil {
			return err
		}
	}
	db := pgtest.New(t)
	role := "agent_" + db.Name
	db.Role(t, role, "canary-database-password", "")
	names := map[string]string{
		"DATABASE":  w.tap(db.Addr()),
		"CAFILE":    db.CAFile, // of the database
		"UPSTREAM":  w.upstream(),
		"DBNAME":    db.Name,
		"DBROLE":    role,
		"TOKEN":     agentToken,
		"ADMIN":     adminToken,
		"STRANGER":  strangerToken,
		"EXPIRED":   expiredToken,
		"HTTP":      freeAddress(t),
		"CONSOLE":   freeAddress(t),
		"METRICS":   freeAddress(t),
		"POSTGRES":  freeAddress(t),
		"NOBODY":    refusingAddress(t),
		"TOKEN_SUM": sum(agentToken), "ADMIN_SUM": sum(adminToken), "STRANGER_SUM": sum(strangerToken), "EXPIRED_SUM": sum(expiredToken),
		"LOGIN": fmt.Sprintf(`{"username":%q,"password":"canary-database-password"}`, role),
	}
	for name, value := range names {
		env.Setenv(name, value)
	}
	host, port := splitAddress(names["POSTGRES"])
	for name, value := range map[string]string{
		"PGHOST": host, "PGPORT": port, "PGDATABASE": "orders", "PGUSER": "agent", "PGPASSWORD": agentToken,
		"PGAPPNAME": "script", "PGCONNECT_TIMEOUT": "20", "LC_ALL": "C", "NO_PROXY": "127.0.0.1",
	} {
		env.Setenv(name, value)
	}
	w.write("login.json", names["LOGIN"])
	w.write("upstream.key", "canary-upstream-key\n")
	w.certify("")
	if err := w.fillIn(names); err != nil {
		return err
	}
	sql, err := os.ReadFile(filepath.Join(w.dir, "orders.sql"))
	if err != nil {
		return err
	}
	db.Exec(t, fmt.Sprintf("GRANT ALL ON SCHEMA public TO %s; SET ROLE %s; %s", role, role, sql))
	return nil
}

// provide copies a file of testdata/script that the script does not bring.
func (w *world) provide(name string) error {
	if _, err := os.Stat(filepath.Join(w.dir, name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := os.ReadFile(filepath.Join(scripts, name))
	if err != nil {
		return err
	}
	w.write(name, string(text))
	return nil
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// fillIn replaces ${NAME} in the script's files, and nothing else.
func (w *world) fillIn(names map[string]string) error {
	var pairs []string
	for name, value := range names {
		pairs = append(pairs, "${"+name+"}", value)
	}
	replace := strings.NewReplacer(pairs...)
	for _, pattern := range []string{"*.toml", "*.json", "*.sql"} {
		files, err := filepath.Glob(filepath.Join(w.dir, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			w.write(filepath.Base(file), replace.Replace(string(text)))
		}
	}
	return nil
}

// certify writes tls.crt and tls.key, a certificate of its own for localhost,
// and client.crt and client.key, one that it vouches for: worker-1, in agents.
// The files' names begin with prefix.
func (w *world) certify(prefix string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the script's gateway"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	client := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "worker-1", OrganizationalUnit: []string{"agents"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for name, template := range map[string]*x509.Certificate{"tls": cert, "client": client} {
		of := key
		if template == client {
			if of, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				w.t.Fatal(err)
			}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, cert, of.Public(), key)
		if err != nil {
			w.t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(of)
		if err != nil {
			w.t.Fatal(err)
		}
		w.write(prefix+name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		w.write(prefix+name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	}
}

func sum(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}

// traffic is all that the upstreams were sent.
type traffic struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write is io.Writer's.
func (tr *traffic) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.all.Write(p)
}

func (tr *traffic) contains(text string) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return bytes.Contains(tr.all.Bytes(), []byte(text))
}

func runReceived(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: received TEXT")
	}
	if got := worldOf(ts).seen.contains(args[0]); got == neg {
		ts.Fatalf("received %q: %v", args[0], got)
	}
}

// tap stands before the database and keeps what is sent there.
func (w *world) tap(database string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	var all sync.WaitGroup
	w.t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.pass(client, database) })
		}
	})
	return ln.Addr().String()
}

// pass carries one connection to the database until either side ends it.
func (w *world) pass(client net.Conn, database string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", database)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(client, server)
		_ = client.(*net.TCPConn).CloseWrite()
		_ = client.Close()
	}()
	_, _ = io.Copy(server, io.TeeReader(client, &w.seen))
	_ = server.(*net.TCPConn).CloseWrite()
	<-back
}

// upstream answers with the script's own files: /v1/models is the file
// upstream/v1/models, JSON unless its name says otherwise; /echo gives back what it gets.
func (w *world) upstream() string {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		request, err := httputil.DumpRequest(r, true)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.seen.Write(request)
		text, err := os.ReadFile(filepath.Join(w.dir, "upstream", filepath.FromSlash(r.URL.Path)))
		if strings.HasSuffix(r.URL.Path, "/echo") {
			text, err = io.ReadAll(r.Body)
		}
		kind := map[string]string{".txt": "text/plain", ".sse": "text/event-stream"}[filepath.Ext(r.URL.Path)]
		if kind == "" {
			kind = "application/json"
		}
		rw.Header().Set("Content-Type", kind)
		if err != nil {
			rw.WriteHeader(http.StatusNotFound)
			text = []byte(`{"error":"no such file"}`)
		}
		_, _ = rw.Write(text)
	}))
	w.t.Cleanup(server.Close)
	return server.URL
}

// freeAddress is one where the gateway can listen.
func freeAddress(t testing.TB) string {
	t.Helper()
	port, err := loopback.Port(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// refusingAddress is one where nothing listens until the test ends.
func refusingAddress(t testing.TB) string {
	t.Helper()
	address, giveBack, err := loopback.Refusing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = giveBack() })
	return address
}
