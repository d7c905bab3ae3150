package httpguard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"sallyport/policy"
	"sallyport/recorder"
)

// streaming answers chat completions in pieces, and says the usage only when
// asked for it, as OpenAI does.
func streaming(w http.ResponseWriter, body string) {
	var asked struct {
		Options struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	_ = json.Unmarshal([]byte(body), &asked)
	w.Header().Set("Content-Type", "text/event-stream")
	null := ""
	if asked.Options.Usage {
		null = `,"usage":null`
	}
	for _, word := range []string{"sally ", "port"} {
		_, _ = fmt.Fprintf(w, "data: {\"id\":\"c1\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]%s}\n\n", word, null)
		w.(http.Flusher).Flush()
	}
	if asked.Options.Usage {
		_, _ = io.WriteString(w, "data: {\"id\":\"c1\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":200,\"prompt_tokens_details\":{\"cached_tokens\":400}}}\n\n")
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// usageOf is the usage of the only outcome.
func (g *gateway) usageOf(t *testing.T) *recorder.Usage {
	t.Helper()
	o := g.journal.outcomes()
	if len(o) != 1 {
		t.Fatalf("%d outcomes", len(o))
	}
	return o[0].Usage
}

// TestStreamUsage asks for the usage in the caller's place, and keeps it from
// the caller.
func TestStreamUsage(t *testing.T) {
	for name, c := range map[string]struct {
		body, sent string // sent is what the upstream receives
		shown      bool   // the caller sees the usage
	}{
		"not asked":   {`{"model":"gpt-4o","stream":true,"messages":[]}`, `{"stream_options":{"include_usage":true},"model":"gpt-4o","stream":true,"messages":[]}`, false},
		"asked":       {`{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_usage":true}}`, "", true},
		"declined":    {`{"model":"gpt-4o","stream":true,"messages":[], "stream_options" : { "include_usage" : false } }`, `{"model":"gpt-4o","stream":true,"messages":[], "stream_options" : { "include_usage" : true } }`, false},
		"null":        {`{"model":"gpt-4o","stream":true,"messages":[],"stream_options":null}`, `{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_usage":true}}`, false},
		"empty":       {`{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{}}`, `{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_usage":true}}`, false},
		"other":       {`{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_obfuscation":false}}`, `{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_usage":true,"include_obfuscation":false}}`, false},
		"white space": {" {\n \"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9 1.0\"}],\"temperature\":1.50}", " {\"stream_options\":{\"include_usage\":true},\n \"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9 1.0\"}],\"temperature\":1.50}", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, nil)
			p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				p.mu.Lock()
				p.got, p.bodies = append(p.got, r), append(p.bodies, string(body))
				p.mu.Unlock()
				streaming(w, string(body))
			})
			g := newGateway(t, p.URL, nil)
			res, got := g.do(t, "POST", "/openai/v1/chat/completions", c.body)
			if c.sent == "" {
				c.sent = c.body
			}
			if res.StatusCode != 200 || p.bodies[0] != c.sent {
				t.Errorf("status %d, upstream received\n%s", res.StatusCode, p.bodies[0])
			}
			if strings.Contains(got, "prompt_tokens") != c.shown || strings.Count(got, "data: ") != map[bool]int{true: 4, false: 3}[c.shown] || !strings.HasSuffix(got, "data: [DONE]\n\n") {
				t.Errorf("the caller received\n%s", got)
			}
			want := recorder.Usage{Model: "gpt-4o", InputTokens: 1000, CachedTokens: 400, OutputTokens: 200, USD: "0.004"}
			if u := g.usageOf(t); u == nil || *u != want {
				t.Errorf("recorded %+v", u)
			}
			if e := g.journal.exchanges()[0]; e.Body != c.sent {
				t.Errorf("recorded %s", e.Body)
			}
		})
	}
}

// TestStreamUsageSDK is the same with OpenAI's own library, which fails on an
// event without a choice when its user did not ask for one.
func TestStreamUsageSDK(t *testing.T) {
	p := newPeer(t, nil)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		streaming(w, string(body))
	})
	g := newGateway(t, p.URL, nil)
	c := sdk(g)
	stream := c.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-4o", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")}})
	defer stream.Close()
	text := ""
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
	}
	if stream.Err() != nil || text != "sally port" {
		t.Errorf("%q, %v", text, stream.Err())
	}
}

