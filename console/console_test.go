package console

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sallyport/limit"
	"sallyport/policy"
	"sallyport/recorder"
	"sallyport/secret"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// doorman knows tokens by their text.
type doorman struct {
	known map[string]policy.Principal
	down  bool
}

func (d *doorman) Identify(_ context.Context, token secret.Text) (policy.Principal, error) {
	if d.down {
		return policy.Principal{}, &policy.Refusal{Kind: policy.Unavailable, Public: "down", Err: errors.New("disk")}
	}
	if p, ok := d.known[token.Reveal()]; ok {
		return p, nil
	}
	return policy.Principal{}, &policy.Refusal{Kind: policy.Unauthenticated, Public: "the reason is not for the page"}
}

// house is a console with all it needs, and a clock that stands at *now.
type house struct {
	*doorman
	http.Handler
	rec *recorder.Recorder
	now time.Time
	log strings.Builder
}

func build(t *testing.T) *house {
	t.Helper()
	rec, err := recorder.Open("file:" + t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{rec: rec, now: noon, doorman: &doorman{known: map[string]policy.Principal{
		"good-token":  {Subject: "ada", Groups: []string{"admins"}},
		"short-token": {Subject: "ada", Groups: []string{"admins"}, Expires: noon.Add(time.Minute)},
		"plain-token": {Subject: "bob", Groups: []string{"agents"}},
	}}}
	h.Handler = New(Config{
		Version: "v1.2.3-test", Listen: "127.0.0.1:8089", Identifier: h.doorman, Sessions: rec,
		Health: func() []TargetHealth {
			return []TargetHealth{
				{Name: "orders", Kind: "postgres", OK: true, Detail: "PostgreSQL 17.2", Checked: h.now.Add(-5 * time.Second)},
				{Name: "openai", Kind: "http", Detail: "dial: <refused>", Checked: h.now},
				{Name: "fresh", Kind: "http"},
			}
		},
		Log: zerolog.New(&h.log), Now: func() time.Time { return h.now },
	})
	return h
}

// ask sends one request as a browser would and wants the security headers on
// whatever comes back.
func (h *house) ask(t *testing.T, method, target, body string, change func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8089"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	for name, want := range security {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s %s: %s is %q", method, target, name, got)
		}
	}
	return res
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// in logs in and returns how to send the cookie along.
func (h *house) in(t *testing.T, token string) func(*http.Request) {
	t.Helper()
	res := h.ask(t, "POST", "/login", "token="+url.QueryEscape(token), nil)
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		t.Fatalf("login: %s, %v", res.Status, res.Cookies())
	}
	c := res.Cookies()[0]
	return func(r *http.Request) { r.AddCookie(c) }
}

func TestNobodyIsAskedToLogIn(t *testing.T) {
	h := build(t)
	for name, change := range map[string]func(*http.Request){
		"no cookie":      nil,
		"unknown cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "sallyport", Value: "x"}) },
		"empty cookie":   func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "sallyport", Value: ""}) },
		"token as cookie": func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: "sallyport", Value: "good-token"})
		},
		"token as bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer good-token") },
	} {
		for _, path := range []string{"/", "/sessions/01A"} {
			res := h.ask(t, "GET", path, "", change)
			page := text(t, res)
			if res.StatusCode != http.StatusUnauthorized || !strings.Contains(page, `<form method="post" action="/login">`) {
				t.Errorf("%s, %s: %s\n%s", name, path, res.Status, page)
			}
			if strings.Contains(page, "v1.2.3") || strings.Contains(page, "orders") {
				t.Errorf("%s, %s: tells strangers something:\n%s", name, path, page)
			}
		}
	}
}

func TestRefusedLogins(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
		down   bool
	}{
		"wrong":      {"token=nope", 401, wrong, false},
		"empty":      {"token=", 401, wrong, false},
		"no form":    {"x", 401, wrong, false},
		"in the URL": {"", 401, wrong, false},
		"too long":   {"token=good-token" + strings.Repeat("+", maxForm), 401, wrong, false},
		"store down": {"token=good-token", 401, wrong, true},
		"no admin":   {"token=plain-token", 403, "not in the group admins", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.down = c.down
			res := h.ask(t, "POST", "/login?token=good-token", c.body, nil)
			page := text(t, res)
			if res.StatusCode != c.status || !strings.Contains(page, c.says) || len(res.Cookies()) != 0 {
				t.Errorf("%s, cookies %v\n%s", res.Status, res.Cookies(), page)
			}
			if strings.Contains(page, "not for the page") || strings.Contains(h.log.String(), "-token") {
				t.Errorf("told too much:\n%s\n%s", page, h.log.String())
			}
		})
	}
}

func TestTooManyLogins(t *testing.T) {
	h := build(t)
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = addr }
	}
	for i := range tryLimit {
		if res := h.ask(t, "POST", "/login", "token=nope", from(fmt.Sprintf("[2001:db8::%d]:99", i))); res.StatusCode != 401 {
			t.Fatalf("try %d: %s", i, res.Status)
		}
	}
	res := h.ask(t, "POST", "/login", "token=good-token", from("[2001:db8::ffff]:99"))
	if res.StatusCode != 429 || res.Header.Get("Retry-After") != "60" || len(res.Cookies()) != 0 {
		t.Errorf("the same network: %s", res.Status)
	}
	if res := h.ask(t, "POST", "/login", "token=good-token", from("[2001:db8:0:1::1]:99")); res.StatusCode != 303 {
		t.Errorf("another network: %s", res.Status)
	}
	h.now = h.now.Add(limit.Window)
	if res := h.ask(t, "POST", "/login", "token=good-token", from("[2001:db8::1]:99")); res.StatusCode != 303 {
		t.Errorf("a minute later: %s", res.Status)
	}
}

