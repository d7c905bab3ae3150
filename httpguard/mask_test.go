package httpguard

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"sallyport/mask"
	"sallyport/policy"
	"sallyport/recorder"
)

const (
	address = "alice.canary@example.com"
	card    = "4111 1111 1111 1111"
)

func finding(change func(*mask.Rule)) func(*Config) {
	return func(cfg *Config) {
		r := mask.Rule{Targets: []string{"*"}, Detect: []string{"email", "payment-card"}}
		if change != nil {
			change(&r)
		}
		cfg.Masks = []mask.Rule{r}
		cfg.Targets["gemini"] = Target{Upstream: cfg.Targets["free"].Upstream, Provider: "gemini"}
		cfg.Targets["anthropic"] = Target{Upstream: cfg.Targets["free"].Upstream, Provider: "anthropic"}
	}
}

// dribble writes a body in random pieces.
func dribble(contentType, body string, rnd *rand.Rand, most int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for len(body) > 0 {
			n := min(len(body), 1+rnd.IntN(most))
			_, _ = io.WriteString(w, body[:n])
			w.(http.Flusher).Flush()
			body = body[n:]
		}
	}
}

// pieces cuts a text into random ones.
func pieces(rnd *rand.Rand, text string) []string {
	var out []string
	for len(text) > 0 {
		n := min(len(text), 1+rnd.IntN(6))
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

// kinds are ways to send a text in pieces, and to put it together again.
var kinds = map[string]struct {
	path, contentType string
	body              func(parts []string) string
	text              func(t *testing.T, body string) string
}{
	"openai": {
		path: "/openai/v1/chat/completions", contentType: "text/event-stream; charset=utf-8",
		body: func(parts []string) string {
			var b strings.Builder
			for _, p := range parts {
				fmt.Fprintf(&b, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", p)
			}
			return b.String() + "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
		},
		text: func(t *testing.T, body string) string {
			if !strings.HasSuffix(body, "data: [DONE]\n\n") {
				t.Errorf("no end: %s", body)
			}
			return joined(t, body, "choices", 0, "delta", "content")
		},
	},
	"anthropic": {
		path: "/anthropic/v1/messages", contentType: "text/event-stream",
		body: func(parts []string) string {
			b := strings.Builder{}
			b.WriteString("event: content_block_start\r\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\r\n\r\n")
			for _, p := range parts {
				fmt.Fprintf(&b, "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\r\n\r\n", p)
			}
			return b.String() + "event: content_block_stop\r\ndata: {\"type\":\"content_block_stop\",\"index\":0}\r\n\r\n"
		},
		text: func(t *testing.T, body string) string { return joined(t, body, "delta", "text") },
	},
	"gemini": {
		path: "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent", contentType: "application/json; charset=UTF-8",
		body: func(parts []string) string {
			var list []string
			for _, p := range parts {
				list = append(list, fmt.Sprintf(`{"candidates":[{"index":0,"content":{"parts":[{"text":%q}],"role":"model"}}]}`, p))
			}
			return "[" + strings.Join(list, "\n,\r\n") + "\n]\n"
		},
		text: func(t *testing.T, body string) string {
			var list []any
			if err := json.Unmarshal([]byte(body), &list); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			var out strings.Builder
			for _, e := range list {
				out.WriteString(at(e, "candidates", 0, "content", "parts", 0, "text"))
			}
			return out.String()
		},
	},
	"ollama": {
		path: "/plain/api/chat", contentType: "application/x-ndjson",
		body: func(parts []string) string {
			var b strings.Builder
			for _, p := range parts {
				fmt.Fprintf(&b, "{\"message\":{\"role\":\"assistant\",\"content\":%q},\"done\":false}\n", p)
			}
			return b.String() + "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n"
		},
		text: func(t *testing.T, body string) string { return joined(t, body, "message", "content") },
	},
	"text": {
		path: "/plain/log", contentType: "text/plain; charset=utf-8",
		body: func(parts []string) string { return strings.Join(parts, "") },
		text: func(_ *testing.T, body string) string { return body },
	},
}

// joined puts together what stands at a place in each line or event.
func joined(t *testing.T, body string, place ...any) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "data:"))
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		out.WriteString(at(v, place...))
	}
	return out.String()
}

