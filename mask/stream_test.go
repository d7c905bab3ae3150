package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// cutUp cuts a text into random pieces, by characters.
func cutUp(rnd *rand.Rand, text string) []string {
	var out []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(len(runes), 1+rnd.IntN(7))
		out = append(out, string(runes[:n]))
		runes = runes[n:]
	}
	return out
}

// turns is how often a random test runs: less with -short.
func turns(n int) int {
	if testing.Short() {
		return max(1, n/10)
	}
	return n
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// pour writes a stream in pieces, and gives what came out after each.
func pour(t testing.TB, f Format, c *Content, in string, rnd *rand.Rand, most int, seen func(out string)) (*Stream, string) {
	t.Helper()
	s := NewStream(f, c, 1<<20)
	var out []byte
	for at := 0; at < len(in); {
		next := min(len(in), at+1+rnd.IntN(most))
		p, err := s.Write([]byte(in[at:next]))
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if out = append(out, p...); seen != nil && len(p) > 0 {
			seen(string(out))
		}
		at = next
	}
	p, err := s.Close()
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	return s, string(append(out, p...))
}

// provider is one API's way to stream: it makes a stream of lanes, and reads
// what a client sees in it.
type provider struct {
	format Format
	lanes  []string // their names
	// write makes events of the parts of lanes, in the order given, and ends them.
	write func(rnd *rand.Rand, parts [][2]string, whole map[string]string) string
	// read adds up the lanes, and copies gives texts that are there in whole.
	read func(events []map[string]any) map[string]string
}

func sseOf(events []string, names bool, rnd *rand.Rand) string {
	end := []string{"\n", "\r\n", "\r"}[rnd.IntN(3)]
	var b strings.Builder
	for i, e := range events {
		if rnd.IntN(8) == 0 {
			b.WriteString(": keep-alive" + end + end)
		}
		if names {
			b.WriteString("event: " + regexp.MustCompile(`"type":"([^"]*)"`).FindStringSubmatch(e)[1] + end)
		}
		b.WriteString("id: " + strconv.Itoa(i) + end + "data: " + e + end + end)
	}
	return b.String()
}

// at walks through decoded JSON; nil where there is nothing.
func at(v any, way ...any) any {
	for _, w := range way {
		switch w := w.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[w]
		case int:
			l, _ := v.([]any)
			if w >= len(l) {
				return nil
			}
			v = l[w]
		}
	}
	return v
}

func str(v any) string { s, _ := v.(string); return s }
func num(v any) int    { n, _ := v.(float64); return int(n) }
func list(v any) []any { l, _ := v.([]any); return l }

