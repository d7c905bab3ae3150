//go:build real

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/pgtest"
	"sallyport/internal/vaulttest"
	"sallyport/recorder"
)

// vaultGateway is the configuration of TestVaultRotation.
const vaultGateway = `
[listen]
postgres = %q
http     = "off"
console  = "off"
metrics  = %q
[vault]
address        = %q
auth           = "approle"
role_id        = %q
secret_id_file = "secret_id"
[[token]]
subject = "worker-1"
sha256  = %q
[postgres.orders]
upstream   = %q
database   = %q
sslmode    = "disable"
credential = "vault://secret/data/orders"
[[grant]]
who     = ["subject:worker-1"]
targets = ["orders"]
[[mask]]
targets = ["orders"]
columns = ["users.password"]
with    = "redact"
`

// TestVaultRotation: the program takes a database's login from a real Vault for
// each session. When it is rotated, there and in the database, the next session
// has the new one and the old session lives on.
func TestVaultRotation(t *testing.T) {
	vault := vaulttest.Start(t)
	db := pgtest.New(t)
	role := "vaulted_" + db.Name
	db.Role(t, role, "canary-first-password", "")
	db.Exec(t, `CREATE TABLE users (id int, password text)`, `INSERT INTO users VALUES (1, 'canary-word')`, `GRANT SELECT ON users TO `+role)
	keep := func(password string) {
		t.Helper()
		vault.Write(t, "secret/data/orders", map[string]any{"data": map[string]any{"username": role, "password": password}})
	}
	keep("canary-first-password")

	dir, listen, metrics := t.TempDir(), freeAddress(t), freeAddress(t)
	vault.Policy(t, `path "secret/data/*" { capabilities = ["read"] }`)
	roleID, secretID := vault.AppRole(t, "1h"), vault.SecretID(t)
	for name, text := range map[string]string{
		"secret_id":    secretID,
		"gateway.toml": fmt.Sprintf(vaultGateway, listen, metrics, vault.Address, roleID, sum(agentToken), db.Addr(), db.Name),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, dir: dir}
	var err error
	if w.gateway, err = startGateway(dir, os.Environ(), "gateway.toml"); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			w.stop()
		}
	}
	defer stop()
	if err := w.gateway.awaitReady("http://" + metrics + "/readyz"); err != nil {
		t.Fatalf("%v\n%s", err, w.gateway.logged())
	}

	if got := realPsql(t, listen, `SELECT session_user, password FROM users`); got != role+"|[redacted]\n" {
		t.Errorf("before the rotation psql printed %q", got)
	}
	old, err := pgx.Connect(t.Context(), fmt.Sprintf("postgres://agent:%s@%s/orders?sslmode=disable", agentToken, listen))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close(t.Context()) }()
	var first, then int
	if err := old.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&first); err != nil {
		t.Fatal(err)
	}

	db.Exec(t, fmt.Sprintf(`ALTER ROLE %s PASSWORD 'canary-second-password'`, role))
	keep("canary-second-password")
	if conn, err := pgx.Connect(t.Context(), db.DSNFor(role, "canary-first-password")); err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("the first password still opens the database")
	}

	if got := realPsql(t, listen, `SELECT session_user, password FROM users`); got != role+"|[redacted]\n" {
		t.Errorf("after the rotation psql printed %q", got)
	}
	var word string
	if err := old.QueryRow(t.Context(), `SELECT pg_backend_pid(), password FROM users`).Scan(&then, &word); err != nil || then != first || word != "[redacted]" {
		t.Errorf("the old session: process %d, then %d, %q, %v", first, then, word, err)
	}
	if err := old.Close(t.Context()); err != nil {
		t.Error(err)
	}
	stop()

	for name, secret := range map[string]string{"Vault's token": vault.Root.Token(), "the secret_id": secretID} {
		if log, err := os.ReadFile(filepath.Join(dir, logName)); err != nil || bytes.Contains(log, []byte(secret)) {
			t.Errorf("%s is in the log, or: %v", name, err)
		}
	}
	recordings, err := recorder.Open("file:" + filepath.Join(dir, "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := recordings.Sessions(0)
	if err != nil {
		t.Fatal(err)
	}
	var versions []string // newest first
	for _, s := range sessions {
		versions = append(versions, s.Credential+" "+s.SecretVersion)
	}
	const ref = "vault://secret/data/orders "
	if got, want := strings.Join(versions, "\n"), ref+"2\n"+ref+"1\n"+ref+"1"; got != want {
		t.Errorf("recorded credentials:\n%s\nwant:\n%s", got, want)
	}
}

// realPsql runs one statement and returns what psql prints of it.
func realPsql(t *testing.T, address, sql string) string {
	t.Helper()
	host, port := splitAddress(address)
	cmd := exec.CommandContext(t.Context(), "psql", "-X", "-A", "-t", "-c", sql)
	cmd.Env = append(os.Environ(), "PGHOST="+host, "PGPORT="+port, "PGDATABASE=orders", "PGUSER=agent", "PGPASSWORD="+agentToken)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("psql: %v\n%s", err, out)
	}
	return string(out)
}
