package mask

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// chat takes a chunk of a chat completion or of a completion.
// https://platform.openai.com/docs/api-reference/chat-streaming
func (m *Events) chat() {
	e := &m.event
	position := 0
	for choice := range e.children(e.get(0, "choices")) {
		index := e.number(e.get(choice, "index"), position)
		position++
		c := &chunk{m: m, choice: choice, index: index, group: m.groupOf(index)}
		if text := e.get(choice, "text"); e.is(text, jsontext.KindString) {
			c.take(text, nil, "text")
		}
		if delta := e.get(choice, "delta"); delta != none {
			c.walk(delta, []step{{"delta", none}})
		}
		if reason := e.get(choice, "finish_reason"); reason != none && e.nodes[reason].kind != jsontext.KindNull {
			m.finish(c.group)
		}
		// What is kept back is in there, token by token.
		if c.took {
			e.empty(e.get(choice, "logprobs"))
		}
	}
}

// groupOf is the group of a choice's lanes. Most streams have one choice.
func (m *Events) groupOf(choice int) string {
	if m.group == "" || m.choice != choice {
		m.group, m.choice = "choice "+strconv.Itoa(choice), choice
	}
	return m.group
}

// chunk is one choice of a chunk.
type chunk struct {
	m      *Events
	choice int // node
	index  int
	group  string
	took   bool // some text of it
}

// step is one member on the way to a text, and the index of the element of the
// list it holds; none where it holds an object.
type step struct {
	name  string
	index int
}

// parts are the members of a delta in which texts go on.
var parts = map[string]bool{
	"tool_calls": true, "function": true, "custom": true, "function_call": true, "audio": true,
	"reasoning_details": true, "content": true, "thinking": true, "reasoning_content": true, "refusal": true,
}

// names are the members of a delta that come in one piece.
var names = map[string]bool{"role": true, "id": true, "type": true, "name": true, "format": true, "signature": true, "data": true, "object": true}

// walk takes every text of a delta: each goes on in the next chunk's member of
// the same place.
func (c *chunk) walk(n int, way []step) {
	e := &c.m.event
	for member := range e.children(n) {
		v := e.nodes[member]
		switch {
		case v.done:
		case v.kind == jsontext.KindString && !names[v.name]:
			c.take(member, way, v.name)
		case v.kind == jsontext.KindString && v.name == "data" && way[len(way)-1].name == "audio":
			e.skip(member) // sound
		case v.kind == jsontext.KindBeginObject && parts[v.name]:
			c.walk(member, append(way[:len(way):len(way)], step{v.name, none}))
		case v.kind == jsontext.KindBeginArray && parts[v.name]:
			position := 0
			for element := range e.children(member) {
				index := e.number(e.get(element, "index"), position)
				position++
				c.walk(element, append(way[:len(way):len(way)], step{v.name, index}))
			}
		}
	}
}

// take takes one text.
func (c *chunk) take(n int, way []step, name string) {
	c.took = true
	key := append(c.m.key[:0], c.group...)
	for _, s := range way {
		key = strconv.AppendInt(append(append(append(key, '/'), s.name...), ' '), int64(s.index), 10)
	}
	key = append(append(key, '/'), name...)
	c.m.key = key
	if s := c.m.known(key); s != nil {
		c.m.take(s, n)
		return
	}
	c.m.take(c.m.strand(string(key), c.group, func(s *strand) {
		s.head = append(c.m.common(nil, "choices", "usage", "obfuscation", "x_groq", "prompt_filter_results"), `,"choices":[{"index":`+strconv.Itoa(c.index)+`,`...)
		s.tail = []byte(`,"logprobs":null,"finish_reason":null}]}`)
		for _, w := range way {
			s.head = append(appendString(s.head, []byte(w.name)), ':')
			if w.index == none {
				s.head = append(s.head, '{')
				s.tail = append([]byte("}"), s.tail...)
				continue
			}
			s.head = append(s.head, `[{"index":`+strconv.Itoa(w.index)+`,`...)
			s.tail = append([]byte("}]"), s.tail...)
		}
		s.head = append(appendString(s.head, []byte(name)), ':')
	}), n)
}

