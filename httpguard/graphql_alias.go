package httpguard

import (
	"encoding/json"

	"sallyport/policy"
)

// checkAliases refuses a GraphQL document that has a field come back under
// another name, where a mask knows the field, or what it is in, by its name.
func (x *exchange) checkAliases(facts *policy.HTTP) error {
	if c := x.sides.Response.Content; c == nil || !c.ByName() {
		return nil
	}
	documents, must := x.graphQLDocuments(facts)
	if must && len(documents) == 0 && len(x.body) > 0 && !isJSON(x.in.Header.Get("Content-Type")) {
		return aliased("the document can't be found in the request")
	}
	for _, d := range documents {
		if x.renames(d, must) {
			return aliased("the document can't be read, or gives a masked field another name")
		}
	}
	return nil
}

func aliased(why string) error {
	return &policy.Refusal{
		Kind: policy.Denied, Rule: ruleMask, Public: "a mask protects fields by their names, and " + why,
		Hint: "ask for these fields without an alias, in a body of JSON",
	}
}

// renames reports whether the document has an alias for a field that is masked,
// or for one that such a field is in. What can't be read may have one, if it is
// sure to be GraphQL.
func (x *exchange) renames(document string, sure bool) bool {
	p := &graphQLReader{text: document}
	if _, err := p.operations(); err != nil {
		return sure
	}
	for _, name := range p.renamed {
		if x.sides.Response.Names(name) {
			return true
		}
	}
	return false
}

// asksAlias reports whether a caller's message on a WebSocket does so: the
// protocols graphql-ws and graphql-transport-ws have documents in payloads.
func (x *exchange) asksAlias(message []byte) bool {
	if c := x.sides.Response.Content; c == nil || !c.ByName() {
		return false
	}
	type asks struct {
		Query string `json:"query"`
	}
	var m struct {
		asks
		Type    string `json:"type"`
		Payload asks   `json:"payload"`
	}
	_ = json.Unmarshal(message, &m) // a member of another type is none
	sure := m.Payload.Query != "" && (m.Type == "subscribe" || m.Type == "start")
	return m.Query != "" && x.renames(m.Query, false) || m.Payload.Query != "" && x.renames(m.Payload.Query, sure)
}
