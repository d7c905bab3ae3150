package httpguard

import (
	"io"
	"net/http"
	"testing"
)

// TestToolUse prices the uses of providers' own tools that an answer tells of.
func TestToolUse(t *testing.T) {
	const responses = `{"id":"r","model":"gpt-5","usage":{"input_tokens":1000,"output_tokens":100},"output":[
		{"type":"web_search_call","action":{"type":"search"}},{"type":"web_search_call","action":{"type":"open_page"}},{"type":"web_search_call","action":{"type":"search"}},
		{"type":"file_search_call"},{"type":"code_interpreter_call","container_id":"c1"},{"type":"code_interpreter_call","container_id":"c1"},{"type":"message","content":[]}]}`
	for name, c := range map[string]struct {
		path, body, answer, usd string // usd is "" where it is unknown
		stream                  bool
	}{
		"none": {
			path: "/openai/v1/responses", body: `{"model":"gpt-5","input":"x"}`,
			answer: `{"model":"gpt-5","usage":{"input_tokens":1000,"output_tokens":100},"output":[]}`, usd: "0.00225",
		},
		"responses": {
			path: "/openai/v1/responses", body: `{"model":"gpt-5","input":"x","tools":[{"type":"web_search"},{"type":"file_search","vector_store_ids":["v"]},{"type":"code_interpreter","container":{"type":"auto"}}]}`,
			answer: responses, usd: "0.05475", // 0.00225 + 2*0.01 + 0.0025 + 0.03
		},
		"responses, streamed": {
			path: "/openai/v1/responses", body: `{"model":"gpt-5","input":"x","stream":true,"tools":[{"type":"web_search_preview"},{"type":"file_search"},{"type":"code_interpreter"}]}`,
			answer: `{"type":"response.completed","response":` + responses + `}`, usd: "0.08475", stream: true,
		},
		"a picture": {
			path: "/openai/v1/responses", body: `{"model":"gpt-5","input":"x","tools":[{"type":"web_search"},{"type":"image_generation"}]}`,
			answer: responses,
		},
		"more memory": {
			path: "/openai/v1/responses", body: `{"model":"gpt-5","input":"x","tools":[{"type":"code_interpreter","container":{"type":"auto","memory_limit":"64g"}}]}`,
			answer: responses,
		},
		"chat": {
			path: "/openai/v1/chat/completions", body: `{"model":"gpt-4o-search-preview","messages":[],"web_search_options":{}}`,
			answer: `{"model":"gpt-4o-search-preview","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}`, usd: "0.0285",
		},
		"chat, spoken": {
			path: "/openai/v1/chat/completions", body: `{"model":"gpt-audio","messages":[]}`,
			answer: `{"model":"gpt-audio","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"audio_tokens":800},"completion_tokens_details":{"audio_tokens":90}}}`,
			usd:    "0.03196", // 200*2.5 + 800*32 + 10*10 + 90*64 millionths
		},
		"sound without a price": {
			path: "/openai/v1/chat/completions", body: `{"model":"gpt-4o","messages":[]}`,
			answer: `{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"audio_tokens":800}}}`,
		},
		"anthropic": {
			path: "/anthropic/v1/messages", body: `{"model":"claude-haiku-4-5","max_tokens":9,"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}`,
			answer: `{"type":"message","model":"claude-haiku-4-5","usage":{"input_tokens":1000,"output_tokens":100,"server_tool_use":{"web_search_requests":3}}}`, usd: "0.0315",
		},
		"gemini": {
			path: "/gemini/v1beta/models/gemini-2.5-flash:generateContent", body: `{"contents":[],"tools":[{"googleSearch":{}}]}`,
			answer: `{"candidates":[{"groundingMetadata":{"webSearchQueries":["a","b"]}}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100},"modelVersion":"gemini-2.5-flash"}`, usd: "0.07055",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.stream {
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(w, "data: "+oneLine(c.answer)+"\n\n")
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, c.answer)
			})
			g := newGateway(t, p.URL, func(cfg *Config) { cfg.Targets = providerTargets(p.URL) })
			if res, body := g.do(t, "POST", c.path, c.body); res.StatusCode != 200 {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if u := g.usageOf(t); u == nil || u.USD != c.usd || u.InputTokens != 1000 {
				t.Errorf("used %+v, want %s", u, c.usd)
			}
		})
	}
}

func oneLine(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '\n' && s[i] != '\t' {
			out = append(out, s[i])
		}
	}
	return string(out)
}