var providers = map[string]provider{
	"openai chat": {
		format: FormatSSE,
		lanes:  []string{"0 content", "0 refusal", "0 reasoning_content", "0 tool 0", "0 tool 1", "1 content", "0 audio"},
		write: func(rnd *rand.Rand, parts [][2]string, _ map[string]string) string {
			var events []string
			for _, p := range parts {
				index, lane, _ := strings.Cut(p[0], " ")
				delta := fmt.Sprintf(`{%q:%s}`, lane, quoted(p[1]))
				if n, ok := strings.CutPrefix(lane, "tool "); ok {
					delta = fmt.Sprintf(`{"tool_calls":[{"index":%s,"function":{"arguments":%s}}]}`, n, quoted(p[1]))
				} else if lane == "audio" {
					delta = fmt.Sprintf(`{"audio":{"transcript":%s,"data":"UklGRg=="}}`, quoted(p[1]))
				}
				logprobs := "null"
				if rnd.IntN(2) == 0 {
					logprobs = fmt.Sprintf(`{"content":[{"token":%s,"logprob":-0.1,"top_logprobs":[]}]}`, quoted(p[1]))
				}
				events = append(events, fmt.Sprintf(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"delta":%s,"index":%s,"logprobs":%s,"finish_reason":null}]}`, delta, index, logprobs))
			}
			for _, i := range []string{"1", "0"} {
				events = append(events, fmt.Sprintf(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":%s,"delta":{},"finish_reason":"stop"}]}`, i))
			}
			if rnd.IntN(2) == 0 {
				events = events[:len(events)-2] // nobody says that it ends
			}
			return sseOf(events, false, rnd) + "data: [DONE]\n\n"
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				for _, c := range list(e["choices"]) {
					index := strconv.Itoa(num(at(c, "index")))
					for _, name := range []string{"content", "refusal", "reasoning_content"} {
						seen[index+" "+name] += str(at(c, "delta", name))
					}
					seen[index+" audio"] += str(at(c, "delta", "audio", "transcript"))
					for _, call := range list(at(c, "delta", "tool_calls")) {
						seen[index+" tool "+strconv.Itoa(num(at(call, "index")))] += str(at(call, "function", "arguments"))
					}
					if lp := list(at(c, "logprobs", "content")); len(lp) > 0 {
						seen["logprobs"] += "there"
					}
				}
			}
			return seen
		},
	},
	"completions": {
		format: FormatSSE,
		lanes:  []string{"0", "1"},
		write: func(rnd *rand.Rand, parts [][2]string, _ map[string]string) string {
			var events []string
			for _, p := range parts {
				events = append(events, fmt.Sprintf(`{"id":"c","object":"text_completion","choices":[{"text":%s,"index":%s,"logprobs":{"tokens":[%s]},"finish_reason":null}]}`, quoted(p[1]), p[0], quoted(p[1])))
			}
			events = append(events, `{"id":"c","object":"text_completion","choices":[{"text":"","index":0,"finish_reason":"length"}]}`)
			return sseOf(events, false, rnd) + "data: [DONE]"
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				for _, c := range list(e["choices"]) {
					seen[strconv.Itoa(num(at(c, "index")))] += str(at(c, "text"))
				}
			}
			return seen
		},
	},
	"openai responses": {
		format: FormatSSE,
		lanes:  []string{"output_text 0", "refusal 1", "function_call_arguments 2", "reasoning_summary_text 3", "code_interpreter_call_code 4", "output_text 5"},
		write: func(rnd *rand.Rand, parts [][2]string, whole map[string]string) string {
			member := map[string]string{"function_call_arguments": "arguments", "code_interpreter_call_code": "code", "refusal": "refusal"}
			var events []string
			add := func(format string, args ...any) {
				events = append(events, fmt.Sprintf(`{"sequence_number":%d,`, len(events))+fmt.Sprintf(format, args...)+"}")
			}
			add(`"type":"response.created","response":{"id":"r","output":[]}`)
			for _, p := range parts {
				family, n, _ := strings.Cut(p[0], " ")
				add(`"type":"response.%s.delta","item_id":"i%s","output_index":%s,"content_index":0,"delta":%s,"logprobs":[{"token":%s}]`, family, n, n, quoted(p[1]), quoted(p[1]))
			}
			var output []string
			for _, lane := range []string{"output_text 0", "refusal 1", "function_call_arguments 2", "reasoning_summary_text 3", "code_interpreter_call_code 4", "output_text 5"} {
				family, n, _ := strings.Cut(lane, " ")
				name := member[family]
				if name == "" {
					name = "text"
				}
				item := fmt.Sprintf(`{"type":%q,%q:%s}`, family, name, quoted(whole[lane]))
				if n != "5" {
					add(`"type":"response.%s.done","item_id":"i%s","output_index":%s,"content_index":0,%q:%s`, family, n, n, name, quoted(whole[lane]))
				}
				if n != "4" {
					add(`"type":"response.content_part.done","item_id":"i%s","output_index":%s,"content_index":0,"part":%s`, n, n, item)
				}
				add(`"type":"response.output_item.done","output_index":%s,"item":%s`, n, item)
				output = append(output, item)
			}
			add(`"type":"response.completed","response":{"output":[%s]}`, strings.Join(output, ","))
			return sseOf(events, true, rnd)
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				kind := str(e["type"])
				if family, ok := strings.CutSuffix(strings.TrimPrefix(kind, "response."), ".delta"); ok {
					seen[family+" "+strconv.Itoa(num(e["output_index"]))] += str(e["delta"])
					if len(list(e["logprobs"])) > 0 {
						seen["logprobs"] += "there"
					}
				}
				text := func(v any) string {
					return str(at(v, "text")) + str(at(v, "arguments")) + str(at(v, "code")) + str(at(v, "refusal"))
				}
				n := strconv.Itoa(num(e["output_index"]))
				if strings.HasSuffix(kind, ".done") {
					seen["copy "+kind+n] = text(e) + text(e["part"]) + text(e["item"])
				}
				for i, item := range list(at(e["response"], "output")) {
					seen["copy "+kind+strconv.Itoa(i)] = text(item)
				}
			}
			return seen
		},
	},
	"anthropic": {
		format: FormatSSE,
		lanes:  []string{"text 0", "partial_json 1", "thinking 2", "text 3"},
		write: func(rnd *rand.Rand, parts [][2]string, _ map[string]string) string {
			kinds := map[string]string{"text": "text_delta", "partial_json": "input_json_delta", "thinking": "thinking_delta"}
			events := []string{`{"type":"message_start","message":{"id":"m","content":[]}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`}
			for _, p := range parts {
				name, n, _ := strings.Cut(p[0], " ")
				events = append(events, fmt.Sprintf(`{"type":"content_block_delta","index":%s,"delta":{"type":%q,%q:%s}}`, n, kinds[name], name, quoted(p[1])))
			}
			events = append(events, `{"type":"content_block_delta","index":2,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}}`)
			for n := range 3 {
				events = append(events, fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, n))
			}
			events = append(events, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}`, `{"type":"message_stop"}`)
			return sseOf(events, true, rnd)
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				if str(e["type"]) == "message_stop" {
					seen["stopped"] = "yes"
				}
				for _, name := range []string{"text", "partial_json", "thinking"} {
					if text := str(at(e["delta"], name)); text != "" {
						seen[name+" "+strconv.Itoa(num(e["index"]))] += text
						if seen["stopped"] != "" {
							seen["logprobs"] += "late"
						}
					}
				}
			}
			return seen
		},
	},
	"gemini sse":   gemini(FormatSSE),
	"gemini array": gemini(FormatArray),
	"ollama": {
		format: FormatLines,
		lanes:  []string{"content", "thinking"},
		write: func(rnd *rand.Rand, parts [][2]string, _ map[string]string) string {
			var b strings.Builder
			for _, p := range parts {
				fmt.Fprintf(&b, `{"model":"m","message":{"role":"assistant",%q:%s},"done":false}`+"\n", p[0], quoted(p[1]))
			}
			if rnd.IntN(2) == 0 {
				b.WriteString(`{"model":"m","message":{"role":"assistant","content":""},"done":true,"total_duration":1}`)
			}
			return b.String()
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				seen["content"] += str(at(e["message"], "content"))
				seen["thinking"] += str(at(e["message"], "thinking"))
			}
			return seen
		},
	},
}

func gemini(f Format) provider {
	return provider{
		format: f,
		lanes:  []string{"0", "0 thought", "1"},
		write: func(rnd *rand.Rand, parts [][2]string, _ map[string]string) string {
			var events []string
			for i, p := range parts {
				index, thought, _ := strings.Cut(p[0], " ")
				part := fmt.Sprintf(`{"text":%s,"thought":%t}`, quoted(p[1]), thought != "")
				finish := ""
				if i == len(parts)-1 && rnd.IntN(2) == 0 {
					finish = `,"finishReason":"STOP"`
				}
				events = append(events, fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"},"index":%s%s}]}`, part, index, finish))
			}
			if f == FormatSSE {
				return sseOf(events, false, rnd)
			}
			return "[" + strings.Join(events, "\n,\r\n") + "\n]\n"
		},
		read: func(events []map[string]any) map[string]string {
			seen := map[string]string{}
			for _, e := range events {
				for _, c := range list(e["candidates"]) {
					for _, p := range list(at(c, "content", "parts")) {
						key := strconv.Itoa(num(at(c, "index")))
						if at(p, "thought") == true {
							key += " thought"
						}
						seen[key] += str(at(p, "text"))
					}
				}
			}
			return seen
		},
	}
}

