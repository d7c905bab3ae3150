package httpguard

import (
	"encoding/json"
	"slices"

	"sallyport/policy"
)

// graphQLProtocol is the WebSocket subprotocol whose messages are read: GraphQL
// over WebSocket, as the library graphql-ws specifies it.
const graphQLProtocol = "graphql-transport-ws"

// readGraphQLMessage reads one message of a client: subscribe asks for an
// operation, the others for none.
func readGraphQLMessage(_ *talk, facts *policy.HTTP, _ *call, body map[string]any) {
	payload := object(body["payload"])
	document, written := payload["query"].(string)
	switch kind, _ := body["type"].(string); {
	case body["query"] != nil, kind != "subscribe" && payload["query"] != nil:
		facts.GraphQL = policy.UnknownFact[[]string]("the message has a document where its type has none")
	case !strict(body, "type", "payload"), !strict(payload, "query"):
		facts.GraphQL = policy.UnknownFact[[]string]("the message has a member whose name differs from a known one in case alone")
	case slices.Contains([]string{"connection_init", "ping", "pong", "complete"}, kind):
		facts.GraphQL = policy.Known[[]string](nil)
	case kind == "subscribe" && written:
		facts.GraphQL = graphQLFact([]string{document}, true)
	default:
		facts.GraphQL = policy.UnknownFact[[]string]("no GraphQL document can be found in the message")
	}
}

// graphQLRefused ends the operation that a client subscribed to.
type graphQLRefused struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"` // "error"
	Payload []graphQLError `json:"payload"`
}

type graphQLError struct {
	Message    string            `json:"message"`
	Extensions map[string]string `json:"extensions"`
}

// graphQLRefusal is a refusal as clients of the protocol read it, who know of
// none but that of a subscribe.
func graphQLRefusal(r *policy.Refusal, _ int, id string, refused []byte) any {
	var m struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	if json.Unmarshal(refused, &m) != nil || m.Type != "subscribe" || m.ID == "" || len(m.ID) > maxEventID {
		return nil
	}
	return graphQLRefused{m.ID, "error", []graphQLError{{messageOf(r), map[string]string{"code": codeOf(r), "exchange": id}}}}
}
