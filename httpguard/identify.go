package httpguard

import (
	"context"
	"net/http"
	"strings"

	"sallyport/policy"
	"sallyport/secret"
)

// tokenHeaders are where client libraries put their key, besides Authorization.
// The first is Anthropic's, then Azure's and Pinecone's, then Gemini's.
var tokenHeaders = []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// tokenPrefix is how every issued gateway token begins.
const tokenPrefix = "spt_"

// identify finds the caller's token and what it proves.
func (x *exchange) identify(ctx context.Context) error {
	token, err := findToken(x.in.Header)
	if err != nil {
		return err
	}
	if err := x.route.check(token); err != nil {
		return err
	}
	x.token = token
	x.who.Principal, err = x.server.identifier.Identify(ctx, token)
	return err
}

// findToken reads the one gateway token of a request. The same token in two
// headers is fine; two tokens are not, since we would have to choose.
func findToken(h http.Header) (secret.Text, error) {
	var found []secret.Text
	for _, value := range h.Values("Authorization") {
		found = append(found, fromAuthorization(value))
	}
	for _, name := range tokenHeaders {
		for _, value := range h.Values(name) {
			found = append(found, secret.New(strings.TrimSpace(value)))
		}
	}
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
		return token, unauthenticated("no gateway token was sent")
	}
	return token, nil
}

// fromAuthorization takes the token of a Bearer or the password of Basic; any
// other scheme holds none.
func fromAuthorization(value string) secret.Text {
	scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return secret.New(strings.TrimSpace(token))
	case strings.EqualFold(scheme, "basic"):
		_, password, _ := (&http.Request{Header: http.Header{"Authorization": {value}}}).BasicAuth()
		return secret.New(password)
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
		if strings.HasPrefix(w, tokenPrefix) || secret.New(w).Sum256() == token.Sum256() {
			return malformed("a gateway token belongs into a header, not into the address", nil)
		}
	}
	return nil
}

func unauthenticated(public string) *policy.Refusal {
	return &policy.Refusal{
		Kind: policy.Unauthenticated, Public: public,
		Hint: "send the gateway token where your client library puts its API key, e.g. Authorization: Bearer",
	}
}
