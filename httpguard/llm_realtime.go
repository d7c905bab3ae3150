package httpguard

import (
	"encoding/json"
	"maps"
	"slices"

	"sallyport/policy"
)

// realtimeMembers are the messages that clients of the Realtime API send, and
// what each may hold besides its type and its id.
var realtimeMembers = map[string][]string{
	"session.update":             {"session"},
	"response.create":            {"response"},
	"response.cancel":            {"response_id"},
	"conversation.item.create":   {"item", "previous_item_id"},
	"conversation.item.retrieve": {"item_id"},
	"conversation.item.delete":   {"item_id"},
	"conversation.item.truncate": {"item_id", "content_index", "audio_end_ms"},
	"input_audio_buffer.append":  {"audio"},
	"input_audio_buffer.commit":  {},
	"input_audio_buffer.clear":   {},
	"output_audio_buffer.clear":  {},
}

// unknownMessage is why nothing is known of a message of another type.
const unknownMessage = "this type of message is not one that is known"

// heldInput is why the input of an answer can't be counted.
const heldInput = "the input goes on from what the session holds"

// readRealtimeEvent reads one message of a client of the Realtime API: what it asks
// itself, of a session that is what the messages before it made of it.
func readRealtimeEvent(t *talk, _ *policy.HTTP, c *call, body map[string]any) {
	kind := c.text(body, "type")
	members, known := realtimeMembers[kind]
	if !known {
		c.fail(unknownMessage)
		return
	}
	c.stream, c.deed, c.limit = true, free, 0
	c.tools, c.uses, c.priceless, c.problem = slices.Clone(t.session.tools), maps.Clone(t.session.uses), t.session.priceless, t.session.problem
	for name := range body {
		if name != "type" && name != "event_id" && !slices.Contains(members, name) {
			c.fail("the message has a member that its type does not have")
		}
	}
	switch kind {
	case "session.update":
		c.readSession(c.part(body, "session"))
	case "response.create":
		c.answers(t)
		c.transcribes = false // what was said before
		c.readAnswer(c.part(body, "response"))
	case "input_audio_buffer.append", "input_audio_buffer.commit":
		c.answers(t) // as soon as the speaker is silent, unless the session says otherwise
	case "conversation.item.create":
		c.take(body["item"])
	}
}

// part is a member that is an object or absent.
func (c *call) part(body map[string]any, name string) map[string]any {
	if m := object(body[name]); m != nil || body[name] == nil {
		return m
	}
	c.fail("the body's " + name + " is not an object")
	return nil
}

// answers makes it a call that the model answers.
func (c *call) answers(t *talk) {
	c.deed, c.limit, c.hidden = byToken, -1, heldInput
	c.spoken, c.transcribes = true, t.session.transcribes
}

// readAnswer reads the response of a response.create: what it holds stands in the
// place of what the session has.
func (c *call) readAnswer(r map[string]any) {
	c.only(r, "model", "tools", "prompt", "max_output_tokens", "max_response_output_tokens")
	c.model = c.text(r, "model")
	c.limit = max(c.most(r, "max_output_tokens"), c.most(r, "max_response_output_tokens")) // the one of today, and the one of before
	if r["max_output_tokens"] != nil && r["max_response_output_tokens"] != nil {
		c.fail("the response has two limits")
	}
	c.replaceTools(r["tools"])
	c.stored(r)
}

// readSession reads the session of a session.update.
func (c *call) readSession(s map[string]any) {
	input := c.part(c.part(s, "audio"), "input")
	c.only(s, "model", "tools", "prompt", "instructions", "audio", "turn_detection", "input_audio_transcription")
	c.only(object(s["audio"]), "input")
	c.only(input, "turn_detection", "transcription")
	c.model = c.text(s, "model")
	c.replaceTools(s["tools"])
	c.take(s["instructions"])
	c.stored(s)
	c.transcribes = input["transcription"] != nil || s["input_audio_transcription"] != nil
	for _, turns := range []map[string]any{c.part(input, "turn_detection"), c.part(s, "turn_detection")} {
		c.only(turns, "idle_timeout_ms")
		if turns["idle_timeout_ms"] != nil { // the model then speaks by itself
			c.deed, c.limit, c.hidden, c.spoken = byToken, -1, heldInput, true
		}
	}
}

// most is a limit of output; "inf" is none.
func (c *call) most(body map[string]any, name string) int64 {
	if body[name] == "inf" {
		return -1
	}
	return c.count(body, name, -1)
}

// replaceTools takes the tools that stand in the place of the session's, if any do.
func (c *call) replaceTools(v any) {
	if v != nil {
		c.tools, c.uses, c.priceless = nil, nil, ""
		c.offer(v)
	}
}

// stored notes a prompt that the provider keeps: it may bring tools of its own.
func (c *call) stored(body map[string]any) {
	if body["prompt"] != nil {
		c.fail("what the prompt that the provider keeps brings is not known")
	}
}

// readResponsesEvent reads one message of a client of OpenAI's responses over a
// WebSocket: response.create has the members that the body of a POST has.
func readResponsesEvent(_ *talk, _ *policy.HTTP, c *call, body map[string]any) {
	if c.text(body, "type") != "response.create" {
		c.fail(unknownMessage)
		return
	}
	c.deed = byToken
	c.only(body, "type", "response")
	if body["response"] != nil {
		c.fail("the message holds a response besides its own members")
	}
	readResponse(c, body)
	c.stream = true
}

// socketError is an error event of OpenAI's WebSockets.
type socketError struct {
	Type  string            `json:"type"` // "error"
	ID    string            `json:"event_id"`
	Error socketErrorDetail `json:"error"`
}

type socketErrorDetail struct {
	openAIDetail
	Refused *string `json:"event_id"` // of the message that is refused
}

// responsesError has the same twice: the clients' types want the members at the
// top, the API's guide has them in error.
type responsesError struct {
	socketError
	Status   int     `json:"status"`
	Code     string  `json:"code"`
	Message  string  `json:"message"`
	Param    *string `json:"param"`
	Sequence int64   `json:"sequence_number"`
}

// realtimeRefusal is a refusal as clients of the Realtime API read it. Its type is
// that of what the client should not have asked.
func realtimeRefusal(r *policy.Refusal, _ int, id string, refused []byte) any {
	return socketErrorOf(r, id, refused)
}

func socketErrorOf(r *policy.Refusal, id string, refused []byte) socketError {
	e := socketError{"error", id, socketErrorDetail{openAIDetail{Message: messageOf(r), Type: "invalid_request_error", Code: codeOf(r)}, nil}}
	if named := eventID(refused); named != "" {
		e.Error.Refused = &named
	}
	return e
}

// responsesRefusal is one as clients of OpenAI's responses read it.
func responsesRefusal(r *policy.Refusal, status int, id string, refused []byte) any {
	return responsesError{socketErrorOf(r, id, refused), status, codeOf(r), messageOf(r), nil, 0}
}

// eventID is the id that a message has by its sender; "" for none.
func eventID(payload []byte) string {
	var m struct {
		ID string `json:"event_id"`
	}
	if json.Unmarshal(payload, &m) != nil || len(m.ID) > maxEventID {
		return ""
	}
	return m.ID
}
