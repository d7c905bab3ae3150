package apipeer

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Anthropic speaks messages, plain and streamed, with tools.
func Anthropic(key string) *Peer {
	return start(key, func(r *http.Request) string { return r.Header.Get("X-Api-Key") }, (*call).messages)
}

func (c *call) messages() {
	var in chatRequest
	if json.Unmarshal(c.body, &in) != nil || in.Model == "" {
		c.json(http.StatusNotFound, object{"type": "error", "error": object{"type": "not_found_error", "message": "unknown"}})
		return
	}
	tool := len(in.Tools) > 0 && !says(in.Messages, `"tool_result"`)
	usage := object{"input_tokens": 9, "output_tokens": 19}
	block, reason := object{"type": "text", "text": Answer}, "end_turn"
	if tool {
		block, reason = object{"type": "tool_use", "id": "toolu_1", "name": Tool, "input": object{"city": City}}, "tool_use"
	}
	message := object{
		"id": c.id, "type": "message", "role": "assistant", "model": in.Model, "content": list{block},
		"stop_reason": reason, "stop_sequence": nil, "usage": usage,
	}
	switch {
	case says(in.Messages, WordFail):
		c.json(http.StatusBadRequest, object{"type": "error", "error": object{"type": "invalid_request_error", "message": "the model failed"}})
		return
	case !in.Stream && says(in.Messages, WordSlow):
		c.hold()
		return
	case !in.Stream:
		c.json(http.StatusOK, message)
		return
	}
	c.events()
	send := func(kind string, more object) {
		more["type"] = kind
		c.event(kind, more)
	}
	message["content"], message["stop_reason"], message["usage"] = list{}, nil, object{"input_tokens": 9, "output_tokens": 1}
	send("message_start", object{"message": message})
	deltas, name, member := pieces, "text_delta", "text"
	if tool {
		block["input"] = object{}
		deltas, name, member = toolPieces, "input_json_delta", "partial_json"
	} else {
		block["text"] = ""
	}
	send("content_block_start", object{"index": 0, "content_block": block})
	send("ping", object{})
	for _, piece := range deltas {
		send("content_block_delta", object{"index": 0, "delta": object{"type": name, member: piece}})
	}
	if says(in.Messages, WordSlow) {
		c.hold()
		return
	}
	send("content_block_stop", object{"index": 0})
	send("message_delta", object{"delta": object{"stop_reason": reason, "stop_sequence": nil}, "usage": object{"output_tokens": 19}})
	send("message_stop", object{})
}

// Gemini speaks generateContent and streamGenerateContent.
func Gemini(key string) *Peer {
	return start(key, func(r *http.Request) string { return r.Header.Get("X-Goog-Api-Key") }, (*call).generate)
}

func (c *call) generate() {
	var in struct {
		Contents json.RawMessage   `json:"contents"`
		Tools    []json.RawMessage `json:"tools"`
	}
	_ = json.Unmarshal(c.body, &in)
	piece := func(part object, reason any) object {
		candidate := object{"index": 0, "content": object{"role": "model", "parts": list{part}}}
		if reason != nil {
			candidate["finishReason"] = reason
		}
		return object{
			"candidates": list{candidate}, "modelVersion": "gemini-2.5-flash",
			"usageMetadata": object{"promptTokenCount": 9, "candidatesTokenCount": 19, "totalTokenCount": 28},
		}
	}
	switch {
	case says(in.Contents, WordFail):
		c.json(http.StatusBadRequest, object{"error": object{"code": 400, "message": "the model failed", "status": "INVALID_ARGUMENT"}})
	case strings.Contains(c.URL.Path, ":streamGenerateContent"):
		c.events()
		for i, text := range pieces {
			if i == len(pieces)-1 && says(in.Contents, WordSlow) {
				c.hold()
				return
			}
			var reason any
			if i == len(pieces)-1 {
				reason = "STOP"
			}
			c.event("", piece(object{"text": text}, reason))
		}
	case len(in.Tools) > 0 && !says(in.Contents, "functionResponse"):
		c.json(http.StatusOK, piece(object{"functionCall": object{"name": Tool, "args": object{"city": City}}}, "STOP"))
	default:
		c.json(http.StatusOK, piece(object{"text": Answer}, "STOP"))
	}
}