// decoded reads the whole events of a stream, as a client does.
func decoded(t testing.TB, f Format, out string) (events []map[string]any) {
	t.Helper()
	var texts []string
	switch f {
	case FormatSSE:
		out = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(out)
		for block := range strings.SplitSeq(out, "\n\n") {
			data := ""
			for line := range strings.SplitSeq(block, "\n") {
				if rest, ok := strings.CutPrefix(line, "data: "); ok {
					data += rest
				}
			}
			if data != "" && data != "[DONE]" {
				texts = append(texts, data)
			}
		}
	case FormatLines:
		texts = strings.Split(strings.TrimSpace(out), "\n")
	case FormatArray:
		var all []map[string]any
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return all
	}
	for _, text := range texts {
		var e map[string]any
		if json.Unmarshal([]byte(text), &e) == nil {
			events = append(events, e)
		} else if !strings.HasSuffix(out, text) {
			t.Fatalf("an event that is none: %s", text)
		}
	}
	return events
}

// TestStreams is the oracle: whatever the texts and however they are cut, by the
// model and by the network, the client sees the mask of each whole text, and at
// no time anything but a beginning of it.
func TestStreams(t *testing.T) {
	for name, p := range providers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []*Content{content(t, nil), content(t, fields("", "key", "a.b"), "email", "payment-card"), NewContent(fields("last4", "key"), nil)} {
				rnd := rand.New(rand.NewPCG(21, uint64(len(name))))
				for range turns(30) {
					throughProvider(t, p, c, rnd)
				}
			}
		})
	}
}

