package policy

import (
	"fmt"
	"strings"
)

// GrantConfig is one [[grant]] of gateway.toml: who may reach which targets.
type GrantConfig struct {
	Who     []string `toml:"who"`     // "group:NAME", "subject:NAME", "issuer:URL"; NAME and URL take *
	Targets []string `toml:"targets"` // names of targets, which take *
}

// Check returns what is wrong with the grant, given the targets there are.
func (g GrantConfig) Check(kinds map[string]TargetKind) []KeyError {
	var errs []KeyError
	if len(g.Who) == 0 {
		errs = append(errs, KeyError{"who", fmt.Errorf("who is required: name at least one group, subject or issuer")})
	}
	for i, who := range g.Who {
		if err := checkWho(who); err != nil {
			errs = append(errs, KeyError{fmt.Sprintf("who[%d]", i), err})
		}
	}
	return append(errs, CheckTargets(g.Targets, kinds)...)
}

func checkWho(who string) error {
	kind, name, _ := strings.Cut(who, ":")
	switch {
	case kind != "group" && kind != "subject" && kind != "issuer":
		return fmt.Errorf(`%q must begin with "group:", "subject:" or "issuer:"`, who)
	case name == "":
		return fmt.Errorf("%q names nobody", who)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%q has a space at the beginning or end of the name", who)
	}
	return nil
}

// Grants are the compiled [[grant]] tables. It is safe for concurrent use.
type Grants struct{ grants []GrantConfig }

// NewGrants compiles grants that Check found nothing wrong with.
func NewGrants(cfgs []GrantConfig) *Grants { return &Grants{grants: cfgs} }

// Allows reports whether a grant lets the principal reach the target. Without
// one it may not.
func (g *Grants) Allows(p Principal, target string) bool {
	for i := range g.grants {
		if MatchAny(g.grants[i].Targets, target) && p.Is(g.grants[i].Who...) {
			return true
		}
	}
	return false
}
