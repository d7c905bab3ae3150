package httpguard

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"sallyport/policy"
)

// The rules of refusals that a target's own allow-lists make.
const (
	ruleMethods = "(methods)"
	rulePaths   = "(paths)"
)

// reach is what of a target says where its exchanges may come from and go to.
type reach struct {
	upstreams []*url.URL // all with the scheme and base path of the first
	h2c       bool       // HTTP/2 without TLS
	hosts     []string   // host names, in lower case, or "*." and a domain
	methods   []string   // nil: every method
	paths     []string   // patterns over http.path; nil: every path
	roots     *x509.CertPool
	private   bool     // names may stand for private addresses
	dataHosts []string // patterns of hosts besides the upstream, for the provider's own answers name them
}

// parseReach reads the keys that reach.go knows, and gives the first upstream.
func (t Target) parseReach(add func(string, error)) reach {
	var r reach
	var err error
	r.upstreams, r.h2c, err = parseUpstreams(t.Upstream)
	add("upstream", err)
	for _, h := range t.Host {
		h = strings.ToLower(strings.TrimSuffix(h, "."))
		add("host", checkHost(h))
		if slices.Contains(r.hosts, h) {
			add("host", fmt.Errorf("%q is there twice", h))
		}
		r.hosts = append(r.hosts, h)
	}
	for _, m := range t.Methods {
		if err := checkMethod(m); err != nil {
			add("methods", fmt.Errorf("%q: a method is written in capitals, and is none for proxies", m))
		}
	}
	for _, p := range t.Paths {
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
			add("paths", fmt.Errorf(`%q: a path begins with "/" and takes *, as in "/v1/*"`, p))
		}
	}
	r.methods, r.paths, r.private = t.Methods, t.Paths, t.AllowPrivate
	r.roots, err = loadRoots(t.CACert)
	add("cacert", err)
	if t.CACert != "" && len(r.upstreams) > 0 && r.upstreams[0].Scheme != "https" {
		add("cacert", errors.New("means nothing without https://"))
	}
	r.dataHosts = t.DataHosts
	if t.Provider == pinecone && r.dataHosts == nil {
		r.dataHosts = []string{"*.pinecone.io"}
	}
	if t.DataHosts != nil && t.Provider != pinecone {
		add("data_hosts", fmt.Errorf("only for provider = %q", pinecone))
	}
	for _, h := range t.DataHosts {
		if strings.Trim(h, "*.") == "" || strings.ContainsAny(h, "/@ ") {
			add("data_hosts", fmt.Errorf(`%q: want a host, which takes *, as in "*.pinecone.io"`, h))
		}
	}
	return r
}

// parseUpstreams reads one URL, or several with commas between them.
func parseUpstreams(s string) ([]*url.URL, bool, error) {
	var all []*url.URL
	h2c := false
	for i, one := range strings.Split(s, ",") {
		one = strings.TrimSpace(one)
		rest, is := strings.CutPrefix(one, "h2c://")
		if is {
			one = "http://" + rest
		}
		u, err := parseUpstream(one)
		if err != nil {
			return nil, false, err
		}
		if i == 0 {
			h2c = is
		} else if first := all[0]; is != h2c || u.Scheme != first.Scheme || u.EscapedPath() != first.EscapedPath() {
			return nil, false, errors.New("several upstreams must have the same scheme and the same path")
		}
		if slices.ContainsFunc(all, func(o *url.URL) bool { return o.Host == u.Host }) {
			return nil, false, fmt.Errorf("%q is there twice", u.Host)
		}
		all = append(all, u)
	}
	return all, h2c, nil
}

// checkHost wants a host name without a port; "*." may stand before it.
func checkHost(h string) error {
	name := strings.TrimPrefix(h, "*.")
	ok := name != "" && !strings.HasPrefix(name, ".") && !strings.Contains(name, "..")
	for i := range len(name) {
		ok = ok && (isAlphanumeric(name[i]) || name[i] == '-' || name[i] == '.' || name[i] == '_')
	}
	if !ok {
		return fmt.Errorf(`%q: want a host name without port, or "*." and a domain`, h)
	}
	return nil
}

