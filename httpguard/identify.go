package httpguard

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"sallyport/identity"
	"sallyport/policy"
	"sallyport/secret"
)

// tokenHeaders are where client libraries put their key, besides Authorization:
// Anthropic's, Azure's and Pinecone's, Gemini's, AWS's, and our own.
var tokenHeaders = []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Amz-Security-Token", "X-Sallyport-Token"}

// tokenPrefix is how every issued gateway token begins.
const tokenPrefix = "spt_"

// keyProtocol begins the subprotocol in which OpenAI's clients in browsers, that
// can't set headers, put their key.
const keyProtocol = "openai-insecure-api-key."

// errProxyAuth marks the refusal of a proxy's caller: 407, not 401.
var errProxyAuth = errors.New("proxy authentication")

// errNoToken marks the refusal of a caller that sent no token. One that showed
// a certificate needs none.
var errNoToken = errors.New("no token")

// identify finds the caller's token, or its certificate, and what they prove.
func (x *exchange) identify(ctx context.Context) error {
	shown, err := x.shown()
	if err != nil {
		return err
	}
	token, err := x.findToken()
	if err != nil && (shown == nil || !errors.Is(err, errNoToken)) {
		return err
	}
	if err := x.route.check(token); err != nil {
		return err
	}
	x.token = token
	x.who.Principal, err = x.server.proved(ctx, shown, token)
	if x.route.door == byProxy {
		return asProxy(err)
	}
	return err
}

// shown is whom the certificate of the caller's connection names, nil where it
// showed none. What is in a tunnel came by the tunnel's connection.
func (x *exchange) shown() (*policy.Principal, error) {
	state := x.in.TLS
	if x.tunnel != nil {
		state = x.tunnel.state
	}
	return identity.OfConnection(state, x.server.now())
}

// proved is the principal of who showed a certificate, sent a token, or both.
func (s *Server) proved(ctx context.Context, shown *policy.Principal, token secret.Text) (policy.Principal, error) {
	if token.Empty() && shown != nil {
		return *shown, nil
	}
	who, err := s.identifier.Identify(ctx, token)
	if err != nil {
		return who, err
	}
	return identity.Both(shown, who)
}

// findToken is the caller's token. Who comes through the proxy is known by the
// proxy's own header: the others hold what the service would have got.
func (x *exchange) findToken() (secret.Text, error) {
	switch {
	case x.tunnel != nil && x.tunnel.token.Empty():
		return secret.Text{}, noToken()
	case x.tunnel != nil:
		return x.tunnel.token, nil
	case x.route.door == byProxy:
		return findProxyToken(x.in.Header)
	}
	return findToken(x.in.Header, x.route.token)
}

// findToken reads the one gateway token of a request. The same token in two
// headers is fine; two tokens are not, since we would have to choose.
func findToken(h http.Header, more ...secret.Text) (secret.Text, error) {
	found := more
	for _, value := range h.Values("Authorization") {
		found = append(found, fromAuthorization(value, h.Get("X-Amz-Security-Token") != ""))
	}
	for _, name := range tokenHeaders {
		for _, value := range h.Values(name) {
			found = append(found, secret.New(strings.TrimSpace(value)))
		}
	}
	for _, p := range subprotocols(h) {
		if token, ok := strings.CutPrefix(p, keyProtocol); ok {
			found = append(found, secret.New(token))
		}
	}
	return only(found)
}

// only is the one token there is.
func only(found []secret.Text) (secret.Text, error) {
	var token secret.Text
	for _, t := range found {
		switch {
		case t.Empty():
		case token.Empty():
			token = t
		case t.Sum256() != token.Sum256():
			return secret.Text{}, unauthenticated("two different tokens were sent")
		}
	}
	if token.Empty() {
		return token, noToken()
	}
	return token, nil
}

// findProxyToken reads the token of a proxy's caller.
func findProxyToken(h http.Header) (secret.Text, error) {
	var found []secret.Text
	for _, value := range h.Values("Proxy-Authorization") {
		found = append(found, fromAuthorization(value, true))
	}
	token, err := only(found)
	return token, asProxy(err)
}

// asProxy marks what a proxy must answer with 407.
func asProxy(err error) error {
	var r *policy.Refusal
	if !errors.As(err, &r) || r.Kind != policy.Unauthenticated {
		return err
	}
	marked := *r
	marked.Err = errors.Join(r.Err, errProxyAuth)
	marked.Hint = "put the gateway token into the proxy's address: http://agent:TOKEN@gateway:8080"
	return &marked
}

// fromAuthorization takes the token of a Bearer, the password of Basic, or the
// access key of a signature of AWS's, unless that has its token elsewhere; any
// other scheme holds none.
func fromAuthorization(value string, noKey bool) secret.Text {
	scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return secret.New(strings.TrimSpace(token))
	case strings.EqualFold(scheme, "basic"):
		_, password, _ := (&http.Request{Header: http.Header{"Authorization": {value}}}).BasicAuth()
		return secret.New(password)
	case scheme == algorithm && !noKey:
		for part := range strings.SplitSeq(token, ",") {
			if scope, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential="); ok {
				key, _, _ := strings.Cut(scope, "/")
				return secret.New(key)
			}
		}
	}
	return secret.Text{}
}

// check refuses gateway tokens in the address, where they would go upstream and
// into everyone's logs.
func (r route) check(token secret.Text) error {
	words := strings.Split(r.path, "/")
	for name, values := range r.query {
		words = append(append(words, name), values...)
	}
	for _, w := range words {
		if strings.HasPrefix(w, tokenPrefix) || token.Is(w) {
			return malformed("a gateway token belongs into a header, not into the address", nil)
		}
	}
	return nil
}

func noToken() *policy.Refusal {
	r := unauthenticated("no gateway token was sent")
	r.Err = errNoToken
	return r
}

func unauthenticated(public string) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Unauthenticated, Public: public,
		Hint: "send the gateway token where your client library puts its API key, e.g. Authorization: Bearer",
	}
}
