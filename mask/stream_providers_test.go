package mask

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

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
