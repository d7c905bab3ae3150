package httpguard

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
)

// listener is an upstream that keeps the messages it gets and answers each.
type listener struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

const listenerSays = `{"type":"heard"}`

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{graphQLProtocol}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			_, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			l.mu.Lock()
			l.got = append(l.got, string(text))
			l.mu.Unlock()
			if c.Write(r.Context(), websocket.MessageText, []byte(listenerSays)) != nil {
				return
			}
		}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}

// talks is a gateway with these rules for the targets of providers, and a
// WebSocket through it.
func (l *listener) talks(t *testing.T, path string, change func(*Config), rules ...policy.RuleConfig) (*gateway, *websocket.Conn) {
	t.Helper()
	g := newGateway(t, l.URL, func(cfg *Config) {
		withRules(t, rules...)(cfg)
		if change != nil {
			change(cfg)
		}
	})
	c, res, err := g.dial(t, path, http.Header{"X-Sallyport-Token": {token}})
	if err != nil {
		t.Fatal(err, res)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(-1)
	return g, c
}

// say sends a message and gives what comes back: the upstream's answer to it, or
// the gateway's.
func say(t *testing.T, c *websocket.Conn, kind websocket.MessageType, message string) string {
	t.Helper()
	if err := c.Write(t.Context(), kind, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, text, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	realtimePath  = "/openai/v1/realtime?model=gpt-realtime-mini"
	responsesPath = "/openai/v1/responses"
)

// TestTalk: each message is judged by what it says and what was said before. What
// is refused never reaches the upstream, and the WebSocket lives on.
func TestTalk(t *testing.T) {
	deny := func(condition string) policy.RuleConfig { return policy.RuleConfig{If: condition} }
	const (
		tool    = `"tools":[{"type":"function","name":"drop_all"}]`
		plain   = `{"type":"response.create","model":"gpt-5-mini","input":"hello","max_output_tokens":100}`
		update  = `{"type":"session.update","session":{"type":"realtime","instructions":"be kind"}}`
		item    = `{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}}`
		create  = `{"type":"response.create"}`
		append_ = `{"type":"input_audio_buffer.append","audio":"AAAA"}`
	)
	const passes, denied = true, false
	type said struct {
		text string
		pass bool
	}
	for name, c := range map[string]struct {
		path string
		rule policy.RuleConfig
		said []said
	}{
		"responses, models": {responsesPath, policy.RuleConfig{Models: []string{"gpt-5-mini"}}, []said{
			{plain, passes},
			{`{"type":"response.create","model":"gpt-5-pro","input":"hello"}`, denied},
			{`{"type":"response.create","input":"hello","previous_response_id":"resp_1"}`, denied},
			{`{"type":"response.create","model":"gpt-5-mini","response":{"model":"gpt-5-pro"}}`, denied},
			{`{"type":"response.create","model":"gpt-5-mini","Model":"gpt-5-pro"}`, denied},
			{`{"type":"response.create","Type":"response.other","model":"gpt-5-mini"}`, denied},
			{`{"type":"response.create","model":"gpt-5-pro","model":"gpt-5-mini"}`, denied},
			{`{"type":"response.create","model":"gpt-5-mini","models":["gpt-5-pro"]}`, denied},
			{`{"type":"response.inject","response_id":"resp_1","input":[]}`, denied},
			{`{"model":"gpt-5-mini","input":"hello"}`, denied},
			{`[` + plain + `]`, denied},
			{plain + plain, denied},
			{`hello`, denied},
			{plain, passes},
		}},
		"responses, tools": {responsesPath, deny(`"web_search" in llm.tools`), []said{
			{plain, passes},
			{`{"type":"response.create","model":"gpt-5-mini","tools":[{"type":"web_search"}]}`, denied},
			{`{"type":"response.create","model":"gpt-5-mini","tools":[{"type":"function","name":"f"}]}`, passes},
			{`{"type":"response.create","model":"gpt-5-mini","tools":{"type":"web_search"}}`, denied},
		}},
		"responses, cost": {responsesPath, deny(`llm.estimated_usd > 0.001`), []said{
			{plain, passes},
			{`{"type":"response.create","model":"gpt-5-mini","input":"hello"}`, denied}, // as much as the model gives
			{`{"type":"response.create","model":"gpt-5-mini","input":"` + strings.Repeat("many words ", 3000) + `","max_output_tokens":100}`, denied},
			{`{"type":"response.create","model":"nobody","input":"hello","max_output_tokens":1}`, denied},
		}},
		"responses, tokens": {responsesPath, deny(`llm.input_tokens > 50 || llm.max_tokens > 1000`), []said{
			{plain, passes},
			{`{"type":"response.create","model":"gpt-5-mini","input":"` + strings.Repeat("word ", 100) + `","max_output_tokens":10}`, denied},
			{`{"type":"response.create","model":"gpt-5-mini","input":"hi","max_output_tokens":1001}`, denied},
		}},
		"responses, the body": {responsesPath, deny(`http.body.type != "response.create" || http.body.store == true`), []said{
			{`{"type":"response.create","model":"m","store":false}`, passes},
			{`{"type":"response.create","model":"m","store":true}`, denied},
			{`{"type":"response.create","model":"m"}`, denied}, // as of a request: what is not there can't be compared
			{`{"type":"other"}`, denied},
			{`{}`, denied},
		}},
		"realtime, models": {realtimePath, policy.RuleConfig{Models: []string{"gpt-realtime-mini"}}, []said{
			{update, passes},
			{item, passes},
			{create, passes},
			{append_, passes},
			{`{"type":"session.update","session":{"model":"gpt-realtime"}}`, denied},
			{`{"type":"session.update","session":{"model":"gpt-realtime-mini"}}`, passes},
			{`{"type":"response.create","response":{"model":"gpt-realtime"}}`, denied},
			{`{"type":"response.create","response":{"Model":"gpt-realtime"}}`, denied},
			{`{"type":"response.create","model":"gpt-realtime"}`, denied},
			{`{"type":"response.create","response":"gpt-realtime"}`, denied},
			{`{"type":"session.update","session":{"prompt":{"id":"pmpt_1"}}}`, denied},
			{`{"type":"transcription_session.update","session":{}}`, denied},
			{`{"type":"response.cancel"}`, passes},
			{create, passes},
		}},
		"realtime, tools of the session": {realtimePath, deny(`"drop_all" in llm.tools`), []said{
			{update, passes},
			{`{"type":"session.update","session":{` + tool + `}}`, denied},
			{create, passes}, // what was refused counts for nothing
			{`{"type":"response.create","response":{` + tool + `}}`, denied},
			{`{"type":"session.update","session":{"tools":"drop_all"}}`, denied},
			{`{"type":"session.update","Session":{` + tool + `}}`, denied},
			{create, passes},
		}},
		"realtime, what the session has counts for its answers": {realtimePath, deny(`"drop_all" in llm.tools && http.body.type == "response.create"`), []said{
			{create, passes},
			{`{"type":"session.update","session":{` + tool + `}}`, passes},
			{create, denied},
			{`{"type":"session.update","session":{"tools":[],"broken":{}}}`, passes}, // which the upstream may refuse
			{create, denied},
			{`{"type":"response.create","response":{"tools":[]}}`, passes},
		}},
		"realtime, what can't be read may have set the session": {realtimePath, deny(`size(llm.tools) > 0 && http.body.type == "response.create"`), []said{
			{create, passes},
			{`{"type":"session.restore","session":{}}`, passes}, // the rule is not about it
			{create, denied},
		}},
		"realtime, cost": {realtimePath, deny(`llm.estimated_usd > 0.35`), []said{
			{update, passes},
			{item, passes},
			{create, denied}, // 32,000 tokens of sound and 4,096 more
			{append_, denied},
			{`{"type":"response.create","response":{"max_output_tokens":100}}`, passes},
			{`{"type":"response.create","response":{"max_output_tokens":"inf"}}`, denied},
			{`{"type":"response.create","response":{"max_output_tokens":100,"max_response_output_tokens":"inf"}}`, denied},
			{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":5000}}}}}`, denied},
			{`{"type":"session.update","session":{"turn_detection":null}}`, passes},
		}},
		"realtime, another model writes it down": {realtimePath, deny(`llm.estimated_usd > 100.0`), []said{
			{append_, passes},
			{`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"gpt-4o-transcribe"}}}}}`, passes},
			{create, passes},
			{append_, denied},
		}},
		"realtime, more models than are told apart": {realtimePath, deny(`llm.model == "m9" && http.body.type == "response.create"`), func() (all []said) {
			for i := range 10 {
				all = append(all, said{fmt.Sprintf(`{"type":"session.update","session":{"model":"m%d"}}`, i), passes})
			}
			return append(all, said{create, denied})
		}()},
		"realtime, flags alone": {realtimePath, policy.RuleConfig{Then: "flag", If: `"drop_all" in llm.tools`}, []said{
			{`{"type":"session.update","session":{` + tool + `}}`, passes},
		}},
		"realtime, none of it is concerned": {realtimePath, deny(`http.method == "POST"`), []said{
			{`hello`, passes}, {create, passes}, {`{"type":"new"}`, passes},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			rule := c.rule
			rule.Name, rule.Targets = "house-rule", []string{"openai"}
			if rule.Then == "" {
				rule.Then = "deny"
			}
			g, conn := l.talks(t, c.path, nil, rule)
			var want []string
			for i, s := range c.said {
				answer := say(t, conn, websocket.MessageText, s.text)
				if s.pass {
					want = append(want, s.text)
				}
				if passed := answer == listenerSays; passed != s.pass {
					t.Errorf("%d: %.120s\nanswered %s", i, s.text, answer)
				}
				if !s.pass && !strings.Contains(answer, `refused by rule \"house-rule\"`) {
					t.Errorf("%d: answered %s", i, answer)
				}
			}
			if got := l.heard(); !slices.Equal(got, want) {
				t.Errorf("the upstream received %q\nwant %q", got, want)
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			if o := g.ended(t); o.Error != "" {
				t.Errorf("outcome %+v", o)
			}
			frames := slices.DeleteFunc(g.frames(), func(f recorder.Frame) bool { return f.From != "caller" || f.Type != "text" })
			if len(frames) != len(c.said) {
				t.Fatalf("%d messages are recorded, %d were sent", len(frames), len(c.said))
			}
			for i, f := range frames {
				if (f.Action == "allow") != c.said[i].pass || f.Body != c.said[i].text || !c.said[i].pass && f.Rule != "house-rule" {
					t.Errorf("%d: recorded %+v", i, f)
				}
				if rule.Then == "flag" && !slices.Equal(f.Flags, []string{"house-rule"}) {
					t.Errorf("%d: flags %v", i, f.Flags)
				}
			}
		})
	}
}

// TestTalkRefusal: a refusal is an error event as the API's own, with the rule,
// the way out, and the id of what is refused.
func TestTalkRefusal(t *testing.T) {
	rule := policy.RuleConfig{Name: "small", Targets: []string{"openai"}, Then: "deny", Models: []string{"gpt-5-mini", "gpt-realtime-mini"}, Message: "the small ones will do"}
	var event struct {
		Type     string
		ID       string `json:"event_id"`
		Status   int
		Code     string
		Message  string
		Param    *string
		Sequence *int `json:"sequence_number"`
		Error    struct {
			Type, Code, Message string
			Refused             *string `json:"event_id"`
		}
	}
	for name, c := range map[string]struct{ path, message, refused string }{
		"realtime":          {realtimePath, `{"type":"response.create","event_id":"event_7","response":{"model":"gpt-realtime"}}`, "event_7"},
		"realtime, no id":   {realtimePath, `{"type":"response.create","response":{"model":"gpt-realtime"}}`, ""},
		"responses":         {responsesPath, `{"type":"response.create","event_id":"a\u0022b","model":"gpt-5"}`, `a"b`},
		"responses, a list": {responsesPath, `[]`, ""},
		"a long id":         {responsesPath, `{"type":"response.create","event_id":"` + strings.Repeat("x", 600) + `","model":"gpt-5"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			g, conn := l.talks(t, c.path, nil, rule)
			answer := say(t, conn, websocket.MessageText, c.message)
			if err := json.Unmarshal([]byte(answer), &event); err != nil {
				t.Fatal(err, answer)
			}
			e := event.Error
			refused := ""
			if e.Refused != nil {
				refused = *e.Refused
			}
			if event.Type != "error" || !strings.HasSuffix(event.ID, ".1.1") || e.Type != "invalid_request_error" || e.Code != "small" || refused != c.refused {
				t.Errorf("answered %s", answer)
			}
			for _, want := range []string{`refused by rule "small": the small ones will do`, "models this rule lets through: gpt-5-mini, gpt-realtime-mini"} {
				if !strings.Contains(e.Message, want) && name != "responses, a list" {
					t.Errorf("%q is missing in %s", want, e.Message)
				}
			}
			if strings.HasPrefix(c.path, responsesPath) && (event.Status != 403 || event.Code != "small" || event.Message != e.Message || event.Sequence == nil) {
				t.Errorf("answered %s", answer)
			}
			if len(l.heard()) > 0 {
				t.Errorf("the upstream received %q", l.heard())
			}
			if text := g.log.text(); !strings.Contains(text, `"rule":"small"`) || strings.Contains(text, "gpt-realtime\"") {
				t.Errorf("logged %s", text)
			}
		})
	}
}

// TestTalkBytes: binary messages and those that are too long are unknown to rules,
// and those in fragments are judged whole.
func TestTalkBytes(t *testing.T) {
	l := newListener(t)
	_, conn := l.talks(t, responsesPath, nil, policy.RuleConfig{Name: "small", Targets: []string{"openai"}, Then: "deny", Models: []string{"gpt-5-mini"}})
	const good = `{"type":"response.create","model":"gpt-5-mini"}`
	if answer := say(t, conn, websocket.MessageBinary, good); !strings.Contains(answer, "the message is binary") {
		t.Errorf("binary: %s", answer)
	}
	long := `{"type":"response.create","model":"gpt-5-mini","input":"` + strings.Repeat("x", maxRequest) + `"}`
	if answer := say(t, conn, websocket.MessageText, long); !strings.Contains(answer, fmt.Sprintf("more than %d bytes", maxRequest)) {
		t.Errorf("long: %s", answer)
	}
	for model, passes := range map[string]bool{"gpt-5-mini": true, "gpt-5-pro": false} {
		w, err := conn.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{`{"type":"respon`, `se.create","mod`, `el":"` + model + `"}`} {
			if _, err := w.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, text, err := conn.Read(t.Context()); err != nil || (string(text) == listenerSays) != passes {
			t.Errorf("%s in fragments: %s %v", model, text, err)
		}
	}
	if got := l.heard(); !slices.Equal(got, []string{good}) {
		t.Errorf("the upstream received %q", got)
	}
}

// TestTalkUnknownCost: `unknown_cost = "deny"` is about each message.
func TestTalkUnknownCost(t *testing.T) {
	l := newListener(t)
	_, conn := l.talks(t, responsesPath, func(cfg *Config) {
		target := cfg.Targets["openai"]
		target.UnknownCost = costDeny
		cfg.Targets["openai"] = target
	})
	for message, passes := range map[string]bool{
		`{"type":"response.create","model":"gpt-5-mini","input":"hi"}`:                                       true,
		`{"type":"response.create","model":"nobody","input":"hi"}`:                                           false,
		`{"type":"response.create","model":"gpt-5-mini","tools":[{"type":"web_search"}]}`:                    false,
		`{"type":"response.create","model":"gpt-5-mini","tools":[{"type":"web_search"}],"max_tool_calls":1}`: true,
		`{"type":"response.steer"}`: false,
	} {
		answer := say(t, conn, websocket.MessageText, message)
		if (answer == listenerSays) != passes || !passes && !strings.Contains(answer, ruleUnknownCost) {
			t.Errorf("%s: %s", message, answer)
		}
	}
}

// TestTalkMasked: a message is judged as it came, and recorded and sent masked,
// whether it is refused or not.
func TestTalkMasked(t *testing.T) {
	const message = `{"type":"response.create","model":"%s","input":"write to ann@example.com"}`
	for name, c := range map[string]struct {
		unless []string
		body   string
	}{
		"masked": {nil, "write to [redacted]"},
		"spared": {[]string{"subject:agent"}, sparedBody},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			masked := func(cfg *Config) {
				cfg.Masks = []mask.Rule{{Targets: []string{"*"}, Detect: []string{"email"}, In: "request", Unless: c.unless}}
			}
			g, conn := l.talks(t, responsesPath, masked, policy.RuleConfig{
				Name: "ann", Targets: []string{"openai"}, Then: "deny", If: `http.body.model == "a" && http.body.input.endsWith("example.com")`,
			})
			if answer := say(t, conn, websocket.MessageText, fmt.Sprintf(message, "a")); !strings.Contains(answer, "ann") || strings.Contains(answer, "@") {
				t.Errorf("answered %s", answer)
			}
			if answer := say(t, conn, websocket.MessageText, fmt.Sprintf(message, "b")); answer != listenerSays {
				t.Errorf("answered %s", answer)
			}
			if got := l.heard(); len(got) != 1 || c.unless == nil && strings.Contains(got[0], "@") {
				t.Errorf("the upstream received %q", got)
			}
			for _, f := range g.frames() {
				if f.From == "caller" && (!strings.Contains(f.Body, c.body) || strings.Contains(f.Body, "@")) {
					t.Errorf("recorded %+v", f)
				}
			}
		})
	}
}

// TestTalkUnrecorded: a refusal that can't be recorded ends the WebSocket, as a
// message does.
func TestTalkUnrecorded(t *testing.T) {
	l := newListener(t)
	g, conn := l.talks(t, responsesPath, nil, policy.RuleConfig{Name: "small", Targets: []string{"openai"}, Then: "deny", Models: []string{"gpt-5-mini"}})
	g.journal.mu.Lock()
	g.journal.failOn = "frame"
	g.journal.mu.Unlock()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"gpt-5"}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 1011 {
		t.Errorf("%s %v", text, err)
	}
	if len(l.heard()) > 0 {
		t.Errorf("the upstream received %q", l.heard())
	}
}

// TestTalkBill: what the tools of a response cost is known by what it was offered,
// and added to what others on the WebSocket cost.
func TestTalkBill(t *testing.T) {
	const done = `{"type":"response.completed","response":{"model":"gpt-5","usage":{"input_tokens":200,"output_tokens":100},"output":[{"type":"web_search_call","action":{"type":"search"}},{"type":"code_interpreter_call","container_id":"c1"}]}}`
	for name, c := range map[string]struct{ message, usd string }{
		"offered":           {`{"type":"response.create","model":"gpt-5","tools":[{"type":"web_search"},{"type":"code_interpreter","container":{"type":"auto"}}]}`, "0.0525"},
		"of unknown price":  {`{"type":"response.create","model":"gpt-5","tools":[{"type":"web_search"},{"type":"image_generation"}]}`, ""},
		"a denied one":      {`{"type":"response.create","model":"gpt-5-pro","tools":[{"type":"web_search"}]}`, ""},
		"none of these was": {`{"type":"response.create","model":"gpt-5"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTalker(t, false, false, texts(done, done)...)
			g := newGateway(t, s.URL, withRules(t, policy.RuleConfig{Name: "r", Targets: []string{"openai"}, Then: "deny", Models: []string{"gpt-5"}}))
			conn, _, err := g.dial(t, responsesPath, http.Header{"X-Api-Key": {token}})
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(c.message)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, _, err := conn.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			if u := g.ended(t).Usage; u == nil || u.InputTokens != 400 || u.OutputTokens != 200 || u.USD != c.usd {
				t.Errorf("recorded %+v", u)
			}
		})
	}
}

// TestTalkNotOpened: what a rule would decide of messages, it has not decided of a
// request that the upstream answers without opening a WebSocket.
func TestTalkNotOpened(t *testing.T) {
	for status, want := range map[int]int{200: 502, 302: 502, 401: 401, 404: 404} {
		p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("all responses"))
		})
		g := newGateway(t, p.URL, withRules(t, policy.RuleConfig{Name: "r", Targets: []string{"openai"}, Then: "deny", If: `http.body.model == "dear"`}))
		_, res, err := g.dial(t, responsesPath, http.Header{"X-Api-Key": {token}})
		if err == nil || res.StatusCode != want {
			t.Fatalf("%d: %v %v", status, res, err)
		}
		if body, _ := io.ReadAll(res.Body); want == 502 && strings.Contains(string(body), "all responses") {
			t.Errorf("%d: %s", status, body)
		}
	}
}

// TestTalkPanics: a fault of the gateway's own ends this WebSocket and no other,
// and the message stays here.
func TestTalkPanics(t *testing.T) {
	l := newListener(t)
	g := newGateway(t, l.URL, func(cfg *Config) {
		cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
			if object(q.HTTP.Body) != nil {
				panic("a fault")
			}
			return policy.Verdict{Action: policy.Allow}
		})
	})
	conn, _, err := g.dial(t, responsesPath, http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"gpt-5"}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 1011 {
		t.Errorf("%s %v", text, err)
	}
	if o := g.ended(t); o.Error != "internal error" || len(l.heard()) > 0 {
		t.Errorf("outcome %+v, the upstream received %q", o, l.heard())
	}
}

