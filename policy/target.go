package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TargetKind is the protocol a target speaks, and so which facts there are.
type TargetKind int

// The kinds of target.
const (
	PostgresTarget TargetKind = iota // [postgres.NAME]
	HTTPTarget                       // [http.NAME]
	LLMTarget                        // [http.NAME] with a model's provider
	MCPTarget                        // [http.NAME] with provider = "mcp"
)

// String is the name a person reads.
func (k TargetKind) String() string {
	if k.IsHTTP() {
		return "HTTP"
	}
	return "Postgres"
}

// IsHTTP reports whether the target is an [http.NAME].
func (k TargetKind) IsHTTP() bool { return k != PostgresTarget }

// gives reports whether the target has facts of the family.
func (k TargetKind) gives(family string) bool {
	switch family {
	case "sql":
		return k == PostgresTarget
	case "http":
		return k.IsHTTP()
	case "llm":
		return k == LLMTarget
	case "mcp":
		return k == MCPTarget
	}
	return false
}

// KeyError says which key of a table is wrong, so that a config can name its line.
type KeyError struct {
	Key string // "if", or "targets[1]" for the second entry of targets
	Err error
}

// Error is the cause alone: who has the file adds the place.
func (e KeyError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e KeyError) Unwrap() error { return e.Err }

// CheckTargets returns what is wrong with a list of target names, which take *.
func CheckTargets(patterns []string, kinds map[string]TargetKind) []KeyError {
	if len(patterns) == 0 {
		return []KeyError{{"targets", fmt.Errorf(`targets is required: name at least one target, or "*" for all`)}}
	}
	var errs []KeyError
	for i, p := range patterns {
		if err := checkTarget(p, kinds); err != nil {
			errs = append(errs, KeyError{fmt.Sprintf("targets[%d]", i), err})
		}
	}
	return errs
}

func checkTarget(pattern string, kinds map[string]TargetKind) error {
	names := slices.Sorted(maps.Keys(kinds))
	if !strings.Contains(pattern, "*") {
		if _, ok := kinds[pattern]; !ok {
			return fmt.Errorf("target %q does not exist%s", pattern, DidYouMean(pattern, names))
		}
		return nil
	}
	if !slices.ContainsFunc(names, func(n string) bool { return Match(pattern, n) }) {
		return fmt.Errorf("%q matches no target", pattern)
	}
	return nil
}
