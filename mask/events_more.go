package mask

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// blockTexts are the members of Anthropic's deltas and blocks that carry text,
// with the type of the delta they come in.
var blockTexts = []struct{ delta, member string }{
	{"text_delta", "text"}, {"input_json_delta", "partial_json"}, {"thinking_delta", "thinking"},
}

// anthropic takes an event of the Messages API. A signature vouches for the
// thinking as it was: what was masked cannot be sent back.
// https://docs.anthropic.com/en/docs/build-with-claude/streaming
func (m *Events) anthropic(kind string) {
	e := &m.event
	index := strconv.Itoa(e.number(e.get(0, "index"), 0))
	group := "block " + index
	block := none
	switch kind {
	case "content_block_start":
		block = e.get(0, "content_block")
	case "content_block_delta":
		block = e.get(0, "delta")
	case "content_block_stop":
		m.finish(group)
	case "message_stop":
		for _, s := range m.lanes {
			s.closing = true
		}
	case "message_delta":
		if reason := e.get(0, "delta", "stop_reason"); reason != none && e.nodes[reason].kind != jsontext.KindNull {
			for _, s := range m.lanes {
				s.closing = true
			}
		}
	}
	for _, t := range blockTexts {
		n := e.get(block, t.member)
		if !e.is(n, jsontext.KindString) {
			continue
		}
		m.take(m.strand(group+" "+t.delta, group, func(s *strand) {
			s.name = "content_block_delta"
			s.head = []byte(`{"type":"content_block_delta","index":` + index + `,"delta":{"type":"` + t.delta + `","` + t.member + `":`)
			s.tail = []byte("}}")
		}), n)
	}
}

// gemini takes a piece of what streamGenerateContent answers: the texts of all
// parts of a candidate are one, those of its thoughts another.
// https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
func (m *Events) gemini() {
	e := &m.event
	position := 0
	for candidate := range e.children(e.get(0, "candidates")) {
		index := strconv.Itoa(e.number(e.get(candidate, "index"), position))
		position++
		group := "candidate " + index
		for part := range e.children(e.get(candidate, "content", "parts")) {
			text := e.get(part, "text")
			if data := e.get(part, "inlineData", "data"); data != none {
				e.skip(data) // a picture, or sound
			}
			if !e.is(text, jsontext.KindString) {
				continue
			}
			thought := ""
			if string(e.raw(e.get(part, "thought"))) == "true" {
				thought = `,"thought":true`
			}
			m.take(m.strand(group+thought, group, func(s *strand) {
				s.head = []byte(`{"candidates":[{"content":{"parts":[{"text":`)
				s.tail = []byte(thought + `}],"role":"model"},"index":` + index + `}]}`)
			}), text)
		}
		if reason := e.get(candidate, "finishReason"); reason != none && e.nodes[reason].kind != jsontext.KindNull {
			m.finish(group)
		}
		e.empty(e.get(candidate, "logprobsResult"))
	}
}

// live takes a message of Gemini's Live API. What the model says in a turn is one
// text, and so is what it is heard to say, and what it hears.
// https://ai.google.dev/api/live#BidiGenerateContentServerContent
func (m *Events) live() {
	e := &m.event
	content := e.get(0, "serverContent")
	for part := range e.children(e.get(content, "modelTurn", "parts")) {
		if data := e.get(part, "inlineData", "data"); data != none && isBase64(e.raw(data)) {
			e.skip(data)
		}
		thought := ""
		if string(e.raw(e.get(part, "thought"))) == "true" {
			thought = `,"thought":true`
		}
		m.say(e.get(part, "text"), "turn"+thought, "turn", `{"serverContent":{"modelTurn":{"parts":[{"text":`, thought+`}]}}}`)
	}
	for _, name := range []string{"outputTranscription", "inputTranscription"} {
		m.say(e.get(content, name, "text"), name, name, `{"serverContent":{"`+name+`":{"text":`, "}}}")
		if string(e.raw(e.get(content, name, "finished"))) == "true" {
			m.finish(name)
		}
	}
	for _, end := range []string{"generationComplete", "interrupted", "turnComplete"} {
		if string(e.raw(e.get(content, end))) == "true" {
			m.finish("turn")
			m.finish("outputTranscription")
		}
	}
}

// say takes a part of the lane, whose rest goes between head and tail.
func (m *Events) say(n int, key, group, head, tail string) {
	if m.event.is(n, jsontext.KindString) {
		m.take(m.strand(key, group, func(s *strand) { s.head, s.tail = []byte(head), []byte(tail) }), n)
	}
}

// ollama takes a line of Ollama's own API.
// https://github.com/ollama/ollama/blob/main/docs/api.md
func (m *Events) ollama() {
	e := &m.event
	for _, way := range [][]string{{"response"}, {"thinking"}, {"message", "content"}, {"message", "thinking"}} {
		n := e.get(0, way...)
		if !e.is(n, jsontext.KindString) {
			continue
		}
		m.take(m.strand(way[0]+" "+way[len(way)-1], "ollama", func(s *strand) {
			s.head = m.common(nil, "done", "done_reason", "response", "thinking", "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration")
			s.tail = []byte(`,"done":false}`)
			if len(way) > 1 {
				s.head = append(s.head, `,"message":{"role":"assistant"`...)
				s.tail = []byte(`},"done":false}`)
			}
			s.head = append(append(s.head, ',', '"'), way[len(way)-1]+`":`...)
		}), n)
	}
	if string(e.raw(e.get(0, "done"))) == "true" {
		m.finish("ollama")
	}
}
