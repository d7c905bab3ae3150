package httpguard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"sallyport/policy"
	"sallyport/secret"
)

// door is how a caller names a target.
type door int

const (
	byPath  door = iota // the first segment of the path
	byHost              // the host: the whole path is the upstream's
	byProxy             // the gateway is the caller's proxy: host and path are the upstream's own
)

// route is where an exchange goes: what is left of its path when the target's
// name is taken off. A route is clean: each reader of it reads the same.
type route struct {
	door     door
	target   string // its name; of no target when there is none of that name
	path     string // decoded; "" or with a leading slash
	raw      string // the same as the caller sent it
	rawQuery string // as the caller sent it, without a token
	query    url.Values
	host     string      // upstream's, where it is not the target's own: one of its data hosts
	token    secret.Text // taken out of the query
	missing  error       // why there is no target, nil for the usual reason
}

// find reads where a request wants to go. It changes nothing: what is not clean
// is refused. t is the tunnel it came through, nil for none.
func (s *Server) find(r *http.Request, t *tunnel) (route, error) {
	if err := checkMethod(r.Method); err != nil {
		return route{}, err
	}
	if strings.ContainsAny(r.Host, "/\\?#@ ") {
		return route{}, malformed("the Host is none", nil) // over HTTP/1.1 net/http refuses it
	}
	raw, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	authority, absolute := "", strings.HasPrefix(raw, "http://")
	switch {
	case t != nil && (absolute || !sameHost(r.Host, t.authority)):
		return route{door: byProxy}, &policy.Refusal{Kind: policy.Malformed, Public: "the request is for another host than the connection", Err: errMisdirected}
	case t != nil:
		authority = t.authority
	case absolute && s.proxy != nil:
		rest := strings.TrimPrefix(raw, "http://")
		at := strings.IndexByte(rest+"/", '/')
		authority, raw = withPort(rest[:at], "80"), rest[at:]
		if raw == "" {
			raw = "/"
		}
		if !sameHost(r.Host, authority) { // net/http takes it from the address: it can't be
			return route{door: byProxy}, malformed("the address and the Host differ", nil)
		}
	}
	if !strings.HasPrefix(raw, "/") {
		return route{}, malformed("the address must be a path, not a whole URL", nil)
	}
	if authority != "" {
		return s.findProxied(authority, raw, rawQuery)
	}
	if name := s.hosts.find(r.Host); name != "" {
		return s.locate(route{door: byHost, target: name, raw: raw}, rawQuery)
	}
	out, err := parseRoute(raw)
	if err != nil {
		return out, err
	}
	return s.locate(out, rawQuery)
}

// parseRoute takes the target's name off a path.
func parseRoute(raw string) (route, error) {
	name, rest, _ := strings.Cut(raw[1:], "/")
	if len(raw) > len(name)+1 {
		rest = "/" + rest
	}
	if _, err := cleanPath(raw); err != nil {
		return route{target: name}, malformed(err.Error(), nil)
	}
	out := route{target: name, raw: rest}
	if strings.Contains(name, "%") {
		return out, malformed("the target's name must be written without escapes", nil)
	}
	return out, nil
}

// locate completes a route whose target and raw path are known.
func (s *Server) locate(out route, rawQuery string) (route, error) {
	if out.raw != "" {
		path, err := cleanPath(out.raw)
		if err != nil {
			return out, malformed(err.Error(), nil)
		}
		out.path = path
	}
	t := s.targets[out.target]
	if t != nil {
		if err := out.toDataHost(t); err != nil {
			return out, err
		}
		if t.tokenQuery != "" {
			rawQuery, out.token = takeFrom(rawQuery, t.tokenQuery)
		}
		if t.keyed && t.inject.kind == inQuery {
			rawQuery = without(rawQuery, t.inject.name)
		}
	}
	out.rawQuery = rawQuery
	var err error
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

// dataHostMark begins a path that names a data host: /_host/NAME/rest.
const dataHostMark = "/_host/"

// toDataHost reads a path that relocation made of another host of the target's:
// only hosts the target allows are taken.
func (r *route) toDataHost(t *target) error {
	rest, ok := strings.CutPrefix(r.raw, dataHostMark)
	if !ok || t.dataHosts == nil || r.door == byProxy {
		return nil
	}
	host, raw, _ := strings.Cut(rest, "/")
	if !t.isDataHost(host) {
		return &policy.Refusal{Kind: policy.Denied, Public: "this target does not reach that host"}
	}
	r.host, r.raw = host, "/"+raw
	path, err := cleanPath(r.raw)
	r.path = path
	if err != nil {
		return malformed(err.Error(), nil)
	}
	return nil
}

// isDataHost reports whether host, perhaps with a port, is one of the target's.
func (t *target) isDataHost(host string) bool {
	u, err := url.Parse("//" + host)
	return err == nil && u.Host == host && u.User == nil && u.Hostname() != "" && !strings.ContainsAny(host, "%/?#@") &&
		policy.MatchAny(t.dataHosts, strings.ToLower(host))
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
	if r.host != "" {
		u = url.URL{Scheme: u.Scheme, Host: r.host}
	}
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
