package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/identity"
	"sallyport/secret"
	"sallyport/store"
)

// tokens is a database of issued tokens.
func tokens(t *testing.T) (*identity.Issued, *identity.Identifier) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	issued := identity.NewIssued(s)
	return issued, identity.New(nil, issued, time.Now)
}

// withTokens lets issued tokens in.
func withTokens(who *identity.Identifier) option {
	return func(c *Config, _ *Target) { c.Needs.Identifier, c.Needs.Scram = who, who }
}

func issue(t *testing.T, issued *identity.Issued) (secret.Text, identity.TokenInfo) {
	t.Helper()
	token, info, err := issued.Issue(t.Context(), "worker-1", []string{"agents"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token, info
}

// as is a dsn of the gateway's for another user and password.
func (g *gateway) as(user, password, extra string) string {
	host, port, _ := net.SplitHostPort(g.addr)
	return "host=" + host + " port=" + port + " dbname=orders user=" + user + " password=" + password + " " + extra
}

// login connects, asks for one row and leaves; the error is that of the first
// that failed.
func login(t *testing.T, dsn string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		return err
	}
	var one int
	err = conn.QueryRow(t.Context(), "select 1").Scan(&one)
	return errors.Join(err, conn.Close(context.Background()))
}

func TestScramLogins(t *testing.T) {
	cert, ca := certificate(t)
	issued, who := tokens(t)
	token, info := issue(t, issued)
	other, _ := issue(t, issued)
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	full := "sslmode=verify-full sslrootcert=" + ca + " "
	for name, c := range map[string]struct{ user, password, extra, want string }{
		"bound to the channel":         {info.ID, token.Reveal(), full + "channel_binding=require require_auth=scram-sha-256", ""},
		"direct TLS":                   {info.ID, token.Reveal(), full + "channel_binding=require sslnegotiation=direct", ""},
		"TLS, unbound":                 {info.ID, token.Reveal(), full + "channel_binding=disable require_auth=scram-sha-256", ""},
		"plaintext":                    {info.ID, token.Reveal(), "sslmode=disable require_auth=scram-sha-256", ""},
		"plaintext can't be bound":     {info.ID, token.Reveal(), "sslmode=disable channel_binding=require", "channel binding required"},
		"another's token":              {info.ID, other.Reveal(), full, "28P01 the gateway token is not valid"},
		"an id that names none":        {"tok_00000000000", token.Reveal(), full, "28P01 the gateway token is not valid"},
		"no password":                  {info.ID, "''", full, "28P01 the gateway token is not valid"},
		"a cleartext password instead": {"agent", token.Reveal(), full + "require_auth=password", ""},
		"no SCRAM for other names":     {"agent", token.Reveal(), full + "require_auth=scram-sha-256", "require_auth"},
	} {
		t.Run(name, func(t *testing.T) {
			err := login(t, g.as(c.user, c.password, c.extra))
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
		})
	}
	if err := issued.Revoke(t.Context(), info.ID); err != nil {
		t.Fatal(err)
	}
	if err := login(t, g.as(info.ID, token.Reveal(), full)); err == nil || !strings.Contains(err.Error(), "the gateway token was revoked") {
		t.Errorf("revoked: %v", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.recorded {
		if e.Open != nil && e.Open.Token != info.ID && e.Open.User != "agent" {
			t.Errorf("recorded %+v", e.Open)
		}
	}
}

// TestChannelBindingFitsTheCertificate: the hash is that of its signature, and
// where there is none SCRAM goes on unbound.
func TestChannelBindingFitsTheCertificate(t *testing.T) {
	issued, who := tokens(t)
	token, info := issue(t, issued)
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key   any
		sign  x509.SignatureAlgorithm
		bound bool
	}{
		"ECDSA, SHA-256": {small, x509.ECDSAWithSHA256, true},
		"ECDSA, SHA-384": {large, x509.ECDSAWithSHA384, true},
		"RSA, SHA-512":   {old, x509.SHA512WithRSA, true},
		"RSA-PSS":        {old, x509.SHA256WithRSAPSS, true},
		"Ed25519":        {edwards, x509.PureEd25519, false},
	} {
		t.Run(name, func(t *testing.T) {
			template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), SignatureAlgorithm: c.sign}
			var public any
			switch key := c.key.(type) {
			case *ecdsa.PrivateKey:
				public = key.Public()
			case *rsa.PrivateKey:
				public = key.Public()
			case ed25519.PrivateKey:
				public = key.Public()
			}
			der, err := x509.CreateCertificate(rand.Reader, template, template, public, c.key)
			if err != nil {
				t.Fatal(err)
			}
			pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.key}
			g := start(t, withTokens(who), withTLS(&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }}))
			if err := login(t, g.as(info.ID, token.Reveal(), "sslmode=require channel_binding=require")); (err == nil) != c.bound {
				t.Errorf("bound: %v", err)
			}
			if err := login(t, g.as(info.ID, token.Reveal(), "sslmode=require")); err != nil {
				t.Errorf("as the client prefers: %v", err)
			}
		})
	}
}

// TestScramByPsql takes the real psql, and the libpq of PostgreSQL 18 where
// SALLYPORT_LIBPQ18 names its folder.
func TestScramByPsql(t *testing.T) {
	cert, ca := certificate(t)
	issued, who := tokens(t)
	token, info := issue(t, issued)
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for name, c := range map[string]struct {
		user, settings string
		newer, fails   bool
	}{
		"bound":                     {info.ID, "sslmode=verify-full channel_binding=require", false, false},
		"unbound":                   {info.ID, "sslmode=verify-full channel_binding=disable", false, false},
		"plaintext":                 {info.ID, "sslmode=disable", false, false},
		"cleartext password":        {"agent", "sslmode=verify-full", false, false},
		"cleartext is refused":      {"agent", "sslmode=verify-full channel_binding=require", false, true},
		"required":                  {info.ID, "sslmode=verify-full channel_binding=require require_auth=scram-sha-256", true, false},
		"required, direct, 3.2":     {info.ID, "sslmode=verify-full sslnegotiation=direct channel_binding=require require_auth=scram-sha-256 min_protocol_version=3.2", true, false},
		"required, no cleartext":    {"agent", "sslmode=verify-full require_auth=scram-sha-256", true, true},
		"an id that names no token": {"tok_00000000000", "sslmode=verify-full", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := os.Getenv("SALLYPORT_LIBPQ18")
			if c.newer && folder == "" {
				t.Skip("scripts/test-matrix.sh brings a libpq 18")
			}
			psql := exec.CommandContext(t.Context(), "psql", "-XAtqw", g.as(c.user, token.Reveal(), c.settings), "-c", "select 6 * 7")
			psql.Env = append(os.Environ(), "PGSSLROOTCERT="+ca)
			if c.newer {
				psql.Env = append(psql.Env, "LD_LIBRARY_PATH="+folder)
			}
			out, err := psql.CombinedOutput()
			if !c.fails && string(out) != "42\n" || c.fails && err == nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
