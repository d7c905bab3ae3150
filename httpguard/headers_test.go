package httpguard

import (
	"net/http"
	"testing"

	"sallyport/policy"
)

// TestClaims: what a server may take for the word of a proxy it trusts is not the
// caller's to say.
func TestClaims(t *testing.T) {
	names := []string{
		"Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Scopes", "Es-Security-Runas-User", "X-Webauth-User", "X-Remote-Group",
		"X-Remote-Extra-Role", "X_Remote_User", "Cf-Access-Authenticated-User-Email", "Cf-Access-Jwt-Assertion", "X-Amzn-Oidc-Data", "X-Goog-Iap-Jwt-Assertion",
		"X-Ms-Client-Principal-Name", "X-Auth-Request-Email", "X-Ssl-Client-Verify", "Ssl-Client-Subject-Dn", "X-Consumer-Username", "X-Userinfo", "X-Authentik-Username",
		"X-Forwarded-Server", "X-Forwarded-Uri", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Original-Host", "X-Host", "True-Client-Ip", "Cf-Connecting-Ip",
		"X-Client-Ip", "X-Cluster-Client-Ip", "X-Middleware-Subrequest",
	}
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, nil)
	var headers []string
	for _, name := range names {
		headers = append(headers, name, "admin")
	}
	headers = append(headers, "X-Ordinary", "stays")
	if res, body := g.do(t, "GET", "/plain/x", "", headers...); res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	got := p.requests()[0].Header
	for _, name := range names {
		if got.Get(name) != "" || got[name] != nil {
			t.Errorf("the upstream received %s", name)
		}
	}
	if got.Get("X-Ordinary") != "stays" {
		t.Errorf("the upstream received %v", got)
	}
}

// TestCopying: a header that names another object does not reach beyond the
// paths that are open.
func TestCopying(t *testing.T) {
	for _, name := range []string{"Destination", "X-Amz-Copy-Source", "X-Goog-Copy-Source", "X-Ms-Copy-Source", "X_Amz_Copy_Source"} {
		p := newPeer(t, ok)
		g := newGateway(t, p.URL, func(cfg *Config) {
			cfg.Targets["some"] = Target{Upstream: p.URL, Paths: []string{"/public/*"}}
		})
		res, body := g.do(t, "PUT", "/some/public/x", "", name, "/private/y")
		if res.StatusCode != http.StatusForbidden || len(p.requests()) != 0 {
			t.Errorf("%s: %d %s, the upstream received %d", name, res.StatusCode, body, len(p.requests()))
		}
		if res, body := g.do(t, "PUT", "/free/public/x", "", name, "/private/y"); res.StatusCode != 200 || p.requests()[0].Header.Get(name) == "" {
			t.Errorf("%s, all paths open: %d %s", name, res.StatusCode, body)
		}
	}
}

// TestModelsRun: who runs models under /models/NAME has no free operation there.
func TestModelsRun(t *testing.T) {
	p := newPeer(t, ok)
	g := newGateway(t, p.URL, func(cfg *Config) {
		rules, errs := policy.NewRules([]policy.RuleConfig{{Name: "r", Targets: []string{"openai"}, Models: []string{"small"}, Then: "deny"}}, map[string]policy.TargetKind{"openai": policy.LLMTarget, "plain": policy.HTTPTarget, "free": policy.HTTPTarget, "closed": policy.HTTPTarget})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		cfg.Judge = rules
	})
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/openai/models/gpt2", `{"inputs":"x"}`, 403},
		{"POST", "/openai/v1/models", `{"model":"dear"}`, 403},
		{"GET", "/openai/v1/models", "", 200},
		{"GET", "/openai/v1/models/small", "", 200},
		{"DELETE", "/openai/v1/models/ft", "", 200},
	} {
		if res, body := g.do(t, c.method, c.path, c.body); res.StatusCode != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, res.StatusCode, body)
		}
	}
	if n := len(p.requests()); n != 3 {
		t.Errorf("the upstream received %d", n)
	}
}
