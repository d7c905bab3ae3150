package wire

import (
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
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/policy"
)

// authority vouches for clients.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.cert, a.key = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "clients"}, IsCA: true, BasicConstraintsValid: true})
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a certificate, and a key for it; the first is the authority's own.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// files puts a certificate and its key where libpq reads them, and gives the
// settings that say where.
func (a *authority) files(template *x509.Certificate) string {
	a.t.Helper()
	cert, key := a.sign(template)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	crt, pem1 := filepath.Join(a.t.TempDir(), "client.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	private, pem2 := filepath.Join(a.t.TempDir(), "client.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := errors.Join(os.WriteFile(crt, pem1, 0o600), os.WriteFile(private, pem2, 0o600)); err != nil {
		a.t.Fatal(err)
	}
	return " sslcert=" + crt + " sslkey=" + private + " "
}

func (a *authority) of(subject string, units ...string) string {
	return a.files(&x509.Certificate{Subject: pkix.Name{CommonName: subject, OrganizationalUnit: units}})
}

func TestClientCertificateLogins(t *testing.T) {
	cert, _ := certificate(t)
	known, strangers := newAuthority(t), newAuthority(t)
	issued, who := tokens(t)
	token, info := issue(t, issued) // of worker-1
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: known.pool}))
	spiffe, err := url.Parse("spiffe://example.com/agent")
	if err != nil {
		t.Fatal(err)
	}
	none := "''"
	for name, c := range map[string]struct{ user, password, settings, subject, want string }{
		"no password is asked for":  {"agent", none, known.of("worker-1", "agents") + "sslmode=require require_auth=none", "worker-1", ""},
		"direct TLS":                {"agent", none, known.of("worker-1") + "sslmode=require sslnegotiation=direct", "worker-1", ""},
		"a URI":                     {"agent", none, known.files(&x509.Certificate{URIs: []*url.URL{spiffe}}) + "sslmode=require", "spiffe://example.com/agent", ""},
		"a password nobody asks":    {"agent", "spt_wrong", known.of("worker-1") + "sslmode=require", "worker-1", ""},
		"SCRAM too":                 {info.ID, token.Reveal(), known.of("worker-1") + "sslmode=require channel_binding=require", "worker-1", ""},
		"SCRAM of another":          {info.ID, token.Reveal(), known.of("worker-2") + "sslmode=require", "", "28P01 the client certificate and the gateway token are not of the same subject"},
		"SCRAM that fails":          {info.ID, "wrong", known.of("worker-1") + "sslmode=require", "", "28P01 the gateway token is not valid"},
		"no certificate":            {"agent", token.Reveal(), "sslmode=require", "worker-1", ""},
		"no certificate, no token":  {"agent", none, "sslmode=require", "", "28P01 empty password"},
		"plaintext knows none":      {"agent", none, known.of("worker-1") + "sslmode=disable", "", "28P01 empty password"},
		"of nobody":                 {"agent", none, known.of("") + "sslmode=require", "", "28P01 the client certificate names no subject"},
		"a stranger's":              {"agent", none, strangers.of("worker-1") + "sslmode=require", "", "tls"},
		"a stranger's, and a token": {"agent", token.Reveal(), strangers.of("worker-1") + "sslmode=require", "", "tls"},
		"one that is over":          {"agent", none, known.files(&x509.Certificate{Subject: pkix.Name{CommonName: "worker-1"}, NotAfter: time.Now().Add(-time.Minute)}) + "sslmode=require", "", "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(g.openings())
			err := login(t, g.as(c.user, c.password, c.settings))
			var pg *pgconn.PgError
			got := ""
			switch {
			case errors.As(err, &pg):
				got = pg.Code + " " + pg.Message
			case err != nil:
				got = err.Error()
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			opened := g.openings()[before:]
			if c.subject == "" && len(opened) > 0 || c.subject != "" && (len(opened) != 1 || opened[0] != c.subject) {
				t.Errorf("opened %q", opened)
			}
		})
	}
}

// openings are the subjects of the sessions there were.
func (h *house) openings() (subjects []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.recorded {
		if e.Open != nil {
			subjects = append(subjects, e.Open.Subject)
		}
	}
	return subjects
}

// TestClientCertificateByPsql takes the real psql; and a grant that is taken
// away shuts the certificate out.
func TestClientCertificateByPsql(t *testing.T) {
	cert, ca := certificate(t)
	known := newAuthority(t)
	asked := make(chan policy.Principal, 2)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: known.pool}), func(c *Config, _ *Target) {
		c.Needs.Access = accessFunc(func(p policy.Principal, _ string) bool {
			asked <- p
			return p.In("agents")
		})
	})
	for _, c := range []struct {
		settings, out string
		fails         bool
	}{
		{known.of("worker-1", "agents", "ci"), "42\n", false},
		{known.of("worker-1", "others"), `no grant for target "orders"`, true},
	} {
		psql := exec.CommandContext(t.Context(), "psql", "-XAtqw", "host=127.0.0.1 port="+g.port()+" dbname=orders user=agent sslmode=verify-full "+c.settings, "-c", "select 6 * 7")
		psql.Env = append(os.Environ(), "PGSSLROOTCERT="+ca)
		out, err := psql.CombinedOutput()
		if (err != nil) != c.fails || !strings.Contains(string(out), c.out) {
			t.Errorf("%v: %s", err, out)
		}
	}
	if first := <-asked; first.Issuer != "client-certificate" || !first.In("agents") || !first.In("ci") {
		t.Errorf("%+v", first)
	}
}

