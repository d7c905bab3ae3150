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
	Detect  []string `toml:"detect"`  // detectors, for values that are known by what they look like
	With    string   `toml:"with"`    // a transform; redact unless named
	Key     string   `toml:"key"`     // where the secret of hash and token is kept: a credential reference
	Filter  string   `toml:"filter"`  // deny, equality or allow; equality unless named
	Unless  []string `toml:"unless"`  // group:NAME, subject:NAME, issuer:URL, for whom it does not hold; * allowed
	In      string   `toml:"in"`      // response, request or both; response unless named
	Restore bool     `toml:"restore"` // tokens in answers become the values that the session's requests had

	key Key // what Key leads to; WithKey sets it
}

// Problem is what is wrong with one key of a rule.
type Problem struct{ Key, Message string }

// filters is what `filter` may say.
var filters = []string{"equality", "deny", "allow"}

// directions is what `in` may say.
var directions = []string{"request", "response", "both"}

// principals is what an entry of `unless` may begin with.
var principals = []string{"group", "subject", "issuer"}

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
	case len(r.Columns) == 0 && len(r.Fields) == 0 && len(r.Detect) == 0:
		add("", "a mask needs columns (Postgres targets), or fields or detect (HTTP targets)")
	case len(r.Columns) > 0 && len(r.Detect) > 0 && len(r.Fields) > 0:
		add("fields", "a mask of columns has fields or detect, not both: write two masks")
	}
	for _, name := range r.unknownDetectors() {
		add("detect", "no detector %q; there are %s%s", name, strings.Join(DetectorNames(), ", "), policy.DidYouMean(name, DetectorNames()))
	}
	for _, c := range r.Columns {
		if c == everyColumn && len(r.Detect) > 0 {
			continue
		}
		if _, err := parseColumn(c); err != nil {
			add("columns", "%v", err)
		}
	}
	for _, f := range r.Fields {
		if slices.Contains(strings.Split(f, "."), "") {
			add("fields", "%q can't match: write a name or a dotted path such as user.ssn", f)
		}
	}
	_, plain := Lookup(r.with())
	switch {
	case keyed[r.With] != nil && r.Key == "":
		add("with", "transform %q needs a key: write key = \"vault://PATH#FIELD\", a secret of at least %d bytes", r.With, minSecret)
	case keyed[r.With] != nil:
	case !plain:
		add("with", "no transform %q; there are %s", r.With, strings.Join(Names(), ", "))
	case r.Key != "":
		add("key", "transform %q works by no key; %s do", r.with(), strings.Join(KeyedNames(), " and "))
	}
	for _, who := range r.Unless {
		kind, name, _ := strings.Cut(who, ":")
		if !slices.Contains(principals, kind) || name == "" {
			add("unless", "%q names nobody: write group:NAME, subject:NAME or issuer:URL", who)
		}
	}
	switch {
	case r.Filter == "":
	case !slices.Contains(filters, r.Filter):
		add("filter", "%q is none of %s", r.Filter, strings.Join(filters, ", "))
	case len(r.Columns) == 0:
		add("filter", "a filter says how columns may be used in predicates, and this mask has no columns")
	case len(r.Detect) > 0 && slices.Contains(r.Columns, everyColumn):
		add("filter", "a filter says how columns may be used in predicates, and \"*\" is what comes back, not a column")
	}
	switch {
	case r.In == "":
	case !slices.Contains(directions, r.In):
		add("in", "%q is none of %s", r.In, strings.Join(directions, ", "))
	case len(r.Columns) > 0 && len(r.Fields) > 0:
		add("in", "says where fields of HTTP exchanges are masked, and the fields of this mask are in columns")
	case len(r.Columns) > 0 && len(r.Detect) > 0:
		add("in", "says where HTTP exchanges are looked into, and this mask looks into columns")
	case len(r.Fields) == 0 && len(r.Detect) == 0:
		add("in", "says where fields are masked, and this mask has no fields")
	}
	switch {
	case !r.Restore:
	case r.with() != "token":
		add("restore", "only with = \"token\" can be undone")
	case len(r.Columns) > 0 || !r.inRequest():
		add("restore", "gives back what requests of HTTP targets had: write fields or detect, and in = \"request\" or \"both\"")
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

// WithKey is the rule with what its Key leads to. A rule that needs a key and
// was given none redacts.
func (r Rule) WithKey(key Key) Rule {
	r.key = key
	return r
}

// transform is the rule's transform; a name nobody checked redacts.
func (r Rule) transform() *Transform {
	if t, ok := Lookup(r.with()); ok {
		return t
	}
	if t, err := LookupKeyed(r.With, r.key); err == nil {
		if r.Restore {
			return t.restorable()
		}
		return t
	}
	return transforms["redact"]
}

// column is what is done to the rule's columns: the transform, or, when the
// rule has fields, the transform of the members they name.
func (r Rule) column() *Transform {
	if len(r.Fields) == 0 {
		return r.transform()
	}
	return newInside(&Fields{list: r.fields()}, r.with(), false)
}

// on reports whether the rule holds for the target.
func (r Rule) on(target string) bool { return policy.MatchAny(r.Targets, target) }

// Holds reports whether the rule holds for the principal.
func (r Rule) Holds(p policy.Principal) bool { return !p.Is(r.Unless...) }

// Held are the rules that hold for the principal, in their order.
func Held(rules []Rule, p policy.Principal) []Rule {
	var held []Rule
	for _, r := range rules {
		if r.Holds(p) {
			held = append(held, r)
		}
	}
	return held
}
