package httpguard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"sallyport/policy"
	"sallyport/recorder"
)

// answer is what a kind of refusal is in HTTP.
type answer struct {
	status int
	openai string // the type in OpenAI's error object

	anthropic string // the type in Anthropic's
	google    string // google.rpc.Code
}

// answers gives the status of every kind.
var answers = map[policy.Kind]answer{
	policy.Internal:        {http.StatusInternalServerError, "server_error", "api_error", "INTERNAL"},
	policy.Denied:          {http.StatusForbidden, "permission_error", "permission_error", "PERMISSION_DENIED"},
	policy.Unauthenticated: {http.StatusUnauthorized, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
	policy.Malformed:       {http.StatusBadRequest, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	policy.Unparsed:        {http.StatusBadRequest, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	policy.Unsupported:     {http.StatusNotImplemented, "invalid_request_error", "invalid_request_error", "UNIMPLEMENTED"},
	policy.Unknown:         {http.StatusNotFound, "invalid_request_error", "not_found_error", "NOT_FOUND"},
	policy.Unavailable:     {http.StatusBadGateway, "server_error", "api_error", "UNAVAILABLE"},
	policy.Timeout:         {http.StatusGatewayTimeout, "server_error", "api_error", "DEADLINE_EXCEEDED"},
	policy.TooLarge:        {http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
	policy.TooComplex:      {http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
	policy.Busy:            {http.StatusTooManyRequests, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
	policy.Idle:            {http.StatusRequestTimeout, "invalid_request_error", "invalid_request_error", "DEADLINE_EXCEEDED"},
	policy.IdleTransaction: {http.StatusRequestTimeout, "invalid_request_error", "invalid_request_error", "DEADLINE_EXCEEDED"},
	policy.ShuttingDown:    {http.StatusServiceUnavailable, "server_error", "overloaded_error", "UNAVAILABLE"},
	policy.NoColumn:        {http.StatusBadRequest, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	policy.NoRelation:      {http.StatusBadRequest, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
}

// answerFor finds the answer to a refusal; a kind nobody listed is a bug.
func answerFor(r *policy.Refusal) answer {
	a, ok := answers[r.Kind]
	if !ok {
		return answers[policy.Internal]
	}
	switch {
	case errors.Is(r.Err, errEncoding):
		a.status = http.StatusUnsupportedMediaType
	case errors.Is(r.Err, errProxyAuth):
		a.status = http.StatusProxyAuthRequired
	case errors.Is(r.Err, errMisdirected):
		a.status = http.StatusMisdirectedRequest
	}
	return a
}

// problem is RFC 9457's object. Rule, kind and hint are extensions.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"` // the exchange's id
	Kind     string `json:"kind"`
	Rule     string `json:"rule,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

// problem is the refusal as RFC 9457 has it.
func (x *exchange) problem(r *policy.Refusal, status int) problem {
	return problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: told(r), Instance: x.id,
		Kind: r.Kind.String(), Rule: r.Rule, Hint: r.Hint,
	}
}

// sign says which session and exchange a response belongs to.
func (x *exchange) sign(h http.Header) {
	h.Set("X-Sallyport-Exchange", x.id)
	if x.session != nil {
		h.Set("X-Sallyport-Session", x.session.id)
	}
}

// refuse records a refusal and tells the caller. Only Public, Detail, Hint and
// Rule of it are told.
func (x *exchange) refuse(err error) {
	r := policy.AsRefusal(err)
	if failed := x.recordRefusal(r); failed != nil {
		r = policy.AsRefusal(failed)
	}
	x.server.metrics.observe(x.target, r.Kind.String(), x.server.now().Sub(x.start))
	event := x.server.log.Info()
	if r.Kind == policy.Internal {
		event = x.server.log.Error()
	}
	x.about(event).Err(r.Err).Str("kind", r.Kind.String()).Str("rule", r.Rule).Str("method", x.in.Method).Msg("refused: " + r.Public)
	if x.out.begun {
		panic(http.ErrAbortHandler)
	}
	x.write(r)
}

// recordRefusal writes whatever the recording lacks: the exchange when it was
// refused before its verdict, and the outcome.
func (x *exchange) recordRefusal(r *policy.Refusal) error {
	if x.session == nil {
		return nil
	}
	if !x.judged {
		if err := x.record(policy.Verdict{Action: policy.Deny, Rule: r.Rule, Message: r.Public, Hint: r.Hint}); err != nil {
			return err
		}
	}
	if x.ended {
		return nil
	}
	x.ended = true
	err := x.session.write(recorder.Event{Outcome: &recorder.Outcome{
		ID: x.number, Code: strconv.Itoa(x.shapeFor(r).status), Error: r.Public, Duration: x.server.now().Sub(x.start),
		Usage: x.paid(),
	}})
	if err != nil {
		return unrecorded(err)
	}
	return nil
}

// write sends a refusal in the shape the target's clients know.
func (x *exchange) write(r *policy.Refusal) {
	answer := x.shapeFor(r)
	text, err := json.Marshal(answer.body)
	if err != nil {
		panic(http.ErrAbortHandler) // strings and numbers alone: can't be
	}
	h := x.out.Header()
	clear(h)
	x.sign(h)
	h.Set("Content-Type", answer.contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Should-Retry", "false") // the answer would be the same
	switch {
	case errors.Is(r.Err, errProxyAuth):
		h.Set("Proxy-Authenticate", `Basic realm="sallyport"`)
	case r.Kind == policy.Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="sallyport"`)
	}
	x.out.WriteHeader(answer.status)
	_, _ = x.out.Write(append(text, '\n')) // a caller that went away reads nothing
}

// told is what the caller reads of the refusal, without the hint.
func told(r *policy.Refusal) string {
	if r.Detail == "" {
		return r.Public
	}
	return r.Public + " (" + r.Detail + ")"
}

func messageOf(r *policy.Refusal) string {
	if r.Hint == "" {
		return told(r)
	}
	return told(r) + ". " + r.Hint
}

func codeOf(r *policy.Refusal) string {
	if r.Rule != "" {
		return r.Rule
	}
	return r.Kind.String()
}
