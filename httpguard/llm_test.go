package httpguard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sallyport/policy"
)

// providerTargets is one target of each provider on one upstream.
func providerTargets(upstream string) map[string]Target {
	all := map[string]Target{"plain": {Upstream: upstream}}
	for _, p := range providers {
		all[p] = Target{Upstream: upstream, Provider: p, Credential: "env://KEY", Inject: "X-Key: {secret}"}
	}
	return all
}

// said writes a fact as a word, or why there is none.
func said[T any](f policy.Fact[T]) string {
	v, err := f.Get()
	if err != nil {
		return "!" + err.Error()
	}
	return fmt.Sprint(v)
}

func TestLLMFacts(t *testing.T) {
	chat := `{"model":"gpt-4o","messages":[{"role":"user","content":"hello world"}]`
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               string // operation, model, stream, input, max, usd, tools
	}{
		"chat":               {"POST", "/openai/v1/chat/completions", chat + `,"max_tokens":100}`, nil, "chat gpt-4o false 9 100 0.0010225 []"},
		"chat, choices":      {"POST", "/openai/v1/chat/completions", chat + `,"max_completion_tokens":100,"max_tokens":7,"n":3,"stream":true}`, nil, "chat gpt-4o true 9 300 0.0030225 []"},
		"chat, no limit":     {"POST", "/openai/v1/chat/completions", chat + `}`, nil, "chat gpt-4o false 9 16384 0.1638625 []"},
		"chat, other base":   {"POST", "/openai/api/v1/chat/completions/", chat + `,"max_tokens":1}`, nil, "chat gpt-4o false 9 1 3.25e-05 []"},
		"chat, unknown":      {"POST", "/openai/v1/chat/completions", `{"model":"llama-9","messages":[{"role":"user","content":"hello world"}],"max_tokens":5}`, nil, "chat llama-9 false 12 5 !the cost can't be told: the model is not in the table of prices []"},
		"chat, tools":        {"POST", "/openai/v1/chat/completions", `{"model":"m","messages":[],"max_tokens":5,"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}`, nil, "chat m false 33 5 !the cost can't be told: the model is not in the table of prices [f g]"},
		"chat, two models":   {"POST", "/openai/v1/chat/completions", `{"model":"gpt-4o","models":["gpt-4"],"messages":[]}`, nil, "chat !the body names several models false 3 16384 !the cost can't be told: the body names several models []"},
		"chat, no messages":  {"POST", "/openai/v1/chat/completions", `{"model":"gpt-4o"}`, nil, "chat !the body has no list of messages !the body has no list of messages !the body has no list of messages !the body has no list of messages !the cost can't be told: the body has no list of messages !the body has no list of messages"},
		"chat, bad limit":    {"POST", "/openai/v1/chat/completions", chat + `,"max_tokens":-5}`, nil, "chat !the body's max_tokens is not a count !the body's max_tokens is not a count !the body's max_tokens is not a count !the body's max_tokens is not a count !the cost can't be told: the body's max_tokens is not a count !the body's max_tokens is not a count"},
		"chat, look-alike":   {"POST", "/openai/v1/chat/completions", chat + `,"Model":"gpt-5-pro"}`, nil, "chat !the body has a member whose name differs from a known one in case alone"},
		"chat, Kelvin":       {"POST", "/openai/v1/chat/completions", chat + `,"max_to\u212aens":9}`, nil, "chat !the body has a member whose name differs"},
		"chat, no JSON":      {"POST", "/openai/v1/chat/completions", chat + `}`, []string{"Content-Type", "text/plain"}, "chat !the body is not the JSON object that the operation needs"},
		"chat, audio":        {"POST", "/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}],"max_tokens":1}`, nil, "chat gpt-4o false 128000 1 0.32001 []"},
		"chat, image":        {"POST", "/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:..."}}]}],"max_tokens":1}`, nil, "chat gpt-4o false 5007 1 0.0125275 []"},
		"chat, priority":     {"POST", "/openai/v1/chat/completions", chat + `,"max_tokens":100,"service_tier":"priority"}`, nil, "chat gpt-4o false 9 100 0.002045 []"},
		"completions":        {"POST", "/openai/v1/completions", `{"model":"gpt-3.5-turbo-instruct","prompt":["a b","c"],"max_tokens":10}`, nil, "completions gpt-3.5-turbo-instruct false 3 20 4.45e-05 []"},
		"responses":          {"POST", "/openai/v1/responses", `{"model":"gpt-5","input":"hello world","max_output_tokens":1000,"tools":[{"type":"web_search"}]}`, nil, "responses gpt-5 false 272000 1000 !the cost can't be told: a tool of the provider's own is paid by the use [web_search]"},
		"responses, calls":   {"POST", "/openai/v1/responses", `{"model":"gpt-5","input":"hello world","max_output_tokens":1000,"max_tool_calls":3,"tools":[{"type":"web_search"},{"type":"file_search"}]}`, nil, "responses gpt-5 false 272000 1000 0.3875 [web_search file_search]"},
		"responses, goes on": {"POST", "/openai/v1/responses", `{"model":"gpt-5","input":"x","previous_response_id":"r","max_output_tokens":1000}`, nil, "responses gpt-5 false 272000 1000 0.35 []"},
		"responses, read":    {"GET", "/openai/v1/responses/resp_1", "", nil, "responses  false 0 0 0 []"},
		"embeddings":         {"POST", "/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":["hello world","hello"]}`, nil, "embeddings text-embedding-3-small false 3 0 6e-08 []"},
		"embeddings, ids":    {"POST", "/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":[[1,2],[3]]}`, nil, "embeddings text-embedding-3-small false 3 0 6e-08 []"},
		"images":             {"POST", "/openai/v1/images/generations", `{"model":"dall-e-3","prompt":"a cat","n":2}`, nil, "images dall-e-3 false 2 0 0.24 []"},
		"speech":             {"POST", "/openai/v1/audio/speech", `{"model":"tts-1","input":"héllo"}`, nil, "audio tts-1 false 3 0 7.5e-05 []"},
		"transcription":      {"POST", "/openai/v1/audio/transcriptions", "x", []string{"Content-Type", "multipart/form-data; boundary=b"}, "audio !the body is not read for its model false 0 !neither"},
		"files":              {"POST", "/openai/v1/files", "x", []string{"Content-Type", "multipart/form-data; boundary=b"}, "files  false 0 0 0 []"},
		"batches":            {"POST", "/openai/v1/batches", `{"input_file_id":"f"}`, nil, "batches !the body is not read for its model false 0 !neither the request nor the prices say how much output there can be !the cost can't be told: the body is not read for its model []"},
		"models":             {"GET", "/openai/v1/models", "", nil, "models  false 0 0 0 []"},
		"realtime":           {"GET", "/openai/v1/realtime?model=gpt-realtime", "", nil, "realtime gpt-realtime false 0 !a session has any number of answers !the cost can't be told: this operation is priced by what comes of it []"},
		"unlisted":           {"POST", "/openai/v1/fine_tuning/jobs", `{"model":"gpt-4o"}`, nil, "!this operation of the provider is not one that is known !this operation of the provider is not one that is known"},
		"unlisted, read":     {"GET", "/openai/v1/fine_tuning/jobs", "", nil, "other  false 0 0 0 []"},
		"ollama":             {"POST", "/openai/api/chat", `{"model":"llama3","messages":[],"options":{"num_predict":9}}`, nil, "chat llama3 true 3 9 !"},
		"anthropic":          {"POST", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5-20250929","max_tokens":1000,"system":"be brief","messages":[{"role":"user","content":"hello world"}],"tools":[{"name":"f","input_schema":{}},{"type":"bash_20250124","name":"bash"}]}`, nil, "chat claude-sonnet-4-5-20250929 false 1302 1000 0.018906 [f bash_20250124 bash]"},
		"anthropic, search":  {"POST", "/anthropic/v1/messages", `{"model":"claude-haiku-4-5","max_tokens":100,"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2}]}`, nil, "chat claude-haiku-4-5 false 200000 100 0.2205 [web_search_20250305 web_search]"},
		"anthropic, cache":   {"POST", "/anthropic/v1/messages", `{"model":"claude-3-haiku-20240307","max_tokens":10,"messages":[{"role":"user","content":[{"type":"text","text":"hello world","cache_control":{"type":"ephemeral"}}]}]}`, nil, "chat claude-3-haiku-20240307 false 10 10 1.75e-05 []"},
		"anthropic, long":    {"POST", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"url"}}]}]}`, nil, "chat claude-sonnet-4-5 false 1000000 10 6.000225 []"},
		"anthropic, batch":   {"POST", "/anthropic/v1/messages/batches", `{"requests":[{"custom_id":"a","params":{"model":"a","max_tokens":1,"messages":[]}},{"custom_id":"b","params":{"model":"b","max_tokens":2,"messages":[]}}]}`, nil, "batches !the batch names several models false"},
		"anthropic, count":   {"POST", "/anthropic/v1/messages/count_tokens", `{"model":"claude-sonnet-4-5","messages":[]}`, nil, "count_tokens claude-sonnet-4-5 false 3 64000 0 []"},
		"azure":              {"POST", "/azure/openai/deployments/gpt-4o/chat/completions?api-version=1", `{"model":"ignored","messages":[],"max_tokens":100}`, nil, "chat gpt-4o false 3 100 0.0010075 []"},
		"azure, v1":          {"POST", "/azure/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[],"max_tokens":100}`, nil, "chat gpt-4o false 3 100 0.0010075 []"},
		"gemini":             {"POST", "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"hello world"}]}],"generationConfig":{"maxOutputTokens":1000},"tools":[{"functionDeclarations":[{"name":"f"}]}]}`, nil, "chat gemini-2.5-flash true 18 1000 0.0025054 [f]"},
		"gemini, search":     {"POST", "/gemini/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[],"tools":[{"google_search":{}},{"codeExecution":{}}],"generation_config":{"max_output_tokens":10}}`, nil, "chat gemini-2.5-flash false"},
		"gemini, embed":      {"POST", "/gemini/v1beta/models/gemini-embedding-001:embedContent", `{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"hello world"}]}}`, nil, "embeddings gemini-embedding-001 false 4 0 6e-07 []"},
		"gemini, other":      {"POST", "/gemini/v1beta/models/gemini-2.5-pro:generateContent", `{"model":"models/x","contents":[]}`, nil, "chat !the body names another model than the path"},
		"gemini, twice":      {"POST", "/gemini/v1beta/models/gemini-2.5-pro:generateContent", `{"contents":[],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}`, nil, "chat !the body has a member twice, in two spellings"},
		"gemini, file":       {"POST", "/gemini/v1beta/models/gemini-2.5-pro:generateContent", `{"contents":[{"parts":[{"fileData":{"fileUri":"x"}}]}],"generationConfig":{"maxOutputTokens":1}}`, nil, "chat gemini-2.5-pro false 1048576 1 2.621455 []"},
		"gemini, openai":     {"POST", "/gemini/v1beta/openai/chat/completions", `{"model":"gemini-2.5-flash","messages":[],"max_tokens":10}`, nil, "chat gemini-2.5-flash false 3 10 2.59e-05 []"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			got := "nothing was judged"
			g := newGateway(t, p.URL, func(cfg *Config) {
				cfg.Targets = providerTargets(p.URL)
				cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
					l := q.LLM
					got = strings.Join([]string{
						said(l.Operation), said(l.Model), said(l.Stream), said(l.InputTokens),
						said(l.MaxTokens), said(l.EstimatedUSD), said(l.Tools),
					}, " ")
					return allow(q)
				})
			})
			if res, body := g.do(t, c.method, c.path, c.body, c.headers...); res.StatusCode != http.StatusOK {
				t.Fatalf("status %d: %s", res.StatusCode, body)
			}
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// withRules lets real rules decide.
func withRules(t *testing.T, rules ...policy.RuleConfig) func(*Config) {
	return func(cfg *Config) {
		kinds := map[string]policy.TargetKind{}
		for name, target := range cfg.Targets {
			kinds[name] = target.Kind()
		}
		compiled, errs := policy.NewRules(rules, kinds)
		if errs != nil {
			t.Fatal(errs)
		}
		cfg.Judge = compiled
	}
}

// TestLLMFailsClosed lets nothing pass that a rule should have read and could not.
func TestLLMFailsClosed(t *testing.T) {
	dear := policy.RuleConfig{Name: "dear", Targets: []string{"openai"}, If: "llm.estimated_usd > 0.5", Then: "deny"}
	models := policy.RuleConfig{Name: "models", Targets: []string{"openai"}, Models: []string{"gpt-4o*"}}
	none := policy.RuleConfig{Name: "none", Targets: []string{"openai"}, If: `caller.subject == "x"`, Then: "deny"}
	good := `{"model":"gpt-4o-mini","messages":[],"max_tokens":10}`
	for name, c := range map[string]struct {
		rule    policy.RuleConfig
		path    string
		body    string
		headers []string
		unknown string // unknown_cost
		want    string // rule, or empty when it passes
	}{
		"cheap":              {rule: dear, body: good},
		"dear":               {rule: dear, body: `{"model":"gpt-5-pro","messages":[],"max_tokens":100000}`, want: "dear"},
		"unknown model":      {rule: dear, body: `{"model":"x","messages":[],"max_tokens":1}`, want: "dear"},
		"unknown, allow":     {rule: dear, body: `{"model":"x","messages":[],"max_tokens":1}`, unknown: "allow"},
		"unknown, deny":      {rule: none, body: `{"model":"x","messages":[],"max_tokens":1}`, unknown: "deny", want: ruleUnknownCost},
		"unknown, no rule":   {rule: none, body: `{"model":"x","messages":[],"max_tokens":1}`},
		"known, deny":        {rule: none, body: good, unknown: "deny"},
		"no JSON":            {rule: dear, body: good, headers: []string{"Content-Type", "text/plain"}, want: "dear"},
		"no JSON, no rule":   {rule: none, body: good, headers: []string{"Content-Type", "text/plain"}},
		"no type":            {rule: dear, body: good, headers: []string{"Content-Type", ""}, want: "dear"},
		"unlisted":           {rule: dear, path: "/openai/v1/threads/runs", body: good, want: "dear"},
		"model":              {rule: models, body: good},
		"other model":        {rule: models, body: `{"model":"gpt-4","messages":[]}`, want: "models"},
		"other case":         {rule: models, body: `{"model":"GPT-4o","messages":[]}`, want: "models"},
		"no model":           {rule: models, body: `{"messages":[]}`, want: "models"},
		"model twice":        {rule: models, body: `{"model":"gpt-4o","models":["gpt-4o","o1"],"messages":[]}`, want: "models"},
		"upper case path":    {rule: models, path: "/openai/V1/Chat/Completions", body: `{"model":"gpt-4","messages":[]}`, want: "models"},
		"batch":              {rule: models, path: "/openai/v1/batches", body: `{"input_file_id":"f"}`, want: "models"},
		"list of a model":    {rule: models, path: "/openai/v1/models", body: ""},
		"huge limit":         {rule: dear, body: `{"model":"gpt-5-pro","messages":[],"max_tokens":1000000000000,"n":1000000000000}`, want: "dear"},
		"limit as text":      {rule: dear, body: `{"model":"gpt-4o-mini","messages":[],"max_tokens":"10"}`, want: "dear"},
		"messages as object": {rule: dear, body: `{"model":"gpt-4o-mini","messages":{"0":{}},"max_tokens":1}`, want: "dear"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, ok)
			g := newGateway(t, p.URL, func(cfg *Config) {
				target := cfg.Targets["openai"]
				target.UnknownCost = c.unknown
				cfg.Targets = map[string]Target{"openai": target}
				withRules(t, c.rule)(cfg)
			})
			path, method := c.path, "POST"
			if path == "" {
				path = "/openai/v1/chat/completions"
			}
			if c.body == "" {
				method = "GET"
			}
			res, body := g.do(t, method, path, c.body, c.headers...)
			status, received := http.StatusOK, 1
			if c.want != "" {
				status, received = http.StatusForbidden, 0
			}
			if res.StatusCode != status || len(p.requests()) != received || !strings.Contains(body, c.want) {
				t.Errorf("status %d, upstream received %d: %s", res.StatusCode, len(p.requests()), body)
			}
		})
	}
}
