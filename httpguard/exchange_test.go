package httpguard

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sallyport/credential"
	"sallyport/policy"
	"sallyport/secret"
)

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true}`)
}

func TestForward(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Set-Cookie", "session=upstream")
		w.Header().Set("Alt-Svc", `h3="upstream:443"`)
		w.Header().Set("X-Sallyport-Exchange", "forged")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	})
	var asked *policy.Question
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict { asked = q; return allow(q) })
	})
	res, body := g.do(t, "POST", "/plain/v1/it%20ems;x=1?b=2&a=%41&a=", `{"n": 1.50, "list": ["x", null, true]}`,
		"X-Other", "stays", "Idempotency-Key", "k1", "X_Api_Key", "mine", "Cookie", "a=b", "X-Vault-Token", "mine",
		"X-Sallyport-Node", "plan", "X-Note", "see "+token, "Referer", "http://x/?t="+token, "X_key", "mine", "Proxy-Authorization", "Basic bWluZQ==")
	if res.StatusCode != 201 || body != "made" {
		t.Fatalf("%d %q", res.StatusCode, body)
	}
	for name, want := range map[string]string{"Set-Cookie": "", "Alt-Svc": "", "X-Sallyport-Session": "id-2", "X-Sallyport-Exchange": "id-2.1"} {
		if got := strings.Join(res.Header.Values(name), "|"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	p.noToken(t, 1)
	r := p.requests()[0]
	if r.RequestURI != "/base/v1/it%20ems;x=1?b=2&a=%41&a=" || "http://"+r.Host != p.URL || r.Header.Get("X-Key") != key {
		t.Errorf("upstream received %s at %s with %v", r.RequestURI, r.Host, r.Header)
	}
	if p.bodies[0] != `{"n": 1.50, "list": ["x", null, true]}` {
		t.Errorf("body %s", p.bodies[0])
	}
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"Accept-Encoding", "Content-Length", "Content-Type", "Idempotency-Key", "User-Agent", "X-Key", "X-Other"}; !slices.Equal(names, want) {
		t.Errorf("upstream received the headers %v", names)
	}

	h := asked.HTTP
	if asked.Caller.Subject != "agent" || asked.Caller.Address != "127.0.0.1" || asked.Target != "plain" || asked.Time.IsZero() {
		t.Errorf("question %+v", asked)
	}
	if h.Method != "POST" || h.Path != "/base/v1/it ems;x=1" || "http://"+h.Host != p.URL || !reflect.DeepEqual(h.Query, map[string][]string{"b": {"2"}, "a": {"A", ""}}) {
		t.Errorf("facts %+v", h)
	}
	if h.Headers["x-other"] != "stays" || len(h.Headers) != 5 {
		t.Errorf("facts' headers %v", h.Headers)
	}
	if want := map[string]any{"n": 1.5, "list": []any{"x", nil, true}}; !reflect.DeepEqual(h.Body, want) {
		t.Errorf("facts' body %v", h.Body)
	}
	if got := g.journal.told(); !slices.Equal(got, []string{"open plain", "allow /base/v1/it%20ems;x=1", "201"}) {
		t.Errorf("recorded %q", got)
	}
	e, o := g.journal.exchanges()[0], g.journal.outcomes()[0]
	if e.Body != p.bodies[0] || e.Query != "b=2&a=%41&a=" || o.Body != "made" || o.Bytes != 4 || o.ID != 1 || e.ID != 1 || o.Duration <= 0 {
		t.Errorf("recorded %+v, %+v", e, o)
	}
}

// TestIdentify is every place a client library puts its key.
func TestIdentify(t *testing.T) {
	basic := func(password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+password))
	}
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"bearer":          {[]string{"Authorization", "Bearer " + token}, 200},
		"bearer, folded":  {[]string{"Authorization", "bEARER   " + token}, 200},
		"x-api-key":       {[]string{"Authorization", "", "X-Api-Key", token}, 200},
		"api-key":         {[]string{"Authorization", "", "Api-Key", token}, 200},
		"x-goog-api-key":  {[]string{"Authorization", "", "X-Goog-Api-Key", token}, 200},
		"basic":           {[]string{"Authorization", basic(token)}, 200},
		"the same twice":  {[]string{"X-Api-Key", token}, 200},
		"an unknown way":  {[]string{"Authorization", "AWS4-HMAC-SHA256 x", "X-Api-Key", token}, 200},
		"two tokens":      {[]string{"X-Api-Key", "other"}, 401},
		"none":            {[]string{"Authorization", ""}, 401},
		"empty":           {[]string{"Authorization", "Bearer "}, 401},
		"wrong":           {[]string{"Authorization", "Bearer spt_wrong"}, 401},
		"no scheme":       {[]string{"Authorization", token}, 401},
		"broken basic":    {[]string{"Authorization", "Basic !"}, 401},
		"wrong basic":     {[]string{"Authorization", basic("wrong")}, 401},
		"only in cookies": {[]string{"Authorization", "", "Cookie", "token=" + token}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, nil)
			res, body := g.do(t, "GET", "/plain/x", "", c.headers...)
			if res.StatusCode != c.status {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			p.noToken(t, 1)
			if c.status == 200 {
				return
			}
			if len(p.requests()) > 0 || g.lent.Load() > 0 || len(g.journal.told()) > 0 {
				t.Error("more than the refusal happened")
			}
			if res.Header.Get("WWW-Authenticate") == "" || res.Header.Get("X-Should-Retry") != "false" {
				t.Errorf("headers %v", res.Header)
			}
		})
	}
}

// TestRefusals is every refusal before the upstream: it receives nothing.
func TestRefusals(t *testing.T) {
	deny := func(cfg *Config) {
		cfg.Judge = judgeFunc(func(*policy.Question) policy.Verdict {
			return policy.Verdict{Rule: "no-posts", Message: "not today", Hint: "read"}
		})
	}
	for name, c := range map[string]struct {
		change   func(*Config)
		method   string
		path     string
		body     string
		headers  []string
		status   int
		says     string
		recorded []string
		lent     int64
	}{
		"no target":         {path: "/", status: 404, says: "no such target"},
		"unknown target":    {path: "/other/x", status: 404, says: "no such target"},
		"no grant":          {path: "/closed/x", status: 403, says: "no grant", recorded: []string{"open closed", "deny /x", "403 no grant for this target"}},
		"no grant, body":    {path: "/closed/x", method: "POST", body: "{", status: 403, says: "no grant", recorded: []string{"open closed", "deny /x", "403 no grant for this target"}},
		"a rule":            {change: deny, path: "/plain/x", method: "POST", body: "{}", status: 403, says: `refused by rule \"no-posts\": not today`, recorded: []string{"open plain", "deny /base/x no-posts", `403 refused by rule "no-posts": not today`}},
		"the zero verdict":  {change: func(c *Config) { c.Judge = judgeFunc(func(*policy.Question) (v policy.Verdict) { return }) }, path: "/plain/x", status: 403, says: "refused"},
		"a panic":           {change: func(c *Config) { c.Judge = judgeFunc(func(*policy.Question) policy.Verdict { panic("boom") }) }, path: "/plain/x", status: 500, says: "internal error", recorded: []string{"open plain", "deny /base/x", "500 internal error"}},
		"token in query":    {path: "/plain/x?api_key=" + token, status: 400, says: "not into the address"},
		"other in query":    {path: "/plain/x?key=spt_other", status: 400, says: "not into the address"},
		"token in path":     {path: "/plain/bot/" + token + "/x", status: 400, says: "not into the address"},
		"dot segment":       {path: "/plain/a/../b", status: 400, says: "dot segment"},
		"escaped dot":       {path: "/plain/a/%2e%2e/b", status: 400, says: "escaped dot"},
		"escaped slash":     {path: "/plain/a%2fb", status: 400, says: "escaped slash"},
		"doubled slash":     {path: "/plain//b", status: 400, says: "empty segment"},
		"bad query":         {path: "/plain/b?a=%zz", status: 400, says: "query"},
		"semicolon query":   {path: "/plain/b?a=1;b=2", status: 400, says: "query"},
		"trace":             {path: "/plain/b", method: "TRACE", status: 400, says: "TRACE"},
		"small letters":     {path: "/plain/b", method: "delete", status: 400, says: "capitals"},
		"override":          {path: "/plain/b", headers: []string{"X-HTTP-Method-Override", "DELETE"}, status: 400, says: "after it was judged"},
		"override, spelt _": {path: "/plain/b", headers: []string{"X_Http_Method_Override", "DELETE"}, status: 400, says: "after it was judged"},
		"upgrade":           {path: "/plain/b", headers: []string{"Connection", "Upgrade", "Upgrade", "irc"}, status: 501, says: "WebSocket"},
		"compressed":        {path: "/plain/b", method: "POST", body: "x", headers: []string{"Content-Encoding", "gzip"}, status: 415, says: "Content-Encoding"},
		"not JSON":          {path: "/plain/b", method: "POST", body: `{"a":`, status: 400, says: "not JSON", recorded: []string{"open plain", "deny /base/b", "400 the body is not JSON as its content type promises"}},
		"repeated member":   {path: "/plain/b", method: "POST", body: `{"a":1,"a":2}`, status: 400, says: "not JSON"},
		"two values":        {path: "/plain/b", method: "POST", body: `{} {}`, status: 400, says: "not JSON"},
		"deep":              {path: "/plain/b", method: "POST", body: strings.Repeat("[", 5000) + strings.Repeat("]", 5000), status: 400, says: "not JSON"},
		"begin fails":       {change: func(c *Config) { c.Journal.(*journal).failBegin = true }, path: "/plain/b", status: 500, says: "could not be recorded", recorded: []string{}},
		"recording fails":   {change: func(c *Config) { c.Journal.(*journal).failOn = "exchange" }, path: "/plain/b", status: 500, says: "could not be recorded", recorded: []string{"open plain", "close the recording failed"}},
		"no credential": {change: func(c *Config) {
			c.Lender = lenderFunc(func() (*credential.Lease, error) {
				return nil, &policy.Refusal{Kind: policy.Unavailable, Public: "the credential for this target could not be fetched", Err: errors.New("vault is sealed")}
			})
		}, path: "/plain/b", status: 502, says: "could not be fetched", recorded: []string{"open plain", "allow /base/b", "502 the credential for this target could not be fetched"}},
		"broken credential": {change: func(c *Config) {
			c.Lender = lenderFunc(func() (*credential.Lease, error) {
				return &credential.Lease{Secret: secret.New("a\r\nX-Evil: 1")}, nil
			})
		}, path: "/plain/b", status: 502, says: "can't be used"},
		"empty credential": {change: func(c *Config) {
			c.Lender = lenderFunc(func() (*credential.Lease, error) { return &credential.Lease{}, nil })
		}, path: "/plain/b", status: 502, says: "can't be used"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, c.change)
			method := c.method
			if method == "" {
				method = "GET"
			}
			res, body := g.do(t, method, c.path, c.body, c.headers...)
			if res.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if len(p.requests()) > 0 {
				t.Error("the upstream received a request")
			}
			if g.lent.Load() != c.lent {
				t.Errorf("lent %d times", g.lent.Load())
			}
			if got := g.journal.told(); c.recorded != nil && !slices.Equal(got, c.recorded) {
				t.Errorf("recorded %q, want %q", got, c.recorded)
			}
			var object problem
			if err := json.Unmarshal([]byte(body), &object); err != nil || object.Status != c.status || object.Title == "" || object.Instance == "" {
				t.Errorf("problem %+v, %v", object, err)
			}
			if res.Header.Get("X-Should-Retry") != "false" || res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("X-Sallyport-Exchange") != object.Instance {
				t.Errorf("headers %v", res.Header)
			}
			// The next exchange is none the worse.
			g.journal.mu.Lock()
			g.journal.failBegin, g.journal.failOn = false, ""
			g.journal.mu.Unlock()
			if c.change == nil || strings.Contains(name, "fails") {
				if res, body := g.do(t, "GET", "/plain/next", ""); res.StatusCode != 200 {
					t.Errorf("the next exchange: %d %s", res.StatusCode, body)
				}
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	p := newPeer(t, ok)
	p.Close()
	g := newGateway(t, p.URL, nil)
	res, body := g.do(t, "GET", "/plain/x", "")
	if res.StatusCode != 502 || !strings.Contains(body, "could not be reached") || strings.Contains(body, "127.0.0.1") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if got := g.journal.told(); !slices.Equal(got, []string{"open plain", "allow /base/x", "502 the upstream could not be reached"}) {
		t.Errorf("recorded %q", got)
	}
}

func TestNoCredential(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	if res, _ := g.do(t, "GET", "/free", ""); res.StatusCode != 200 || p.requests()[0].RequestURI != "/" {
		t.Errorf("%d, %s", res.StatusCode, p.requests()[0].RequestURI)
	}
	p.noToken(t, 0)
}
