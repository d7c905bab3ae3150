package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sallyport/credential"
	"sallyport/httpguard"
	"sallyport/mask"
	"sallyport/policy"
	"sallyport/wire"
)

// targetName is what a target may be called: it is a database name to a
// Postgres client and a path segment to an HTTP client.
var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// checkTargets checks each [postgres.NAME] and [http.NAME].
func (c *Config) checkTargets(p *problems) {
	if len(c.Postgres)+len(c.HTTP) == 0 {
		p.check(nil, "there is no target: write at least one [postgres.NAME] or [http.NAME]")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Postgres)) {
		path := []string{"postgres", name}
		checkName(p, path)
		c.Postgres[name] = c.checkPostgres(p, path, c.Postgres[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.HTTP)) {
		path := []string{"http", name}
		checkName(p, path)
		if _, taken := c.Postgres[name]; taken {
			p.check(path, "target %q is a [postgres.%s] as well: names must differ", name, name)
		}
		c.HTTP[name] = c.checkHTTP(p, path, c.HTTP[name])
	}
	c.checkHosts(p)
	c.checkNames(p)
}

func checkName(p *problems, path []string) {
	if !targetName.MatchString(path[1]) {
		p.check(path, `target %q: a name is made of letters, digits, ".", "_" and "-"`, path[1])
	}
}

// checkPostgres checks a target and gives it back with its paths resolved.
func (c *Config) checkPostgres(p *problems, path []string, t wire.Target) wire.Target {
	key := func(k string) []string { return at(path, k) }
	if t.Upstream == "" {
		p.check(key("upstream"), "%s.upstream is required: host:port of the server", named(path))
	} else if !isUpstream(t.Upstream) {
		p.check(key("upstream"), "%s.upstream must be host or host:port, is %q", named(path), t.Upstream)
	}
	switch t.SSLMode {
	case "":
		t.SSLMode = "verify-full"
	case "allow", "prefer":
		p.check(key("sslmode"), "%s.sslmode = %q would fall back to plaintext in silence and is not offered: use require or verify-full, or disable", named(path), t.SSLMode)
	default:
		if !slices.Contains(wire.SSLModes, t.SSLMode) {
			p.check(key("sslmode"), "%s.sslmode must be one of %s, is %q%s", named(path), strings.Join(wire.SSLModes, ", "), t.SSLMode, policy.DidYouMean(t.SSLMode, wire.SSLModes))
		}
	}
	if t.SSLRootCert != "" {
		if t.SSLMode == "disable" {
			p.check(key("sslrootcert"), `%s.sslrootcert means nothing with sslmode = "disable"`, named(path))
		}
		written := t.SSLRootCert
		t.SSLRootCert = c.resolve(written)
		checkCertificates(p, key("sslrootcert"), t.SSLRootCert, written)
	}
	for _, problem := range t.Problems() {
		p.check(key(problem.Key), "%s.%s %v", named(path), problem.Key, problem.Err)
	}
	if t.SSLCert != "" && t.SSLKey != "" {
		t.SSLCert, t.SSLKey = c.resolve(t.SSLCert), c.resolve(t.SSLKey)
		if _, err := tls.LoadX509KeyPair(t.SSLCert, t.SSLKey); err != nil {
			p.check(key("sslcert"), "%s.sslcert: %v", named(path), err)
		}
	}
	c.checkOpened(p, path, t)
	c.checkCredential(p, key("credential"), t.Credential, credential.Ref.CheckLogin)
	return t
}

// checkOpened finds doors that a target opens past its own masks and rules.
func (c *Config) checkOpened(p *problems, path []string, t wire.Target) {
	masked := mask.NewColumns(c.Masks, path[1]) != nil
	for _, door := range []struct{ key, value, open string }{
		{"unparsed", t.Unparsed, "allow"},
		{"function_calls", t.FunctionCalls, "allow"},
		{"replication", t.Replication, "allow"},
		{"parser_settings", t.ParserSettings, "free"},
	} {
		if door.value != door.open {
			continue
		}
		if masked {
			p.check(at(path, door.key), "%s.%s = %q leads past the masks of this target", named(path), door.key, door.open)
		} else if rule := c.ruleOverSQL(path[1]); rule != "" && door.key == "parser_settings" {
			p.check(at(path, door.key), "%s.%s = %q: rule %q depends on what the parser reads", named(path), door.key, door.open, rule)
		}
	}
}

// ruleOverSQL names a rule that depends on the SQL of a target's statements.
func (c *Config) ruleOverSQL(target string) string {
	rules, errs := policy.NewRules(c.Rules, c.Kinds())
	if len(errs) > 0 {
		return "" // said elsewhere
	}
	return rules.OverSQL(target)
}

// isUpstream reports whether s is one server or several, with commas.
func isUpstream(s string) bool {
	for one := range strings.SplitSeq(s, ",") {
		if !isServer(strings.TrimSpace(one)) {
			return false
		}
	}
	return true
}

