package wire

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOAuthByLibpq18 takes the libpq of PostgreSQL 18, with a program that
// gives it the token: first asking where to get one, then at once.
func TestOAuthByLibpq18(t *testing.T) {
	folder := os.Getenv("SALLYPORT_LIBPQ18")
	if folder == "" {
		t.Skip("scripts/test-matrix.sh brings a libpq 18")
	}
	program := filepath.Join(t.TempDir(), "oauth")
	build := exec.CommandContext(t.Context(), "cc", "-o", program, "testdata/oauth.c", filepath.Join(folder, "libpq.so.5"), "-Wl,--unresolved-symbols=ignore-in-shared-libs")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cert, ca := certificate(t)
	issued, who := tokens(t)
	token, info := issue(t, issued)
	g := start(t, withTokens(who), withTLS(&tls.Config{Certificates: []tls.Certificate{cert}}),
		withOAuth(OAuth{Discovery: "https://login.example.com/.well-known/openid-configuration", Scope: "openid email"}))
	const (
		issuer = " oauth_client_id=sallyport require_auth=oauth oauth_issuer=https://login.example.com"
		asked  = "asked at https://login.example.com/.well-known/openid-configuration for "
		failed = `connection to server at "127.0.0.1", port `
	)
	for name, c := range map[string]struct{ user, settings, token, want string }{
		"told where":           {"oauth", issuer, token.Reveal(), asked + "openid email\nanswer 42\n"},
		"knows where":          {"oauth", issuer + "/.well-known/openid-configuration", token.Reveal(), asked + "nothing\nanswer 42\n"},
		"direct TLS, 3.2":      {"agent+oauth", issuer + " sslnegotiation=direct min_protocol_version=3.2", token.Reveal(), asked + "openid email\nanswer 42\n"},
		"an id means SCRAM":    {info.ID, issuer, token.Reveal(), failed + g.port() + " failed: authentication method requirement \"oauth\" failed: server requested SCRAM-SHA-256-PLUS authentication\n"},
		"a wrong token":        {"oauth", issuer, "spt_wrong", asked + "openid email\n" + failed + g.port() + " failed: retrying connection with new bearer token\n" + failed + g.port() + " failed: FATAL:  the gateway token is mistyped or cut short\nHINT:  sallyport token issue makes a token\n"},
		"another issuer":       {"oauth", " oauth_client_id=sallyport oauth_issuer=https://evil.example", token.Reveal(), failed + g.port() + " failed: server's discovery document at https://login.example.com/.well-known/openid-configuration (issuer \"https://login.example.com\") is incompatible with oauth_issuer (https://evil.example)\n"},
		"another way to login": {"agent", issuer, token.Reveal(), failed + g.port() + " failed: authentication method requirement \"oauth\" failed: server requested a cleartext password\n"},
	} {
		t.Run(name, func(t *testing.T) {
			login := exec.CommandContext(t.Context(), program, "host=127.0.0.1 port="+g.port()+" dbname=orders sslmode=verify-full sslrootcert="+ca+" user="+c.user+c.settings)
			login.Env = append(os.Environ(), "LD_LIBRARY_PATH="+folder, "TOKEN="+c.token)
			if out, _ := login.CombinedOutput(); string(out) != c.want {
				t.Errorf("%q, want %q", out, c.want)
			}
		})
	}
}
