package mask

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestFrames is the oracle of WebSockets: several answers and what is heard
// beside them, each text cut up and all of them mixed, read as whole texts.
func TestFrames(t *testing.T) {
	for _, c := range []*Content{content(t, nil), content(t, fields("", "key", "a.b"), "email", "payment-card")} {
		rnd := rand.New(rand.NewPCG(7, 7))
		for range turns(60) {
			throughFrames(t, c, rnd)
		}
	}
}

// FuzzFrames does the same from any seed, and streams of every provider, too.
func FuzzFrames(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	c := content(f, fields("", "key", "a.b"), "email", "payment-card")
	all := content(f, nil)
	f.Fuzz(func(t *testing.T, one, two uint64) {
		rnd := rand.New(rand.NewPCG(one, two))
		throughFrames(t, c, rnd)
		for _, name := range []string{"openai chat", "openai responses", "anthropic", "gemini sse", "ollama"} {
			throughProvider(t, providers[name], all, rnd)
		}
	})
}

// frameLane is a text that is spread over frames: how its parts are written, and
// what ends it, which may be nothing.
type frameLane struct {
	part func(text string) string
	end  string
	read func(e map[string]any) string
}

func frameLanes() map[string]frameLane {
	all := map[string]frameLane{}
	for _, id := range []string{"r1", "r2"} {
		for i, family := range []string{"output_text", "output_audio_transcript", "function_call_arguments"} {
			kind := "response." + family + ".delta"
			all[id+" "+family] = frameLane{
				part: func(text string) string {
					return fmt.Sprintf(`{"type":%q,"event_id":"e","response_id":%q,"item_id":"%s-%d","output_index":%d,"content_index":0,"delta":%s}`, kind, id, id, i, i, quoted(text))
				},
				end: fmt.Sprintf(`{"type":"response.done","response":{"id":%q,"output":[]}}`, id),
				read: func(e map[string]any) string {
					if e["type"] != kind || e["response_id"] != id {
						return ""
					}
					return str(e["delta"])
				},
			}
		}
	}
	const heard = "conversation.item.input_audio_transcription"
	all["heard"] = frameLane{
		part: func(text string) string {
			return fmt.Sprintf(`{"type":"%s.delta","item_id":"u","content_index":0,"delta":%s}`, heard, quoted(text))
		},
		read: func(e map[string]any) string {
			if e["type"] != heard+".delta" {
				return ""
			}
			return str(e["delta"])
		},
	}
	for name, way := range map[string][]any{"live turn": {"serverContent", "modelTurn", "parts", 0, "text"}, "live heard": {"serverContent", "inputTranscription", "text"}} {
		all[name] = frameLane{
			part: func(text string) string {
				if len(way) == 3 {
					return `{"serverContent":{"inputTranscription":{"text":` + quoted(text) + `}}}`
				}
				return `{"serverContent":{"modelTurn":{"parts":[{"text":` + quoted(text) + `}]}}}`
			},
			read: func(e map[string]any) string { return str(at(e, way...)) },
		}
	}
	return all
}

func throughFrames(t *testing.T, c *Content, rnd *rand.Rand) {
	lanes := frameLanes()
	names := make([]string, 0, len(lanes))
	for name := range lanes {
		names = append(names, name)
	}
	slices.Sort(names)
	left, want, seen := map[string][]string{}, map[string]string{}, map[string]string{}
	for _, name := range names {
		text := strings.ToValidUTF8(scraps(rnd), "")
		if rnd.IntN(3) == 0 {
			text = scrapsJSON(rnd, 2)
		}
		left[name] = cutUp(rnd, text)
		out, _ := c.Text(nil, []byte(text))
		want[name] = string(out)
	}
	m := NewFrames(c)
	take := func(list []Event, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			var v map[string]any
			if err := json.Unmarshal(e.Data, &v); err != nil {
				t.Fatalf("%v: %s", err, e.Data)
			}
			for _, name := range names {
				seen[name] += lanes[name].read(v)
				if !strings.HasPrefix(want[name], seen[name]) {
					t.Fatalf("%s: a client has seen %q, of %q", name, seen[name], want[name])
				}
			}
		}
	}
	open := slices.Clone(names)
	for len(open) > 0 {
		i := rnd.IntN(len(open))
		name := open[i]
		if len(left[name]) > 0 {
			take(m.Event([]byte(lanes[name].part(left[name][0]))))
			left[name] = left[name][1:]
			if rnd.IntN(10) == 0 {
				take(m.Event([]byte(`{"type":"error","error":{"message":"not this one"}}`)))
			}
			continue
		}
		open = slices.Delete(open, i, i+1)
		id, _, _ := strings.Cut(name, " ")
		rest := slices.ContainsFunc(open, func(n string) bool { return strings.HasPrefix(n, id+" ") })
		if end := lanes[name].end; end != "" && !rest {
			take(m.Event([]byte(end)))
		}
	}
	take(m.End(), nil)
	for _, name := range names {
		if seen[name] != want[name] {
			t.Fatalf("%s: got %q, want %q", name, seen[name], want[name])
		}
	}
}
