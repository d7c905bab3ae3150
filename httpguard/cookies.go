package httpguard

import (
	"net/http"
	"strings"
)

// relocateCookies makes the upstream's cookies the gateway's: without a domain,
// and for the paths behind which the target is. Without `cookies = true` none
// passes: a cookie is a credential. A proxy's caller uses the upstream's own
// addresses: nothing changes for it.
func (x *exchange) relocateCookies(h http.Header) {
	lines := h["Set-Cookie"]
	delete(h, "Set-Cookie")
	if !x.target.cookies {
		return
	}
	for _, line := range lines {
		if x.route.door == byProxy {
			h.Add("Set-Cookie", line)
			continue
		}
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		c.Domain = ""
		if c.Path != "" {
			at, ok := x.cookiePath(c.Path)
			if !ok {
				continue
			}
			c.Path = at
		}
		if strings.HasPrefix(c.Name, "__Host-") && c.Path != "/" {
			continue // a browser takes it for the whole host alone
		}
		if v := c.String(); v != "" {
			h.Add("Set-Cookie", v)
		}
	}
}

// cookiePath is the path at the gateway of a path at the upstream; false for
// one at which nothing of the target is.
func (x *exchange) cookiePath(path string) (string, bool) {
	base, prefix := x.target.upstream.EscapedPath(), ""
	if x.route.door == byPath {
		prefix = "/" + x.target.name
	}
	if rest, under := strings.CutPrefix(path, base); under && (rest == "" || rest[0] == '/') {
		return max(prefix+rest, "/"), true
	}
	if strings.HasPrefix(base+"/", strings.TrimSuffix(path, "/")+"/") { // above all of the target
		return max(prefix, "/"), true
	}
	return "", false
}
