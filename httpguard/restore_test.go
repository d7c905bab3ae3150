package httpguard

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/secret"
)

// returning masks what requests have by tokens, and gives it back.
func returning(t *testing.T, in string) func(*Config) {
	t.Helper()
	k, err := mask.NewKey([]byte("a secret for tests, and only tests"))
	if err != nil {
		t.Fatal(err)
	}
	return finding(func(r *mask.Rule) {
		r.With, r.In, r.Restore = "token", in, true
		if in == "request" { // where members are protected by name answers can't be texts
			r.Fields = []string{"name"}
		}
		*r = r.WithKey(k)
	})
}

// repeater is an upstream that repeats what it was told, as the function makes it.
func repeater(t *testing.T, contentType string, answer func(told string) string, rnd *rand.Rand) *peer {
	t.Helper()
	var p *peer
	p = newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		body := p.bodies[len(p.bodies)-1]
		p.mu.Unlock()
		var told struct{ Text string }
		_ = json.Unmarshal([]byte(body), &told)
		dribble(contentType, answer(told.Text), rnd, 1+rnd.IntN(200))(w, r)
	})
	return p
}

// TestRestoredStreams: the upstream gets tokens, recordings have tokens, and the
// caller reads what it wrote, however the answer comes.
func TestRestoredStreams(t *testing.T) {
	const said = "Write to " + address + ", or " + address + "; pay with " + card + ". Bye, @all, 4111!"
	for name, k := range kinds {
		for _, in := range []string{"request", "both"} {
			t.Run(name+" "+in, func(t *testing.T) {
				for seed := range uint64(8) {
					rnd := rand.New(rand.NewPCG(seed, 8))
					p := repeater(t, k.contentType, func(told string) string { return k.body(pieces(rnd, told)) }, rnd)
					g := newGateway(t, p.URL, returning(t, in))
					ask, _ := json.Marshal(map[string]string{"text": said})
					res, got := g.do(t, "POST", k.path, string(ask))
					if text := k.text(t, got); res.StatusCode != 200 || text != said {
						t.Fatalf("seed %d: %d %q\n%s\nthe upstream got %s", seed, res.StatusCode, text, got, p.bodies)
					}
					o, e := g.journal.outcomes(), g.journal.exchanges()
					if len(o) != 1 || len(e) != 1 || o[0].Error != "" || o[0].Body == "" {
						t.Fatalf("seed %d: outcome %+v", seed, o)
					}
					for where, text := range map[string]string{"sent": p.bodies[0], "recorded": o[0].Body, "recorded of the request": e[0].Body, "logged": g.log.text()} {
						for _, value := range []string{"canary", "1111 11"} {
							if strings.Contains(text, value) {
								t.Errorf("seed %d: %q was %s: %s", seed, value, where, text)
							}
						}
					}
				}
			})
		}
	}
}

// TestRestoredJSON: whole answers, names and strings within strings, with a length
// that fits. What is not read passes as it is.
func TestRestoredJSON(t *testing.T) {
	var answer, contentType string
	var p *peer
	p = newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		var told struct{ Text, Name string }
		_ = json.Unmarshal([]byte(p.bodies[len(p.bodies)-1]), &told)
		quoted, _ := json.Marshal(told.Name)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Etag", `"1"`)
		_, _ = io.WriteString(w, strings.NewReplacer("ADDRESS", told.Text, "NAME", strings.Trim(string(quoted), `"`)).Replace(answer))
	})
	g := newGateway(t, p.URL, returning(t, "request"))
	for name, c := range map[string]struct{ contentType, answer, want string }{
		"json":      {"application/json", `{"a": "to ADDRESS","n":1.50}`, `{"a": "to ` + address + `","n":1.50}`},
		"arguments": {"application/json", `{"arguments":"{\"to\":\"ADDRESS\",\"cc\":[\"ADDRESS\"]}"}`, `{"arguments":"{\"to\":\"` + address + `\",\"cc\":[\"` + address + `\"]}"}`},
		"escapes":   {"application/json", `{"a":"NAME"}`, `{"a":"Anna \"Bee\" O\\Neil"}`},
		"no JSON":   {"application/json", `{"a":`, `{"a":`},
		"empty":     {"application/json", ``, ``},
		"text":      {"text/plain", `Dear ADDRESS`, `Dear ` + address},
	} {
		t.Run(name, func(t *testing.T) {
			answer, contentType = c.answer, c.contentType
			res, got := g.do(t, "POST", "/free/x", `{"text":"`+address+`","name":"Anna \"Bee\" O\\Neil"}`)
			if got != c.want || res.ContentLength >= 0 && res.ContentLength != int64(len(got)) {
				t.Errorf("%q of %d bytes, want %q", got, res.ContentLength, c.want)
			}
		})
	}
	t.Run("an image", func(t *testing.T) {
		answer, contentType = "GIF89a ADDRESS", "image/gif"
		res, got := g.do(t, "POST", "/free/x", `{"text":"`+address+`"}`)
		if strings.Contains(got, address) || !strings.HasPrefix(got, "GIF89a ") || res.Header.Get("Etag") == "" {
			t.Errorf("%q", got)
		}
	})
}