// at is the string at a place, "" for none.
func at(v any, place ...any) string {
	for _, p := range place {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return ""
			}
			v = l[p]
		}
	}
	s, _ := v.(string)
	return s
}

// TestMaskedStreams has values cut anywhere, by events and by packets. What the
// client puts together is the mask of the whole, and so is what is recorded.
func TestMaskedStreams(t *testing.T) {
	const (
		said = "Write to " + address + ", or " + address + "; pay with " + card + ". Bye, @all, 4111!"
		want = "Write to [redacted], or [redacted]; pay with [redacted]. Bye, @all, 4111!"
	)
	turns := 20
	if testing.Short() {
		turns = 3
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(turns) {
				rnd := rand.New(rand.NewPCG(seed, 7))
				body := k.body(pieces(rnd, said))
				p := newPeer(t, dribble(k.contentType, body, rnd, 1+rnd.IntN(200)))
				g := newGateway(t, p.URL, finding(nil))
				res, got := g.do(t, "POST", k.path, `{}`)
				if text := k.text(t, got); res.StatusCode != 200 || text != want {
					t.Fatalf("seed %d: %d %q\n%s", seed, res.StatusCode, text, got)
				}
				o := g.journal.outcomes()
				if len(o) != 1 || o[0].Body != got || o[0].Masked != 3 || o[0].Error != "" || o[0].Bytes != int64(len(got)) {
					t.Errorf("seed %d: outcome %+v", seed, o)
				}
				for _, secret := range []string{"canary", "1111 11"} {
					if strings.Contains(got+g.log.text(), secret) {
						t.Errorf("seed %d: %q got out: %s", seed, secret, got)
					}
				}
			}
		})
	}
}

// TestMaskedStreamsCome has an upstream that waits for the client between events.
func TestMaskedStreamsCome(t *testing.T) {
	read := make(chan struct{})
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, "data: {\"a\":\"hello\"}\n\n")
			w.(http.Flusher).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	})
	g := newGateway(t, p.URL, finding(nil))
	req, _ := http.NewRequest("GET", g.URL+"/plain/x", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	event := make([]byte, len("data: {\"a\":\"hello\"}\n\n"))
	for range 3 {
		if _, err := io.ReadFull(res.Body, event); err != nil {
			t.Fatal(err)
		}
		read <- struct{}{}
	}
}

