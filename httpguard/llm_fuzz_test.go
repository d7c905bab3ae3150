package httpguard

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sallyport/policy"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// FuzzCall reads bodies of every provider: nothing panics, nothing is negative,
// and what has a problem has no price.
func FuzzCall(f *testing.F) {
	for _, body := range []string{
		`{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url"}]}],"max_tokens":1e3,"n":2}`,
		`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png"}}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}`,
		`{"requests":[{"params":{"model":"m","messages":[]}}]}`, `{"model":"m","input":[[1,2],"x",{}],"tools":[{"type":"web_search"}]}`,
		`[]`, `{"messages":3}`, `{"model":"gpt-4o","messages":[],"max_tokens":1099511627776,"n":1099511627776}`,
	} {
		f.Add(body)
	}
	paths := []string{
		"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/images/generations", "/v1/audio/speech",
		"/v1/messages", "/v1/messages/batches", "/v1/complete", "/v1beta/models/gemini-2.5-pro:generateContent", "/openai/deployments/gpt-4o/chat/completions", "/api/chat",
	}
	shipped, tools, err := readShipped(shippedPrices)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body, err := parseBody("application/json", []byte(text))
		if err != nil {
			return
		}
		for _, path := range paths {
			for _, provider := range []string{openAI, anthropic, azure, gemini} {
				x := &exchange{in: &http.Request{Method: "POST"}, body: []byte(text), target: &target{
					name: "t", provider: provider, kind: policy.LLMTarget, prices: &priceTable{shipped: shipped, tools: tools},
				}, server: &Server{ledger: &ledger{}}}
				c := x.readCall(&policy.HTTP{Path: path, Body: body})
				m := x.newMeter(c)
				l := c.facts(m)
				in, _ := l.InputTokens.Get()
				out, _ := l.MaxTokens.Get()
				usd, err := l.EstimatedUSD.Get()
				if in < 0 || out < 0 || usd < 0 || c.problem != "" && err == nil && c.deed != free {
					t.Errorf("%s %s: %d in, %d out, %v usd, %q", provider, path, in, out, usd, c.problem)
				}
			}
		}
	})
}

// FuzzLooking compares the members found in passing with those a parser finds.
func FuzzLooking(f *testing.F) {
	for _, s := range []string{
		`{"usage":{"prompt_tokens":5,"completion_tokens":7},"model":"m"}`, `[{"usage":{"prompt_tokens":5}},{"usage":{"prompt_tokens":6}}]`,
		`{"a":"\"usage\":{\"prompt_tokens\":9}","b":[{"usage":{"prompt_tokens":8}}],"usage" : {"prompt_tokens":1} }`, `{"usage":null}`, `[[{"usage":{"prompt_tokens":8}}]]`,
	} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, text string, piece int) {
		m := &meter{}
		l := &looking{meter: m}
		for rest := text; rest != ""; {
			n := min(max(1, piece), len(rest))
			l.feed([]byte(rest[:n]))
			rest = rest[n:]
		}
		if _, err := parseBody("application/json", []byte(text)); err != nil || strings.Contains(text, `\u`) {
			return // members twice, and escaped names
		}
		var want usage
		var list []json.RawMessage
		if json.Unmarshal([]byte(text), &list) != nil {
			list = []json.RawMessage{json.RawMessage(text)}
		}
		for _, e := range list {
			var object map[string]json.RawMessage
			if json.Unmarshal(e, &object) != nil {
				continue
			}
			kept := map[string]json.RawMessage{}
			for name, v := range object {
				if members[name] && len(v) < maxMember {
					kept[name] = v
				}
			}
			one, _ := json.Marshal(kept)
			want.take(parseReply(one))
		}
		if m.used.input != want.input || m.used.output != want.output || m.used.seen != want.seen {
			t.Errorf("%s: got %+v, want %+v", text, m.used, want)
		}
	})
}

// FuzzEvents hands on what it does not take out, however it comes.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{"data: a\n\ndata: b\r\n\r\n", "\r\r\n\n\r\n\r", ": c\n\ndata: x", "data: {\"choices\":[],\"usage\":{}}\n\n"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, text string, piece int) {
		var seen bytes.Buffer
		e := newEvents(io.NopCloser(&slowly{text, max(1, piece%100)}), func(event []byte) []byte {
			seen.Write(event)
			if bytes.Contains(event, []byte("drop")) {
				return nil
			}
			return event
		})
		got, err := io.ReadAll(e)
		if err != nil || seen.String() != text {
			t.Errorf("%q was seen as %q, %v", text, seen.String(), err)
		}
		if !strings.Contains(text, "drop") && string(got) != text || bytes.Contains(got, []byte("drop")) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// slowly reads a text in pieces.
type slowly struct {
	text  string
	piece int
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p, s.text[:min(s.piece, len(s.text))])
	s.text = s.text[n:]
	return n, nil
}

// FuzzAskUsage changes nothing but what it adds.
func FuzzAskUsage(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, `{"stream_options":{"include_usage":false}}`, `{"stream_options":null,"b":2}`, `{"stream_options":[]}`, `{"stream_options":{ }}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, err := parseBody("application/json", []byte(text))
		m, ok := before.(map[string]any)
		if err != nil || !ok {
			return
		}
		out, added := askUsage([]byte(text))
		if !added {
			if string(out) != text {
				t.Errorf("%s became %s", text, out)
			}
			return
		}
		after, err := parseBody("application/json", out)
		if err != nil {
			t.Fatalf("%s became %s: %v", text, out, err)
		}
		setUsage(m)
		want, _ := json.Marshal(m)
		if got, _ := json.Marshal(after); !bytes.Equal(got, want) {
			t.Errorf("%s became %s", text, out)
		}
	})
}

// FuzzKeepTools takes out the tools that are not wanted and nothing else.
func FuzzKeepTools(f *testing.F) {
	for _, s := range []string{`{"result":{"tools":[{"name":"bad"},{"name":"good"}]}}`, `[{"result":{"tools":[]}},{"result":3}]`, `{"result":{"tools":[{"name":"bad","name":"good"}],"x":[1.0]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := keepTools([]byte(text), func(name string) bool { return name != "bad" })
		if err != nil {
			return
		}
		if same, err := keepTools([]byte(text), func(string) bool { return true }); err != nil || string(same) != text {
			t.Errorf("%s became %s", text, same)
		}
		if _, err := keepTools(out, func(name string) bool {
			if name == "bad" {
				t.Errorf("%s became %s", text, out)
			}
			return true
		}); err != nil {
			t.Errorf("%s became %s: %v", text, out, err)
		}
	})
}

// FuzzGraphQL reads any document without a panic, and in bounded time.
func FuzzGraphQL(f *testing.F) {
	for _, s := range []string{`query Q($a: Int = 1) @d { a: b(c: "x") { d } ...F } fragment F on T { e }`, `{ a(b: """x\""" """) }`, `mutation{a}`, `{...on X{y}}`, `@@@(((`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, err := graphQLOperations(text)
		if err == nil && len(names) == 0 {
			t.Errorf("%q has no operation", text)
		}
	})
}
