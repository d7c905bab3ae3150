package httpguard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"sallyport/policy"
)

// model answers chat completions as OpenAI does, and only those with the key.
func model(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+key || r.URL.Path != "/v1/chat/completions" {
		http.Error(w, `{"error":{"message":"no"}}`, http.StatusUnauthorized)
		return
	}
	if r.Header.Get("X-Want") == "stream" {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, word := range []string{"sally ", "port"} {
			_, _ = fmt.Fprintf(w, `data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":%q}}]}`+"\n\n", word)
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"id":"c1","object":"chat.completion","model":"m","system_fingerprint":"fp-canary","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"sally port"}}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`)
}

func sdk(g *gateway) openai.Client {
	return openai.NewClient(option.WithBaseURL(g.URL+"/openai/v1"), option.WithAPIKey(token), option.WithHTTPClient(g.Client()))
}

func question(model string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")}}
}

func TestOpenAI(t *testing.T) {
	p := newPeer(t, model)
	g := newGateway(t, p.URL, masking("system_fingerprint"))
	c := sdk(g)
	got, err := c.Chat.Completions.New(t.Context(), question("m"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Choices[0].Message.Content != "sally port" || got.Usage.TotalTokens != 5 {
		t.Errorf("got %+v", got)
	}
	var masked struct {
		Fingerprint string `json:"system_fingerprint"`
	}
	if err := json.Unmarshal([]byte(got.RawJSON()), &masked); err != nil || masked.Fingerprint != "[redacted]" {
		t.Errorf("not masked: %s", got.RawJSON())
	}
	p.noToken(t, 1)
}

func TestOpenAIStream(t *testing.T) {
	p := newPeer(t, model)
	g := newGateway(t, p.URL, nil)
	c := sdk(g)
	stream := c.Chat.Completions.NewStreaming(t.Context(), question("m"), option.WithHeader("X-Want", "stream"))
	defer stream.Close()
	text := ""
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
	}
	if stream.Err() != nil || text != "sally port" {
		t.Errorf("%q, %v", text, stream.Err())
	}
	p.noToken(t, 1)
}

// TestOpenAIRefused counts what the client library makes of a refusal: one
// request, and an error it understands.
func TestOpenAIRefused(t *testing.T) {
	p := newPeer(t, model)
	asked := 0
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
			asked++
			body, _ := q.HTTP.Body.(map[string]any)
			if body["model"] == "dear" {
				return policy.Verdict{Rule: "dear-model", Message: "too dear"}
			}
			return allow(q)
		})
	})
	c := sdk(g)
	_, err := c.Chat.Completions.New(t.Context(), question("dear"))
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 403 || e.Code != "dear-model" || e.Type != "permission_error" || e.Message != `refused by rule "dear-model": too dear` {
		t.Errorf("error %v", err)
	}
	if asked != 1 || len(p.requests()) != 0 {
		t.Errorf("asked %d times, upstream received %d", asked, len(p.requests()))
	}
	if _, err := c.Chat.Completions.New(t.Context(), question("m")); err != nil {
		t.Error(err)
	}

	// A status that the library retries by itself is not retried either.
	asked = 0
	g.journal.mu.Lock()
	g.journal.failOn = "exchange"
	g.journal.mu.Unlock()
	if _, err := c.Chat.Completions.New(t.Context(), question("m")); !errors.As(err, &e) || e.StatusCode != 500 {
		t.Errorf("error %v", err)
	}
	if asked != 1 || len(p.requests()) != 1 {
		t.Errorf("asked %d times, upstream received %d", asked, len(p.requests()))
	}
}