type accessFunc func(policy.Principal, string) bool

func (f accessFunc) Allows(p policy.Principal, target string) bool { return f(p, target) }

func (g *gateway) port() string {
	_, port, _ := net.SplitHostPort(g.addr)
	return port
}

// TestSessionsEndWithTheirCertificate: as with a token.
func TestSessionsEndWithTheirCertificate(t *testing.T) {
	cert, _ := certificate(t)
	known := newAuthority(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: known.pool}))
	var conn *pgconn.PgConn
	err := errors.New("not tried")
	for life := 2 * time.Second; err != nil && life < time.Minute; life *= 2 { // a machine may be busy for longer than the first
		soon := known.files(&x509.Certificate{Subject: pkix.Name{CommonName: "worker-1"}, NotAfter: time.Now().Add(life)})
		conn, err = pgconn.Connect(t.Context(), g.as("agent", "''", soon+"sslmode=require"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = conn.Exec(t.Context(), "select pg_sleep(0.2)").ReadAll()
	}
	if code(err) != "28P01" || !strings.Contains(err.Error(), "the client certificate has expired") {
		t.Error(err)
	}
}

func TestHostNamesTarget(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	g.server.hosts = map[string]*target{"orders.gateway.example": g.server.targets["orders"], "closed.gateway.example": g.server.targets["closed"]}
	for name, c := range map[string]struct{ host, user, database, want string }{
		"by database":                  {"", "agent", "orders", ""},
		"by host":                      {"orders.gateway.example", "agent", "", ""},
		"by host, in capitals":         {"Orders.Gateway.EXAMPLE", "agent", "", ""},
		"by both":                      {"orders.gateway.example", "agent", "orders", ""},
		"by host and a name libpq has": {"orders.gateway.example", "agent", "agent", ""},
		"a user of a target's name":    {"orders.gateway.example", "closed", "", ""},
		"the same, said by libpq":      {"orders.gateway.example", "closed", "closed", `the host name is of target "orders", the database name is "closed"`},
		"by two that differ":           {"orders.gateway.example", "agent", "closed", `the host name is of target "orders", the database name is "closed"`},
		"by a host and no target":      {"orders.gateway.example", "agent", "nowhere", `the host name is of target "orders", the database name is "nowhere"`},
		"by the other host":            {"closed.gateway.example", "agent", "", `no grant for target "closed"`},
		"by an unknown host":           {"gateway.example", "agent", "orders", ""},
		"by an unknown host alone":     {"gateway.example", "orders-agent", "", `target "orders-agent" does not exist`},
		"by nothing":                   {"", "agent", "", `target "agent" does not exist`},
		"by the user's name":           {"", "orders", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := pgconn.ParseConfig("host=127.0.0.1 port=" + g.port() + " password=" + goodToken + " sslmode=require user=" + c.user)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Database, cfg.TLSConfig.ServerName = c.database, c.host
			conn, err := pgconn.ConnectConfig(t.Context(), cfg)
			if err == nil {
				_, err = conn.Exec(t.Context(), "select 1").ReadAll()
				_ = conn.Close(t.Context())
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestHostNamesTargetByPsql: what libpq fills in does not stand in the way.
func TestHostNamesTargetByPsql(t *testing.T) {
	cert, _ := certificate(t)
	g := start(t, withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	g.server.hosts = map[string]*target{"orders.gateway.example": g.server.targets["orders"]}
	for settings, want := range map[string]string{
		"host=orders.gateway.example user=agent":               "42\n",
		"host=orders.gateway.example user=agent dbname=orders": "42\n",
		"host=orders.gateway.example user=agent dbname=closed": "the host name is of target",
		"host=orders.gateway.example user=agent sslsni=0":      `target "agent" does not exist`,
		"host=gateway.example user=agent":                      `target "agent" does not exist`,
	} {
		psql := exec.CommandContext(t.Context(), "psql", "-XAtqw", "hostaddr=127.0.0.1 port="+g.port()+" sslmode=require "+settings, "-c", "select 6 * 7")
		psql.Env = append(os.Environ(), "PGPASSWORD="+goodToken)
		if out, _ := psql.CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("%s: %s", settings, out)
		}
	}
}

func TestHostsOfTargets(t *testing.T) {
	ready := map[string]*target{"a": {name: "a"}, "b": {name: "b"}}
	hosts, err := newHosts(map[string]Target{"a": {Host: []string{"A.example.", "x.example"}}, "b": {Host: []string{"b.example"}}}, ready)
	if err != nil || hosts["a.example"] != ready["a"] || hosts["x.example"] != ready["a"] || hosts["b.example"] != ready["b"] {
		t.Errorf("%v, %v", hosts, err)
	}
	if _, err := newHosts(map[string]Target{"a": {Host: []string{"a.example"}}, "b": {Host: []string{"A.example"}}}, ready); err == nil {
		t.Error("two targets have one host name")
	}
	for host, ok := range map[string]bool{
		"orders.gateway.example": true, "orders": true, "a_b.example": true, "xn--bcher-kva.example": true, "Orders.Example.": true,
		"": false, "*.example": false, "127.0.0.1": false, "::1": false, "a..b": false, "a b": false, "a:1": false, "-a.b": false,
	} {
		if problems := (Target{Host: []string{host}}).Problems(); (len(problems) == 0) != ok {
			t.Errorf("%q: %v", host, problems)
		}
	}
}
