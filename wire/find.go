package wire

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"sallyport/policy"
)

// hostName is a name that TLS can carry (SNI): no address, and no wildcard.
var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// checkHost checks one entry of a target's host.
func checkHost(host string) error {
	if !hostName.MatchString(bareName(host)) || net.ParseIP(host) != nil {
		return fmt.Errorf("%q must be a host name", host)
	}
	return nil
}

// bareName is a host name without its last dot, in lower case.
func bareName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// newHosts says which target a host name is of; no two may have the same.
func newHosts(targets map[string]Target, ready map[string]*target) (map[string]*target, error) {
	hosts := map[string]*target{}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		for _, host := range targets[name].Host {
			host = bareName(host)
			if other := hosts[host]; other != nil && other.name != name {
				return nil, fmt.Errorf("postgres.%s: host: %q is that of postgres.%s as well", name, host, other.name)
			}
			hosts[host] = ready[name]
		}
	}
	return hosts, nil
}

// find is the target a client means, by the database's name, by the host name
// it gave for TLS, or by both: then they must agree, lest two readers of the
// same login see different targets.
//
// A libpq that was given no database asks for one of the user's name: that is
// taken for none where no target has it.
func (s *Server) find(h *hello, host string) (*target, error) {
	named, hosted := s.targets[h.target], s.hosts[bareName(host)]
	switch {
	case hosted == nil && named != nil:
		return named, nil
	case hosted == nil:
		return nil, &policy.Refusal{
			Kind:   policy.Unknown,
			Public: fmt.Sprintf("target %q does not exist", h.target),
			Hint:   "The database name is the name of a [postgres.NAME] in the gateway's configuration.",
		}
	case named == hosted, !h.named, named == nil && h.target == h.user:
		return hosted, nil
	}
	return nil, &policy.Refusal{
		Kind:   policy.Unknown,
		Public: fmt.Sprintf("the host name is of target %q, the database name is %q", hosted.name, h.target),
		Hint:   "Leave the database name out, or connect to the host name of its target.",
	}
}