func throughProvider(t *testing.T, p provider, c *Content, rnd *rand.Rand) {
	whole := map[string]string{}
	var queues [][][2]string
	for _, lane := range p.lanes {
		text := strings.ToValidUTF8(scraps(rnd), "")
		if rnd.IntN(2) == 0 {
			text = scrapsJSON(rnd, 3)
		}
		whole[lane] = text
		var queue [][2]string
		for _, part := range cutUp(rnd, text) {
			queue = append(queue, [2]string{lane, part})
		}
		queues = append(queues, queue)
	}
	var parts [][2]string
	for len(queues) > 0 {
		i := rnd.IntN(len(queues))
		if len(queues[i]) == 0 {
			queues = append(queues[:i], queues[i+1:]...)
			continue
		}
		parts = append(parts, queues[i][0])
		queues[i] = queues[i][1:]
	}
	in := p.write(rnd, parts, whole)
	want := map[string]string{}
	masked := 0
	for lane, text := range whole {
		out, n := c.Text(nil, []byte(text))
		want[lane] = string(out)
		masked += n
	}
	prefix := func(out string) {
		if p.format == FormatArray {
			return
		}
		for lane, text := range p.read(decoded(t, p.format, out)) {
			if _, ok := want[lane]; ok && !strings.HasPrefix(want[lane], text) {
				t.Fatalf("%s: a client has seen %q, of %q", lane, text, want[lane])
			}
		}
	}
	s, out := pour(t, p.format, c, in, rnd, []int{1, 20, 1000}[rnd.IntN(3)], func(out string) {
		if rnd.IntN(20) == 0 {
			prefix(out)
		}
	})
	prefix(out)
	got := p.read(decoded(t, p.format, out))
	for lane := range want {
		if got[lane] != want[lane] {
			t.Fatalf("%s: got\n%q, want\n%q, from\n%q\nin %s\nout %s", lane, got[lane], want[lane], whole[lane], in, out)
		}
	}
	if got["logprobs"] != "" {
		t.Fatalf("%s in %s", got["logprobs"], out)
	}
	for name, text := range got {
		if n, ok := strings.CutPrefix(name, "copy "); ok && text != want[p.lanes[n[len(n)-1]-'0']] {
			t.Fatalf("%s is %q, want %q", name, text, want[p.lanes[n[len(n)-1]-'0']])
		}
	}
	if s.Masked() < masked {
		t.Fatalf("%d masked, want %d at least", s.Masked(), masked)
	}
	if ids := regexp.MustCompile(`(?m)^id: \d+`); p.format == FormatSSE && strings.Join(ids.FindAllString(strings.ReplaceAll(in, "\r", "\n"), -1), ",") != strings.Join(ids.FindAllString(strings.ReplaceAll(out, "\r", "\n"), -1), ",") {
		t.Fatalf("ids of %s\nare not those of %s", out, in)
	}
	// The same in one piece.
	if _, again := pour(t, p.format, c, in, rnd, len(in)+1, nil); p.format != FormatSSE && again != out {
		t.Fatalf("in one piece %s\n, in many %s", again, out)
	}
}

