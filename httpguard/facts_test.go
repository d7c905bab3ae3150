package httpguard

import (
	"testing"

	"sallyport/policy"
)

// TestBodyOfAnotherType: a rule that reads the body can't be escaped by another
// content type, which some servers don't look at.
func TestBodyOfAnotherType(t *testing.T) {
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", `{"amount":5}`, 200},
		{"application/json", `{"amount":50}`, 403},
		{"text/plain", `{"amount":50}`, 403},
		{"", `{"amount":50}`, 403},
		{"application/x-www-form-urlencoded", `amount=50`, 403},
		{"text/plain", "", 200},
	} {
		p := newPeer(t, ok)
		g := newGateway(t, p.URL, func(cfg *Config) {
			cfg.Targets = map[string]Target{"free": {Upstream: p.URL}}
			rules, errs := policy.NewRules([]policy.RuleConfig{{Name: "r", Targets: []string{"free"}, If: "http.body != null && http.body.amount > 10.0", Then: "deny"}}, map[string]policy.TargetKind{"free": policy.HTTPTarget})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			cfg.Judge = rules
		})
		res, text := g.do(t, "POST", "/free/pay", c.body, "Content-Type", c.kind)
		if res.StatusCode != c.status || len(p.requests()) != boolInt(c.status == 200) {
			t.Errorf("%s %s: %d %s, the upstream received %d", c.kind, c.body, res.StatusCode, text, len(p.requests()))
		}
	}
}
