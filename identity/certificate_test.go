package identity

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/policy"
)

func TestOfConnection(t *testing.T) {
	uri := func(all ...string) (list []*url.URL) {
		for _, s := range all {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, u)
		}
		return list
	}
	until := noon.Add(time.Hour)
	name := func(cn string, units ...string) pkix.Name {
		return pkix.Name{CommonName: cn, OrganizationalUnit: units}
	}
	for what, c := range map[string]struct {
		cert          x509.Certificate
		subject, want string
		groups        []string
	}{
		"common name":         {x509.Certificate{Subject: name("worker-1")}, "worker-1", "", nil},
		"groups":              {x509.Certificate{Subject: name("worker-1", "agents", "ci")}, "worker-1", "", []string{"agents", "ci"}},
		"an address":          {x509.Certificate{Subject: name("Ada"), EmailAddresses: []string{"ada@example.com"}}, "ada@example.com", "", nil},
		"SPIFFE":              {x509.Certificate{Subject: name("x"), URIs: uri("spiffe://example.com/ns/a/sa/b"), EmailAddresses: []string{"a@b", "c@d"}}, "spiffe://example.com/ns/a/sa/b", "", nil},
		"two URIs":            {x509.Certificate{Subject: name("x"), URIs: uri("spiffe://a/b", "spiffe://a/c")}, "", "more than one subject", nil},
		"two addresses":       {x509.Certificate{Subject: name("x"), EmailAddresses: []string{"a@b", "c@d"}}, "", "more than one subject", nil},
		"nobody":              {x509.Certificate{DNSNames: []string{"host"}}, "", "names no subject", nil},
		"nobody readable":     {x509.Certificate{Subject: name("a\x00b")}, "", "names no subject", nil},
		"an empty group":      {x509.Certificate{Subject: name("a", "")}, "", "names no subject", nil},
		"over":                {x509.Certificate{Subject: name("a"), NotAfter: noon.Add(-time.Second)}, "", "has expired", nil},
		"a host is no person": {x509.Certificate{Subject: name("cn"), DNSNames: []string{"admin"}}, "cn", "", nil},
	} {
		if c.cert.NotAfter.IsZero() {
			c.cert.NotAfter = until
		}
		p, err := OfConnection(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{&c.cert}}}, noon)
		var r *policy.Refusal
		switch {
		case c.want == "":
			if err != nil || p.Subject != c.subject || p.Issuer != "client-certificate" || !slices.Equal(p.Groups, c.groups) || !p.Expires.Equal(until) || !strings.HasPrefix(p.Token, "crt_") {
				t.Errorf("%s: %+v, %v", what, p, err)
			}
		case !errors.As(err, &r) || r.Kind != policy.Unauthenticated || !strings.Contains(r.Public, c.want) || p != nil:
			t.Errorf("%s: %+v, %v, want %s", what, p, err, c.want)
		}
	}
	// One that is shown and was not verified is none.
	for what, state := range map[string]*tls.ConnectionState{
		"no TLS": nil, "none": {}, "unverified": {PeerCertificates: []*x509.Certificate{{Subject: name("worker-1"), NotAfter: until}}},
	} {
		if p, err := OfConnection(state, noon); p != nil || err != nil {
			t.Errorf("%s: %+v, %v", what, p, err)
		}
	}
}

func TestBoth(t *testing.T) {
	certificate := &policy.Principal{Subject: "w", Groups: []string{"machines"}, Expires: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		certificate *policy.Principal
		token       policy.Principal
		expires     time.Time
		fails       bool
	}{
		"a token alone":       {nil, policy.Principal{Subject: "w", Groups: []string{"agents"}}, time.Time{}, false},
		"the token is first":  {certificate, policy.Principal{Subject: "w", Groups: []string{"agents"}, Expires: noon}, noon, false},
		"the other is first":  {certificate, policy.Principal{Subject: "w", Groups: []string{"agents"}, Expires: noon.Add(2 * time.Hour)}, certificate.Expires, false},
		"a token without end": {certificate, policy.Principal{Subject: "w", Groups: []string{"agents"}}, certificate.Expires, false},
		"of another":          {certificate, policy.Principal{Subject: "v", Groups: []string{"agents"}}, time.Time{}, true},
	} {
		p, err := Both(c.certificate, c.token)
		switch {
		case c.fails != (err != nil):
			t.Errorf("%s: %v", name, err)
		case err == nil && (p.Subject != "w" || !slices.Equal(p.Groups, []string{"agents"}) || !p.Expires.Equal(c.expires)):
			t.Errorf("%s: %+v", name, p)
		}
	}
}