// TestUsage reads what each provider says of its usage.
func TestUsage(t *testing.T) {
	claude := "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-sonnet-4-5-20250929\",\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":1000,\"cache_creation_input_tokens\":100,\"output_tokens\":1}}}\r\n\r\n" +
		"event: ping\r\ndata: {\"type\":\"ping\"}\r\n\r\n" +
		"event: message_delta\r\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":200}}\r\n\r\n"
	for name, c := range map[string]struct {
		path, body          string
		contentType, answer string
		status              int
		want                string // model input cached output usd estimated, or nothing
	}{
		"chat":              {"/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, "application/json", `{"model":"gpt-4o-2024-08-06","choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":9}"}}],"usage": {"prompt_tokens":1000,"completion_tokens":100}}`, 200, "gpt-4o 1000 0 100 0.0035 false"},
		"unpriced":          {"/openai/v1/chat/completions", `{"model":"llama","messages":[]}`, "application/json", `{"usage":{"prompt_tokens":1000,"completion_tokens":100}}`, 200, "llama 1000 0 100  false"},
		"alias":             {"/azure/openai/deployments/mine/chat/completions", `{"messages":[]}`, "application/json", `{"model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":1000,"completion_tokens":100}}`, 200, "mine 1000 0 100 0.0035 false"},
		"responses":         {"/openai/v1/responses", `{"model":"gpt-5","input":"x"}`, "application/json", `{"usage":{"input_tokens":1000,"input_tokens_details":{"cached_tokens":800},"output_tokens":100},"model":"gpt-5"}`, 200, "gpt-5 1000 800 100 0.00135 false"},
		"responses, stream": {"/openai/v1/responses", `{"model":"gpt-5","input":"x","stream":true}`, "text/event-stream", "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null}}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"model\":\"gpt-5\",\"usage\":{\"input_tokens\":1000,\"output_tokens\":100}}}\n\n", 200, "gpt-5 1000 0 100 0.00225 false"},
		"embeddings":        {"/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":"x"}`, "application/json", `{"data":[{"embedding":[0.1,2]}],"usage":{"prompt_tokens":1000,"total_tokens":1000}}`, 200, "text-embedding-3-small 1000 0 0 0.00002 false"},
		"whisper":           {"/openai/v1/audio/transcriptions", "", "application/json", `{"text":"x","model":"whisper-1","usage":{"type":"duration","seconds":59}}`, 200, "whisper-1 0 0 0 0.006 false"},
		"claude":            {"/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","messages":[],"max_tokens":1}`, "application/json", `{"model":"claude-sonnet-4-5-20250929","usage":{"input_tokens":10,"cache_read_input_tokens":1000,"cache_creation_input_tokens":100,"cache_creation":{"ephemeral_1h_input_tokens":100},"output_tokens":200}}`, 200, "claude-sonnet-4-5 1110 1000 200 0.00393 false"},
		"claude, stream":    {"/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","messages":[],"max_tokens":1,"stream":true}`, "text/event-stream; charset=utf-8", claude, 200, "claude-sonnet-4-5 1110 1000 200 0.003705 false"},
		"gemini":            {"/gemini/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[]}`, "application/json", `{"candidates":[],"modelVersion":"gemini-2.5-flash","usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":60,"thoughtsTokenCount":40}}`, 200, "gemini-2.5-flash 1000 0 100 0.00055 false"},
		"gemini, list":      {"/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent", `{"contents":[]}`, "application/json", "[{\"usageMetadata\":{\"promptTokenCount\":1000,\"candidatesTokenCount\":1}}\n,\r\n{\"usageMetadata\":{\"promptTokenCount\":1000,\"candidatesTokenCount\":100}}]", 200, "gemini-2.5-flash 1000 0 100 0.00055 false"},
		"ollama":            {"/openai/api/chat", `{"model":"llama3","messages":[]}`, "application/x-ndjson", "{\"message\":{}}\n{\"done\":true,\"prompt_eval_count\":26,\"eval_count\":298}\n", 200, "llama3 26 0 298  false"},
		"silent":            {"/openai/v1/chat/completions", `{"model":"gpt-4o","stream":true,"messages":[]}`, "text/event-stream", "data: {\"choices\":[{}]}\n\ndata: {\"choices\":[{}]}\n\ndata: [DONE]\n\n", 200, "gpt-4o 3 0 2 0.0000275 true"},
		"no answer":         {"/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, "text/plain", "sorry", 200, "gpt-4o 3 0 0 0.0000075 true"},
		"failed":            {"/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, "application/json", `{"error":{}}`, 500, ""},
		"free":              {"/openai/v1/files/x", "", "application/json", `{"usage":{"prompt_tokens":9}}`, 200, ""},
		"absurd":            {"/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, "application/json", `{"usage":{"prompt_tokens":-5,"completion_tokens":1e30}}`, 200, "gpt-4o 0 0 0 0 false"},
		"plain":             {"/plain/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, "application/json", `{"usage":{"prompt_tokens":9}}`, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(c.status)
				for i := range len(c.answer) { // the smallest pieces there can be
					_, _ = io.WriteString(w, c.answer[i:i+1])
					if i%7 == 0 {
						w.(http.Flusher).Flush()
					}
				}
			})
			registry := prometheus.NewRegistry()
			g := newGateway(t, p.URL, func(cfg *Config) { cfg.Targets, cfg.Registerer = providerTargets(p.URL), registry })
			_, got := g.do(t, "POST", c.path, c.body)
			if got != c.answer {
				t.Errorf("the caller received %q", got)
			}
			u, line := g.usageOf(t), ""
			if u != nil {
				line = fmt.Sprintf("%s %d %d %d %s %v", u.Model, u.InputTokens, u.CachedTokens, u.OutputTokens, u.USD, u.Estimated)
			}
			if line != c.want {
				t.Errorf("\n got %s\nwant %s", line, c.want)
			}
			if name == "claude" {
				want := "# HELP sallyport_llm_usd_total Cost of model calls in US dollars, of those whose price is known.\n# TYPE sallyport_llm_usd_total counter\nsallyport_llm_usd_total{model=\"claude-sonnet-4-5\",principal=\"agent\",target=\"anthropic\"} 0.00393\n"
				if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "sallyport_llm_usd_total"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestCancelledCall counts what was asked, though the caller left before the
// upstream said what it used.
func TestCancelledCall(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	g := newGateway(t, p.URL, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", g.URL+"/openai/v1/chat/completions", strings.NewReader(`{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello world"}]}`))
	req.Header.Set("X-Api-Key", token)
	req.Header.Set("Content-Type", "application/json")
	res, err := g.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(res.Body, make([]byte, 10))
	cancel()
	res.Body.Close()
	g.Server.Close()
	if err := g.guard.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if u := g.usageOf(t); u == nil || !u.Estimated || u.InputTokens != 9 || u.OutputTokens != 1 || u.USD != "0.0000325" {
		t.Errorf("recorded %+v", u)
	}
}

// TestEstimateRecorded records what was counted before the call.
func TestEstimateRecorded(t *testing.T) {
	p := newPeer(t, model)
	g := newGateway(t, p.URL, func(cfg *Config) {
		withRules(t, policy.RuleConfig{Name: "r", Targets: []string{"openai"}, If: "llm.estimated_usd > 100.0", Then: "deny"})(cfg)
	})
	for range 12 {
		g.do(t, "POST", "/openai/v1/chat/completions", `{"model":"gpt-4o","messages":[],"max_tokens":100}`)
	}
	all := g.journal.exchanges()
	first, last := all[0].Estimate, all[len(all)-1].Estimate
	if first == nil || first.InputTokens != 3 || first.MaxTokens != 100 || first.Worst != "0.0010075" || first.Expected != first.Worst {
		t.Errorf("first %+v", first)
	}
	if last == nil || last.Worst != "0.0010075" || last.Expected != "0.0000275" { // all had two tokens of output
		t.Errorf("last %+v", last)
	}
}

// TestPricesFile takes the operator's prices before the shipped ones.
func TestPricesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.json")
	if err := os.WriteFile(file, []byte(`{"mine": {"input_cost_per_token": 1, "output_cost_per_token": 2}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	target := Target{Upstream: "http://h", Provider: openAI, Prices: file}
	parsed, problems := target.parse("x")
	if problems != nil || parsed.prices.find(openAI, "mine") == nil {
		t.Errorf("%v", problems)
	}
	for name, c := range map[string]Target{
		"prices: no such file":          {Upstream: "http://h", Provider: openAI, Prices: file + "x"},
		"prices: want a JSON object":    {Upstream: "http://h", Provider: openAI, Prices: "meter_test.go"},
		"prices: only the exchanges":    {Upstream: "http://h", Prices: file},
		"unknown_cost: only":            {Upstream: "http://h", Provider: mcp, UnknownCost: "deny"},
		`unknown_cost: "no" is neither`: {Upstream: "http://h", Provider: openAI, UnknownCost: "no"},

		`unknown_cost: unknown_cost = "ask" is known, but not built yet`: {Upstream: "http://h", Provider: openAI, UnknownCost: "ask"},
	} {
		got := ""
		for _, p := range c.Problems() {
			got += p.Key + ": " + p.Message + "\n"
		}
		if !strings.HasPrefix(got, name) {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

// TestSeriesAreBounded puts what is too much together.
func TestSeriesAreBounded(t *testing.T) {
	s := newSpending()
	for i := range maxSeries + 100 {
		s.spend("t", "m", fmt.Sprint(i), usage{input: 1}, 1, true)
	}
	if n := testutil.CollectAndCount(s.usd); n != maxSeries+1 {
		t.Errorf("%d series", n)
	}
}