// TestUnreadableStreams end with an error, and show nothing that was not read.
func TestUnreadableStreams(t *testing.T) {
	const good = "data: {\"a\":\"one\"}\n\n"
	for name, c := range map[string]struct{ path, contentType, body, want, code string }{
		"no JSON":           {"/openai/x", "text/event-stream", good + "data: hello " + address + "\n\n", good, `"code":"masking_failed"`},
		"twice":             {"/plain/x", "text/event-stream", good + "data: {\"a\":1,\"a\":\"" + address + "\"}\n\n", good, `"rule":"masking_failed"`},
		"anthropic":         {"/anthropic/x", "text/event-stream", good + "data: {\n\n", good, `(masking_failed)`},
		"lines":             {"/plain/x", "application/x-ndjson", "{\"a\":1}\n{" + address + "\n", "{\"a\":1}\n", ""},
		"events as text":    {"/openai/x", "text/plain", "data: " + address + "\n\n", "", "withheld"},
		"text in UTF-16":    {"/plain/x", "text/plain", "a\x00l\x00i\x00c\x00e\x00canary", "", ""},
		"text in Latin 1":   {"/plain/x", "text/plain", "j\xfcrgen canary", "", ""},
		"text cut short":    {"/plain/x", "text/plain", "canary@\xc3", "", ""},
		"gemini, cut short": {"/gemini/v1beta/models/m:streamGenerateContent", "application/json", `[{"a":"` + address, "[", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.(http.Flusher).Flush()
				_, _ = io.WriteString(w, c.body)
			})
			g := newGateway(t, p.URL, finding(nil))
			res, got := g.do(t, "GET", c.path, "")
			if c.code == "withheld" {
				if res.StatusCode != 502 || strings.Contains(got, "canary") {
					t.Errorf("%d %s", res.StatusCode, got)
				}
				return
			}
			rest, ok := strings.CutPrefix(got, c.want)
			if !ok || !strings.HasSuffix(got, "<cut>") || strings.Contains(got+g.log.text(), "canary") {
				t.Errorf("%q", got)
			}
			if c.code == "" && rest != "<cut>" || c.code != "" && (!strings.HasPrefix(rest, "event: error\ndata: {") || !strings.Contains(rest, c.code)) {
				t.Errorf("%q", rest)
			}
			if o := g.journal.outcomes(); len(o) != 1 || o[0].Error != errMasking.Error() || strings.Contains(o[0].Body, "canary") {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestBrokenStream breaks off within a value: what was kept back stays.
func TestBrokenStream(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "call alice.canary")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	g := newGateway(t, p.URL, finding(nil))
	if _, got := g.do(t, "GET", "/plain/x", ""); got != "call <cut>" && got != "<cut>" {
		t.Errorf("%q", got)
	}
	if o := g.journal.outcomes(); len(o) != 1 || o[0].Error == "" || strings.Contains(o[0].Body, "canary") {
		t.Errorf("%+v", o)
	}
}

const parts = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nfrom " + address + "\r\n--b--\r\n"

// TestMaskedTypes is what is read whole, in either direction.
func TestMaskedTypes(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, want string }{
		"json":    {"application/json", `{ "a": 1.0, "b": "x ` + address + `" }`, `{ "a": 1.0, "b": "x [redacted]" }`},
		"lines":   {"application/x-ndjson", "{\"a\":\"" + address + "\"}\n{\"a\":1}\n", "{\"a\":\"[redacted]\"}\n{\"a\":1}\n"},
		"form":    {"application/x-www-form-urlencoded", "a=1&b=alice.canary%40example.com", "a=1&b=%5Bredacted%5D"},
		"parts":   {"multipart/form-data; boundary=b", parts, strings.Replace(parts, address, "[redacted]", 1)},
		"text":    {"text/csv", "name,mail\nAlice," + address + "\n", "name,mail\nAlice,[redacted]\n"},
		"empty":   {"", "", ""},
		"nothing": {"application/json", `{"a":"b"}`, `{"a":"b"}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				_, _ = io.WriteString(w, c.body)
			})
			judged := ""
			g := newGateway(t, p.URL, func(cfg *Config) {
				finding(func(r *mask.Rule) { r.In = "both" })(cfg)
				cfg.Judge = judgeFunc(func(q *policy.Question) policy.Verdict {
					judged = fmt.Sprint(q.HTTP.Body)
					return policy.Verdict{Action: policy.Allow}
				})
			})
			res, got := g.do(t, "POST", "/plain/x", c.body, "Content-Type", c.contentType, "Content-Digest", "sha-256=:x:")
			if res.StatusCode != 200 || got != c.want {
				t.Errorf("%d %q, want %q", res.StatusCode, got, c.want)
			}
			up := p.requests()[0]
			if p.bodies[0] != c.want || up.ContentLength != int64(len(c.want)) {
				t.Errorf("the upstream received %d bytes %q, want %q", up.ContentLength, p.bodies[0], c.want)
			}
			if changed := c.want != c.body; changed != (up.Header.Get("Content-Digest") == "") {
				t.Errorf("digest %q", up.Header.Get("Content-Digest"))
			}
			if e := g.journal.exchanges(); len(e) != 1 || e[0].Body != c.want {
				t.Errorf("recorded %+v", e)
			}
			if name == "json" && !strings.Contains(judged, address) {
				t.Errorf("judged %s", judged)
			}
		})
	}
}

// TestUnmaskableRequests are refused: nothing of them is forwarded or recorded.
func TestUnmaskableRequests(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		fields            []string
		status            int
	}{
		"no type":        {"", address, nil, 415},
		"binary":         {"application/octet-stream", address, nil, 415},
		"not UTF-8":      {"text/plain", address + "\xff", nil, 415},
		"charset":        {"text/plain; charset=utf-16", address, nil, 415},
		"parts":          {"multipart/form-data; boundary=c", parts, nil, 415},
		"mixed":          {"multipart/mixed; boundary=b", parts, nil, 415},
		"events":         {"text/event-stream", "data: " + address + "\n\n", nil, 415},
		"text by name":   {"text/plain", "ssn: " + address, []string{"ssn"}, 415},
		"no JSON":        {"application/json", "{" + address, nil, 400},
		"large":          {"application/octet-stream", strings.Repeat(address, maxRequest/len(address)+1), nil, 413},
		"denied, binary": {"application/octet-stream", address, nil, 403},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(http.ResponseWriter, *http.Request) {})
			g := newGateway(t, p.URL, func(cfg *Config) {
				finding(func(r *mask.Rule) { r.In, r.Fields = "request", c.fields })(cfg)
				if c.status == 403 {
					cfg.Judge = judgeFunc(func(*policy.Question) policy.Verdict { return policy.Verdict{Action: policy.Deny, Rule: "no"} })
				}
			})
			res, got := g.do(t, "POST", "/plain/x", c.body, "Content-Type", c.contentType)
			if res.StatusCode != c.status || strings.Contains(got+g.log.text(), "canary") {
				t.Errorf("%d %s", res.StatusCode, got)
			}
			if len(p.requests()) > 0 {
				t.Errorf("the upstream received %v", p.bodies)
			}
			if e := g.journal.exchanges(); len(e) != 1 || strings.Contains(e[0].Body, "canary") {
				t.Errorf("recorded %+v", e)
			}
		})
	}
}

// TestDeniedRequestIsRecordedMasked has a rule that denies before anything is
// forwarded.
func TestDeniedRequestIsRecordedMasked(t *testing.T) {
	p := newPeer(t, func(http.ResponseWriter, *http.Request) {})
	g := newGateway(t, p.URL, func(cfg *Config) {
		finding(func(r *mask.Rule) { r.In = "request" })(cfg)
		cfg.Judge = judgeFunc(func(*policy.Question) policy.Verdict { return policy.Verdict{Action: policy.Deny, Rule: "no"} })
	})
	g.do(t, "POST", "/plain/x", `{"a":"`+address+`"}`)
	if e := g.journal.exchanges(); len(e) != 1 || e[0].Body != `{"a":"[redacted]"}` {
		t.Errorf("recorded %+v", e)
	}
}

// TestSpared is somebody for whom the mask does not hold: they see the value,
// the recording does not.
func TestSpared(t *testing.T) {
	doc := `{"a":"` + address + `"}`
	for name, c := range map[string]struct {
		unless []string
		in     string
		body   string
		sent   string
		events func(recorder.Exchange, recorder.Outcome) bool
	}{
		"spared": {[]string{"subject:agent"}, "both", doc, doc, func(e recorder.Exchange, o recorder.Outcome) bool {
			return e.Body == sparedBody && o.Body == sparedBody
		}},
		"in answers": {[]string{"subject:ag*"}, "response", doc, doc, func(e recorder.Exchange, o recorder.Outcome) bool {
			return e.Body == doc && o.Body == sparedBody
		}},
		"others": {[]string{"subject:boss"}, "both", `{"a":"[redacted]"}`, `{"a":"[redacted]"}`, func(e recorder.Exchange, o recorder.Outcome) bool {
			return e.Body == `{"a":"[redacted]"}` && o.Body == `{"a":"[redacted]"}` && o.Masked == 2
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, doc)
			})
			g := newGateway(t, p.URL, finding(func(r *mask.Rule) { r.Unless, r.In = c.unless, c.in }))
			_, got := g.do(t, "POST", "/plain/x", doc)
			if got != c.body || p.bodies[0] != c.sent {
				t.Errorf("got %s, sent %s", got, p.bodies[0])
			}
			if e, o := g.journal.exchanges(), g.journal.outcomes(); len(e) != 1 || len(o) != 1 || !c.events(e[0], o[0]) {
				t.Errorf("recorded %+v %+v", e, o)
			}
		})
	}
}
