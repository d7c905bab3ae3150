package credential

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/loopback"
)

const kv2 = `{"data":{"data":{"username":"orders","password":"` + canary + `"},"metadata":{"created_time":"2026-01-01T00:00:00Z","version":7}}}`

// fakeVault answers as a real one would not. What it was asked is kept.
type fakeVault struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newFakeVault(t *testing.T, answer http.HandlerFunc) *fakeVault {
	f := &fakeVault{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Vault-Token"))
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeVault) count(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

func tokenVault(t *testing.T, address string) *Lender {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("hvs."+canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustLender(t, &Vault{Address: address, Auth: "token", TokenFile: "token"}, dir)
}

func approleVault(t *testing.T, address string) *Lender {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret_id"), []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustLender(t, &Vault{Address: address, Auth: "approle", RoleID: "role", SecretIDFile: "secret_id"}, dir)
}

// TestOddAnswers: whatever a server answers, the refusal says no more than
// where and what status.
func TestOddAnswers(t *testing.T) {
	quote := `{"errors":["no such secret: ` + canary + `"]}`
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"400":           {400, quote, "Vault answers 400 (refused as it stands; at a login: a wrong role_id or secret_id)"},
		"403":           {403, quote, "Vault answers 403 (permission denied: the token has ended or its policy does not allow the path)"},
		"404":           {404, quote, "Vault answers 404 (nothing is there, or its latest version is deleted; KV version 2 is read at MOUNT/data/NAME)"},
		"deleted":       {404, `{"data":{"data":null,"metadata":{"version":2,"created_time":""}}}`, "Vault answers 404 (nothing is there, or its latest version is deleted; KV version 2 is read at MOUNT/data/NAME)"},
		"429":           {429, quote, "Vault answers 429 (too many requests)"},
		"500":           {500, canary, "Vault answers 500 (unexpected)"},
		"503":           {503, quote, "Vault answers 503 (sealed, or not ready)"},
		"204":           {204, "", "Vault answers 204 (unexpected)"},
		"empty":         {200, "", "an answer that is not Vault's"},
		"html":          {200, "<html>" + canary, "an answer that is not Vault's"},
		"list":          {200, `["` + canary + `"]`, "an answer that is not Vault's"},
		"wrong type":    {200, `{"lease_duration":"` + canary + `"}`, "an answer that is not Vault's"},
		"errors in 200": {200, `{"errors":["` + canary + `"],"x":1}`, "an answer that is not Vault's"},
		"endless":       {200, `{"data":{"password":"` + strings.Repeat("x", 2*maxMaterial), "the connection broke"},
		"no data":       {200, `{"request_id":"1"}`, `no field "username"`},
		"null inside":   {200, `{"data":{"data":null,"metadata":{"version":2,"created_time":""}}}`, `no field "username"`},
		"no password":   {200, `{"data":{"username":"x"}}`, `no field "password"`},
		"object":        {200, `{"data":{"username":"x","password":{"a":"` + canary + `"}}}`, `field "password" is not a text`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeVault(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := tokenVault(t, f.URL).Login(t.Context(), mustRef(t, "vault://secret/data/orders"))
			if got, want := refusalOf(t, err), "fetch vault://secret/data/orders: "+c.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestKVAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want lent
	}{
		"version 2":               {kv2, lent{"orders", canary, "7"}},
		"version 1":               {`{"lease_duration":2764800,"data":{"username":"orders","password":"` + canary + `"}}`, lent{"orders", canary, ""}},
		"version 1 that has data": {`{"data":{"data":{"username":"no"},"metadata":{"version":"1"},"username":"orders","password":"` + canary + `"}}`, lent{"orders", canary, ""}},
	} {
		f := newFakeVault(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) })
		lease, err := tokenVault(t, f.URL).Login(t.Context(), mustRef(t, "vault://secret/data/orders"))
		if err != nil || open(lease) != c.want {
			t.Errorf("%s: got %+v, %v", name, open(lease), err)
		}
		if got := f.count("GET /v1/secret/data/orders hvs." + canary); got != 1 {
			t.Errorf("%s: asked %q", name, f.asked)
		}
	}
}

// TestRedirect: the token goes to the configured address and nowhere else.
func TestRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		thief := newFakeVault(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, kv2) })
		f := newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL+r.URL.Path, status)
		})
		for name, l := range map[string]*Lender{"token": tokenVault(t, f.URL), "approle": approleVault(t, f.URL)} {
			_, err := l.Login(t.Context(), mustRef(t, "vault://secret/data/orders"))
			if got := refusalOf(t, err); !strings.Contains(got, fmt.Sprintf("Vault answers %d (a redirect, which is not followed", status)) {
				t.Errorf("%s: %d: %s", name, status, got)
			}
		}
		if len(thief.asked) > 0 {
			t.Errorf("%d: the other server was asked %q", status, thief.asked)
		}
	}
}

