package httpguard

import (
	"net/http"
	"testing"

	"sallyport/policy"
)

// TestWebSocketUnread: where the protocol of a WebSocket is not known, what is
// said on it is not judged. A rule that reads what a request asks must not take a
// handshake, which asks nothing, for one that is free to pass.
func TestWebSocketUnread(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		rule policy.RuleConfig
		pass bool
	}{
		"responses, a model":         {path: "/openai/v1/responses", rule: policy.RuleConfig{Models: []string{"gpt-5-mini"}}, pass: true}, // TestTalk has what becomes of its messages
		"responses, the cost":        {path: "/openai/v1/responses", rule: policy.RuleConfig{If: "llm.estimated_usd > 1.0"}, pass: true},
		"responses, the operation":   {path: "/openai/v1/responses", rule: policy.RuleConfig{If: `llm.operation == "responses"`}},
		"responses, the caller":      {path: "/openai/v1/responses", rule: policy.RuleConfig{If: `caller.claims.team == "red"`}},
		"responses, another server":  {path: "/anthropic/v1/responses", rule: policy.RuleConfig{Models: []string{"gpt-5-mini"}}},
		"responses, one of them":     {path: "/openai/v1/responses/resp_1", rule: policy.RuleConfig{Models: []string{"gpt-5-mini"}}},
		"realtime, tools":            {path: "/openai/v1/realtime?model=gpt-realtime", rule: policy.RuleConfig{If: `"mcp" in llm.tools`}, pass: true},
		"realtime, a body":           {path: "/openai/v1/realtime?model=gpt-realtime", rule: policy.RuleConfig{If: `http.body.type == "x"`}, pass: true},
		"realtime, one begun before": {path: "/openai/v1/realtime?model=gpt-realtime-mini&call_id=rtc_1", rule: policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}},
		"realtime, another kind":     {path: "/openai/v1/realtime/translations?model=gpt-realtime-mini", rule: policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}},
		"a newer operation":          {path: "/openai/v1/live/sessions", rule: policy.RuleConfig{Models: []string{"gpt-5-mini"}}},
		"Gemini's Live API":          {path: "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", rule: policy.RuleConfig{Models: []string{"gemini-2.5-flash"}}},
		"Anthropic, nothing there":   {path: "/anthropic/v1/messages", rule: policy.RuleConfig{Models: []string{"claude-haiku-4-5"}}},
		"realtime, no model":         {path: "/openai/v1/realtime?intent=transcription", rule: policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}},
		"realtime, another model":    {path: "/openai/v1/realtime?model=gpt-realtime", rule: policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}},
		"realtime, the model":        {path: "/openai/v1/realtime?model=gpt-realtime-mini", rule: policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}, pass: true},
		"MCP, a tool":                {path: "/mcp/ws", rule: policy.RuleConfig{If: `mcp.tool == "delete"`}},
		"MCP, the method":            {path: "/mcp/ws", rule: policy.RuleConfig{If: `mcp.method == "tools/call"`}},
		"GraphQL, mutations":         {path: "/plain/graphql", rule: policy.RuleConfig{If: `http.graphql.exists(o, o.startsWith("mutation"))`}},
		"GraphQL by another name":    {path: "/plain/subscriptions", rule: policy.RuleConfig{If: `http.graphql.exists(o, o.startsWith("mutation"))`}},
		"a body":                     {path: "/plain/x", rule: policy.RuleConfig{If: `http.body != null && http.body.amount > 10.0`}},
		"reading only":               {path: "/plain/x", rule: policy.RuleConfig{Pack: "read-only-http"}},
		"that it is one":             {path: "/plain/x", rule: policy.RuleConfig{If: `http.headers["upgrade"] == "websocket"`}},
		"what has no part in it":     {path: "/plain/x", rule: policy.RuleConfig{If: `http.method == "POST"`}, pass: true},
		"where it is another's path": {path: "/plain/x", rule: policy.RuleConfig{If: `http.path == "/y" && http.body.amount > 10.0`}, pass: true},
	} {
		t.Run(name, func(t *testing.T) {
			reached := false
			s := echoServer(t, func(*http.Request) { reached = true })
			g := newGateway(t, s.URL, func(cfg *Config) {
				cfg.Targets = providerTargets(s.URL)
				kinds := map[string]policy.TargetKind{}
				for name, target := range cfg.Targets {
					kinds[name] = target.Kind()
				}
				rule := c.rule
				rule.Name, rule.Then, rule.Targets = "r", "deny", []string{targetOf(c.path)}
				rules, errs := policy.NewRules([]policy.RuleConfig{rule}, kinds)
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				cfg.Judge = rules
			})
			conn, res, err := g.dial(t, c.path, http.Header{"X-Sallyport-Token": {token}})
			if err == nil {
				conn.CloseNow()
			}
			if passed := err == nil; passed != c.pass || reached != c.pass {
				t.Errorf("passed %v, the upstream was reached %v, want %v: %v", passed, reached, c.pass, res)
			}
			if !c.pass && (res == nil || res.StatusCode != http.StatusForbidden) {
				t.Errorf("answered %v", res)
			}
		})
	}
}

func targetOf(path string) string {
	for i, c := range path[1:] {
		if c == '/' {
			return path[1 : i+1]
		}
	}
	return path[1:]
}