func TestStreamBytes(t *testing.T) {
	c := content(t, fields("", "key"), "email")
	for name, s := range map[string]struct {
		format  Format
		in, out string
	}{
		"untouched":        {FormatSSE, "\ufeff: hi\r\nretry: 5\r\n\r\nevent: x\r\ndata:  {\"a\": 1.50}\r\nid: 7\r\n\r\n", "\ufeff: hi\r\nretry: 5\r\n\r\nevent: x\r\ndata:  {\"a\": 1.50}\r\nid: 7\r\n\r\n"},
		"carriage returns": {FormatSSE, "data: {\"a\":\"bob@example.com\"}\r\rdata: 1\r\r", "data: {\"a\":\"[redacted]\"}\r\rdata: 1\r\r"},
		"many lines":       {FormatSSE, "data: {\"a\":\ndata: \"bob@example.com\",\nid: 4\ndata: \"b\":2}\n\n", "data: {\"a\":\ndata: \"[redacted]\",\ndata: \"b\":2}\nid: 4\n\n"},
		"a comment":        {FormatSSE, ": bob@example.com\n\ndata: {}\n\n", ": [redacted]\n\ndata: {}\n\n"},
		"empty data":       {FormatSSE, "data:\n\ndata\n\n", "data:\n\ndata\n\n"},
		"no blank line":    {FormatSSE, "data: {\"a\":\"bob@example.com\"}", "data: {\"a\":\"[redacted]\"}"},
		"an unknown shape": {FormatSSE, "data: {\"key\":\"x\",\"b\":[\"bob\\u0040example.com\"]}\n\n", "data: {\"key\":\"[redacted]\",\"b\":[\"[redacted]\"]}\n\n"},
		"mcp":              {FormatSSE, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"key\\\":1,\\\"to\\\":\\\"bob@example.com\\\"}\"}]}}\n\n", "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"key\\\":\\\"[redacted]\\\",\\\"to\\\":\\\"[redacted]\\\"}\"}]}}\n\n"},
		"mcp endpoint":     {FormatSSE, "event: endpoint\ndata: /messages?session=1\n\n", "event: endpoint\ndata: /messages?session=1\n\n"},
		"protected lane":   {FormatSSE, "data: {\"choices\":[{\"index\":0,\"delta\":{\"key\":\"abc\"}}]}\n\n", "data: {\"choices\":[{\"index\":0,\"delta\":{\"key\":\"[redacted]\"}}]}\n\n"},
		"sound":            {FormatSSE, "data: {\"type\":\"response.audio.delta\",\"delta\":\"UklGRg\"}\n\n", "data: {\"type\":\"response.audio.delta\",\"delta\":\"UklGRg\"}\n\n"},
		"usage":            {FormatSSE, "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n", "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n"},
		"rest at the end":  {FormatSSE, "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi bob\"}}]}\n\n", "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi \"}}]}\n\ndata: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"bob\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"},
		"rest in the last": {FormatSSE, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi bob\"},\"finish_reason\":\"stop\"}]}\n\n", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi bob\"},\"finish_reason\":\"stop\"}]}\n\n"},
		"lines":            {FormatLines, "{\"a\":\"bob@example.com\"}\n\n {\"key\":1}\r\n{\"b\":2}", "{\"a\":\"[redacted]\"}\n\n {\"key\":\"[redacted]\"}\r\n{\"b\":2}"},
		"an array":         {FormatArray, " [ {\"a\":\"bob@example.com\"} , 1,\"x]\\\"\",[ ] ] ", " [ {\"a\":\"[redacted]\"} , 1,\"x]\\\"\",[ ] ] "},
		"no array":         {FormatArray, "{\"error\":{\"message\":\"bob@example.com\"}}\n", "{\"error\":{\"message\":\"[redacted]\"}}\n"},
		"empty array":      {FormatArray, "[]", "[]"},
		"text":             {FormatText, "to bob@example.com", "to [redacted]"},
		"a text of JSON":   {FormatText, `{"key":"x","n":1}`, `{"key":"[redacted]","n":1}`},
		"nothing":          {FormatSSE, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, most := range []int{1, 5, 1000} {
				if _, out := pour(t, s.format, c, s.in, rand.New(rand.NewPCG(1, 1)), most, nil); out != s.out {
					t.Fatalf("got  %q\nwant %q", out, s.out)
				}
			}
		})
	}
}