func TestUnreachable(t *testing.T) {
	closed, giveBack, err := loopback.Refusing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = giveBack() })
	rude := newFakeVault(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	self := httptest.NewUnstartedServer(nil)
	self.Config.ErrorLog = log.New(io.Discard, "", 0)
	self.StartTLS()
	t.Cleanup(self.Close)
	for address, want := range map[string]string{
		"http://" + closed: "connection refused",
		rude.URL:           "the connection broke",
		self.URL:           "certificate signed by unknown authority",
		"https://" + strings.TrimPrefix(rude.URL, "http://"): "it speaks http, the address says https",
	} {
		begin := time.Now()
		_, err := tokenVault(t, address).Key(t.Context(), mustRef(t, "vault://secret/data/x#y"))
		if got := refusalOf(t, err); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
		if d := time.Since(begin); d > time.Minute { // no figure: it must not wait for the client to give up
			t.Errorf("%s: hung for %v", address, d)
		}
	}
}

// TestEnvironmentIsNotAsked: only VAULT_TOKEN counts, and only for auth = "token".
func TestEnvironmentIsNotAsked(t *testing.T) {
	f := newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Namespace") != "" {
			w.WriteHeader(500)
			return
		}
		_, _ = io.WriteString(w, kv2)
	})
	t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
	t.Setenv("VAULT_NAMESPACE", "other")
	t.Setenv("VAULT_TOKEN", "")
	l := mustLender(t, &Vault{Address: f.URL, Auth: "token"}, "/")
	ref := mustRef(t, "vault://secret/data/orders")
	_, err := l.Login(t.Context(), ref)
	if got := refusalOf(t, err); !strings.Contains(got, "no token: set token_file, or the environment variable VAULT_TOKEN") {
		t.Error(got)
	}
	t.Setenv("VAULT_TOKEN", "from-env")
	if _, err := l.Login(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if f.count("GET /v1/secret/data/orders from-env") != 1 || len(f.asked) != 1 {
		t.Errorf("asked %q", f.asked)
	}
}

// TestNewTokenAfter403: the file is read again when Vault stops liking the token.
func TestNewTokenAfter403(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var good atomic.Value
	good.Store("one")
	f := newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != good.Load() {
			w.WriteHeader(403)
			return
		}
		_, _ = io.WriteString(w, kv2)
	})
	l := mustLender(t, &Vault{Address: f.URL, Auth: "token", TokenFile: path}, "/")
	ref := mustRef(t, "vault://secret/data/orders")
	for _, token := range []string{"one", "two"} {
		write(token)
		good.Store(token)
		if _, err := l.Login(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := f.count("GET /v1/secret/data/orders one"), f.count("GET /v1/secret/data/orders two"); one != 2 || two != 1 {
		t.Errorf("asked %q", f.asked)
	}
}

// approle answers logins with ever new tokens of one hour.
func approle(t *testing.T, lease int, read http.HandlerFunc) *fakeVault {
	var logins atomic.Int64
	return newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/approle/login" {
			n := logins.Add(1)
			_, _ = fmt.Fprintf(w, `{"auth":{"client_token":"t%d","lease_duration":%d,"renewable":false}}`, n, lease)
			return
		}
		read(w, r)
	})
}

func TestOneLoginForAll(t *testing.T) {
	f := approle(t, 3600, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, kv2) })
	l := approleVault(t, f.URL)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := l.Login(t.Context(), mustRef(t, "vault://secret/data/orders")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if logins, reads := f.count("PUT /v1/auth/approle/login "), f.count("GET /v1/secret/data/orders t1"); logins != 1 || reads != 50 {
		t.Errorf("%d logins, %d reads with its token", logins, reads)
	}
}

