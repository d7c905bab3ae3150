//go:build real

package credential

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgserver"
	"sallyport/internal/vaulttest"
)

// realVault is a real server, and the lenders that the tests want of it.
type realVault struct{ *vaulttest.Vault }

// policy lets a token read the secrets and give leases back.
func (v realVault) policy(t *testing.T) {
	t.Helper()
	v.Policy(t, `
path "secret/data/*"       { capabilities = ["read"] }
path "database/creds/*"    { capabilities = ["read"] }
path "sys/leases/revoke"   { capabilities = ["update"] }`)
}

// byToken is a lender with a token of that policy.
func (v realVault) byToken(t *testing.T) (*Lender, string) {
	t.Helper()
	v.policy(t)
	s := v.Write(t, "auth/token/create", map[string]any{"policies": []string{"sallyport"}})
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "token"), s.Auth.ClientToken+"\n")
	return mustLender(t, &Vault{Address: v.Address, Auth: "token", TokenFile: "token"}, dir), s.Auth.ClientToken
}

// byAppRole is a lender with a role of that policy; dir holds its secret_id.
func (v realVault) byAppRole(t *testing.T, ttl string) (l *Lender, dir string) {
	t.Helper()
	v.policy(t)
	roleID := v.AppRole(t, ttl)
	dir = t.TempDir()
	writeFile(t, filepath.Join(dir, "secret_id"), v.SecretID(t))
	return mustLender(t, &Vault{
		Address: v.Address, Auth: "approle", RoleID: roleID, SecretIDFile: "secret_id",
	}, dir), dir
}

func (v realVault) put(t *testing.T, password string) {
	t.Helper()
	v.Write(t, "secret/data/orders", map[string]any{"data": map[string]any{"username": "orders", "password": password, "api_key": "key-" + password}})
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRealKV2 takes a secret by each way of logging in, rotates it, and takes it again.
func TestRealKV2(t *testing.T) {
	v := realVault{vaulttest.Start(t)}
	byToken, _ := v.byToken(t)
	byAppRole, _ := v.byAppRole(t, "1h")
	for i, password := range []string{canary + "-1", canary + "-2"} {
		v.put(t, password)
		version := fmt.Sprint(i + 1)
		for name, l := range map[string]*Lender{"token": byToken, "approle": byAppRole} {
			lease, err := l.Login(t.Context(), mustRef(t, "vault://secret/data/orders"))
			if err != nil || open(lease) != (lent{"orders", password, version}) {
				t.Errorf("%s: login: got %+v, %v", name, open(lease), err)
			}
			lease, err = l.Key(t.Context(), mustRef(t, "vault://secret/data/orders#api_key"))
			if err != nil || open(lease) != (lent{"", "key-" + password, version}) {
				t.Errorf("%s: key: got %+v, %v", name, open(lease), err)
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestRealRefusals: each thing that can be wrong with a real Vault, in order,
// ending with none at all.
func TestRealRefusals(t *testing.T) {
	v := realVault{vaulttest.Start(t)}
	v.put(t, canary)
	l, token := v.byToken(t)
	byAppRole, dir := v.byAppRole(t, "1h")
	login := mustRef(t, "vault://secret/data/orders")
	refused := func(name string, l *Lender, ref Ref, want string) {
		t.Helper()
		begin := time.Now()
		_, err := l.Login(t.Context(), ref)
		got := refusalOf(t, err)
		if !strings.Contains(got, want) || strings.Contains(got, token) || !strings.Contains(got, ref.String()) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if d := time.Since(begin); d > time.Minute { // no figure: it must not wait for the client to give up
			t.Errorf("%s: hung for %v", name, d)
		}
	}
	refused("nothing there", l, mustRef(t, "vault://secret/data/nothing"), "Vault answers 404")
	refused("not the API path", l, mustRef(t, "vault://secret/orders"), "Vault answers 403")
	refused("not allowed", l, mustRef(t, "vault://sys/mounts"), "Vault answers 403")

	secretID, err := os.ReadFile(filepath.Join(dir, "secret_id"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := "canary-7f3a-0000-0000-0000-000000000000"
	writeFile(t, filepath.Join(dir, "secret_id"), wrong)
	refused("wrong secret_id", byAppRole, login, "Vault answers 400 (refused as it stands; at a login: a wrong role_id or secret_id)")
	writeFile(t, filepath.Join(dir, "secret_id"), string(secretID))
	if _, err := byAppRole.Login(t.Context(), login); err != nil {
		t.Fatal(err)
	}

	// The role's token is revoked behind its back: the next fetch logs in anew.
	made := byAppRole.sources[schemeVault].(*vault).current.token.Auth.ClientToken
	if err := v.Root.Auth().Token().RevokeTreeWithContext(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if _, err := byAppRole.Login(t.Context(), login); err != nil {
		t.Error("after the token was revoked:", err)
	}

	if _, err := v.Root.Logical().DeleteWithContext(t.Context(), "secret/data/orders"); err != nil {
		t.Fatal(err)
	}
	refused("deleted", l, login, "Vault answers 404")
	if err := v.Root.Sys().SealWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("sealed", l, login, "Vault answers 503 (sealed, or not ready)")
	v.Stop()
	refused("stopped", l, login, "connection refused")
	refused("stopped", byAppRole, login, "connection refused")
}

// TestRealDynamic lends logins that Vault makes in a real PostgreSQL: one for
// each session, alive beyond its time while the session is, gone after it.
func TestRealDynamic(t *testing.T) {
	v := realVault{vaulttest.Start(t)}
	pg, err := pgserver.Start(t.Context(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Stop)
	v.Write(t, "database/config/orders", map[string]any{
		"plugin_name":    "postgresql-database-plugin",
		"connection_url": fmt.Sprintf("postgresql://{{username}}:{{password}}@%s:%d/postgres?sslmode=disable", pg.Host, pg.Port),
		"username":       pg.Superuser, "password": pg.Password, "allowed_roles": "*",
	})
	v.Write(t, "database/roles/orders-ro", map[string]any{
		"db_name":             "orders",
		"creation_statements": `create role "{{name}}" login password '{{password}}' valid until '{{expiration}}'`,
		"default_ttl":         "3s", "max_ttl": "1h",
	})
	// The token's own time is short, too: it must live as long as its leases.
	l, _ := v.byAppRole(t, "3s")
	ref := mustRef(t, "vault://database/creds/orders-ro")
	admin, err := pgx.Connect(t.Context(), pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	exists := func(role string) (yes bool) {
		t.Helper()
		if err := admin.QueryRow(t.Context(), `select exists (select from pg_roles where rolname = $1)`, role).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	first, err := l.Login(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Login(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if first.Username == second.Username {
		t.Error("two sessions have one login")
	}
	conn, err := pgx.Connect(t.Context(), pg.DSNFor(first.Username, first.Secret.Reveal(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	// By the server's clock: twice the time of lease and token.
	if _, err := conn.Exec(t.Context(), `select pg_sleep(7)`); err != nil {
		t.Fatal(err)
	}
	if !exists(first.Username) || !exists(second.Username) {
		t.Fatal("a lease ended under its session")
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitGone(t, exists, first.Username)
	if !exists(second.Username) {
		t.Error("the other session's login went, too")
	}
	if err := second.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitGone(t, exists, second.Username)
}

// waitGone asks until the role is gone: Vault revokes in its own time.
func waitGone(t *testing.T, exists func(string) bool, role string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Second) // and TestLeaseGivenBack sees the revoking itself
	for exists(role) {
		select {
		case <-deadline:
			t.Fatalf("%s is still there", role)
		case <-tick.C:
		}
	}
}
