package httpguard

import (
	"slices"

	"sallyport/policy"
)

// asked is what the exchange asks of a provider, beyond HTTP.
type asked struct {
	http     *policy.HTTP
	meter    *meter       // of a call of a model; nil for any other exchange
	messages []rpcMessage // to an MCP server
	batch    bool         // several messages at once
	left     bool         // the exchange was forwarded: the refusal is of the response
	talk     *talk        // on a WebSocket whose messages are judged; nil for any other exchange
}

// understand reads what the exchange asks of the target's provider. The body
// that is sent may change in one place: a stream is made to say what it used.
func (x *exchange) understand(facts *policy.HTTP) []*policy.Question {
	x.asked.http = facts
	facts.GraphQL = x.graphQL(facts)
	if x.upgrades() {
		facts.GraphQL = policy.UnknownFact[[]string](unreadSocket)
	}
	whole := policy.Question{Caller: x.who, Target: x.target.name, Time: x.start, HTTP: facts}
	c := x.readCall(facts)
	if c != nil {
		m := x.newMeter(c)
		x.asked.meter = m
		if c.usable && c.stream && c.problem == "" {
			if x.body, m.added = askUsage(x.body); m.added {
				setUsage(facts.Body)
			}
		}
		whole.LLM = c.facts(m)
	}
	if x.asked.talk = x.talkOf(c); x.asked.talk != nil {
		facts.Body, facts.GraphQL = policy.LaterFact[any](unsaid), policy.LaterFact[[]string](unsaid)
		whole.LLM = x.asked.talk.ahead(c)
	}
	if x.target.provider != mcp {
		return []*policy.Question{&whole}
	}
	x.asked.messages = x.readMessages(facts.Body)
	_, x.asked.batch = facts.Body.([]any)
	var all []*policy.Question
	for _, m := range x.asked.messages {
		q := whole
		q.MCP = m.facts
		all = append(all, &q)
	}
	return all
}

// judgeAll decides about each question. The first that is denied decides about
// all of them.
func (x *exchange) judgeAll(questions []*policy.Question) policy.Verdict {
	if len(questions) == 0 {
		return policy.Verdict{Detail: "nothing is known about the question"}
	}
	var whole policy.Verdict
	var flags []string
	for i, q := range questions {
		v := x.server.judge.Judge(q)
		for _, f := range v.Flags {
			if !slices.Contains(flags, f) {
				flags = append(flags, f)
			}
		}
		v.Flags = flags
		if i == 0 || v.Action != policy.Allow {
			whole = v
		}
		whole.Flags = flags
		if v.Action != policy.Allow {
			return whole
		}
	}
	return whole
}

// checkUnknownCost denies what the target does not want to pay unseen.
func (x *exchange) checkUnknownCost(v policy.Verdict, m *meter) policy.Verdict {
	if v.Action == policy.Allow && m != nil && x.target.unknownCost == costDeny {
		if _, reason := m.worst(); reason != "" {
			return policy.Verdict{
				Rule: ruleUnknownCost, Flags: v.Flags, Message: "the cost of this call can't be told before it",
				Detail: reason, Hint: "use a model and an operation that have a price",
			}
		}
	}
	return v
}