// common appends the opening of an object with the members of the event at hand
// that are plain values, masked, but for some.
func (m *Events) common(dst []byte, but ...string) []byte {
	e := &m.event
	dst = append(dst, '{')
	first := len(dst)
members:
	for n := range e.children(0) {
		v := e.nodes[n]
		if v.first != 0 || v.done || v.kind == jsontext.KindBeginObject || v.kind == jsontext.KindBeginArray {
			continue
		}
		for _, name := range but {
			if v.name == name {
				continue members
			}
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, []byte(v.name)), ':')
		if v.kind == jsontext.KindString {
			text, _ := m.content.text(nil, e.text(n), "", 0)
			dst = appendString(dst, text)
		} else {
			dst = append(dst, e.raw(n)...)
		}
	}
	if len(dst) == first {
		// Something to put a comma behind.
		dst = append(dst, `"object":null`...)
	}
	return dst
}

// responses takes an event of the Responses or the Realtime API: those named
// TEXT.delta carry a part of a text, TEXT.done ends it and repeats the whole.
// https://platform.openai.com/docs/api-reference/responses-streaming
func (m *Events) responses(kind string) {
	e := &m.event
	place := ""
	for _, name := range []string{"response_id", "item_id", "output_index", "content_index", "summary_index"} {
		if n := e.get(0, name); n != none {
			place += "/" + name + " " + string(e.raw(n))
		}
	}
	item := "item " + string(e.raw(e.get(0, "response_id"))) + " " + string(e.raw(e.get(0, "output_index")))
	if strings.Contains(kind, "audio") || strings.HasPrefix(kind, "conversation.item.") {
		m.sound(0)
	}
	delta := e.get(0, "delta")
	switch family, isDelta := strings.CutSuffix(kind, ".delta"); {
	case strings.HasSuffix(family, "audio"): // sound
		if e.is(delta, jsontext.KindString) {
			e.skip(delta)
		}
	case isDelta && e.is(delta, jsontext.KindString):
		s := m.strand(family+place, item, func(s *strand) {
			s.name = kind
			s.head = m.common(nil, "delta", "logprobs", "obfuscation", "sequence_number")
			s.tail = []byte("}")
			if e.get(0, "sequence_number") == none {
				s.head = append(s.head, `,"delta":`...)
			}
		})
		if n := e.get(0, "sequence_number"); n != none {
			s.sequence = append(s.sequence[:0], e.raw(n)...)
		}
		m.take(s, delta)
		e.empty(e.get(0, "logprobs"))
	case strings.HasSuffix(kind, "output_item.done"):
		m.finish(item)
	case strings.HasSuffix(kind, ".done") && kind != "response.done", strings.HasSuffix(kind, "transcription.completed"):
		family = strings.TrimSuffix(strings.TrimSuffix(kind, ".done"), ".completed")
		for _, s := range m.lanes {
			s.closing = s.closing || s.key == family+place || family == "response.content_part" && strings.HasSuffix(s.key, place)
		}
	case m.frames:
		m.answered(kind)
	case kind == "response.completed", kind == "response.incomplete", kind == "response.failed", kind == "response.done", kind == "response.cancelled", kind == "error":
		for _, s := range m.lanes {
			s.closing = true
		}
	}
}

// answered takes an event of the Realtime API that ends an answer, and the texts
// of that alone: what others say goes on.
func (m *Events) answered(kind string) {
	e := &m.event
	id := e.get(0, "response", "id")
	if kind != "response.done" || id == none {
		return
	}
	for _, s := range m.lanes {
		s.closing = s.closing || strings.Contains(s.key, "/response_id "+string(e.raw(id)))
	}
}

// sound passes over encoded sound: the member audio of events and of parts that
// say they hold it.
func (m *Events) sound(n int) {
	e := &m.event
	if strings.Contains(string(e.text(e.get(n, "type"))), "audio") {
		if audio := e.get(n, "audio"); e.is(audio, jsontext.KindString) && isBase64(e.raw(audio)) {
			e.skip(audio)
		}
	}
	for c := range e.children(n) {
		m.sound(c)
	}
}
