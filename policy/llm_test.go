package policy

import (
	"strings"
	"testing"
)

// providerTargets is one target of each kind.
var providerTargets = map[string]TargetKind{
	"db": PostgresTarget, "web": HTTPTarget, "model": LLMTarget, "tools": MCPTarget,
}

func aboutModel(l *LLM) Question {
	q := aboutHTTP(&HTTP{Method: "POST"})
	q.Target, q.LLM = "model", l
	return q
}

func aboutTool(m *MCP) Question {
	q := aboutHTTP(&HTTP{Method: "POST"})
	q.Target, q.MCP = "tools", m
	return q
}

func TestProviderFacts(t *testing.T) {
	chat := &LLM{
		Operation: Known("chat"), Model: Known("gpt-5"), Stream: Known(true), InputTokens: Known[int64](12),
		MaxTokens: Known[int64](100), EstimatedUSD: Known(0.5), Tools: Known([]string{"web_search"}),
	}
	blind := &LLM{Operation: Known("chat"), Model: UnknownFact[string]("the body is not JSON"), EstimatedUSD: UnknownFact[float64]("the model has no price")}
	call := &MCP{Method: Known("tools/call"), Tool: Known("delete"), Arguments: Known(map[string]any{"path": "/etc"})}
	ahead := aboutTool(&MCP{Method: Known("tools/call"), Tool: Known("delete"), Arguments: UnknownFact[map[string]any]("not yet")})
	ahead.Ahead = true
	later := &LLM{Operation: Known("realtime"), Model: UnknownFact[string]("not named"), Tools: LaterFact[[]string]("each message says it")}
	open := RuleConfig{Name: "open", Targets: []string{"*"}, If: `mcp.arguments.path == "/tmp"`, Then: "allow"}
	for name, c := range map[string]struct {
		q      Question
		rules  []RuleConfig
		action Action
		rule   string
		detail string
	}{
		"model":             {aboutModel(chat), []RuleConfig{deny("r", `llm.model == "gpt-5" && llm.stream && "web_search" in llm.tools`)}, Deny, "r", "condition"},
		"usd":               {aboutModel(chat), []RuleConfig{deny("r", "llm.estimated_usd > 0.50")}, Allow, "", ""},
		"usd, equal":        {aboutModel(chat), []RuleConfig{deny("r", "llm.estimated_usd >= 0.5 && llm.input_tokens + llm.max_tokens == 112")}, Deny, "r", ""},
		"unknown":           {aboutModel(blind), []RuleConfig{deny("r", `llm.model == "x"`)}, Deny, "r", "could not be evaluated: the body is not JSON;"},
		"unknown usd":       {aboutModel(blind), []RuleConfig{deny("r", `llm.estimated_usd > 1.0`)}, Deny, "r", "the model has no price"},
		"unknown, settled":  {aboutModel(blind), []RuleConfig{deny("r", `llm.operation != "chat" && llm.model == "x"`)}, Allow, "", ""},
		"unknown, not read": {aboutModel(blind), []RuleConfig{deny("r", `llm.operation == "files"`)}, Allow, "", ""},
		"no facts":          {aboutModel(nil), nil, Deny, "", "nothing is known"},
		"no message":        {aboutTool(nil), nil, Deny, "", "nothing is known"},
		"models":            {aboutModel(chat), []RuleConfig{{Name: "m", Targets: []string{"model"}, Models: []string{"gpt-4*", "gpt-5"}}}, Allow, "", ""},
		"other model":       {aboutModel(chat), []RuleConfig{{Name: "m", Targets: []string{"*"}, Models: []string{"gpt-5-*"}}}, Deny, "m", "a model that models does not name"},
		"models, if":        {aboutModel(chat), []RuleConfig{{Name: "m", Targets: []string{"*"}, Models: []string{"x"}, If: `caller.subject == "other"`, Then: "deny"}}, Allow, "", ""},
		"models, flag":      {aboutModel(chat), []RuleConfig{{Name: "m", Targets: []string{"*"}, Models: []string{"x"}, Then: "flag"}}, Allow, "", ""},
		"models, unknown":   {aboutModel(blind), []RuleConfig{{Name: "m", Targets: []string{"*"}, Models: []string{"*"}}}, Deny, "m", "the body is not JSON"},
		"models, none":      {aboutModel(&LLM{Operation: Known("files")}), []RuleConfig{{Name: "m", Targets: []string{"*"}, Models: []string{"x"}}}, Allow, "", ""},
		"pack":              {aboutHTTP(&HTTP{Method: "DELETE"}), []RuleConfig{{Name: "p", Targets: []string{"*"}, Pack: "read-only-http"}}, Allow, "", ""},
		"tool":              {aboutTool(call), []RuleConfig{deny("r", `mcp.method == "tools/call" && mcp.tool.startsWith("del") && mcp.arguments.path == "/etc"`)}, Deny, "r", ""},
		"absent llm":        {aboutTool(call), []RuleConfig{deny("r", `mcp.tool == "x" || llm.model == "y"`)}, Allow, "", ""},
		"ahead, keep":       {ahead, []RuleConfig{deny("r", `mcp.arguments.path == "/etc"`)}, Allow, "", ""},
		"ahead, closed":     {ahead, []RuleConfig{deny("r", `mcp.arguments.path == "/etc"`), deny("s", `mcp.tool == "delete"`)}, Deny, "s", ""},
		"later":             {aboutModel(later), []RuleConfig{deny("r", `"x" in llm.tools`)}, Allow, "", ""},
		"later, open":       {aboutModel(later), []RuleConfig{{Name: "o", Targets: []string{"*"}, If: `"x" in llm.tools`, Then: "allow"}, deny("r", `llm.operation == "realtime"`)}, Allow, "o", ""},
		"later, closed":     {aboutModel(later), []RuleConfig{deny("r", `"x" in llm.tools`), deny("s", `llm.operation == "realtime"`)}, Deny, "s", ""},
		"later, never":      {aboutModel(later), []RuleConfig{deny("r", `llm.model == "x"`)}, Deny, "r", "not named"},
		"ahead, maybe open": {ahead, []RuleConfig{open, deny("s", `mcp.tool == "delete"`)}, Allow, "open", ""},
	} {
		t.Run(name, func(t *testing.T) {
			kinds := map[string]TargetKind{"openai": HTTPTarget}
			for n, k := range providerTargets {
				kinds[n] = k
			}
			if name == "pack" {
				c.q.Target, c.action, c.rule = "web", Deny, "p"
			}
			rules, errs := NewRules(c.rules, kinds)
			if errs != nil {
				t.Fatal(errs)
			}
			got := rules.Judge(&c.q)
			if got.Action != c.action || got.Rule != c.rule || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestProviderRules(t *testing.T) {
	for name, c := range map[string]struct {
		rule RuleConfig
		want string // key: message, or empty
	}{
		"llm everywhere": {RuleConfig{Targets: []string{"*"}, If: "llm.stream", Then: "deny"}, ""},
		"llm, web":       {RuleConfig{Targets: []string{"web"}, If: "llm.stream", Then: "deny"}, `targets[0]: target "web" is HTTP, but the condition is about llm, which takes provider = "openai"`},
		"llm, tools":     {RuleConfig{Targets: []string{"model", "tools"}, If: "llm.stream", Then: "deny"}, `targets[1]: target "tools" is HTTP`},
		"mcp, model":     {RuleConfig{Targets: []string{"model"}, If: `mcp.tool == ""`, Then: "deny"}, `which takes provider = "mcp"`},
		"mcp, db":        {RuleConfig{Targets: []string{"db"}, If: `mcp.tool == ""`, Then: "deny"}, `target "db" is Postgres, but the condition is about mcp`},
		"both, web":      {RuleConfig{Targets: []string{"web"}, If: `http.method == "GET" && llm.stream`, Then: "deny"}, `is HTTP`},
		"both, model":    {RuleConfig{Targets: []string{"model"}, If: `http.method == "GET" && llm.stream`, Then: "deny"}, ``},
		"type":           {RuleConfig{Targets: []string{"model"}, If: `llm.estimated_usd == "1"`, Then: "deny"}, `if: found no matching overload`},
		"no fact":        {RuleConfig{Targets: []string{"model"}, If: `llm.usd > 1`, Then: "deny"}, `if: llm has no fact "usd"`},
		"models, web":    {RuleConfig{Targets: []string{"web"}, Models: []string{"a"}}, `targets[0]: target "web" is HTTP`},
		"models, empty":  {RuleConfig{Targets: []string{"model"}, Models: []string{}}, `models: models names none`},
		"models, space":  {RuleConfig{Targets: []string{"model"}, Models: []string{" a"}}, `models[0]: " a" names no model`},
		"pack and if":    {RuleConfig{Targets: []string{"web"}, Pack: "read-only-http", If: "true"}, `pack: pack and if are two`},
		"no pack":        {RuleConfig{Targets: []string{"web"}, Pack: "read-nothing"}, `pack: no pack "read-nothing"`},
		"pack, db":       {RuleConfig{Targets: []string{"db"}, Pack: "read-only-http"}, `target "db" is Postgres, but the condition is about http`},
	} {
		t.Run(name, func(t *testing.T) {
			c.rule.Name = "r"
			_, errs := NewRules([]RuleConfig{c.rule}, providerTargets)
			got := ""
			for _, err := range errs {
				got += err.Key + ": " + err.Error() + "\n"
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