// isServer reports whether s is host or host:port.
func isServer(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, "5432"
		if strings.Contains(s, ":") && net.ParseIP(s) == nil {
			return false
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && host != "" && !strings.ContainsAny(host, "/@ \t")
}

// checkHosts wants each host name to be one target's.
func (c *Config) checkHosts(p *problems) {
	taken := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(c.HTTP)) {
		for _, host := range c.HTTP[name].Host {
			host = strings.ToLower(strings.TrimSuffix(host, "."))
			if other := taken[host]; other != "" && other != name {
				p.check([]string{"http", name, "host"}, "http.%s.host: %q is that of http.%s as well", name, host, other)
			}
			taken[host] = name
		}
	}
}

// checkNames wants each name that clients give for TLS to be one Postgres
// target's, and TLS to be there for it.
func (c *Config) checkNames(p *problems) {
	taken := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(c.Postgres)) {
		path := []string{"postgres", name, "host"}
		if len(c.Postgres[name].Host) > 0 && c.TLS == (TLS{}) && !p.wrong["tls"] {
			p.check(path, "postgres.%s.host: clients give a host name for TLS only: [tls] is required", name)
		}
		for _, host := range c.Postgres[name].Host {
			host = strings.ToLower(strings.TrimSuffix(host, "."))
			if other := taken[host]; other != "" && other != name {
				p.check(path, "postgres.%s.host: %q is that of postgres.%s as well", name, host, other)
			}
			taken[host] = name
		}
	}
}

// checkHTTP checks a target and gives it back with its paths resolved.
func (c *Config) checkHTTP(p *problems, path []string, t httpguard.Target) httpguard.Target {
	if t.Prices == "" && t.Kind() == policy.LLMTarget {
		t.Prices = c.Prices
	}
	t.Prices = c.resolve(t.Prices)
	t.CACert = c.resolve(t.CACert)
	for _, problem := range t.Problems() {
		p.check(at(path, problem.Key), "%s.%s: %s", named(path), problem.Key, problem.Message)
	}
	if _, err := credential.ParseRef(t.Credential); err == nil {
		fits := credential.Ref.CheckKey
		if t.TakesFields() {
			fits = credential.Ref.CheckFields
		}
		c.checkCredential(p, at(path, "credential"), t.Credential, fits)
	}
	return t
}

// checkCredential checks a reference: that it is one, that it fits the kind of
// target, and that what it names is there as far as this machine can tell.
func (c *Config) checkCredential(p *problems, path []string, text string, fits func(credential.Ref) error) {
	if text == "" {
		p.check(path, "%s is required: vault://PATH#FIELD, file://PATH#FIELD or env://NAME", named(path))
		return
	}
	ref, err := credential.ParseRef(text)
	if err == nil {
		err = fits(ref)
	}
	if err != nil {
		p.check(path, "%s: %v", named(path), err)
		return
	}
	switch ref.Scheme {
	case "vault":
		if c.Vault == nil {
			p.check(path, "%s is a vault:// reference: [vault] is required", named(path))
		}
	case "file":
		checkFile(p, path, c.resolve(ref.Path), ref.Path)
	case "env":
		if os.Getenv(ref.Path) == "" {
			p.check(path, "%s: the environment variable %s is not set", named(path), ref.Path)
		}
	}
}

// checkVault checks [vault].
func (c *Config) checkVault(p *problems) {
	if c.Vault == nil {
		return
	}
	for _, err := range c.Vault.Check() {
		p.check([]string{"vault", err.Key}, "vault.%s: %v", err.Key, err)
	}
	if c.Vault.CACert != "" {
		checkCertificates(p, []string{"vault", "ca_cert"}, c.resolve(c.Vault.CACert), c.Vault.CACert)
	}
}

// checkFile says what is wrong with a file, which the user wrote as written,
// and reports whether something is.
func checkFile(p *problems, path []string, name, written string) bool {
	info, err := os.Stat(name)
	var cause *os.PathError
	switch {
	case errors.As(err, &cause):
		p.check(path, "%s: %s: %v", named(path), written, cause.Err)
	case err != nil:
		p.check(path, "%s: %v", named(path), err)
	case !info.Mode().IsRegular():
		p.check(path, "%s: %s is not a regular file", named(path), written)
	default:
		f, err := os.Open(name)
		if err == nil {
			_ = f.Close()
			return false
		}
		p.check(path, "%s: %s cannot be read", named(path), written)
	}
	return true
}

// checkCertificates checks that a file holds certificates.
func checkCertificates(p *problems, path []string, name, written string) {
	if checkFile(p, path, name, written) {
		return
	}
	pem, err := os.ReadFile(name)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		p.check(path, "%s: %s holds no certificate in PEM", named(path), written)
	}
}