func TestStreamFailsClosed(t *testing.T) {
	c := content(t, nil, "email")
	for name, s := range map[string]struct {
		format Format
		in     string
	}{
		"no JSON":            {FormatSSE, "data: bob@example.com\n\n"},
		"half":               {FormatSSE, "data: {\"a\":\n\n"},
		"two values":         {FormatSSE, "data: {} {}\n\n"},
		"a member twice":     {FormatSSE, "data: {\"a\":1,\"a\":\"bob@example.com\"}\n\n"},
		"not UTF-8":          {FormatSSE, "data: {\"a\":\"\xff\"}\n\n"},
		"too long":           {FormatSSE, "data: \"" + strings.Repeat("a", 1<<20) + "\"\n\n"},
		"endless line":       {FormatLines, strings.Repeat("1", 1<<20+1)},
		"a line of text":     {FormatLines, "{}\nbob\n{}"},
		"cut short":          {FormatLines, "{\"a\":1"},
		"no comma":           {FormatArray, "[1 2]"},
		"array cut short":    {FormatArray, "[{\"a\":1},"},
		"behind the array":   {FormatArray, "[] x"},
		"garbage in array":   {FormatArray, "[{]"},
		"cut short, no line": {FormatSSE, "data: {\"a\""},
	} {
		t.Run(name, func(t *testing.T) {
			st := NewStream(s.format, c, 1<<20)
			out, err := st.Write([]byte(s.in))
			if err == nil {
				out, err = st.Close()
			}
			if err == nil || bytes.Contains(out, []byte("bob")) {
				t.Fatalf("got %q and %v", out, err)
			}
			if out, again := st.Write([]byte("data: {}\n\n")); again == nil || len(out) > 0 {
				t.Fatalf("after the error %q and %v", out, again)
			}
		})
	}
	st := NewStream(FormatSSE, c, 1<<20)
	out, err := st.Write([]byte("data: {\"a\":1}\n\ndata: x\n\ndata: {\"b\":1}\n\n"))
	if string(out) != "data: {\"a\":1}\n\n" || err == nil {
		t.Fatalf("what came before the error: %q, %v", out, err)
	}
}

