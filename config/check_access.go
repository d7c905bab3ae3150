package config

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/identity"
	"sallyport/policy"
)

// checkTokens checks each [[token]].
func (c *Config) checkTokens(p *problems) {
	seen := make(map[string]bool)
	for i, t := range c.Tokens {
		path := []string{"token", entry(i)}
		for _, err := range parts(t.Check()) {
			key := firstKey(err, "sha256", "subject", "groups")
			if strings.HasPrefix(err.Error(), "a group") {
				key = "groups"
			}
			p.check(at(path, key), "token: %v", err)
		}
		if sum := strings.ToLower(t.SHA256); sum != "" && seen[sum] {
			p.check(at(path, "sha256"), "token: an earlier token has the same sha256")
		} else {
			seen[sum] = true
		}
	}
}

// parts gives the errors that errors.Join put together.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// firstKey is the key that an error begins with, else the first of them.
func firstKey(err error, keys ...string) string {
	for _, k := range keys {
		if strings.HasPrefix(err.Error(), k+" ") {
			return k
		}
	}
	return keys[0]
}

// issuers is who issues tokens.
var issuers = []string{identity.IssuerFixed, identity.IssuerIssued}

// checkGrants checks each [[grant]].
func (c *Config) checkGrants(p *problems) {
	kinds := c.Kinds()
	for i, g := range c.Grants {
		for _, err := range g.Check(kinds) {
			p.check(keyPath([]string{"grant", entry(i)}, err.Key), "grant: %v", err)
		}
		for k, who := range g.Who {
			if issuer, ok := strings.CutPrefix(who, "issuer:"); ok && issuer != "" && !slices.ContainsFunc(issuers, func(known string) bool {
				return policy.Match(issuer, known)
			}) {
				p.check([]string{"grant", entry(i), "who", entry(k)}, "grant: issuer %q does not exist; there are %s", issuer, strings.Join(issuers, ", "))
			}
		}
	}
}

// checkRules checks each [[rule]], its condition included.
func (c *Config) checkRules(p *problems) {
	_, errs := policy.NewRules(c.Rules, c.Kinds())
	for _, err := range errs {
		who := "rule"
		if name := c.Rules[err.Index].Name; name != "" {
			who = fmt.Sprintf("rule %q", name)
		}
		p.check(keyPath([]string{"rule", entry(err.Index)}, err.Key), "%s: %v", who, err)
	}
}

// keyPath is the path of a policy.KeyError's key: `targets[1]` is an entry of targets.
func keyPath(table []string, key string) []string {
	if i := strings.IndexByte(key, '['); i >= 0 {
		return at(table, key[:i], key[i:])
	}
	return at(table, key)
}
