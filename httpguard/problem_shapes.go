package httpguard

import "sallyport/policy"

// shape is how a refusal looks to the clients of a target: the status, the
// content type, and the object.
type shape struct {
	status      int
	contentType string
	body        any
}

// shapeFor writes a refusal as the target's client libraries read it.
func (x *exchange) shapeFor(r *policy.Refusal) shape {
	a := answerFor(r)
	provider := ""
	if x.target != nil {
		provider = x.target.provider
	}
	out := shape{status: a.status, contentType: "application/json"}
	switch provider {
	case openAI, azure:
		out.body = openAIError{openAIDetail{Message: messageOf(r), Type: a.openai, Code: codeOf(r)}}
	case anthropic:
		out.body = anthropicError{Type: "error", Error: anthropicDetail{a.anthropic, messageOf(r)}, Request: x.id}
	case gemini:
		out.body = googleError{googleStatus{Code: a.status, Message: messageOf(r), Status: a.google, Details: []googleInfo{{
			Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: codeOf(r), Domain: "sallyport",
		}}}}
	case mcp:
		out.status, out.body = x.rpcProblem(r, a.status)
	default:
		out.contentType, out.body = "application/problem+json", x.problem(r, a.status)
	}
	return out
}

// openAIError is the object OpenAI's client libraries read.
type openAIError struct {
	Error openAIDetail `json:"error"`
}

type openAIDetail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"` // the rule, else the kind
}

// anthropicError is the object Anthropic's client libraries read.
type anthropicError struct {
	Type    string          `json:"type"` // "error"
	Error   anthropicDetail `json:"error"`
	Request string          `json:"request_id"`
}

type anthropicDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// googleError is google.rpc.Status as Google's JSON APIs write it.
type googleError struct {
	Error googleStatus `json:"error"`
}

type googleStatus struct {
	Code    int          `json:"code"`
	Message string       `json:"message"`
	Status  string       `json:"status"`
	Details []googleInfo `json:"details"`
}

type googleInfo struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"` // the rule, else the kind
	Domain string `json:"domain"`
}