func TestFormatOf(t *testing.T) {
	for in, want := range map[string]Format{"text/event-stream; charset=utf-8": FormatSSE, "application/x-ndjson": FormatLines, "Text/Plain": FormatText} {
		if got, ok := FormatOf(in); got != want || !ok {
			t.Errorf("%s is %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"application/json", "image/png", ""} {
		if _, ok := FormatOf(in); ok {
			t.Errorf("%q is known", in)
		}
	}
}

func FuzzSSE(f *testing.F) {
	f.Add("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"bob@example.com\"}}]}\n\ndata: [DONE]\n\n", 3, 9)
	f.Add("event: x\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n: c\r\rid: 1\r\r", 3, 9)
	f.Add("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"bob@\"}}\n\n", 1, 2)
	c := content(f, fields("", "key"))
	f.Fuzz(func(t *testing.T, in string, one, two int) {
		if len(in) == 0 {
			return
		}
		a, b := uint(one)%uint(len(in)), uint(two)%uint(len(in))
		a, b = min(a, b), max(a, b)
		run := func(parts ...string) (string, error) {
			s := NewStream(FormatSSE, c, 1<<16)
			var out []byte
			for _, part := range parts {
				p, err := s.Write([]byte(part))
				if out = append(out, p...); err != nil {
					return string(out), err
				}
			}
			p, err := s.Close()
			return string(append(out, p...)), err
		}
		whole, err := run(in)
		if out, again := run(in[:a], in[a:b], in[b:]); out != whole || (err == nil) != (again == nil) {
			t.Fatalf("%q at %d and %d: %q (%v), in one piece %q (%v)", in, a, b, out, again, whole, err)
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add(`{"choices":[{"index":0,"delta":{"content":"bob@","tool_calls":[{"index":0,"function":{"arguments":"{\"key\":"}}]}}]}`, "bob@example.com and more")
	f.Add(`{"type":"response.output_text.delta","output_index":0,"delta":"bob@"}`, "bob@example.com and more")
	f.Add(`{"candidates":[{"content":{"parts":[{"text":"bob@"}]},"finishReason":"STOP"}]}`, "x")
	f.Add(`{"done":true,"message":{"content":"bob@"}}`, "x")
	c := content(f, fields("", "key"))
	f.Fuzz(func(t *testing.T, data, text string) {
		m := NewEvents(c)
		valid := func(list []Event) {
			for _, e := range list {
				if !json.Valid(e.Data) {
					t.Fatalf("%q became %q", data, e.Data)
				}
			}
		}
		for range 3 {
			list, err := m.Event([]byte(data))
			if err != nil {
				return
			}
			valid(list)
		}
		valid(m.End())
		// A lane of its own, whatever went before.
		var seen string
		text = strings.ToValidUTF8(text, "")
		for _, r := range text {
			list, err := m.Event([]byte(`{"choices":[{"index":77,"delta":{"content":` + quoted(string(r)) + `}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				seen += lane77(t, e.Data)
			}
		}
		for _, e := range m.End() {
			seen += lane77(t, e.Data)
		}
		if want, _ := c.Text(nil, []byte(text)); seen != string(want) {
			t.Fatalf("%q: %q, want %q", text, seen, want)
		}
	})
}

func lane77(t *testing.T, data []byte) string {
	var e any
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return str(at(e, "choices", 0, "delta", "content"))
}

func BenchmarkStream(b *testing.B) {
	var in strings.Builder
	for i := range 500 {
		fmt.Fprintf(&in, "data: {\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\",\"created\":1694268190,\"model\":\"gpt-4o-mini\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", []string{" the", " quick", " brown", " fox", " bob", "@example", ".com"}[i%7])
	}
	in.WriteString("data: [DONE]\n\n")
	c := content(b, nil)
	for name, most := range map[string]int{"events": 240, "whole": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(in.Len()))
			b.ReportAllocs()
			for b.Loop() {
				s := NewStream(FormatSSE, c, 1<<20)
				for rest := []byte(in.String()); len(rest) > 0; {
					n := min(most, len(rest))
					if _, err := s.Write(rest[:n]); err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
				if _, err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
