package httpguard

import (
	"encoding/json"
	"net/http"
	"strconv"

	"sallyport/policy"
)

// rpcMessage is one JSON-RPC message to an MCP server.
type rpcMessage struct {
	id     json.RawMessage // nil: it wants no answer
	method string          // "" for a response to the server
	facts  *policy.MCP
}

// readMessages reads what the exchange says to the MCP server: one message, a
// batch, or none, as when it opens the stream of the server's own messages or
// ends the session.
func (x *exchange) readMessages(body any) []rpcMessage {
	if x.upgrades() {
		return []rpcMessage{unreadable(unreadSocket)}
	}
	switch body := body.(type) {
	case map[string]any:
		return []rpcMessage{readMessage(body)}
	case []any:
		if len(body) == 0 {
			return []rpcMessage{unreadable("the batch is empty")}
		}
		var all []rpcMessage
		for _, e := range body {
			m, ok := e.(map[string]any)
			if !ok {
				return []rpcMessage{unreadable("the batch holds what is no message")}
			}
			all = append(all, readMessage(m))
		}
		return all
	}
	if len(x.body) > 0 || body != nil || x.in.Method == http.MethodPost {
		return []rpcMessage{unreadable("the body is not a JSON-RPC message")}
	}
	return []rpcMessage{{facts: &policy.MCP{}}}
}

// unreadable is a message of which nothing is known.
func unreadable(reason string) rpcMessage {
	return rpcMessage{facts: &policy.MCP{
		Method: policy.UnknownFact[string](reason), Tool: policy.UnknownFact[string](reason),
		Arguments: policy.UnknownFact[map[string]any](reason),
	}}
}

// toolsCall and toolsList are the methods that concern tools.
const (
	toolsCall = "tools/call"
	toolsList = "tools/list"
)

// readMessage reads one message as JSON-RPC 2.0 and MCP 2025-06-18 write it.
func readMessage(body map[string]any) rpcMessage {
	m := unreadable("the message is not JSON-RPC as MCP has it")
	m.id = idOf(body["id"])
	method, named := body["method"].(string)
	params, ok := body["params"].(map[string]any)
	switch {
	case !strict(body, "jsonrpc", "id", "method", "params", "result", "error"):
		return m
	case body["method"] == nil && (body["result"] != nil || body["error"] != nil) && m.id != nil:
		return rpcMessage{facts: &policy.MCP{}} // a response
	case !named || method == "" || body["params"] != nil && !ok:
		return m
	}
	m.method = method
	facts := &policy.MCP{Method: policy.Known(method), Tool: policy.Known(""), Arguments: policy.Known(params)}
	if params == nil {
		facts.Arguments = policy.Known(map[string]any{})
	}
	if method == toolsCall || method == "prompts/get" {
		facts.Arguments = arguments(params)
	}
	if method == toolsCall {
		name, _ := params["name"].(string)
		facts.Tool = policy.Known(name)
		if name == "" || !strict(params, "name", "arguments") {
			facts.Tool = policy.UnknownFact[string]("the call names no tool")
		}
	}
	m.facts = facts
	return m
}

func arguments(params map[string]any) policy.Fact[map[string]any] {
	given, ok := params["arguments"].(map[string]any)
	switch {
	case !strict(params, "name", "arguments"), params["arguments"] != nil && !ok:
		return policy.UnknownFact[map[string]any]("the arguments are not an object")
	case given == nil:
		return policy.Known(map[string]any{})
	}
	return policy.Known(given)
}

// idOf is a request's id as it is given back; nil for none.
func idOf(v any) json.RawMessage {
	switch v := v.(type) {
	case string:
		text, err := json.Marshal(v)
		if err == nil {
			return text
		}
	case float64:
		return json.RawMessage(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return nil
}

// rpcError is JSON-RPC's answer to a request that failed.
type rpcError struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   rpcDetail       `json:"error"`
}

type rpcDetail struct {
	Code    int     `json:"code"`
	Message string  `json:"message"`
	Data    problem `json:"data"`
}

// codeRefused is of the range that JSON-RPC leaves to servers.
const codeRefused = -32003

// rpcProblem is a refusal for MCP clients. To requests it is an answer with
// status 200: the Python SDK waits for ever for the answer to a request that
// ended in another status (python-sdk#2110), and the TypeScript SDK raises an
// error of its transport, while both raise their McpError for a JSON-RPC error
// and keep the session. What wants no answer, or could not be read, gets the status.
func (x *exchange) rpcProblem(r *policy.Refusal, status int) (int, any) {
	var all []rpcError
	detail := rpcDetail{codeRefused, messageOf(r), x.problem(r, status)}
	for _, m := range x.asked.messages {
		if m.id != nil && m.method != "" {
			all = append(all, rpcError{"2.0", m.id, detail})
		}
	}
	switch {
	case len(all) == 0 || x.asked.left:
		return status, rpcError{"2.0", json.RawMessage("null"), detail}
	case x.asked.batch:
		return http.StatusOK, all
	}
	return http.StatusOK, all[0]
}
