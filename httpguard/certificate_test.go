package httpguard

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/policy"
)

// clients is an authority of callers' certificates.
type clients struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newClients(t *testing.T) *clients {
	t.Helper()
	c := &clients{t: t, pool: x509.NewCertPool()}
	c.cert, c.key = c.make(&x509.Certificate{Subject: pkix.Name{CommonName: "clients"}, IsCA: true, BasicConstraintsValid: true}, nil)
	c.pool.AddCert(c.cert)
	return c
}

func (c *clients) make(template *x509.Certificate, by *clients) (*x509.Certificate, *ecdsa.PrivateKey) {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	template.SerialNumber, template.NotAfter = big.NewInt(1), time.Now().Add(time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		c.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		c.t.Fatal(err)
	}
	return cert, key
}

// of is a certificate for a subject.
func (c *clients) of(subject string) []tls.Certificate {
	cert, key := c.make(&x509.Certificate{Subject: pkix.Name{CommonName: subject, OrganizationalUnit: []string{"machines"}}}, c)
	return []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}
}

// latest is how many requests the upstream received, and the last one.
func (p *peer) latest() (n int, last *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n = len(p.got); n > 0 {
		last = p.got[n-1]
	}
	return n, last
}

// secured is the gateway again, over TLS and asking for certificates.
func (g *gateway) secured(t *testing.T, c *clients) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(g.guard)
	s.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: c.pool}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestClientCertificates(t *testing.T) {
	known, strangers := newClients(t), newClients(t)
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "answer") })
	g := newGateway(t, p.URL, func(cfg *Config) {
		cfg.Access = accessFunc(func(p policy.Principal, target string) bool {
			return p.Subject == "agent" && (p.Issuer == "client-certificate") == p.In("machines")
		})
	})
	s := g.secured(t, known)
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		bearer       string
		status       int // 0: no connection
		told         string
	}{
		"a certificate":                        {known.of("agent"), "", 200, "answer"},
		"a token":                              {nil, token, 200, "answer"},
		"both of one":                          {known.of("agent"), token, 200, "answer"},
		"a certificate and a token of another": {known.of("other"), token, 401, "not of the same subject"},
		"a certificate and a wrong token":      {known.of("agent"), "spt_wrong", 401, "not valid"},
		"no grant":                             {known.of("other"), "", 403, "no grant"},
		"nothing":                              {nil, "", 401, "no gateway token was sent"},
		"a stranger's":                         {strangers.of("agent"), "", 0, ""},
		"a stranger's, and a token":            {strangers.of("agent"), token, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := p.latest()
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/plain/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.bearer != "" {
				req.Header.Set("Authorization", "Bearer "+c.bearer)
			}
			req.Header.Set("X-Empty", "")
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: c.certificates}}
			defer transport.CloseIdleConnections()
			res, err := transport.RoundTrip(req)
			if c.status == 0 {
				if err == nil {
					t.Fatalf("let in: %s", res.Status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.told) {
				t.Errorf("%s, %s, %v", res.Status, body, err)
			}
			after, latest := p.latest()
			if passed := after > before; passed != (c.status == 200) {
				t.Errorf("passed: %t", passed)
			}
			if c.status == 200 && latest.Header["X-Empty"] == nil {
				t.Error("an empty header was taken for a token")
			}
		})
	}
	p.noToken(t, 1)
}

// TestClientCertificatesThroughTheProxy: what is in a tunnel came by whoever
// opened it.
func TestClientCertificatesThroughTheProxy(t *testing.T) {
	known := newClients(t)
	ca, roots := newCA(t)
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "answer") })
	g := newGateway(t, p.URL, proxying(ca, p.URL))
	s := g.secured(t, known)
	roots.AddCert(s.Certificate())
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		user         *url.Userinfo
		want         string
	}{
		"a certificate":        {known.of("agent"), nil, "200"},
		"both of one":          {known.of("agent"), url.UserPassword("agent", token), "200"},
		"both, of two":         {known.of("other"), url.UserPassword("agent", token), "Proxy Authentication Required"},
		"neither":              {nil, nil, "Proxy Authentication Required"},
		"the proxy's password": {nil, url.UserPassword("agent", token), "200"},
	} {
		t.Run(name, func(t *testing.T) {
			via := *at
			via.User = c.user
			transport := &http.Transport{Proxy: http.ProxyURL(&via), TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: c.certificates}}
			defer transport.CloseIdleConnections()
			client := http.Client{Transport: transport}
			res, err := client.Get("https://api.example.com/x")
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = res.Status
				_ = res.Body.Close()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
