package httpguard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"sallyport/policy"
)

// route is where an exchange goes: what is left of its path when the target's
// name is taken off. A route is clean: each reader of it reads the same.
type route struct {
	target string
	path   string // decoded; "" or with a leading slash
	raw    string // the same as the caller sent it
	query  url.Values
}

// parseRoute reads method and address of a request. It changes nothing: what is
// not clean is refused.
func parseRoute(r *http.Request) (route, error) {
	if err := checkMethod(r.Method); err != nil {
		return route{}, err
	}
	raw, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(raw, "/") {
		return route{}, malformed("the address must be a path, not a whole URL", nil)
	}
	name, rest, _ := strings.Cut(raw[1:], "/")
	if len(raw) > len(name)+1 {
		rest = "/" + rest
	}
	path, err := cleanPath(raw)
	if err != nil {
		return route{target: name}, malformed(err.Error(), nil)
	}
	out := route{target: name, raw: rest}
	if strings.Contains(name, "%") {
		return out, malformed("the target's name must be written without escapes", nil)
	}
	out.path = path[min(len(path), len(name)+1):]
	out.query, err = url.ParseQuery(rawQuery)
	if err != nil {
		return out, malformed("the query can't be read", err)
	}
	for key, values := range out.query {
		for _, s := range append(values, key) {
			if !utf8.ValidString(s) {
				return out, malformed("the query is not UTF-8", nil)
			}
		}
	}
	return out, nil
}

// checkMethod wants upper case, since servers differ in reading the rest, and
// none that is for proxies or answers with what we injected.
func checkMethod(m string) error {
	switch m {
	case http.MethodConnect, http.MethodTrace, "TRACK":
		return malformed("the method "+m+" is not for targets", nil)
	}
	if m == "" || strings.ContainsFunc(m, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' && r != '_' }) {
		return malformed("a method is written in capitals", nil)
	}
	return nil
}

// plain is every byte that stands for itself in a path, besides letters,
// digits and the slash: RFC 3986, section 3.3, and the brackets.
const plain = "-._~!$&'()*+,;=:@[]%"

// cleanPath decodes a path that starts with a slash. It is an error when two
// readers could take the path differently: dot segments, empty segments, and
// escapes of what separates segments.
func cleanPath(raw string) (string, error) {
	for i := range len(raw) {
		if c := raw[i]; c != '/' && !isAlphanumeric(c) && !strings.Contains(plain, string(rune(c))) {
			return "", fmt.Errorf("the path has the byte %#02x, which must be escaped", c)
		}
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return "", errors.New("the path has an escape that can't be read")
	}
	if !utf8.ValidString(path) {
		return "", errors.New("the path is not UTF-8")
	}
	if strings.Count(path, "/") != strings.Count(raw, "/") || strings.Contains(path, `\`) {
		return "", errors.New("the path has an escaped slash or a backslash")
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("the path has a control character")
	}
	if strings.Count(path, ".") != strings.Count(raw, ".") {
		return "", errors.New("the path has an escaped dot")
	}
	if again, err := url.PathUnescape(path); err == nil && again != path {
		return "", errors.New("the path is escaped twice")
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";") // some servers take a parameter off before they look at the dots
		switch {
		case s == "." || s == "..":
			return "", errors.New("the path has a dot segment")
		case s == "" && i < len(segments)-1:
			return "", errors.New("the path has an empty segment")
		}
	}
	return path, nil
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// url is where upstream the route leads: the target's own scheme and host, its
// base path, and the caller's path byte for byte.
func (r route) url(t *target, rawQuery string) *url.URL {
	u := *t.upstream
	u.RawPath = u.EscapedPath() + r.raw
	u.Path += r.path
	if u.Path == "" {
		u.Path, u.RawPath = "/", "/"
	}
	u.RawQuery = rawQuery
	return &u
}

func malformed(public string, err error) *policy.Refusal {
	return &policy.Refusal{Kind: policy.Malformed, Public: public, Err: err}
}
