package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// RuleConfig is one [[rule]] of gateway.toml.
type RuleConfig struct {
	Name    string   `toml:"name"`
	Targets []string `toml:"targets"` // names of targets, which take *
	If      string   `toml:"if"`      // a CEL expression over the facts
	Pack    string   `toml:"pack"`    // a ready condition in place of If
	Models  []string `toml:"models"`  // names of models, which take *: the rule holds for every other model
	Then    string   `toml:"then"`    // allow, deny, flag; deny where Pack or Models stand and nothing is said
	Message string   `toml:"message"` // shown to the caller of a denied question
}

// RuleError is what is wrong with one key of one rule.
type RuleError struct {
	Index int // of the rule
	KeyError
}

// rule is one [[rule]], compiled.
type rule struct {
	name, then, message string
	condition           *condition
	models              []string // nil: the condition alone decides
}

// bench is the rules of one target, in order.
type bench struct {
	kind  TargetKind
	rules []*rule
}

// Rules are the compiled [[rule]] tables. It is safe for concurrent use.
type Rules struct{ targets map[string]bench }

// NewRules compiles the rules for the targets there are. With errors there are
// no Rules.
func NewRules(cfgs []RuleConfig, kinds map[string]TargetKind) (*Rules, []RuleError) {
	env, err := newEnv()
	if err != nil { // no fault of the rules, but nothing can be judged
		return nil, []RuleError{{0, KeyError{"if", fmt.Errorf("prepare the language of conditions: %w", err)}}}
	}
	var errs []RuleError
	rules := &Rules{targets: make(map[string]bench, len(kinds))}
	for name, kind := range kinds {
		rules.targets[name] = bench{kind: kind}
	}
	names := make(map[string]bool, len(cfgs))
	for i, cfg := range cfgs {
		fail := func(key string, err error) { errs = append(errs, RuleError{i, KeyError{key, err}}) }
		if err := checkName(cfg.Name, names); err != nil {
			fail("name", err)
		}
		if cfg.Then == "" && (cfg.Pack != "" || cfg.Models != nil) {
			cfg.Then = "deny"
		}
		if err := checkThen(cfg.Then); err != nil {
			fail("then", err)
		}
		badTargets := CheckTargets(cfg.Targets, kinds)
		for _, err := range badTargets {
			errs = append(errs, RuleError{i, err})
		}
		source, bad := cfg.source()
		for _, err := range bad {
			errs = append(errs, RuleError{i, err})
		}
		if len(bad) > 0 {
			continue
		}
		c, err := compile(env, source)
		if err != nil {
			for _, err := range unjoin(err) {
				fail("if", err)
			}
			continue
		}
		if cfg.Models != nil {
			c.readModels(cfg.If != "" || cfg.Pack != "")
		}
		if len(badTargets) > 0 {
			continue
		}
		for _, err := range checkFamily(cfg.Targets, kinds, c) {
			errs = append(errs, RuleError{i, err})
		}
		rules.seat(&rule{cfg.Name, cfg.Then, cfg.Message, c, cfg.Models}, cfg.Targets)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return rules, nil
}

// seat gives the rule to each target it applies to.
func (r *Rules) seat(rule *rule, patterns []string) {
	for name, b := range r.targets {
		if MatchAny(patterns, name) && applies(rule.condition, b.kind) {
			b.rules = append(b.rules, rule)
			r.targets[name] = b
		}
	}
}

// OverSQL names the first rule of a target that depends on its SQL, "" for none.
func (r *Rules) OverSQL(target string) string {
	for _, rule := range r.targets[target].rules {
		if rule.condition.about("sql") {
			return rule.name
		}
	}
	return ""
}

// families are the kinds of facts that not every target has.
var families = []string{"sql", "http", "llm", "mcp"}

// applies reports whether a condition can be about a target of the kind: one of
// a single family about the targets that have it, one of several or of none
// about all. A provider's facts are the exception: on an HTTP target a
// condition that reads them needs them.
func applies(c *condition, kind TargetKind) bool {
	read, given := 0, false
	provider, has := false, false
	for _, f := range families {
		if !c.about(f) {
			continue
		}
		read++
		given = given || kind.gives(f)
		if f == "llm" || f == "mcp" {
			provider, has = true, has || kind.gives(f)
		}
	}
	return read == 0 || given && (!provider || has || !kind.IsHTTP())
}

// checkFamily finds targets the rule names and can never apply to.
func checkFamily(patterns []string, kinds map[string]TargetKind, c *condition) []KeyError {
	family := ""
	for _, f := range families {
		if c.about(f) {
			family = f
		}
	}
	var errs []KeyError
	for i, p := range patterns {
		if kind, ok := kinds[p]; ok && !applies(c, kind) {
			errs = append(errs, KeyError{
				fmt.Sprintf("targets[%d]", i),
				fmt.Errorf("target %q is %s, but the condition is about %s%s", p, kind, family, providerHint(kind, family)),
			})
		}
	}
	names := slices.Collect(maps.Keys(kinds))
	if len(errs) == 0 && !slices.ContainsFunc(names, func(n string) bool {
		return MatchAny(patterns, n) && applies(c, kinds[n])
	}) {
		errs = append(errs, KeyError{"targets", fmt.Errorf("none of the targets can be judged by it: the condition is about %s", family)})
	}
	return errs
}

// providerHint says how an HTTP target comes to have the facts.
func providerHint(kind TargetKind, family string) string {
	switch {
	case kind.IsHTTP() && family == "llm":
		return `, which takes provider = "openai", "anthropic", "azure" or "gemini"`
	case kind.IsHTTP() && family == "mcp":
		return `, which takes provider = "mcp"`
	}
	return ""
}

func checkName(name string, seen map[string]bool) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("name is required: refusals and recordings show it")
	case seen[name]:
		return fmt.Errorf("name %q is taken by an earlier rule", name)
	}
	seen[name] = true
	return nil
}

func checkThen(then string) error {
	actions := []string{"allow", "deny", "flag"}
	switch {
	case slices.Contains(actions, then):
		return nil
	case then == "":
		return errors.New("then is required: allow, deny or flag")
	case then == "ask":
		return errors.New(`then = "ask" is known, but not built yet in this version`)
	}
	return fmt.Errorf("then must be allow, deny or flag, is %q%s", then, DidYouMean(then, actions))
}

// unjoin gives the errors that errors.Join put together.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
