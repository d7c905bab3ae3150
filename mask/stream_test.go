package mask

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"regexp"
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
	if got["logprobs"] != "" && c.restores == nil {
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
		"lines with CR LF": {FormatSSE, "data: {\"a\":\r\ndata: \"bob@example.com\"}\r\nid: 4\r\n\r\n", "data: {\"a\":\r\ndata: \"[redacted]\"}\r\nid: 4\r\n\r\n"},
		"parts at the end": {FormatSSE, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"to bob@\"},{\"text\":\"exam\"},{\"text\":\"ple.com\"}]},\"finishReason\":\"STOP\"}]}\n\n", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"to \"},{\"text\":\"\"},{\"text\":\"[redacted]\"}]},\"finishReason\":\"STOP\"}]}\n\n"},
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
