package httpguard

import (
	"net/http"
	"slices"
	"strings"

	"sallyport/policy"
)

// credentialHeaders is the family of headers that carry or claim an identity,
// in lower case. None of a caller's goes upstream.
var credentialHeaders = []string{
	"authentication", "authorization", "proxy-authorization", "proxy-authenticate",
	"cookie", "cookie2", "sec-websocket-protocol",
	"x-api-key", "api-key", "apikey", "x-apikey", "x-goog-api-key", "x-functions-key",
	"x-amz-security-token", "x-auth-key", "x-auth-email", "x-auth-user", "x-auth-request-user",
	"x-forwarded-user", "x-forwarded-email", "x-forwarded-client-cert", "x-remote-user", "remote-user",
	"x-ms-client-principal", "x-goog-iam-authority-selector", "x-goog-authenticated-user-email",
	"es-security-runas-user", "x-authenticated-user", "x-authenticated-userid", "x-userinfo", "x-user-info", "x-jwt-assertion", "x-goog-iap-jwt-assertion",
	"x-client-cert", "client-cert", "client-cert-chain", "x-client-dn", "x-client-verify", "x-middleware-subrequest",
}

// credentialPrefixes begin the names in which servers take another's word for
// who it is: Kubernetes' impersonation, and what proxies tell of who logged in.
var credentialPrefixes = []string{
	"impersonate-", "x-remote-", "x-webauth-", "x-auth-request-", "x-ssl-", "ssl-client-", "cf-access-", "x-amzn-oidc-", "x-amzn-mtls-",
	"x-ms-client-principal-", "x-goog-authenticated-user-", "x-consumer-", "x-credential-", "x-authentik-", "x-authelia-", "x-vouch-", "x-endpoint-api-", "remote-",
}

// credentialSuffixes end the names that services make up for the same purpose.
var credentialSuffixes = []string{"-api-key", "-apikey", "-token", "-secret", "-password", "-authorization", "-access-key", "-auth-key", "-subscription-key"}

// ownPrefix begins the headers that are between a caller and the gateway.
const ownPrefix = "x-sallyport-"

// hopByHop are the headers of one connection: RFC 9110, section 7.6.1, and
// what we answer ourselves.
var hopByHop = []string{
	"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
	"http2-settings", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-accept", "expect", "content-length", "host", "accept-encoding",
	"forwarded", "x-real-ip", "x-client-ip", "x-originating-ip", "x-original-host", "x-host", "x-http-host-override",
	"true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-cluster-client-ip", "x-azure-clientip", "x-original-forwarded-for", "x-envoy-external-address",
}

// hopPrefixes begin more of them: what a proxy says of a connection that is not
// the caller's.
var hopPrefixes = []string{"x-forwarded-"}

// rereading are the headers that make some servers act on another method or
// path than those that were judged.
var rereading = []string{"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url", "x-original-method", "x-original-uri", "x-override-url", "x-envoy-original-path", "x-http-path-override"}

// copying are the headers that name another object for a server to read or
// write: a target's list of paths does not reach into them.
var copying = []string{"destination", "x-amz-copy-source", "x-goog-copy-source", "x-ms-copy-source", "x-ms-rename-source", "x-amz-rename-source", "x-copy-from", "x-oss-copy-source", "x-obs-copy-source", "x-cos-copy-source"}

// outgoing is what of the caller's headers goes upstream. It refuses those that
// would undo the verdict, and leaves out each one that holds the token.
func (x *exchange) outgoing() (http.Header, error) {
	in := x.in.Header
	if len(in.Values("Content-Type")) > 1 {
		return nil, malformed("more than one Content-Type", nil)
	}
	drop := slices.Clone(hopByHop)
	for _, list := range in.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			drop = append(drop, fold(strings.TrimSpace(name)))
		}
	}
	if x.target.keyed {
		drop = append(drop, x.target.inject.headers()...)
	}
	if x.sides.Response.Content != nil {
		// A mask needs the whole, and validators tell of what it hides.
		drop = append(drop, "range", "if-range", "if-none-match", "if-modified-since")
	}
	out := make(http.Header, len(in))
	for name, values := range in {
		folded := fold(name)
		switch {
		case slices.Contains(rereading, folded):
			return nil, malformed("the header "+name+" would change the request after it was judged", nil)
		case x.target.paths != nil && slices.Contains(copying, folded):
			return nil, &policy.Refusal{Kind: policy.Denied, Rule: rulePaths, Public: "the header " + name + " names another path, and only some of this target are open"}
		case folded == "cookie" && x.target.cookies && !slices.Contains(drop, folded) && !slices.ContainsFunc(values, x.holdsToken):
			out[name] = slices.Clip(values)
		case slices.Contains(drop, folded), hasPrefix(folded, hopPrefixes), isCredential(folded), slices.ContainsFunc(values, x.holdsToken):
		default:
			out[name] = slices.Clip(values)
		}
	}
	// What is recorded and masked must be readable.
	out.Set("Accept-Encoding", "identity")
	return out, nil
}

// fold is the name as servers see it that make _ and - the same.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// isCredential reports whether a folded name is of the credential family.
func isCredential(folded string) bool {
	return strings.HasPrefix(folded, ownPrefix) || slices.Contains(credentialHeaders, folded) || hasPrefix(folded, credentialPrefixes) ||
		slices.ContainsFunc(credentialSuffixes, func(s string) bool { return strings.HasSuffix(folded, s) })
}

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// holdsToken reports whether a word of the value is the caller's token, or
// begins as one.
func (x *exchange) holdsToken(value string) bool {
	if !strings.Contains(value, tokenPrefix) && !x.token.In(value) {
		return false
	}
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t,;=:\"'&?/", r) })
	return slices.ContainsFunc(append(words, value), func(w string) bool {
		return strings.HasPrefix(w, tokenPrefix) || x.token.Is(w)
	})
}
