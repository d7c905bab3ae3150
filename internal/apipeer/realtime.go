package apipeer

import (
	"encoding/json"
	"strings"

	"github.com/coder/websocket"
)

// realtime is a session of OpenAI's Realtime API, in text: an answer to each
// response.create, by what the item before it says.
func (c *call) realtime() {
	conn, err := websocket.Accept(c.w, c.Request, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	send := func(kind string, more object) {
		more["type"], more["event_id"] = kind, "event_1"
		if text, err := json.Marshal(more); err == nil {
			_ = conn.Write(c.Context(), websocket.MessageText, text)
		}
	}
	send("session.created", object{"session": object{"type": "realtime", "model": c.URL.Query().Get("model")}})
	said, tool := "", false
	for {
		_, text, err := conn.Read(c.Context())
		if err != nil {
			return
		}
		var in struct {
			Type     string          `json:"type"`
			Item     json.RawMessage `json:"item"`
			Response struct {
				Tools []json.RawMessage `json:"tools"`
			} `json:"response"`
		}
		c.keep(text)
		if json.Unmarshal(text, &in) != nil {
			return
		}
		switch in.Type {
		case "conversation.item.create":
			said = string(in.Item)
			continue
		case "response.create":
			tool = len(in.Response.Tools) > 0
		default:
			continue
		}
		at := func(more object) object {
			more["response_id"], more["item_id"], more["output_index"], more["content_index"] = "resp_1", "item_1", 0, 0
			return more
		}
		switch {
		case strings.Contains(said, WordFail):
			send("error", object{"error": object{"type": "invalid_request_error", "code": "failed", "message": "the model failed", "param": nil, "event_id": nil}})
			continue
		case strings.Contains(said, WordSlow):
			send("response.output_text.delta", at(object{"delta": "Wait "}))
			if _, _, err := conn.Read(c.Context()); err != nil {
				c.peer.mu.Lock()
				c.peer.cancelled++
				c.peer.mu.Unlock()
			}
			return
		case tool:
			for _, piece := range toolPieces {
				send("response.function_call_arguments.delta", at(object{"call_id": "call_1", "delta": piece}))
			}
			send("response.function_call_arguments.done", at(object{"call_id": "call_1", "name": Tool, "arguments": strings.Join(toolPieces, "")}))
		default:
			for _, piece := range pieces {
				send("response.output_text.delta", at(object{"delta": piece}))
			}
			send("response.output_text.done", at(object{"text": Answer}))
		}
		send("response.done", object{"response": object{
			"object": "realtime.response", "id": "resp_1", "status": "completed", "output": list{},
			"usage": object{"total_tokens": 28, "input_tokens": 9, "output_tokens": 19, "input_token_details": object{"text_tokens": 9}, "output_token_details": object{"text_tokens": 19}},
		}})
	}
}

// talkResponses answers each response.create on a WebSocket.
func (c *call) talkResponses() {
	conn, err := websocket.Accept(c.w, c.Request, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		_, text, err := conn.Read(c.Context())
		if err != nil {
			return
		}
		c.keep(text)
		var in chatRequest
		if json.Unmarshal(text, &in) != nil || in.Model == "" {
			return
		}
		c.streamResponse(in, func(event object) {
			if text, err := json.Marshal(event); err == nil {
				_ = conn.Write(c.Context(), websocket.MessageText, text)
			}
		})
	}
}

// keep notes a message of a WebSocket.
func (c *call) keep(message []byte) {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	c.peer.messages = append(c.peer.messages, string(message))
}
