package config

import (
	"strings"

	"sallyport/credential"
	"sallyport/policy"
)

// checkMasks checks each [[mask]]. A mask that can't hold for anything is an
// error: somebody relies on it.
func (c *Config) checkMasks(p *problems) {
	kinds := c.Kinds()
	for i, m := range c.Masks {
		path := []string{"mask", entry(i)}
		for _, problem := range m.Problems() {
			if problem.Key == "targets" {
				continue // said below, with the entry that is wrong
			}
			p.check(at(path, problem.Key), "mask: %s", problem.Message)
		}
		if m.Key != "" {
			c.checkCredential(p, at(path, "key"), m.Key, credential.Ref.CheckKey)
		}
		bad := policy.CheckTargets(m.Targets, kinds)
		for _, err := range bad {
			p.check(keyPath(path, err.Key), "mask: %v", err)
		}
		if len(bad) > 0 {
			continue
		}
		if len(m.Columns) > 0 {
			p.checkMaskKind(path, m.Targets, kinds, policy.PostgresTarget, "columns")
		}
		switch {
		case len(m.Columns) > 0:
		case len(m.Fields) > 0:
			p.checkMaskKind(path, m.Targets, kinds, policy.HTTPTarget, "fields")
		case len(m.Detect) > 0:
			p.checkMaskKind(path, m.Targets, kinds, policy.HTTPTarget, "detected values")
		}
	}
}

// checkMaskKind checks that the targets can have what the mask masks.
func (p *problems) checkMaskKind(path, targets []string, kinds map[string]policy.TargetKind, want policy.TargetKind, what string) {
	some := false
	for i, t := range targets {
		if kind, named := kinds[t]; named && kind.IsHTTP() != want.IsHTTP() {
			p.check(at(path, "targets", entry(i)), "mask: target %q is %s, but %s are masked in %s targets", t, kind, what, want)
			some = true
		}
		for name, kind := range kinds {
			some = some || strings.Contains(t, "*") && kind.IsHTTP() == want.IsHTTP() && policy.Match(t, name) || t == name
		}
	}
	if !some {
		p.check(at(path, "targets"), "mask: none of the targets is %s, so its %s can't match", want, what)
	}
}