// TestLoginAnew: when two thirds of its time are over, and after a 403, and
// never more than once for one fetch.
func TestLoginAnew(t *testing.T) {
	ref := mustRef(t, "vault://secret/data/orders")
	t.Run("old", func(t *testing.T) {
		f := approle(t, 3600, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, kv2) })
		l := approleVault(t, f.URL)
		for i := range 2 {
			if _, err := l.Login(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			v := l.sources[schemeVault].(*vault)
			if left := time.Until(v.current.until); left < 39*time.Minute || left > 40*time.Minute {
				t.Errorf("login %d is used for %v", i, left)
			}
			v.current.until = time.Now()
		}
		if f.count("GET /v1/secret/data/orders t1") != 1 || f.count("GET /v1/secret/data/orders t2") != 1 {
			t.Errorf("asked %q", f.asked)
		}
	})
	t.Run("403", func(t *testing.T) {
		f := approle(t, 3600, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
		l := approleVault(t, f.URL)
		for range 2 {
			_, err := l.Login(t.Context(), ref)
			if got := refusalOf(t, err); !strings.Contains(got, "Vault answers 403") {
				t.Error(got)
			}
		}
		// First fetch: a fresh login is not doubted. Second: the old one is, once.
		if logins, reads := f.count("PUT /v1/auth/approle/login "), f.count("GET "); logins != 2 || reads != 3 {
			t.Errorf("asked %q", f.asked)
		}
	})
	t.Run("no token", func(t *testing.T) {
		f := newFakeVault(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"auth":{}}`) })
		_, err := approleVault(t, f.URL).Login(t.Context(), ref)
		if got := refusalOf(t, err); !strings.HasSuffix(got, `log in to Vault with auth = "approle": an answer that is not Vault's`) {
			t.Error(got)
		}
	})
}

// TestDeadline: a Vault that says nothing costs the caller's time and no more.
func TestDeadline(t *testing.T) {
	gone := make(chan struct{})
	f := newFakeVault(t, func(_ http.ResponseWriter, r *http.Request) { <-gone })
	t.Cleanup(func() { close(gone) })
	for name, l := range map[string]*Lender{"token": tokenVault(t, f.URL), "approle": approleVault(t, f.URL)} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := l.Login(ctx, mustRef(t, "vault://secret/data/orders"))
		cancel()
		if got := refusalOf(t, err); !strings.Contains(got, "no answer in time") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestLeaseGivenBack: what was lent is revoked by Release, and at once when it
// cannot be used.
func TestLeaseGivenBack(t *testing.T) {
	for name, data := range map[string]string{
		"usable":  `{"username":"v-1","password":"` + canary + `"}`,
		"useless": `{"rsa_private_key":"` + canary + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/v1/database/creds/orders":
					_, _ = io.WriteString(w, `{"lease_id":"database/creds/orders/1","lease_duration":3600,"renewable":true,"data":`+data+`}`)
				case "/v1/sys/leases/renew":
					_, _ = io.WriteString(w, `{"lease_id":"database/creds/orders/1","lease_duration":3600,"renewable":true}`)
				case "/v1/sys/leases/revoke":
					body, _ := io.ReadAll(r.Body)
					if string(body) != `{"lease_id":"database/creds/orders/1"}` {
						t.Errorf("revoked %s", body)
					}
					w.WriteHeader(204)
				}
			})
			lease, err := tokenVault(t, f.URL).Login(t.Context(), mustRef(t, "vault://database/creds/orders"))
			if name == "useless" {
				refusalOf(t, err)
			} else {
				if err != nil || open(lease) != (lent{username: "v-1", secret: canary}) {
					t.Fatalf("got %+v, %v", open(lease), err)
				}
				if f.count("PUT /v1/sys/leases/revoke") != 0 {
					t.Error("revoked too early")
				}
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if got := f.count("PUT /v1/sys/leases/revoke hvs." + canary); got != 1 {
				t.Errorf("revoked %d times: %q", got, f.asked)
			}
		})
	}
}

// TestReleaseOfADownVault says so, quickly.
func TestReleaseOfADownVault(t *testing.T) {
	f := newFakeVault(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"lease_id":"l","lease_duration":3600,"data":{"username":"v","password":"`+canary+`"}}`)
			return
		}
		w.WriteHeader(403)
		_, _ = io.WriteString(w, `{"errors":["`+canary+`"]}`)
	})
	lease, err := tokenVault(t, f.URL).Login(t.Context(), mustRef(t, "vault://database/creds/orders"))
	if err != nil {
		t.Fatal(err)
	}
	err = lease.Release(t.Context())
	if got := text(err); !strings.HasPrefix(got, "release vault://database/creds/orders: ") || !strings.Contains(got, "403") || strings.Contains(got, canary) {
		t.Errorf("got %v", err)
	}
}
