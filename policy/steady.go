package policy

import "strings"

// OnSQLAlone reports whether the rules of a target decide by a statement's facts
// alone, so that they say the same whoever asks and whenever; and whether they
// read its text as it is written.
func (r *Rules) OnSQLAlone(target string) (steady, text bool) {
	steady = true
	for _, rule := range r.targets[target].rules {
		for fact := range rule.condition.facts {
			steady = steady && (fact == "target" || strings.HasPrefix(fact, "sql."))
			text = text || fact == "sql.text"
		}
	}
	return steady, text
}
