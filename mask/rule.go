package mask

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// Rule is one [[mask]] of gateway.toml.
type Rule struct {
	Targets []string `toml:"targets"` // names, * allowed
	Columns []string `toml:"columns"` // table.column or schema.table.column, * allowed
	Fields  []string `toml:"fields"`  // a member's name at any depth, or a dotted path from the top; * allowed
	With    string   `toml:"with"`    // a transform; redact unless named
	Filter  string   `toml:"filter"`  // deny, equality or allow; equality unless named
	In      string   `toml:"in"`      // response
}

// Problem is what is wrong with one key of a rule.
type Problem struct{ Key, Message string }

// filters is what `filter` may say.
var filters = []string{"equality", "deny", "allow"}

// Problems lists everything that is wrong with the rule by itself.
func (r Rule) Problems() []Problem {
	var all []Problem
	add := func(key, format string, args ...any) {
		all = append(all, Problem{key, fmt.Sprintf(format, args...)})
	}
	if len(r.Targets) == 0 {
		add("targets", "a mask needs at least one target")
	}
	if slices.Contains(r.Targets, "") {
		add("targets", "an empty name matches no target")
	}
	switch {
	case len(r.Columns) == 0 && len(r.Fields) == 0:
		add("", "a mask needs columns (Postgres targets) or fields (HTTP targets)")
	case len(r.Columns) > 0 && len(r.Fields) > 0:
		add("fields", "fields inside of columns are known, but not built yet: use one mask for columns and another for fields")
	}
	for _, c := range r.Columns {
		if _, err := parseColumn(c); err != nil {
			add("columns", "%v", err)
		}
	}
	for _, f := range r.Fields {
		if slices.Contains(strings.Split(f, "."), "") {
			add("fields", "%q can't match: write a name or a dotted path such as user.ssn", f)
		}
	}
	switch _, known := Lookup(r.with()); {
	case known:
	case slices.Contains(later, r.With):
		add("with", "transform %q is known, but not built yet", r.With)
	default:
		add("with", "no transform %q; there are %s", r.With, strings.Join(Names(), ", "))
	}
	switch {
	case r.Filter == "":
	case !slices.Contains(filters, r.Filter):
		add("filter", "%q is none of %s", r.Filter, strings.Join(filters, ", "))
	case len(r.Columns) == 0:
		add("filter", "a filter says how columns may be used in predicates, and this mask has no columns")
	}
	switch r.In {
	case "":
	case "response":
		if len(r.Fields) == 0 {
			add("in", "says where fields are masked, and this mask has no fields")
		}
	case "request", "both":
		add("in", "%q is known, but not built yet", r.In)
	default:
		add("in", "%q is none of request, response, both", r.In)
	}
	return all
}

// with is the name of the rule's transform.
func (r Rule) with() string {
	if r.With == "" {
		return "redact"
	}
	return r.With
}

// transform is the rule's transform; a name nobody checked redacts.
func (r Rule) transform() *Transform {
	if t, ok := Lookup(r.with()); ok {
		return t
	}
	return transforms["redact"]
}

// on reports whether the rule holds for the target.
func (r Rule) on(target string) bool { return policy.MatchAny(r.Targets, target) }
