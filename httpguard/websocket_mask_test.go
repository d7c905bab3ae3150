package httpguard

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"sallyport/mask"
)

// talker is an upstream that says its lines to whoever connects, then reads
// until the other side closes.
type talker struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	code websocket.StatusCode
	done chan struct{}
}

type line struct {
	kind websocket.MessageType
	text string
}

// newTalker closes after its lines when end is set, and breaks off when cut is.
func newTalker(t *testing.T, end, cut bool, lines ...line) *talker {
	t.Helper()
	s := &talker{done: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(s.done)
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for _, l := range lines {
			if c.Write(r.Context(), l.kind, []byte(l.text)) != nil {
				return
			}
		}
		switch {
		case cut:
			return
		case end:
			_ = c.Close(4000, "call ann@example.com")
			return
		}
		for {
			_, text, err := c.Read(r.Context())
			s.mu.Lock()
			if err != nil {
				s.code = websocket.CloseStatus(err)
				s.mu.Unlock()
				return
			}
			s.got = append(s.got, string(text))
			s.mu.Unlock()
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func texts(list ...string) (all []line) {
	for _, s := range list {
		all = append(all, line{websocket.MessageText, s})
	}
	return all
}

func detecting(in string, unless ...string) func(*Config) {
	return func(cfg *Config) {
		cfg.Masks = []mask.Rule{{Targets: []string{"*"}, Fields: []string{"ssn"}, Detect: []string{"email"}, In: in, Unless: unless}}
	}
}

// heard reads what the caller gets until the connection ends.
func heard(t *testing.T, c *websocket.Conn) (all []string, end error) {
	t.Helper()
	c.SetReadLimit(-1)
	for {
		_, text, err := c.Read(t.Context())
		if err != nil {
			return all, err
		}
		all = append(all, string(text))
	}
}

// TestWebSocketMask reads deltas of the Realtime API as the texts they are.
func TestWebSocketMask(t *testing.T) {
	delta := func(family, place, text string) string {
		return fmt.Sprintf(`{"type":"%s.delta",%s,"delta":%q}`, family, place, text)
	}
	const one, two = `"response_id":"r1","item_id":"i1","output_index":0,"content_index":0`, `"item_id":"u1","content_index":0`
	s := newTalker(t, true, false, texts(
		delta("response.output_text", one, "Write to ann"),
		delta("conversation.item.input_audio_transcription", two, "I am bo"),
		delta("response.output_text", one, "@example.com no"),
		`{"type":"response.output_audio.delta",`+one+`,"delta":"YW5uQGV4YW1wbGUuY29t"}`,
		delta("response.output_text", one, "w or an"),
		`{"type":"response.done","response":{"id":"r1","output":[{"content":[{"text":"Write to ann@example.com now or an"}]}]}}`,
		delta("conversation.item.input_audio_transcription", two, "b@example.com"),
		`{"type":"conversation.item.added","item":{"content":[{"type":"input_audio","audio":"YW5uQGV4YW1wbGUuY29tYW5uQGV4YW1wbGUuY29t"}],"ssn":"123-45-6789"}}`,
	)...)
	g := newGateway(t, s.URL, detecting(""))
	c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	all, end := heard(t, c)
	var closed websocket.CloseError
	if !errors.As(end, &closed) || closed.Code != 4000 || closed.Reason != "call [redacted]" {
		t.Errorf("ended with %v", end)
	}
	got := strings.Join(all, "\n")
	for _, no := range []string{"ann@", "bob", "b@example", "123-45"} {
		if strings.Contains(got, no) {
			t.Errorf("%q came through:\n%s", no, got)
		}
	}
	for _, want := range []string{`"delta":"Write to "`, `"delta":"[redacted] "`, `"text":"Write to [redacted] now or an"`, `"delta":"I am "`, "YW5uQGV4YW1wbGUuY29t\"", `"ssn":"[redacted]"`, `"delta":"[redacted]"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	if o := g.ended(t); o.Masked < 4 || o.Error != "" {
		t.Errorf("outcome %+v", o)
	}
	for _, f := range g.frames() {
		if strings.Contains(f.Body, "ann@") || strings.Contains(f.Body, "b@ex") {
			t.Errorf("recorded %+v", f)
		}
	}
}

// TestWebSocketMaskRequests masks what the caller says, and leaves answers.
func TestWebSocketMaskRequests(t *testing.T) {
	s := newTalker(t, false, false, texts("no JSON: ann@example.com")...)
	g := newGateway(t, s.URL, detecting("request"))
	c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, text, err := c.Read(t.Context()); err != nil || string(text) != "no JSON: ann@example.com" {
		t.Errorf("%q %v", text, err)
	}
	for _, m := range []string{`{"a":"ann@example.com", "n":1.0}`, `{"type":"input_audio_buffer.append","audio":"YW5uQGV4YW1wbGUuY29tYW5uQGV4YW1wbGUuY29t"}`} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close(1000, "")
	<-s.done
	want := []string{`{"a":"[redacted]", "n":1.0}`, `{"type":"input_audio_buffer.append","audio":"YW5uQGV4YW1wbGUuY29tYW5uQGV4YW1wbGUuY29t"}`}
	if fmt.Sprint(s.got) != fmt.Sprint(want) {
		t.Errorf("the upstream received %q", s.got)
	}
}

// TestWebSocketMaskFails closes on what can't be read; nothing of it passes.
func TestWebSocketMaskFails(t *testing.T) {
	for name, l := range map[string]line{
		"bytes":     {websocket.MessageBinary, "\x00ann@example.com"},
		"text":      {websocket.MessageText, "ann@example.com"},
		"two":       {websocket.MessageText, `{"a":1}{"b":"ann@example.com"}`},
		"duplicate": {websocket.MessageText, `{"a":"x","a":"ann@example.com"}`},
		"invalid":   {websocket.MessageBinary, "\"ann@example.com\xff\""},
		"empty":     {websocket.MessageText, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTalker(t, false, false, l)
			g := newGateway(t, s.URL, detecting(""))
			c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			all, end := heard(t, c)
			<-s.done
			if len(all) > 0 || websocket.CloseStatus(end) != 1008 || s.code != 1008 {
				t.Errorf("got %q and %v, the upstream %v", all, end, s.code)
			}
			if o := g.ended(t); o.Error != "a mask could not read a message of the upstream" {
				t.Errorf("outcome %+v", o)
			}
			for _, f := range g.frames() {
				if strings.Contains(f.Body, "ann") {
					t.Errorf("recorded %+v", f)
				}
			}
		})
	}
}

// TestWebSocketMaskCut keeps what was held when the upstream breaks off.
func TestWebSocketMaskCut(t *testing.T) {
	s := newTalker(t, false, true, texts(`{"type":"response.text.delta","item_id":"i","delta":"so ann@exam"}`)...)
	g := newGateway(t, s.URL, detecting(""))
	c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	all, end := heard(t, c)
	if len(all) != 1 || !strings.HasSuffix(all[0], `"delta":"so "}`) || websocket.CloseStatus(end) != 1001 {
		t.Errorf("%q %v", all, end)
	}
}

// TestWebSocketPing answers pings in the place of the other side.
func TestWebSocketPing(t *testing.T) {
	s := newTalker(t, false, false)
	g := newGateway(t, s.URL, detecting("both"))
	c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	reading := c.CloseRead(t.Context())
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_ = c.Close(1000, "")
	<-reading.Done()
	<-s.done
}

// TestWebSocketSpared records nothing of what a mask holds for others.
func TestWebSocketSpared(t *testing.T) {
	s := newTalker(t, true, false, texts(`{"a":"ann@example.com"}`)...)
	g := newGateway(t, s.URL, detecting("", "subject:agent"))
	c, _, err := g.dial(t, "/plain/rt", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	all, _ := heard(t, c)
	if len(all) != 1 || all[0] != `{"a":"ann@example.com"}` {
		t.Errorf("got %q", all)
	}
	g.ended(t)
	for _, f := range g.frames() {
		if f.From == "upstream" && f.Body != sparedBody {
			t.Errorf("recorded %+v", f)
		}
	}
}

// TestRealtimeUsage adds up what each answer used, sound apart.
func TestRealtimeUsage(t *testing.T) {
	const done = `{"type":"response.done","response":{"id":"r","usage":{"total_tokens":300,"input_tokens":200,"output_tokens":100,
		"input_token_details":{"text_tokens":120,"audio_tokens":80,"cached_tokens":50,"cached_tokens_details":{"text_tokens":40,"audio_tokens":10}},
		"output_token_details":{"text_tokens":30,"audio_tokens":70}}}}`
	s := newTalker(t, true, false, texts(`{"type":"session.created"}`, done, done)...)
	g := newGateway(t, s.URL, nil)
	c, _, err := g.dial(t, "/openai/v1/realtime?model=gpt-realtime", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_, _ = heard(t, c)
	u := g.ended(t).Usage
	// Text 80*4 + 40*0.4 + 30*16, sound 70*32 + 10*0.4 + 70*64 dollars a million tokens, twice.
	if u == nil || u.InputTokens != 400 || u.OutputTokens != 200 || u.CachedTokens != 100 || u.USD != "0.01508" {
		t.Errorf("usage %+v", u)
	}
}
