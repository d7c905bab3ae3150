package httpguard

import (
	"net/http"
	"slices"
	"strings"

	"sallyport/mask"
)

// protocolHeaders are those whose values are the protocol's own, in small
// letters: no mask looks into them.
var protocolHeaders = []string{
	"accept", "accept-charset", "accept-encoding", "accept-language", "accept-patch", "accept-post", "age", "allow",
	"cache-control", "connection", "content-encoding", "content-language", "content-length", "content-type", "date", "expires",
	"mcp-protocol-version", "mcp-session-id", "retry-after", "server", "te", "traceparent", "trailer", "transfer-encoding",
	"upgrade", "user-agent", "vary", "via", "www-authenticate", "x-sallyport-exchange", "x-sallyport-session",
}

// protocolPrefixes begin the names of more of them.
var protocolPrefixes = []string{"access-control-", "sec-", "x-ratelimit-", "x-stainless-", "anthropic-ratelimit-", "ratelimit"}

func isProtocol(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(protocolHeaders, name) || slices.ContainsFunc(protocolPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// maskHeaders masks the values of headers or trailers that are not the
// protocol's, and says how many values those were. A header of which nothing is
// left goes.
func maskHeaders(c *mask.Content, h http.Header) (masked int) {
	for name, values := range h {
		if isProtocol(name) {
			continue
		}
		kept := values[:0:0]
		for _, v := range values {
			out, n := c.Header(name, v)
			if masked += n; n == 0 || out != "" {
				kept = append(kept, out)
			}
		}
		if h[name] = kept; len(kept) == 0 {
			delete(h, name)
		}
	}
	return masked
}