// loadRoots reads the authorities in a PEM file; nil is the system's.
func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	var cause *os.PathError
	switch {
	case errors.As(err, &cause):
		return nil, fmt.Errorf("%s: %w", file, cause.Err)
	case err != nil:
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return roots, nil
}

// checkReach refuses what the target's allow-lists leave out: method and path
// as they would go upstream.
func (x *exchange) checkReach() error {
	t := x.target
	if t.methods != nil && !slices.Contains(t.methods, x.in.Method) {
		return &policy.Refusal{Kind: policy.Denied, Rule: ruleMethods, Public: "this target is not open to the method " + x.in.Method, Hint: "it takes " + strings.Join(t.methods, ", ")}
	}
	if t.paths != nil && !policy.MatchAny(t.paths, x.route.url(t, "").Path) {
		return &policy.Refusal{Kind: policy.Denied, Rule: rulePaths, Public: "this path of the target is closed", Hint: "ask who runs the gateway for the paths that are open"}
	}
	return nil
}

// Where an address is.
const (
	public   = iota
	internal // loopback and private networks
	never    // link-local, cloud metadata, multicast: nothing an upstream is at
)

// metadata are addresses at which clouds hand out credentials, outside of the
// link-local networks.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"), netip.MustParseAddr("168.63.129.16")}

// special are networks that are not the public internet, besides those that
// netip knows.
var special = map[netip.Prefix]int{
	netip.MustParsePrefix("0.0.0.0/8"):      never,
	netip.MustParsePrefix("100.64.0.0/10"):  internal,
	netip.MustParsePrefix("192.0.0.0/24"):   internal,
	netip.MustParsePrefix("198.18.0.0/15"):  internal,
	netip.MustParsePrefix("240.0.0.0/4"):    never,
	netip.MustParsePrefix("fec0::/10"):      internal,
	netip.MustParsePrefix("64:ff9b:1::/48"): internal,
}

// embedding are networks whose addresses stand for an IPv4 one, which begins at
// that byte: NAT64, 6to4.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"): 12,
	netip.MustParsePrefix("2002::/16"):    2,
}

// placeOf says where an address is.
func placeOf(a netip.Addr) int {
	a = a.WithZone("").Unmap()
	for network, at := range embedding {
		if network.Contains(a) {
			b := a.As16()
			return placeOf(netip.AddrFrom4([4]byte(b[at : at+4])))
		}
	}
	if slices.Contains(metadata, a) {
		return never
	}
	for network, place := range special {
		if network.Contains(a) {
			return place
		}
	}
	switch {
	case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a.IsInterfaceLocalMulticast():
		return never
	case a.IsLoopback(), a.IsPrivate():
		return internal
	}
	return public
}

// innerNames end names that are in nobody's public DNS: who writes one into the
// configuration means an internal address.
var innerNames = []string{".localhost", ".internal", ".local", ".lan", ".intranet", ".home.arpa", ".svc", ".test"}

// dialable says whether a connection to host, a name or an address of the
// configuration, may go to a. A name that suddenly stands for another kind of
// address is how requests are led to what the gateway alone can reach.
func (r reach) dialable(host string, a netip.Addr) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return r.names(host) // the operator's own choice
	}
	switch placeOf(a) {
	case public:
		return true
	case internal:
		inner := !strings.Contains(host, ".") || slices.ContainsFunc(innerNames, func(s string) bool { return strings.HasSuffix(host, s) })
		return r.private || inner && r.names(host)
	}
	return false
}

// names reports whether the configuration has the host itself, not by a pattern.
func (r reach) names(host string) bool {
	return slices.ContainsFunc(r.upstreams, func(u *url.URL) bool { return strings.EqualFold(u.Hostname(), host) }) ||
		slices.ContainsFunc(r.dataHosts, func(h string) bool {
			return (&url.URL{Host: h}).Hostname() == host
		})
}
