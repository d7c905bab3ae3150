package httpguard

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestCutAnswer: who takes an answer and leaves before the provider says what it
// used has used it all the same.
func TestCutAnswer(t *testing.T) {
	const words = "every word of the answer is here by now, "
	anthropicStart := `event: message_start
data: {"type":"message_start","message":{"id":"m","role":"assistant","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":700,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

`
	delta := func(text string) string {
		return fmt.Sprintf("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", text)
	}
	const end = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":90}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	chunk := func(text string) string {
		return fmt.Sprintf("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
	}
	const anthropicAsk = `{"model":"claude-sonnet-4-5","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"hello"}]}`
	const openAIAsk = `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello world"}]}`
	for name, c := range map[string]struct {
		path, ask, answer string
		whole             bool // the stream comes to its end
		least, most       int64
		estimated         bool
	}{
		"cut, many deltas":         {"/anthropic/v1/messages", anthropicAsk, anthropicStart + strings.Repeat(delta("a "), 40), false, 40, 45, true},
		"cut, few and long deltas": {"/anthropic/v1/messages", anthropicAsk, anthropicStart + delta("a") + strings.Repeat(delta(strings.Repeat(words, 20)), 3), false, 500, 800, true},
		"whole":                    {"/anthropic/v1/messages", anthropicAsk, anthropicStart + strings.Repeat(delta(words), 9) + end, true, 90, 90, false},
		"OpenAI, long chunks":      {"/openai/v1/chat/completions", openAIAsk, chunk("a") + strings.Repeat(chunk(strings.Repeat(words, 20)), 3), false, 500, 800, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, c.answer)
				w.(http.Flusher).Flush()
				if !c.whole {
					<-r.Context().Done()
				}
			})
			g := newGateway(t, p.URL, func(cfg *Config) { cfg.Targets = providerTargets(p.URL) })
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "POST", g.URL+c.path, strings.NewReader(c.ask))
			req.Header.Set("X-Sallyport-Token", token)
			req.Header.Set("Content-Type", "application/json")
			res, err := g.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(res.Body, make([]byte, len(c.answer))); err != nil {
				t.Fatal(err)
			}
			if c.whole {
				_, _ = io.Copy(io.Discard, res.Body)
			}
			cancel()
			res.Body.Close()
			g.Server.Close()
			if err := g.guard.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			u := g.usageOf(t)
			if u == nil || u.OutputTokens < c.least || u.OutputTokens > c.most || u.Estimated != c.estimated || u.USD == "" {
				t.Errorf("recorded %+v, want %d to %d of output", u, c.least, c.most)
			}
		})
	}
}

// TestCutSocket: an answer on a WebSocket that never got to its end is paid too,
// and those before it as they say. What OpenAI's responses say there counts as
// well.
func TestCutSocket(t *testing.T) {
	const done = `{"type":"response.done","response":{"id":"r","usage":{"input_tokens":200,"output_tokens":100}}}`
	delta := func(text string) string {
		return fmt.Sprintf(`{"type":"response.output_text.delta","response_id":"r","delta":%q}`, text)
	}
	many := func(lines ...string) (all []line) {
		for range 30 {
			all = append(all, texts(lines...)...)
		}
		return all
	}
	for name, c := range map[string]struct {
		path          string
		lines         []line
		input, output int64
		estimated     bool
		known         bool
	}{
		"nothing but deltas":   {"/openai/v1/realtime?model=gpt-realtime", many(delta("a ")), 0, 30, true, false},
		"an answer, and a cut": {"/openai/v1/realtime?model=gpt-realtime", append(texts(delta("b "), done), many(delta("a "))...), 200, 130, true, false},
		"sound":                {"/openai/v1/realtime?model=gpt-realtime", texts(`{"type":"response.output_audio.delta","delta":"` + strings.Repeat("AAAA", 1600) + `"}`), 0, 3, true, false},
		"what the caller said": {"/openai/v1/realtime?model=gpt-realtime", append(texts(done), texts(`{"type":"conversation.item.added","item":{"content":[{"type":"input_text","text":"hello"}]}}`)...), 200, 100, false, true},
		"whole answers":        {"/openai/v1/realtime?model=gpt-realtime", append(many(delta("a ")), texts(done)...), 200, 100, false, true},
		"responses":            {"/openai/v1/responses", append(many(delta("a ")), texts(`{"type":"response.completed","response":{"id":"r","model":"gpt-4o","usage":{"input_tokens":200,"output_tokens":100}}}`)...), 200, 100, false, true},
		"responses, two":       {"/openai/v1/responses", texts(`{"type":"response.completed","response":{"model":"gpt-4o","usage":{"input_tokens":200,"output_tokens":100}}}`, `{"type":"response.incomplete","response":{"model":"gpt-4o","usage":{"input_tokens":20,"output_tokens":10}}}`), 220, 110, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTalker(t, false, false, c.lines...)
			g := newGateway(t, s.URL, nil)
			conn, _, err := g.dial(t, c.path, http.Header{"X-Api-Key": {token}})
			if err != nil {
				t.Fatal(err)
			}
			for range c.lines {
				if _, _, err := conn.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			u := g.ended(t).Usage
			if u == nil || u.InputTokens != c.input || u.OutputTokens != c.output || u.Estimated != c.estimated || (u.USD != "") != c.known {
				t.Errorf("recorded %+v", u)
			}
		})
	}
}
