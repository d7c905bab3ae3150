package httpguard

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sallyport/mask"
	"sallyport/policy"
)

// TestMaskHeaders masks headers both ways, queries, and what is recorded of them.
func TestMaskHeaders(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</early?to=ann@example.com>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-User", "ann@example.com")
		w.Header().Add("X-List", "plain")
		w.Header().Add("X-List", "for ann@example.com, too")
		w.Header().Set("X-Account-Key", "k-1")
		w.Header().Set("Location", "/base/next?to=ann@example.com")
		w.Header().Set("Date", "Sun, 22 Nov 2026 00:00:00 GMT")
		_, _ = io.WriteString(w, `{}`)
	})
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Masks = []mask.Rule{{Targets: []string{"*"}, Fields: []string{"x-account-key"}, Detect: []string{"email"}, In: "both"}}
	})
	res, _ := g.do(t, "GET", "/plain/x?to=bob%40example.com&n=1&bob@example.com", "", "X-For", "bob@example.com", "Baggage", "user=bob@example.com", "User-Agent", "agent (bob@example.com)")
	for name, want := range map[string]string{
		"X-User": "[redacted]", "X-Account-Key": "[redacted]", "Location": "/plain/next?to=[redacted]", "Date": "Sun, 22 Nov 2026 00:00:00 GMT",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := fmt.Sprint(res.Header["X-List"]); got != "[plain for [redacted], too]" {
		t.Errorf("X-List: %s", got)
	}
	r := p.requests()[0]
	if r.URL.RawQuery != "to=%5Bredacted%5D&n=1&%5Bredacted%5D" || r.Header.Get("X-For") != "[redacted]" || r.Header.Get("Baggage") != "user=[redacted]" || r.UserAgent() != "agent (bob@example.com)" {
		t.Errorf("the upstream received %s %v", r.RequestURI, r.Header)
	}
	if e := g.journal.exchanges()[0]; e.Query != r.URL.RawQuery {
		t.Errorf("recorded %+v", e)
	}
	if o := g.journal.outcomes()[0]; o.Masked < 7 {
		t.Errorf("masked %d", o.Masked)
	}
}

// TestMaskQueryDenied records the query masked where nothing is forwarded, too,
// and not at all for whom a mask spares.
func TestMaskQueryDenied(t *testing.T) {
	for name, c := range map[string]struct {
		unless []string
		want   string
	}{"masked": {nil, "to=%5Bredacted%5D"}, "spared": {[]string{"subject:agent"}, sparedBody}} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Masks = []mask.Rule{{Targets: []string{"*"}, Detect: []string{"email"}, In: "request", Unless: c.unless}}
				cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
					if q.HTTP.Query["to"][0] != "bob@example.com" {
						t.Errorf("judged %v", q.HTTP.Query)
					}
					return policy.Verdict{Rule: "no"}
				})
			})
			if res, _ := g.do(t, "GET", "/plain/x?to=bob@example.com", ""); res.StatusCode != 403 {
				t.Errorf("status %d", res.StatusCode)
			}
			if e := g.journal.exchanges()[0]; e.Query != c.want || len(p.requests()) > 0 {
				t.Errorf("recorded %+v", e)
			}
		})
	}
}

// TestCookies keeps them at the upstream unless the target lets them pass, and
// then behind the gateway's own paths.
func TestCookies(t *testing.T) {
	const base = "/base"
	for name, c := range map[string]struct {
		pass      bool
		set, want string
		byHost    bool
	}{
		"kept":            {set: "a=1; Path=/"},
		"plain":           {pass: true, set: "a=1", want: "a=1"},
		"whole":           {pass: true, set: "a=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=5", want: "a=1; Path=/plain; Max-Age=5; HttpOnly; SameSite=Lax"},
		"base":            {pass: true, set: "a=1; Path=/base", want: "a=1; Path=/plain"},
		"below":           {pass: true, set: "a=1; Path=/base/x; Domain=api.example.com; Secure", want: "a=1; Path=/plain/x; Secure"},
		"elsewhere":       {pass: true, set: "a=1; Path=/other"},
		"not the base":    {pass: true, set: "a=1; Path=/basement"},
		"of the host":     {pass: true, set: "__Host-a=1; Path=/; Secure"},
		"by host":         {pass: true, set: "a=1; Path=/base/x; Domain=up.example", want: "a=1; Path=/x", byHost: true},
		"host of by host": {pass: true, set: "__Host-a=1; Path=/; Secure", want: "__Host-a=1; Path=/; Secure", byHost: true},
		"broken":          {pass: true, set: "=;"},
		"the secret":      {pass: true, set: "a=" + key, want: "a=" + strings.Repeat("*", len(key))},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = []string{c.set} })
			g := newGateway(t, p.URL, func(cfg *Config) {
				target := cfg.Targets["plain"]
				target.Cookies, target.Host = c.pass, []string{"api.example.com"}
				target.Upstream = p.URL + base
				cfg.Targets["plain"] = target
			})
			at := "/plain/x"
			if c.byHost {
				at = "/x"
			}
			req, _ := http.NewRequest("GET", g.URL+at, nil)
			if c.byHost {
				req.Host = "api.example.com"
			}
			req.Header.Set("X-Api-Key", token)
			req.Header.Set("Cookie", "mine=1")
			res, _ := g.send(t, req)
			if got := strings.Join(res.Header["Set-Cookie"], " | "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := p.requests()[0].Header.Get("Cookie"); got != "" != c.pass {
				t.Errorf("the upstream received the cookie %q", got)
			}
		})
	}
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, func(cfg *Config) {
		target := cfg.Targets["plain"]
		target.Cookies = true
		cfg.Targets["plain"] = target
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
			if q.HTTP.Headers["cookie"] != "" {
				t.Error("a cookie is a fact")
			}
			return allow(q)
		})
	})
	if _, _ = g.do(t, "GET", "/plain/x", "", "Cookie", "t="+token); p.requests()[0].Header.Get("Cookie") != "" {
		t.Error("the token went upstream in a cookie")
	}
}
