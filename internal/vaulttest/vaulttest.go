// Package vaulttest gives a test a real Vault: HashiCorp's own code in a process
// of its own, which internal/testvault builds. The first build takes minutes, so
// the tests that want it carry the build tag real.
package vaulttest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
)

// Vault is a server for one test, which ends with it.
type Vault struct {
	Address string
	Root    *api.Client // may do everything
	stop    func()
}

// Start runs $SALLYPORT_TESTVAULT, or else what internal/testvault/build.sh makes.
func Start(t *testing.T) *Vault {
	t.Helper()
	cmd := exec.Command(binary(t))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v := &Vault{stop: sync.OnceFunc(func() {
		_ = in.Close() // it ends with its input
		_ = cmd.Wait()
	})}
	t.Cleanup(v.stop)
	said := map[string]string{}
	lines := bufio.NewScanner(out)
	for said["token"] == "" && lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), " ")
		said[key] = strings.TrimSpace(value)
	}
	if said["address"] == "" || said["token"] == "" {
		t.Fatalf("the test Vault did not start: %v", lines.Err())
	}
	v.Address = said["address"]
	if v.Root, err = api.NewClient(&api.Config{Address: v.Address, Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	v.Root.SetToken(said["token"])
	return v
}

// Stop ends the server before the test does.
func (v *Vault) Stop() { v.stop() }

// Write writes to a path as root.
func (v *Vault) Write(t *testing.T, path string, data map[string]any) *api.Secret {
	t.Helper()
	s, err := v.Root.Logical().WriteWithContext(t.Context(), path, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Policy makes the policy "sallyport" of those rules.
func (v *Vault) Policy(t *testing.T, rules string) {
	t.Helper()
	if err := v.Root.Sys().PutPolicyWithContext(t.Context(), "sallyport", rules); err != nil {
		t.Fatal(err)
	}
}

// AppRole makes a role of the policy "sallyport" whose tokens live for ttl.
func (v *Vault) AppRole(t *testing.T, ttl string) (roleID string) {
	t.Helper()
	v.Write(t, "auth/approle/role/gateway", map[string]any{"token_policies": "sallyport", "token_ttl": ttl})
	id, err := v.Root.Logical().ReadWithContext(t.Context(), "auth/approle/role/gateway/role-id")
	if err != nil {
		t.Fatal(err)
	}
	return id.Data["role_id"].(string)
}

// SecretID makes a secret_id of that role.
func (v *Vault) SecretID(t *testing.T) string {
	t.Helper()
	return v.Write(t, "auth/approle/role/gateway/secret-id", nil).Data["secret_id"].(string)
}

// binary is the path of the server's program.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("SALLYPORT_TESTVAULT"); path != "" {
		return path
	}
	build := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(top(t), "internal", "testvault", "build.sh"))
	build.Stderr = os.Stderr
	out, err := build.Output()
	if err != nil {
		t.Fatalf("build the test Vault: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// top is the folder of the module, which the test's own folder is in.
func top(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}
