package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/httpguard"
)

const examplePath = "../gateway.toml.example"

// The example loads as it stands, on any machine.
func TestExampleLoads(t *testing.T) {
	c, err := Load(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Postgres) != 2 || len(c.HTTP) != 2 || len(c.Rules) != 6 || len(c.Masks) != 7 || c.Vault == nil {
		t.Errorf("got %+v", c)
	}
}

// offered is a line of the example that waits for a file.
var offered = regexp.MustCompile(`(?m)^#([a-z\[])`)

// So it does with the keys that need files, once the files are there.
func TestExampleLoadsWithFiles(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	all := offered.ReplaceAllString(string(text), "$1")
	all = strings.Replace(all, "token_file ", "#token_file", 1) // not with auth = "approle"
	dir := t.TempDir()
	certificate(t, dir, "tls.crt", "tls.key")
	certificate(t, dir, "ca.crt", "ca.key")
	if err := os.WriteFile(filepath.Join(dir, "prices.json"), []byte(`{"m": {"input_cost_per_token": 1e-6}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	certificate(t, dir, "gateway.crt", "gateway.key")
	authority(t, filepath.Join(dir, "proxy"))
	c, err := parse("gateway.toml", dir, all, (*Config).check)
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS.Cert != filepath.Join(dir, "tls.crt") || c.Postgres["orders"].SSLRootCert != filepath.Join(dir, "ca.crt") || c.Vault.CACert != "ca.crt" {
		t.Errorf("got %+v", c)
	}
}

// authority makes what sallyport ca init does.
func authority(t *testing.T, dir string) {
	t.Helper()
	cert, key, err := httpguard.NewAuthority("test", time.Now())
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ca.crt"), cert, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ca.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Every key of every struct stands in the example, and no key of a later version.
func TestExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	for path := range locate(offered.ReplaceAllString(string(text), "$1")) {
		shown[named(strings.Split(path, "\x00"))] = true
	}
	for _, want := range keysOf(reflect.TypeFor[Config](), nil) {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(want, "*", "[^.]+") + "$")
		found := false
		for key := range shown {
			found = found || pattern.MatchString(key)
		}
		if !found {
			t.Errorf("%s does not stand in gateway.toml.example", want)
		}
		if isLater(strings.Split(want, ".")) {
			t.Errorf("%s is decoded, and yet of a later version", want)
		}
	}
	for key := range shown {
		if isLater(strings.Split(key, ".")) {
			t.Errorf("%s stands in gateway.toml.example, and is of a later version", key)
		}
	}
}

// keysOf lists the keys of a struct and of the structs in it; * is any name.
func keysOf(of reflect.Type, path []string) []string {
	switch {
	case of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice:
		return keysOf(of.Elem(), path)
	case of.Kind() == reflect.Map:
		return keysOf(of.Elem(), at(path, "*"))
	case of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]():
		return []string{named(path)}
	}
	var keys []string
	for i := range of.NumField() {
		if key, ok := of.Field(i).Tag.Lookup("toml"); ok {
			keys = append(keys, keysOf(of.Field(i).Type, at(path, key))...)
		}
	}
	return keys
}
