package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// small is a configuration with little more than a place to keep things.
const small = `
[listen]
http = "127.0.0.1:8080"

[store]
database   = "sqlite:state.db"
recordings = "file:rec"

[http.openai]
upstream   = "http://127.0.0.1:9"
credential = "env://PATH"
inject     = "Authorization: Bearer {secret}"
`

// gatewayToml writes it to a new folder.
func gatewayToml(t *testing.T) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "gateway.toml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, dir
}

// execute runs a command as the shell would.
func execute(t *testing.T, cmd *cobra.Command, args ...string) (out, errOut string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&o)
	cmd.SetErr(&e)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	return o.String(), e.String(), err
}

func TestTokenIssueListRevoke(t *testing.T) {
	file, dir := gatewayToml(t)
	out, errOut, err := execute(t, newTokenCmd(), "issue", "--config", file, "--subject", "worker-1", "--group", "agents", "--group", "ci", "--ttl", "2h")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^spt_[0-9A-Za-z]{49}\n$`).MatchString(out) {
		t.Errorf("stdout: %q", out)
	}
	id := regexp.MustCompile(`tok_[0-9A-Za-z]+`).FindString(errOut)
	if id == "" || !strings.Contains(errOut, "agents, ci") || strings.Contains(errOut, out[:20]) {
		t.Errorf("stderr: %q", errOut)
	}
	if stat, err := os.Stat(filepath.Join(dir, "state.db")); err != nil || stat.Mode() != 0o600 {
		t.Errorf("database: %v, %v", stat, err)
	}

	list := func() map[string]any {
		out, _, err := execute(t, newTokenCmd(), "list", "--config", file, "--json")
		var rows []map[string]any
		if err != nil || json.Unmarshal([]byte(out), &rows) != nil || len(rows) != 1 {
			t.Fatalf("%q, %v", out, err)
		}
		return rows[0]
	}
	if row := list(); row["id"] != id || row["subject"] != "worker-1" || row["state"] != "active" || row["revoked"] != nil {
		t.Errorf("listed: %v", row)
	}
	out, _, err = execute(t, newTokenCmd(), "__complete", "revoke", "--config", file, "")
	if err != nil || !strings.Contains(out, id+"\tworker-1") {
		t.Errorf("completion: %q, %v", out, err)
	}
	if _, _, err := execute(t, newTokenCmd(), "revoke", "--config", file, id); err != nil {
		t.Fatal(err)
	}
	if row := list(); row["state"] != "revoked" {
		t.Errorf("listed: %v", row)
	}
	out, _, err = execute(t, newTokenCmd(), "list", "--config", file)
	if err != nil || !regexp.MustCompile(`(?m)^ID +SUBJECT +GROUPS +CREATED +EXPIRES +STATE\n`+id+` +worker-1 +agents,ci +20.*Z +20.*Z +revoked$`).MatchString(out) {
		t.Errorf("table: %q, %v", out, err)
	}
}

func TestTokenRefusals(t *testing.T) {
	file, dir := gatewayToml(t)
	for want, args := range map[string][]string{
		`"subject" not set`:  {"issue", "--config", file},
		"subject is missing": {"issue", "--config", file, "--subject", ""},
		"a group is empty":   {"issue", "--config", file, "--subject", "w", "--group", ""},
		"hold for a second":  {"issue", "--config", file, "--subject", "w", "--ttl", "0"},
		"unknown command":    {"issue", "--config", file, "--subject", "w", "agents"},
		"no such token":      {"revoke", "--config", file, "tok_none"},
		"accepts 1 arg":      {"revoke", "--config", file},
		"no such file":       {"list", "--config", filepath.Join(dir, "none.toml")},
	} {
		if out, _, err := execute(t, newTokenCmd(), args...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out, "spt_") {
			t.Errorf("%v: %q, %v, want %q", args, out, err, want)
		}
	}
	out, _, err := execute(t, newTokenCmd(), "list", "--config", file, "--json")
	if err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("after refusals: %q, %v", out, err)
	}
}
