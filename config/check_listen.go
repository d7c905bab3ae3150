package config

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
)

// off is the address of a listener that is not wanted.
const off = "off"

// checkListen checks [listen], and that what can be reached from elsewhere
// has TLS: gateway tokens come in there.
func (c *Config) checkListen(p *problems) {
	taken := make(map[string]string)
	open := 0
	for _, l := range []struct {
		key     string
		address *string
	}{
		{"postgres", &c.Listen.Postgres},
		{"http", &c.Listen.HTTP},
		{"console", &c.Listen.Console},
		{"metrics", &c.Listen.Metrics},
	} {
		path := []string{"listen", l.key}
		if *l.address == off {
			*l.address = ""
			continue
		}
		open++
		host, port, err := net.SplitHostPort(*l.address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strings.ContainsAny(host, " \t/") {
			p.check(path, `listen.%s must be host:port or "off", is %q`, l.key, *l.address)
			continue
		} else if first := taken[*l.address]; first != "" && n != 0 {
			p.check(path, "listen.%s and listen.%s are both %q", first, l.key, *l.address)
		}
		taken[*l.address] = l.key
		if !loopback(host) && c.TLS == (TLS{}) && !p.wrong["tls"] {
			p.check(path, "listen.%s = %q is not on loopback: [tls] is required", l.key, *l.address)
		}
	}
	if open == 0 {
		p.check([]string{"listen"}, "every listener is off: nothing could be reached")
	}
}

// checkProxy checks [proxy], and that the authority can sign.
func (c *Config) checkProxy(p *problems) {
	c.Proxy.CACert, c.Proxy.CAKey = c.resolve(c.Proxy.CACert), c.resolve(c.Proxy.CAKey)
	for _, problem := range c.Proxy.Problems() {
		p.check([]string{"proxy", problem.Key}, "proxy.%s: %s", problem.Key, problem.Message)
	}
}

// checkOAuth checks [oauth].
func (c *Config) checkOAuth(p *problems) {
	for _, problem := range c.OAuth.Problems() {
		p.check([]string{"oauth", problem.Key}, "oauth.%s %v", problem.Key, problem.Err)
	}
}

// loopback reports whether a listener on host is reached from this machine only.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkTLS checks [tls], and that the files hold a certificate and its key.
func (c *Config) checkTLS(p *problems) {
	path := []string{"tls"}
	written := p.has(path)
	cert, key := c.TLS.Cert, c.TLS.Key
	switch {
	case !written:
		return
	case cert == "":
		p.check(at(path, "cert"), "tls.cert is required: the file of the certificate")
	case key == "":
		p.check(at(path, "key"), "tls.key is required: the file of the certificate's key")
	}
	if cert == "" || key == "" {
		p.wrong[pathKey(path)] = true // said once, and not again of each listener
		return
	}
	c.TLS.Cert, c.TLS.Key = c.resolve(cert), c.resolve(key)
	if authorities := c.TLS.ClientCA; authorities != "" {
		c.TLS.ClientCA = c.resolve(authorities)
		checkCertificates(p, at(path, "client_ca"), c.TLS.ClientCA, authorities)
	}
	bad := checkFile(p, at(path, "cert"), c.TLS.Cert, cert)
	bad = checkFile(p, at(path, "key"), c.TLS.Key, key) || bad
	if bad {
		return
	}
	if _, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key); err != nil {
		p.check(at(path, "cert"), "tls.cert and tls.key: %v", err)
	}
}
