package httpguard

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"sallyport/policy"
)

// errMisdirected marks the refusal of a request on a connection for another host.
var errMisdirected = errors.New("another host than the connection's")

// hosts says which target a host name belongs to.
type hosts struct {
	exact  map[string]string // target by name
	suffix map[string]string // target by ".domain"
}

// newHosts collects the host names of all targets; no two may have the same.
func newHosts(targets map[string]*target) (hosts, error) {
	h := hosts{exact: map[string]string{}, suffix: map[string]string{}}
	var all []error
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		for _, host := range targets[name].hosts {
			in, key := h.exact, host
			if domain, wild := strings.CutPrefix(host, "*"); wild {
				in, key = h.suffix, domain
			}
			if other, taken := in[key]; taken && other != name {
				all = append(all, fmt.Errorf("http.%s: host: %q is that of http.%s as well", name, host, other))
			}
			in[key] = name
		}
	}
	return h, errors.Join(all...)
}

// find gives the target of a Host header, "" for none. A name itself goes before
// the domains it is in, and of these the longest.
func (h hosts) find(host string) string {
	name := bareHost(host)
	if t := h.exact[name]; t != "" {
		return t
	}
	for i := range len(name) {
		if name[i] == '.' {
			if t := h.suffix[name[i:]]; t != "" && i > 0 {
				return t
			}
		}
	}
	return ""
}

// bareHost is a host without its port and last dot, in lower case.
func bareHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// withPort adds a port where there is none, and makes the host lower case.
func withPort(host, port string) string {
	if name, p, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(name, ".")), p)
	}
	return net.JoinHostPort(bareHost(host), port)
}

// sameHost reports whether a Host header is for the authority, whose port it
// may leave out.
func sameHost(host, authority string) bool {
	_, port, err := net.SplitHostPort(authority)
	return err == nil && withPort(host, port) == authority
}

// findProxied finds the target whose upstream a proxy's caller means. Of several
// with that upstream it is the one whose base path holds the most of the path.
func (s *Server) findProxied(authority, raw, rawQuery string) (route, error) {
	out := route{door: byProxy, raw: raw}
	best, tied := -1, false
	for name, t := range s.targets {
		for _, u := range t.upstreams {
			rest, under := strings.CutPrefix(raw, u.EscapedPath())
			if withPort(u.Host, portOf(u.Scheme)) != authority || !under || rest != "" && rest[0] != '/' {
				continue
			}
			switch size := len(u.EscapedPath()); {
			case size > best:
				best, tied = size, false
				out.target, out.raw = name, rest
			case size == best && name != out.target:
				tied = true
			}
		}
	}
	if name := s.hosts.find(authority); name != "" && (best < 0 || tied) {
		out.target, out.raw, best, tied = name, raw, 0, false
	}
	if best < 0 && !tied {
		for name, t := range s.targets {
			host := strings.TrimSuffix(strings.TrimSuffix(authority, ":443"), ":80")
			if t.isDataHost(host) {
				if best == 0 && out.target != name {
					tied = true
				}
				out.target, out.host, best = name, host, 0
			}
		}
	}
	switch {
	case tied:
		return route{door: byProxy, missing: &policy.Refusal{Kind: policy.Unknown, Public: "several targets have that upstream", Hint: `one of them must claim it: host = ["` + bareHost(authority) + `"]`}}, nil
	case best < 0:
		return route{door: byProxy, missing: &policy.Refusal{Kind: policy.Denied, Public: "no target is at that address", Hint: "the gateway is a proxy for its targets only"}}, nil
	}
	return s.locate(out, rawQuery)
}

// known reports whether a proxy's caller may connect to the authority at all.
func (s *Server) known(authority string) bool {
	for _, t := range s.targets {
		for _, u := range t.upstreams {
			if withPort(u.Host, portOf(u.Scheme)) == authority {
				return true
			}
		}
		if t.isDataHost(strings.TrimSuffix(strings.TrimSuffix(authority, ":443"), ":80")) {
			return true
		}
	}
	return s.hosts.find(authority) != ""
}

func portOf(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
