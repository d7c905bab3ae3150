package credential

import (
	"strings"
	"testing"
)

func TestParseRef(t *testing.T) {
	const odd = "not a credential reference: want vault://PATH#FIELD, file://PATH#FIELD or env://NAME"
	for in, want := range map[string]struct {
		ref Ref
		err string
	}{
		"vault://secret/data/orders":         {ref: Ref{"vault", "secret/data/orders", ""}},
		"vault://secret/data/openai#api_key": {ref: Ref{"vault", "secret/data/openai", "api_key"}},
		"file:///run/secrets/db":             {ref: Ref{"file", "/run/secrets/db", ""}},
		"file://secrets.toml#openai":         {ref: Ref{"file", "secrets.toml", "openai"}},
		"file://../with space":               {ref: Ref{"file", "../with space", ""}},
		"env://OPENAI_API_KEY":               {ref: Ref{"env", "OPENAI_API_KEY", ""}},

		"":                             {err: odd},
		"sk-live-canary":               {err: odd},
		"postgres://u:canary@h/db":     {err: odd},
		"VAULT://secret":               {err: odd},
		"aws-sm://prod/db#password":    {err: "aws-sm:// credentials are known, but not built yet"},
		"https://secrets.example.com":  {err: "https:// credentials are known, but not built yet"},
		"vault://":                     {err: "vault:// names nothing"},
		"vault://#password":            {err: "vault:// names nothing"},
		"file://a\nb":                  {err: "file:// reference holds a character that cannot be printed"},
		"file://\xff":                  {err: "file:// reference holds a character that cannot be printed"},
		"vault://secret/data/x#":       {err: "vault://secret/data/x#: no field after the #"},
		"file://x#a#b":                 {err: "file://x#a#b: more than one #"},
		"vault:///secret/data/x":       {err: "vault:///secret/data/x: want an API path of Vault's, as in secret/data/orders"},
		"vault://secret/../sys/seal":   {err: "vault://secret/../sys/seal: want an API path of Vault's, as in secret/data/orders"},
		"vault://secret//x":            {err: "vault://secret//x: want an API path of Vault's, as in secret/data/orders"},
		"vault://secret/":              {err: "vault://secret/: want an API path of Vault's, as in secret/data/orders"},
		"vault://secret/data/x?list=1": {err: "vault://secret/data/x?list=1: a path of Vault's takes no query"},
		"env://A#b":                    {err: "env://A#b: an environment variable has no fields"},
		"env://1A":                     {err: "env://1A: not the name of an environment variable"},
		"env://A=B":                    {err: "env://A=B: not the name of an environment variable"},
	} {
		got, err := ParseRef(in)
		switch {
		case want.err == "" && (err != nil || got != want.ref || got.String() != in):
			t.Errorf("%q: got %+v %q, %v", in, got, got, err)
		case want.err != "" && (err == nil || err.Error() != want.err || got != Ref{}):
			t.Errorf("%q: got %+v, %v, want %s", in, got, err, want.err)
		}
	}
}

func TestWhatARefCanGive(t *testing.T) {
	for in, want := range map[string]struct{ login, key string }{
		"vault://secret/data/x":   {key: "vault://secret/data/x: which field? add #FIELD"},
		"vault://secret/data/x#f": {login: "vault://secret/data/x#f: a database login takes the fields username and password: leave #f out"},
		"file://x":                {},
		"file://x#f":              {login: "file://x#f: a database login takes the fields username and password: leave #f out"},
		"env://X":                 {},
	} {
		ref, err := ParseRef(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(ref.CheckLogin()); got != want.login {
			t.Errorf("%s: login: %q, want %q", in, got, want.login)
		}
		if got := text(ref.CheckKey()); got != want.key {
			t.Errorf("%s: key: %q, want %q", in, got, want.key)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzParseRef: what is accepted prints as it was written, on one line, and
// reads back as itself.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"vault://a/b#c", "file:///x", "env://A", "aws-sm://x", "vault://a/../b", "file://#", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseRef(s)
		if err != nil {
			if !printable(err.Error()) {
				t.Fatalf("%q: unprintable error", s)
			}
			return
		}
		if ref.String() != s || !printable(s) {
			t.Fatalf("%q printed as %q", s, ref)
		}
		if again, err := ParseRef(ref.String()); err != nil || again != ref {
			t.Fatalf("%q read back as %+v, %v", s, again, err)
		}
		if ref.Scheme == schemeVault && strings.Contains("/"+ref.Path+"/", "/../") {
			t.Fatalf("%q leaves its path", s)
		}
	})
}
