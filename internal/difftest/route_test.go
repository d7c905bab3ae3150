package difftest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sallyport/credential"
	"sallyport/internal/loopback"
	"sallyport/internal/pgtest"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
	"sallyport/wire"
)

// route is a way to a server, with a database of its own behind it.
type route struct {
	name    string
	address string
	dsn     string
	admin   *pgx.Conn // directly to the same database

	inProcess bool // a gateway in this process
	guarded   bool // one whose masks sqlguard stands guard over
}

// fixture is what every database holds. Scripts leave it as it is.
const fixture = `
create table items (id int primary key, name text not null, price numeric(8,2), data bytea, at timestamptz);
insert into items select i, 'item ' || i, i * 1.5, decode(repeat(to_hex(i), 2), 'hex'), '2026-01-01 00:00Z'::timestamptz + i * interval '1 day' from generate_series(10, 29) i;
create table unrelated (id int, secret text);
create function grumble(text) returns int language plpgsql as $$ begin raise notice 'grumble: %', $1 using detail = 'a detail', hint = 'a hint'; return 1; end $$;
create function fail(text) returns int language plpgsql as $$ begin raise exception 'fail: %', $1 using detail = 'a detail', hint = 'a hint', errcode = 'P0099', schema = 's', table = 't', column = 'c', datatype = 'd', constraint = 'n'; end $$;
create view names as select id, name from items;
create type mood as enum ('sad', 'glad');
`

// direct is the server itself.
func direct(t *testing.T) *route {
	db := newDatabase(t)
	return &route{name: "direct", address: db.Addr(), dsn: db.DSN(), admin: db.Conn(t)}
}

func newDatabase(t *testing.T) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	db.Exec(t, fixture)
	return db
}

// token is the gateway token of all gateways here.
const token = "spt_difftest"

// needs is a house without walls: everybody may do everything.
type needs struct {
	user     string
	password secret.Text
	plans    wire.Planner // nil: a target without masks
}

func (n needs) Identify(context.Context, secret.Text) (policy.Principal, error) {
	return policy.Principal{Subject: "difftest"}, nil
}

func (n needs) Allows(policy.Principal, string) bool { return true }

func (n needs) Login(_ context.Context, ref credential.Ref) (*credential.Lease, error) {
	return &credential.Lease{Username: n.user, Secret: n.password, Ref: ref.String()}, nil
}

func (n needs) Judge(context.Context, policy.Question, string, *wire.Inside) wire.Reading {
	return wire.Reading{Verdict: policy.Verdict{Action: policy.Allow}, Plans: n.plans, Resettable: true}
}

func (n needs) Begin(context.Context, recorder.Opening) (wire.Recording, error) { return n, nil }
func (n needs) WriteLate(recorder.Event) error                                  { return nil }
func (n needs) Write(recorder.Event) error                                      { return nil }
func (n needs) End(recorder.Closing) error                                      { return nil }

// masksElsewhere plans for a target whose masks reach nothing in the scripts.
type masksElsewhere struct{}

func (masksElsewhere) Plan(context.Context, int, []mask.Field) mask.Plan { return nil }
func (masksElsewhere) Copy(int, int) (*mask.Copy, error)                 { return nil, nil }

// plain is a gateway in this process, without masks and TLS.
func plain(t *testing.T) *route {
	db := newDatabase(t)
	return inProcess(t, "plain", db, nil, nil, wire.Target{SSLMode: "disable"})
}

// pooled is one whose sessions follow each other over the same connections.
func pooled(t *testing.T) *route {
	return inProcess(t, "pooled", newDatabase(t), nil, nil, wire.Target{SSLMode: "disable", Pool: 2})
}

// masked is one with masks on something else, and TLS on both sides.
func masked(t *testing.T) *route {
	db := newDatabase(t)
	cert := certificate(t)
	return inProcess(t, "masked", db, masksElsewhere{}, &tls.Config{Certificates: []tls.Certificate{cert}}, wire.Target{SSLMode: "verify-full", SSLRootCert: db.CAFile})
}

func inProcess(t *testing.T, name string, db *pgtest.DB, plans wire.Planner, secured *tls.Config, target wire.Target) *route {
	t.Helper()
	n := needs{user: db.User, password: secret.New(db.Password), plans: plans}
	target.Upstream, target.Database, target.Credential = db.Addr(), db.Name, "env://DB"
	var ids atomic.Int64
	server, err := wire.New(wire.Config{
		Targets: map[string]wire.Target{"it": target}, TLS: secured,
		Needs: wire.Needs{Identifier: n, Access: n, Lender: n, Judge: n, Journal: n},
		NewID: func() string { return fmt.Sprint(ids.Add(1)) }, Now: time.Now,
		Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(ctx, ctx, ln); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	sslmode := "disable"
	if secured != nil {
		sslmode = "require"
	}
	return &route{name: name, address: ln.Addr().String(), dsn: dsn(ln.Addr().String(), "it", sslmode), admin: db.Conn(t), inProcess: true}
}

func dsn(address, database, sslmode string) string {
	return fmt.Sprintf("postgres://agent:%s@%s/%s?sslmode=%s", token, address, database, sslmode)
}

// certificate is a server certificate that nobody vouches for.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// house is `sallyport serve`, twice: with a rule, and with a mask too. Neither
// reaches anything in the scripts.
func house(t *testing.T) []*route {
	t.Helper()
	ruled, both := newDatabase(t), newDatabase(t)
	dir := t.TempDir()
	binary := os.Getenv("SALLYPORT_BIN")
	if binary == "" {
		binary = filepath.Join(dir, "sallyport")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "sallyport/cmd/sallyport")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build sallyport: %v\n%s", err, out)
		}
	}
	address := freeAddress(t)
	config := fmt.Sprintf(`
[listen]
postgres = %q
http = "off"
console = "off"
metrics = "off"
[store]
database = "sqlite:%s/store.db"
recordings = "file:%s/recordings"
[[token]]
subject = "difftest"
sha256 = "%x"
[postgres.ruled]
upstream = %q
database = %q
sslmode = "disable"
credential = "file://%s/login.json"
pool = 2
[postgres.both]
upstream = %q
database = %q
sslmode = "disable"
credential = "file://%s/login.json"
[[grant]]
who = ["subject:difftest"]
targets = ["ruled", "both"]
[[rule]]
name = "unrelated"
targets = ["ruled", "both"]
if = "'unrelated' in sql.tables"
then = "deny"
[[mask]]
targets = ["both"]
columns = ["unrelated.secret"]
`, address, dir, dir, sha256.Sum256([]byte(token)), ruled.Addr(), ruled.Name, dir, both.Addr(), both.Name, dir)
	for name, text := range map[string]string{
		"gateway.toml": config,
		"login.json":   fmt.Sprintf(`{"username":%q,"password":%q}`, ruled.User, ruled.Password),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, binary, filepath.Join(dir, "gateway.toml"), address)
	return []*route{
		{name: "house with a rule", address: address, dsn: dsn(address, "ruled", "disable"), admin: ruled.Conn(t)},
		{name: "house with a rule and a mask", address: address, dsn: dsn(address, "both", "disable"), admin: both.Conn(t), guarded: true},
	}
}

// serve runs `sallyport serve` until the test ends, and returns when it listens.
func serve(t *testing.T, binary, config, address string) {
	t.Helper()
	var log strings.Builder
	cmd := exec.Command(binary, "serve", "--config", config, "--log-format", "json", "--log-level", "warn")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(silence); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("sallyport serve: %v\n%s", err, log.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("sallyport serve does not listen")
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := loopback.Port(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}
