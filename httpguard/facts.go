package httpguard

import (
	"strings"

	"sallyport/policy"
)

// notJSON is what a rule hears that reads a body of another type.
const notJSON = "the body is not JSON, by its content type"

// read takes in the whole request and says what a rule can know of it: exactly
// what will go upstream, but for the injected header.
func (x *exchange) read() (*policy.HTTP, error) {
	var err error
	if x.header, err = x.outgoing(); err != nil {
		return nil, err
	}
	if x.body, err = x.readBody(); err != nil {
		return nil, err
	}
	parsed, err := parseBody(x.in.Header.Get("Content-Type"), x.body)
	if err != nil {
		return nil, err
	}
	switch {
	case x.rest != nil:
		parsed = policy.UnknownFact[any](tooLargeToJudge)
	case len(x.body) > 0 && !isJSON(x.in.Header.Get("Content-Type")):
		parsed = policy.UnknownFact[any](notJSON) // some servers read JSON whatever the type says
	case x.upgrades():
		parsed = policy.UnknownFact[any](unreadSocket)
	}
	headers := make(map[string]string, len(x.header))
	for name, values := range x.header {
		if isCredential(fold(name)) {
			continue // a cookie that passes
		}
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd")
	}
	for name, values := range x.trailer {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd")
	}
	if x.upgrades() {
		headers["upgrade"] = "websocket"
	}
	at := x.route.url(x.target, "")
	return &policy.HTTP{
		Method:  x.in.Method,
		Host:    at.Host,
		Path:    at.Path,
		Query:   x.route.query,
		Headers: headers,
		Body:    parsed,
	}, nil
}
