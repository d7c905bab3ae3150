package apipeer

import (
	"encoding/json"
	"net/http"
	"strings"
)

// OpenAI speaks chat completions and responses, plain and streamed, with tools,
// responses over a WebSocket, and the Realtime API in text.
func OpenAI(key string) *Peer {
	return start(key, bearer, func(c *call) {
		switch {
		case strings.HasSuffix(c.URL.Path, "/chat/completions"):
			c.chat()
		case strings.HasSuffix(c.URL.Path, "/responses"):
			c.responses()
		case strings.HasSuffix(c.URL.Path, "/realtime"):
			c.realtime()
		case strings.HasSuffix(c.URL.Path, "/embeddings"):
			c.json(http.StatusOK, object{
				"object": "list", "model": "gpt-4o-mini", "usage": object{"prompt_tokens": 4, "total_tokens": 4},
				"data": list{object{"object": "embedding", "index": 0, "embedding": list{0.25, -0.5, 0.125}}},
			})
		default:
			c.json(http.StatusNotFound, object{"error": object{"message": "unknown", "type": "invalid_request_error"}})
		}
	})
}

// chatRequest is what chat and responses read of a request.
type chatRequest struct {
	Model    string            `json:"model"`
	Stream   bool              `json:"stream"`
	Messages json.RawMessage   `json:"messages"`
	Input    json.RawMessage   `json:"input"`
	Tools    []json.RawMessage `json:"tools"`
	Options  struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
}

var chatUsage = object{"prompt_tokens": 9, "completion_tokens": 19, "total_tokens": 28}

func (c *call) chat() {
	var in chatRequest
	if json.Unmarshal(c.body, &in) != nil || in.Model == "" {
		c.json(http.StatusBadRequest, object{"error": object{"message": "unreadable", "type": "invalid_request_error"}})
		return
	}
	tool := len(in.Tools) > 0 && !says(in.Messages, `"tool"`)
	switch {
	case says(in.Messages, WordFail):
		c.json(http.StatusBadRequest, object{"error": object{"message": "the model failed", "type": "invalid_request_error", "code": "failed", "param": nil}})
	case in.Stream:
		c.streamChat(in, tool)
	case says(in.Messages, WordSlow):
		c.hold()
	default:
		message := object{"role": "assistant", "content": Answer, "refusal": nil}
		reason := "stop"
		if tool {
			reason = "tool_calls"
			message = object{"role": "assistant", "content": nil, "tool_calls": list{object{
				"id": "call_1", "type": "function", "function": object{"name": Tool, "arguments": strings.Join(toolPieces, "")},
			}}}
		}
		c.json(http.StatusOK, object{
			"id": c.id, "object": "chat.completion", "created": 1700000000, "model": in.Model, "usage": chatUsage,
			"choices": list{object{"index": 0, "finish_reason": reason, "logprobs": nil, "message": message}},
		})
	}
}

func (c *call) streamChat(in chatRequest, tool bool) {
	c.events()
	send := func(choices list, usage any) {
		chunk := object{"id": c.id, "object": "chat.completion.chunk", "created": 1700000000, "model": in.Model, "choices": choices}
		if in.Options.Usage {
			chunk["usage"] = usage
		}
		c.event("", chunk)
	}
	delta := func(d object, reason any) {
		send(list{object{"index": 0, "delta": d, "finish_reason": reason}}, nil)
	}
	reason := "stop"
	switch {
	case says(in.Messages, WordSlow):
		delta(object{"role": "assistant", "content": "Wait "}, nil)
		c.hold()
		return
	case tool:
		reason = "tool_calls"
		delta(object{"role": "assistant", "content": nil, "tool_calls": list{object{
			"index": 0, "id": "call_1", "type": "function", "function": object{"name": Tool, "arguments": ""},
		}}}, nil)
		for _, piece := range toolPieces {
			delta(object{"tool_calls": list{object{"index": 0, "function": object{"arguments": piece}}}}, nil)
		}
	default:
		delta(object{"role": "assistant", "content": ""}, nil)
		for _, piece := range pieces {
			delta(object{"content": piece}, nil)
		}
	}
	delta(object{}, reason)
	if in.Options.Usage {
		send(list{}, chatUsage)
	}
	_, _ = c.w.Write([]byte("data: [DONE]\n\n"))
}

func (c *call) responses() {
	if c.Header.Get("Upgrade") != "" {
		c.talkResponses()
		return
	}
	var in chatRequest
	if json.Unmarshal(c.body, &in) != nil || in.Model == "" {
		c.json(http.StatusBadRequest, object{"error": object{"message": "unreadable", "type": "invalid_request_error"}})
		return
	}
	if in.Stream {
		c.events()
		c.streamResponse(in, func(event object) { c.event(event["type"].(string), event) })
		return
	}
	c.json(http.StatusOK, in.response("completed", list{message}))
}

var (
	part    = object{"type": "output_text", "text": Answer, "annotations": list{}, "logprobs": list{}}
	message = object{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": list{part}}
)

// response is one of the responses API.
func (in chatRequest) response(status string, output list) object {
	return object{
		"id": "resp_1", "object": "response", "created_at": 1700000000, "status": status, "model": in.Model, "output": output,
		"parallel_tool_calls": true, "tool_choice": "auto", "tools": list{}, "temperature": 1, "top_p": 1, "error": nil,
		"incomplete_details": nil, "instructions": nil, "metadata": object{},
		"usage": object{
			"input_tokens": 9, "output_tokens": 19, "total_tokens": 28,
			"input_tokens_details": object{"cached_tokens": 0}, "output_tokens_details": object{"reasoning_tokens": 0},
		},
	}
}

// streamResponse hands out the events of a response.
func (c *call) streamResponse(in chatRequest, hand func(event object)) {
	number := 0
	send := func(kind string, more object) {
		more["type"], more["sequence_number"] = kind, number
		number++
		hand(more)
	}
	send("response.created", object{"response": in.response("in_progress", list{})})
	send("response.output_item.added", object{"output_index": 0, "item": object{
		"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": list{},
	}})
	at := func(more object) object {
		more["item_id"], more["output_index"], more["content_index"] = "msg_1", 0, 0
		return more
	}
	send("response.content_part.added", at(object{"part": object{"type": "output_text", "text": "", "annotations": list{}}}))
	for _, piece := range pieces {
		send("response.output_text.delta", at(object{"delta": piece, "logprobs": list{}}))
	}
	if says(in.Input, WordSlow) {
		c.hold()
		return
	}
	send("response.output_text.done", at(object{"text": Answer, "logprobs": list{}}))
	send("response.content_part.done", at(object{"part": part}))
	send("response.output_item.done", object{"output_index": 0, "item": message})
	send("response.completed", object{"response": in.response("completed", list{message})})
}
