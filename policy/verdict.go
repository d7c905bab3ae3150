package policy

// Action is what a verdict says. The zero Action denies.
type Action int

// The actions, in no order of strength but for the zero one.
const (
	Deny  Action = iota // the zero Verdict denies
	Allow               // let it pass
)

// String is the word used in gateway.toml, logs, metrics and recordings.
func (a Action) String() string {
	if a == Allow {
		return "allow"
	}
	return "deny"
}

// Verdict is the answer to a Question, with the rule that gave it.
type Verdict struct {
	Action  Action
	Rule    string // the rule that decided; "" when none did; "(mask)" and the like for what is built in
	Message string // the rule's own words to the caller
	Detail  string // what in the question led to it, without long literals
	Hint    string // what the caller can do instead
	// Position is the character of the statement that led to it, from 1; 0 is none.
	Position int
	Flags    []string // names of the flag rules that matched on the way
}
