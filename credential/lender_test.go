package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"sallyport/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is in every secret of these tests, and in no error.
const canary = "canary-7f3a"

// refusalOf checks the shape of a refusal and returns what would be logged.
func refusalOf(t *testing.T, err error) string {
	t.Helper()
	var r *policy.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("%T %v is no refusal", err, err)
	}
	if r.Kind != policy.Unavailable || r.Public != "the credential for this target could not be fetched" || r.Detail+r.Hint+r.Rule != "" {
		t.Fatalf("got %v %q %q %q", r.Kind, r.Public, r.Detail, r.Hint)
	}
	if shown := fmt.Sprintf("%v %+v %#v", err, r, r.Err); strings.Contains(shown, canary) {
		t.Fatalf("the secret is in the error: %s", shown)
	}
	return r.Err.Error()
}

func mustRef(t *testing.T, s string) Ref {
	t.Helper()
	ref, err := ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func mustLender(t *testing.T, v *Vault, base string) *Lender {
	t.Helper()
	l, err := New(v, base)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lent is a lease in the open, for comparing.
type lent struct{ username, secret, version string }

func open(l *Lease) lent {
	if l == nil {
		return lent{}
	}
	return lent{l.Username, l.Secret.Reveal(), l.Version}
}

func TestFileAndEnv(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"text":     canary + "\n",
		"crlf":     canary + "\r\n",
		"twolines": canary + "\n\n",
		"empty":    "\n",
		"db.json":  `{"username": "orders", "password": "` + canary + `", "pin": 12345678901234567890, "list": ["` + canary + `"], "none": null, "blank": ""}`,
		"db.toml":  "username = 'orders'\npassword = '" + canary + "'\npin = 42\n[deep]\na = 1\n",
		"bad.json": `{"password": "` + canary + `" "x"}`,
		"two.json": `{"password": "` + canary + `"} {}`,
		"bad.toml": "username = 'x'\n" + canary + "\n",
		"big":      strings.Repeat("x", maxMaterial+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_TEST_KEY", canary)
	t.Setenv("SALLYPORT_TEST_LOGIN", `{"username":"orders","password":"`+canary+`"}`)
	t.Setenv("SALLYPORT_TEST_EMPTY", "")
	l := mustLender(t, nil, dir)

	const login, key = "login", "key"
	for name, c := range map[string]struct {
		how, ref string
		want     lent
		err      string
	}{
		"text":             {how: key, ref: "file://text", want: lent{secret: canary}},
		"absolute":         {how: key, ref: "file://" + filepath.Join(dir, "text"), want: lent{secret: canary}},
		"crlf":             {how: key, ref: "file://crlf", want: lent{secret: canary}},
		"only one newline": {how: key, ref: "file://twolines", want: lent{secret: canary + "\n"}},
		"json field":       {how: key, ref: "file://db.json#password", want: lent{secret: canary}},
		"json number":      {how: key, ref: "file://db.json#pin", want: lent{secret: "12345678901234567890"}},
		"toml field":       {how: key, ref: "file://db.toml#password", want: lent{secret: canary}},
		"toml number":      {how: key, ref: "file://db.toml#pin", want: lent{secret: "42"}},
		"json login":       {how: login, ref: "file://db.json", want: lent{username: "orders", secret: canary}},
		"toml login":       {how: login, ref: "file://db.toml", want: lent{username: "orders", secret: canary}},
		"env":              {how: key, ref: "env://SALLYPORT_TEST_KEY", want: lent{secret: canary}},
		"env login":        {how: login, ref: "env://SALLYPORT_TEST_LOGIN", want: lent{username: "orders", secret: canary}},

		"no file":        {how: key, ref: "file://nowhere", err: "fetch file://nowhere: stat " + dir + "/nowhere: no such file or directory"},
		"folder":         {how: key, ref: "file://.", err: "fetch file://.: not a regular file"},
		"pipe":           {how: key, ref: "file://pipe", err: "fetch file://pipe: not a regular file"},
		"big":            {how: key, ref: "file://big", err: "fetch file://big: larger than 1 MiB"},
		"empty":          {how: key, ref: "file://empty", err: "fetch file://empty: the value is empty"},
		"no field":       {how: key, ref: "file://db.json#nope", err: `fetch file://db.json#nope: no field "nope"`},
		"list":           {how: key, ref: "file://db.json#list", err: `fetch file://db.json#list: field "list" is not a text`},
		"null":           {how: key, ref: "file://db.json#none", err: `fetch file://db.json#none: field "none" is not a text`},
		"blank":          {how: key, ref: "file://db.json#blank", err: `fetch file://db.json#blank: field "blank" is empty`},
		"table":          {how: key, ref: "file://db.toml#deep", err: `fetch file://db.toml#deep: field "deep" is not a text`},
		"bad json":       {how: key, ref: "file://bad.json#password", err: "fetch file://bad.json#password: not a JSON or TOML object"},
		"two json":       {how: key, ref: "file://two.json#password", err: "fetch file://two.json#password: not a JSON or TOML object"},
		"bad toml":       {how: key, ref: "file://bad.toml#password", err: "fetch file://bad.toml#password: not a JSON or TOML object: line 2"},
		"login of text":  {how: login, ref: "file://text", err: "fetch file://text: not a JSON or TOML object: line 1"},
		"login of field": {how: login, ref: "file://db.json#password", err: "file://db.json#password: a database login takes the fields username and password: leave #password out"},
		"env unset":      {how: key, ref: "env://SALLYPORT_TEST_UNSET", err: "fetch env://SALLYPORT_TEST_UNSET: the environment variable is not set"},
		"env empty":      {how: key, ref: "env://SALLYPORT_TEST_EMPTY", err: "fetch env://SALLYPORT_TEST_EMPTY: the value is empty"},
		"no vault":       {how: key, ref: "vault://secret/data/x#y", err: "fetch vault://secret/data/x#y: there is no [vault] in the configuration"},
		"vault whole":    {how: key, ref: "vault://secret/data/x", err: "vault://secret/data/x: which field? add #FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			lend := l.Key
			if c.how == login {
				lend = l.Login
			}
			lease, err := lend(t.Context(), mustRef(t, c.ref))
			if c.err != "" {
				if got := refusalOf(t, err); got != c.err {
					t.Errorf("got  %s\nwant %s", got, c.err)
				}
				return
			}
			if err != nil || open(lease) != c.want || lease.Ref != c.ref {
				t.Errorf("got %+v of %s, %v", open(lease), lease.Ref, err)
			}
			if shown := fmt.Sprintf("%v %+v %#v", lease, lease, &lease.Secret); strings.Contains(shown, canary) {
				t.Errorf("a lease prints its secret: %s", shown)
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRotation: nothing is cached.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	l := mustLender(t, nil, "/")
	for _, value := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		lease, err := l.Key(t.Context(), mustRef(t, "file://"+path))
		if err != nil || lease.Secret.Reveal() != value {
			t.Fatalf("got %+v, %v", open(lease), err)
		}
	}
}

func TestReleaseOnce(t *testing.T) {
	var none *Lease
	if err := none.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls := 0
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	lease := &Lease{Ref: "vault://x", release: func(ctx context.Context) error {
		calls++
		if _, bound := ctx.Deadline(); ctx.Err() != nil || !bound {
			t.Error("a release must outlive its session, but not for ever")
		}
		return errors.New("no")
	}}
	for range 2 {
		if err := lease.Release(ended); text(err) != "release vault://x: no" {
			t.Errorf("got %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("released %d times", calls)
	}
}

func TestMetrics(t *testing.T) {
	l := mustLender(t, nil, t.TempDir())
	reg := prometheus.NewPedanticRegistry()
	if err := l.Register(reg); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_TEST_KEY", canary)
	for _, ref := range []string{"env://SALLYPORT_TEST_KEY", "env://SALLYPORT_TEST_UNSET", "file://nowhere"} {
		_, _ = l.Key(t.Context(), mustRef(t, ref))
	}
	want := `
# HELP sallyport_credential_errors_total Credentials that could not be fetched; each refused a session or an exchange.
# TYPE sallyport_credential_errors_total counter
sallyport_credential_errors_total{scheme="env"} 1
sallyport_credential_errors_total{scheme="file"} 1
sallyport_credential_errors_total{scheme="vault"} 0
# HELP sallyport_credential_fetches_total Credentials asked for, failures included.
# TYPE sallyport_credential_fetches_total counter
sallyport_credential_fetches_total{scheme="env"} 2
sallyport_credential_fetches_total{scheme="file"} 1
sallyport_credential_fetches_total{scheme="vault"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "sallyport_credential_errors_total", "sallyport_credential_fetches_total"); err != nil {
		t.Error(err)
	}
}