// TestRestoredForNobodyElse: another principal, another target and another address
// never see a value that this one's requests had.
func TestRestoredForNobodyElse(t *testing.T) {
	var p *peer
	first := ""
	p = newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if first == "" {
			first = p.bodies[0]
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, first)
	})
	g := newGateway(t, p.URL, func(cfg *Config) {
		returning(t, "request")(cfg)
		cfg.Targets["free2"] = Target{Upstream: p.URL}
		cfg.Identifier = identifierFunc(func(got secret.Text) (policy.Principal, error) {
			return policy.Principal{Subject: "agent", Issuer: "sallyport", Token: got.Reveal()[:5]}, nil
		})
	})
	told := `{"text":"` + address + `"}`
	if _, got := g.do(t, "POST", "/free/x", told); got != told {
		t.Fatalf("not restored: %s", got)
	}
	for name, ask := range map[string]func() string{
		"another token": func() string {
			_, got := g.do(t, "GET", "/free/x", "", "Authorization", "Bearer other-token")
			return got
		},
		"another target": func() string { _, got := g.do(t, "GET", "/free2/x", ""); return got },
	} {
		if got := ask(); strings.Contains(got, address) || got != first {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, got := g.do(t, "GET", "/free/x", ""); got != told {
		t.Errorf("the session itself: %s", got)
	}
}

// TestRestoredWebSocket: deltas of the Realtime API, with the values that were told
// on the same connection.
func TestRestoredWebSocket(t *testing.T) {
	const said = "Write to " + address + "!"
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"session.created"}`))
		_ = c.Write(r.Context(), websocket.MessageText, []byte("no JSON"))
		_, text, err := c.Read(r.Context())
		if err != nil {
			return
		}
		got = append(got, string(text))
		var told struct{ Text string }
		_ = json.Unmarshal(text, &told)
		for _, piece := range pieces(rand.New(rand.NewPCG(1, 2)), told.Text) {
			_ = c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, `{"type":"response.output_text.delta","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":%q}`, piece))
		}
		_ = c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, `{"type":"response.output_text.done","response_id":"r","item_id":"i","output_index":0,"content_index":0,"text":%q}`, told.Text))
		_ = c.Close(1000, "")
	}))
	defer s.Close()
	g := newGateway(t, s.URL, returning(t, "request"))
	c, _, err := g.dial(t, "/openai/v1/realtime?model=gpt-realtime", http.Header{"X-Api-Key": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	ask, _ := json.Marshal(map[string]string{"text": said})
	if err := c.Write(t.Context(), websocket.MessageText, ask); err != nil {
		t.Fatal(err)
	}
	all, _ := heard(t, c)
	text := joined(t, strings.Join(all, "\n"), "delta")
	if text != said || len(all) < 4 || all[1] != "no JSON" || !strings.Contains(all[len(all)-1], said) {
		t.Errorf("heard %q: %q", text, all)
	}
	g.ended(t)
	if len(got) != 1 || strings.Contains(got[0], "canary") {
		t.Errorf("the upstream got %q", got)
	}
	for _, f := range g.frames() {
		if strings.Contains(f.Body, "canary") {
			t.Errorf("recorded %+v", f)
		}
	}
}

// TestRestoredUnless: whom the mask spares sends its values as they are.
func TestRestoredUnless(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"a":"`+address+`"}`)
	})
	g := newGateway(t, p.URL, func(cfg *Config) {
		returning(t, "both")(cfg)
		cfg.Masks[0].Unless = []string{"subject:agent"}
	})
	if _, got := g.do(t, "POST", "/free/x", `{"text":"`+address+`"}`); !strings.Contains(got, address) || !strings.Contains(p.bodies[0], address) {
		t.Errorf("%s of %s", got, p.bodies)
	}
	if o := g.journal.outcomes(); len(o) != 1 || o[0].Body != sparedBody {
		t.Errorf("recorded %+v", o)
	}
}
