package policy

import "strings"

// maxShown is how many verbs the detail of a refusal names.
const maxShown = 8

// Judge reads the rules of the question's target in order. The first deny that
// holds decides, flag marks and goes on, allow ends the reading, and what no
// rule decides is allowed. A rule that cannot be evaluated denies, but for one that
// waits for a fact which is known later.
func (r *Rules) Judge(q *Question) Verdict {
	b, ok := r.targets[q.Target]
	switch {
	case !ok:
		return Verdict{Detail: "there is no such target"}
	case b.kind == PostgresTarget && q.SQL == nil, b.kind.IsHTTP() && q.HTTP == nil,
		b.kind == LLMTarget && q.LLM == nil, b.kind == MCPTarget && q.MCP == nil:
		return Verdict{Detail: "nothing is known about the question"}
	}
	var flags []string
	v := view{question: q}
	for _, rule := range b.rules {
		holds, err := rule.holds(&v)
		ahead := err != nil && (q.Ahead || isLater(err))
		switch {
		case ahead && rule.then != "allow":
		case ahead:
			return Verdict{Action: Allow, Rule: rule.name, Flags: flags}
		case err != nil:
			return rule.undecided(q, flags, err)
		case !holds:
		case rule.then == "flag":
			flags = append(flags, rule.name)
		case rule.then == "allow":
			return Verdict{Action: Allow, Rule: rule.name, Message: rule.message, Flags: flags}
		default:
			return rule.deny(q, flags)
		}
	}
	return Verdict{Action: Allow, Flags: flags}
}

// deny is the verdict of a rule that holds.
func (r *rule) deny(q *Question, flags []string) Verdict {
	v := Verdict{
		Action: Deny, Rule: r.name, Message: r.message, Flags: flags,
		Detail: "condition: " + r.condition.source + asked(q),
		Hint:   r.hint(q),
	}
	v.because(q, func(fact string) bool { return r.condition.facts["sql."+fact] })
	return v
}

// undecided is the verdict of a rule that could not be evaluated. The reason
// stays unsaid unless it is known to hold nothing of the question.
func (r *rule) undecided(q *Question, flags []string, err error) Verdict {
	v := Verdict{Action: Deny, Rule: r.name, Flags: flags, Detail: "the rule could not be evaluated"}
	if reason := reasonOf(err); reason != "" {
		v.Detail += ": " + reason
	}
	if q.SQL != nil && !q.SQL.Parsed {
		v.Detail += ": " + errUnparsed.Error()
		v.Hint = unparsedHint
	}
	if q.SQL != nil && len(q.SQL.Unknown) > 0 {
		v.Hint = "leave out what cannot be looked into, or write out what it does as statements"
	}
	v.Detail += "; condition: " + r.condition.source + asked(q)
	v.because(q, func(fact string) bool { return fact == "unknown" })
	return v
}

// asked says what was asked without a literal, a name or the text of it.
func asked(q *Question) string {
	switch {
	case q.SQL != nil && len(q.SQL.Verbs) > 0:
		return "; statement: " + strings.Join(q.SQL.Verbs[:min(len(q.SQL.Verbs), maxShown)], ", ")
	case q.HTTP != nil && q.HTTP.Method != "":
		return "; request: " + q.HTTP.Method
	}
	return ""
}

// unparsedHint is what to do about text that the SQL parser rejects.
const unparsedHint = "write it in the SQL of PostgreSQL itself"

// hints is what to do instead, by the fact that a condition reads. The first
// whose fact is read and true is given.
var hints = []struct {
	fact string
	is   func(s *SQL) bool
	say  string
}{
	{"sql.parsed", func(s *SQL) bool { return !s.Parsed }, unparsedHint},
	{"sql.unbounded", func(s *SQL) bool { return s.Unbounded }, "add a WHERE clause that selects the rows you mean"},
	{"sql.ddl", func(s *SQL) bool { return s.DDL }, "leave the schema as it is, or ask its owner for the change"},
	{"sql.destructive", func(s *SQL) bool { return s.Destructive && s.Unbounded }, "add a WHERE clause that selects the rows you mean"},
	{"sql.destructive", func(s *SQL) bool { return s.Destructive }, "use a statement that loses nothing"},
	{"sql.dynamic", func(s *SQL) bool { return s.Dynamic }, "write the statements out, one by one"},
	{"sql.side_door", func(s *SQL) bool { return s.SideDoor }, "select from the tables themselves"},
	{"sql.writes", func(s *SQL) bool { return s.Writes }, "use a statement that only reads"},
	{"sql.statements", func(s *SQL) bool { return s.Statements > 1 }, "send one statement at a time"},
	{"sql.protected", func(s *SQL) bool { return s.Protected }, "leave the protected tables out of it"},
}

func (r *rule) hint(q *Question) string {
	if len(r.models) > 0 && q.LLM != nil {
		return "models this rule lets through: " + strings.Join(r.models, ", ")
	}
	c := r.condition
	if q.SQL == nil {
		return ""
	}
	for _, h := range hints {
		if c.facts[h.fact] && h.is(q.SQL) {
			return h.say
		}
	}
	return ""
}