// TestTalkModels: each answer on a WebSocket has the price of the model that gave it.
func TestTalkModels(t *testing.T) {
	done := func(model, tier string) string {
		return fmt.Sprintf(`{"type":"response.completed","response":{"model":%q,"service_tier":%q,"usage":{"input_tokens":1000,"output_tokens":1000}}}`, model, tier)
	}
	for name, c := range map[string]struct {
		lines      []string
		model, usd string
	}{
		"two models":       {[]string{done("gpt-5", "default"), done("gpt-5-nano", "default"), done("gpt-5", "default")}, "gpt-5, gpt-5-nano", "0.02295"},
		"one is not known": {[]string{done("gpt-5", "default"), done("nobody", "default")}, "gpt-5, nobody", ""},
		"a dear one":       {[]string{done("gpt-5", "priority"), done("gpt-5", "default")}, "gpt-5", "0.03375"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTalker(t, false, false, texts(c.lines...)...)
			g := newGateway(t, s.URL, nil)
			conn, _, err := g.dial(t, responsesPath, http.Header{"X-Api-Key": {token}})
			if err != nil {
				t.Fatal(err)
			}
			for range c.lines {
				if _, _, err := conn.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			if u := g.ended(t).Usage; u == nil || u.Model != c.model || u.OutputTokens != int64(1000*len(c.lines)) || u.USD != c.usd {
				t.Errorf("recorded %+v", u)
			}
		})
	}
}
