package sqlguard

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// pinned lists the settings on which the reading of a text depends, and whether
// a value is the one the gateway reads by. Under any other the server could see
// other statements in the same bytes.
var pinned = map[string]func(value string) bool{
	"client_encoding":             isUTF8,
	"standard_conforming_strings": isOn,
}

func isUTF8(value string) bool {
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(value))
	return name == "utf8" || name == "unicode"
}

func isOn(value string) bool { yes, ok := boolean(value); return ok && yes }

// refuseSettings refuses a text that could change a pinned setting. RESET and
// the like return to what the gateway set when it connected.
func (r *reader) refuseSettings() *policy.Refusal {
	for _, s := range r.settings {
		name := strings.ToLower(s.Name)
		ok, isPinned := pinned[name]
		if !isPinned {
			continue
		}
		switch {
		case s.Kind == varDefault, s.Kind != varSet && s.Kind != varCurrent: // RESET
		case s.Kind == varSet && len(s.Args) == 1 && ok(text(s.Args[0])):
		default:
			return pinnedRefusal(name)
		}
	}
	for _, f := range r.setCalls {
		if len(f.Args) == 0 {
			continue
		}
		if slices.ContainsFunc(f.Args, func(n *node) bool { _, named := unwrap(n).(*namedArg); return named }) || !isConstant(f.Args[0]) {
			return &policy.Refusal{
				Kind: policy.Denied, Public: "set_config needs the name of the setting as a constant here",
				Detail: "Another name could change how the server reads statements.",
				Hint:   "Write the name as a literal: set_config('name', value, false).",
			}
		}
		name := strings.ToLower(text(f.Args[0]))
		if ok, isPinned := pinned[name]; isPinned && (len(f.Args) < 2 || !isConstant(f.Args[1]) || !ok(text(f.Args[1]))) {
			return pinnedRefusal(name)
		}
	}
	if slices.Contains(r.writesTo, "pg_settings") {
		return &policy.Refusal{
			Kind: policy.Denied, Public: "pg_settings cannot be written to through the gateway",
			Hint: "Use SET.",
		}
	}
	return nil
}

func pinnedRefusal(name string) *policy.Refusal {
	want := "on"
	if name == "client_encoding" {
		want = "UTF8"
	}
	return &policy.Refusal{
		Kind: policy.Denied, Public: fmt.Sprintf("%s cannot be changed through the gateway", name),
		Detail: "The gateway and the server must read the same statements in the same bytes.",
		Hint:   fmt.Sprintf("The gateway reads statements as UTF-8 with standard_conforming_strings on; leave %s at %s.", name, want),
	}
}

// isConstant reports whether n is a literal, cast or not.
func isConstant(n *node) bool {
	switch m := unwrap(n).(type) {
	case *aConst:
		return !m.Isnull
	case *typeCast:
		return isConstant(m.Arg)
	}
	return false
}
