package credential

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVaultCheck(t *testing.T) {
	approle := Vault{Address: "https://vault:8200", Auth: "approle", RoleID: "r", SecretIDFile: "s"}
	with := func(change func(*Vault)) Vault { v := approle; change(&v); return v }
	for name, c := range map[string]struct {
		v    Vault
		want []string
	}{
		"approle":       {v: approle},
		"mounted":       {v: with(func(v *Vault) { v.Mount = "team/approle"; v.Namespace = "team" })},
		"token":         {v: Vault{Address: "http://127.0.0.1:8200", Auth: "token"}},
		"token of file": {v: Vault{Address: "http://127.0.0.1:8200", Auth: "token", TokenFile: "t"}},
		"nothing": {v: Vault{}, want: []string{
			"address: where is Vault? as in https://vault:8200", `auth: want "token" or "approle"`,
		}},
		"no scheme":      {v: with(func(v *Vault) { v.Address = "vault:8200" }), want: []string{"address: want an address as in https://vault:8200"}},
		"other scheme":   {v: with(func(v *Vault) { v.Address = "unix:///run/vault" }), want: []string{"address: want an address as in https://vault:8200"}},
		"password in it": {v: with(func(v *Vault) { v.Address = "https://u:" + canary + "@vault" }), want: []string{"address: want an address alone, as in https://vault:8200"}},
		"kubernetes":     {v: with(func(v *Vault) { v.Auth = "kubernetes" }), want: []string{`auth: "kubernetes" is known, but not built yet`}},
		"jwt":            {v: with(func(v *Vault) { v.Auth = "jwt" }), want: []string{`auth: "jwt" is known, but not built yet`}},
		"half an approle": {v: Vault{Address: "https://vault", Auth: "approle"}, want: []string{
			`role_id: auth = "approle" needs role_id`, `secret_id_file: auth = "approle" needs secret_id_file`,
		}},
		"keys of the other": {v: with(func(v *Vault) { v.TokenFile = "t" }), want: []string{`token_file: means nothing with auth = "approle"`}},
		"keys of approle": {v: with(func(v *Vault) { v.Auth = "token"; v.Mount = "m" }), want: []string{
			`role_id: means nothing with auth = "token"`, `secret_id_file: means nothing with auth = "token"`, `mount: means nothing with auth = "token"`,
		}},
		"mount": {v: with(func(v *Vault) { v.Mount = "../sys" }), want: []string{"mount: not a path of Vault's"}},
	} {
		var got []string
		for _, e := range c.v.Check() {
			got = append(got, e.Key+": "+e.Error())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

func TestVaultAtStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "no.pem"), []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	for ca, want := range map[string]string{
		"nowhere.pem": "no such file",
		"no.pem":      "holds no PEM certificate",
	} {
		_, err := New(&Vault{Address: "https://vault", Auth: "token", CACert: ca}, dir)
		if err == nil || !strings.Contains(err.Error(), "ca_cert: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", ca, err)
		}
	}
	if _, err := New(&Vault{}, dir); err == nil {
		t.Error("an empty [vault] was accepted")
	}
}
