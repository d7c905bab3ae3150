package config

import (
	"strings"

	"sallyport/policy"
)

// later lists the keys and tables that a later version gives a meaning. Until
// then they are errors: what is written and not done would be a false promise.
// The version that builds one deletes its line.
var later = []string{
	"issuer",
	"limit",
	"notify",
	"store.recipients",
	"postgres.*.record",
	"http.*.record",
	"rule.approvers",
	"rule.wait",
	"rule.quorum",
}

// laterValues lists, by key, the beginnings of values that a later version
// gives a meaning. The rooms know those of their own: `then = "ask"`, providers,
// transforms, credential references.
var laterValues = map[string][]string{
	"store.database":   {"postgres://", "postgresql://"},
	"store.recordings": {"s3://", "gs://", "azblob://"},
}

const notYet = "is known, but not built yet in this version"

// isLater reports whether the key at path is one of a later version.
func isLater(path []string) bool {
	return policy.MatchAny(later, named(path))
}

// isLaterValue reports whether the value of the key at path is one of a later version.
func isLaterValue(path []string, value string) bool {
	for pattern, beginnings := range laterValues {
		if !policy.Match(pattern, named(path)) {
			continue
		}
		for _, b := range beginnings {
			if strings.HasPrefix(value, b) {
				return true
			}
		}
	}
	return false
}
