package sqlguard

import (
	"slices"
	"strings"
)

// lastingKinds lists the statements that may leave in the server's session what
// DISCARD ALL does not undo: loaded code, and what code that is not read keeps
// there (connections of dblink, variables of procedural languages).
var lastingKinds = []string{"LoadStmt", "DoStmt", "CallStmt", "CreateExtensionStmt", "AlterExtensionStmt", "CreatePLangStmt"}

// lasting reports whether the statement may leave more in the server's session
// than DISCARD ALL undoes. What is not known may.
// PostgreSQL 17, sql-discard.html.
func (r *reader) lasting() bool {
	if r.facts.Dynamic || r.facts.SideDoor || len(r.facts.Unknown) > 0 {
		return true
	}
	if slices.ContainsFunc(r.kinds, func(kind string) bool { return slices.Contains(lastingKinds, kind) || kinds[kind].verb == "" }) {
		return true
	}
	for _, s := range r.settings {
		if staysSet(s.Name) {
			return true
		}
	}
	for _, f := range r.setCalls {
		if name, ok := "", false; len(f.Args) > 0 {
			if name, ok = constantText(f.Args[0]); !ok || staysSet(name) {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.calls, func(c call) bool {
		class, known := classOf(c.name)
		return !known || class.effect&^writes != 0 || c.name == "setseed"
	})
}

// staysSet reports whether RESET ALL leaves a setting as it is, or the name of
// one that no library has defined.
func staysSet(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, ".") || name == "seed"
}
