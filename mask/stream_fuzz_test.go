package mask

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

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