func TestTheCookie(t *testing.T) {
	h := build(t)
	for name, c := range map[string]struct {
		tls  *tls.ConnectionState
		want string
	}{
		"plain": {nil, "sallyport"},
		"TLS":   {&tls.ConnectionState{}, "__Host-sallyport"},
	} {
		res := h.ask(t, "POST", "/login", "token=good-token%0A", func(r *http.Request) { r.TLS = c.tls })
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" || len(res.Cookies()) != 1 {
			t.Fatalf("%s: %s", name, res.Status)
		}
		k := res.Cookies()[0]
		if k.Name != c.want || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != (c.tls != nil) || k.Path != "/" || k.Domain != "" || len(k.Value) < 43 || strings.Contains(k.Value, "token") {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

func TestALoginEnds(t *testing.T) {
	for name, c := range map[string]struct {
		token  string
		after  func(*house)
		status int
	}{
		"not yet":     {"good-token", func(h *house) { h.now = noon.Add(loginLasts - time.Second) }, 200},
		"by time":     {"good-token", func(h *house) { h.now = noon.Add(loginLasts) }, 401},
		"with token":  {"short-token", func(h *house) { h.now = noon.Add(time.Minute) }, 401},
		"revoked":     {"good-token", func(h *house) { delete(h.known, "good-token") }, 401},
		"group taken": {"good-token", func(h *house) { h.known["good-token"] = policy.Principal{Subject: "ada"} }, 401},
		"store down":  {"good-token", func(h *house) { h.down = true }, 503},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			cookie := h.in(t, c.token)
			if res := h.ask(t, "GET", "/", "", cookie); res.StatusCode != 200 {
				t.Fatal(res.Status)
			}
			c.after(h)
			if res := h.ask(t, "GET", "/", "", cookie); res.StatusCode != c.status {
				t.Errorf("%s, want %d", res.Status, c.status)
			}
		})
	}
}

func TestLogout(t *testing.T) {
	h := build(t)
	cookie := h.in(t, "good-token")
	if res := h.ask(t, "GET", "/logout", "", cookie); res.StatusCode != 405 {
		t.Errorf("GET /logout: %s", res.Status)
	}
	res := h.ask(t, "POST", "/logout", "", cookie)
	if res.StatusCode != 303 || len(res.Cookies()) != 1 || res.Cookies()[0].MaxAge != -1 {
		t.Errorf("%s, %v", res.Status, res.Cookies())
	}
	if res := h.ask(t, "GET", "/", "", cookie); res.StatusCode != 401 {
		t.Errorf("the old cookie still opens: %s", res.Status)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		change       func(*http.Request)
		status       int
	}{
		"login, fetch metadata":  {"POST", "/login", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"login, same site":       {"POST", "/login", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		"login, origin":          {"POST", "/login", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"logout, origin":         {"POST", "/logout", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:9999") }, 403},
		"own form":               {"POST", "/login", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 303},
		"host, rebound name":     {"GET", "/", func(r *http.Request) { r.Host = "evil.example:8089" }, 421},
		"host, looks like local": {"GET", "/", func(r *http.Request) { r.Host = "127.0.0.1.evil.example" }, 421},
		"host, localhost.evil":   {"GET", "/style.css", func(r *http.Request) { r.Host = "localhost.evil.example" }, 421},
		"host, none":             {"GET", "/", func(r *http.Request) { r.Host = "" }, 421},
		"host, localhost":        {"GET", "/", func(r *http.Request) { r.Host = "LOCALHOST:8089" }, 200},
		"host, IPv6":             {"GET", "/", func(r *http.Request) { r.Host = "[::1]:8089" }, 200},
		"host, bare IPv6":        {"GET", "/", func(r *http.Request) { r.Host = "[::1]" }, 200},
		"no such page":           {"GET", "/x", nil, 404},
		"no such method":         {"DELETE", "/", nil, 405},
	} {
		h := build(t)
		cookie := h.in(t, "good-token")
		res := h.ask(t, c.method, c.path, "token=good-token", func(r *http.Request) {
			cookie(r)
			if c.change != nil {
				c.change(r)
			}
		})
		if res.StatusCode != c.status {
			t.Errorf("%s: %s, want %d", name, res.Status, c.status)
		}
		if res := h.ask(t, "GET", "/", "", cookie); c.status == 403 && res.StatusCode != 200 {
			t.Errorf("%s: another site ended the login: %s", name, res.Status)
		}
	}
}

func TestAPublicListenerTakesAnyHost(t *testing.T) {
	handler := New(Config{Listen: "0.0.0.0:8089", Identifier: &doorman{}, Log: zerolog.Nop()})
	r := httptest.NewRequest("GET", "http://console.example.com/", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("%d", w.Code)
	}
}

func TestLoginsAreBounded(t *testing.T) {
	l := newLogins(func() time.Time { return noon })
	first := l.add(secret.New("t"), policy.Principal{Expires: noon.Add(time.Hour)})
	var last string
	for range loginsKept {
		last = l.add(secret.New("t"), policy.Principal{})
	}
	if len(l.kept) != loginsKept {
		t.Errorf("%d kept", len(l.kept))
	}
	if _, found := l.token(first); found {
		t.Error("the one that ends first was kept")
	}
	if _, found := l.token(last); !found {
		t.Error("the latest was dropped")
	}
}
