package httpguard

import (
	"encoding/json"
	"fmt"
	"slices"

	"sallyport/policy"
	"sallyport/recorder"
)

const (
	// unsaid is why a handshake does not tell what its messages will.
	unsaid = "each message of this WebSocket says it, and is judged"
	// maxNamed is how many models, and maxOffered how many tools, one session may name.
	maxNamed   = 8
	maxOffered = 1000
	// maxEventID is how many bytes of a refused message's id are given back.
	maxEventID = 512
	// forbidden is the status of a close that a refusal makes necessary, as
	// graphql-transport-ws has it.
	forbidden = 4403
)

// talk is what is said on a WebSocket whose protocol is known: each message of
// the caller's is judged before it is sent on, as the body of a request is. It
// belongs to the goroutine that carries the caller's messages.
type talk struct {
	protocol  string // the subprotocol both sides must agree on; "" for none in particular
	operation string // of the model's provider; "" where there is no model
	read      func(t *talk, facts *policy.HTTP, c *call, body map[string]any)
	refusal   func(r *policy.Refusal, status int, id string, refused []byte) any // nil: there is none for this message

	// What the session is known to be. It grows only: the upstream may have
	// refused a message that took something back.
	models  []string // named by the handshake, or by a message since
	session call     // its tools and what they cost, and why nothing is known of it
	paid    call     // of all messages: what the bill needs to know
	heard   int64    // messages
}

// talkOf is the talk that a handshake begins; nil for one in a protocol that
// nobody reads.
func (x *exchange) talkOf(c *call) *talk {
	switch {
	case !x.upgrades():
	case x.target.kind == policy.HTTPTarget && slices.Equal(x.offered(), []string{graphQLProtocol}):
		return &talk{protocol: graphQLProtocol, read: readGraphQLMessage, refusal: graphQLRefusal}
	case c == nil:
	case c.operation == "responses":
		return &talk{operation: c.operation, read: readResponsesEvent, refusal: responsesRefusal}
	case c.operation == "realtime":
		t := &talk{operation: c.operation, read: readRealtimeEvent, refusal: realtimeRefusal}
		t.session.problem = c.foggy
		if c.model != "" {
			t.models = []string{c.model}
		}
		return t
	}
	return nil
}

// ahead are the facts of the handshake. What messages say is judged with them;
// a model that the handshake should have named and did not stays unknown.
func (t *talk) ahead(c *call) *policy.LLM {
	if t.operation == "" {
		return nil
	}
	out := &policy.LLM{
		Operation: policy.Known(t.operation), Model: policy.LaterFact[string](unsaid), Stream: policy.Known(true),
		InputTokens: policy.LaterFact[int64](unsaid), MaxTokens: policy.LaterFact[int64](unsaid),
		EstimatedUSD: policy.LaterFact[float64](unsaid), Tools: policy.LaterFact[[]string](unsaid),
	}
	switch {
	case c.model != "":
		out.Model = policy.Known(c.model)
	case c.foggy != "":
		out.Model = policy.UnknownFact[string](c.foggy)
	}
	return out
}

// agreed reports whether messages will be what the talk takes them for, by the
// subprotocol that the upstream chose.
func (t *talk) agreed(chosen string) bool {
	return t == nil || t.protocol == "" || t.protocol == chosen
}

// ruling is the verdict on one message of the caller's; nil where nobody judges it.
type ruling struct {
	policy.Verdict
	estimate *recorder.Estimate
}

func (r *ruling) denies() bool { return r != nil && r.Action != policy.Allow }

// on puts the ruling on the message's line in the recording.
func (r *ruling) on(f *recorder.Frame) *recorder.Frame {
	if r != nil {
		f.Action, f.Rule, f.Message, f.Detail, f.Flags, f.Estimate = r.Action.String(), r.Rule, r.Message, r.Detail, r.Flags, r.estimate
	}
	return f
}

// hear is the only way a message of the caller's reaches the upstream where the
// protocol is known: read it, judge it for each model that it may be about, and
// keep what it makes of the session.
func (x *exchange) hear(from *socket, m message) *ruling {
	t := x.asked.talk
	if t == nil || from.masks || m.op >= opClose {
		return nil
	}
	t.heard++
	facts, c := x.readSaid(m)
	var questions []*policy.Question
	var costs []*meter
	for _, model := range t.modelsOf(c) {
		q := &policy.Question{Caller: x.who, Target: x.target.name, Time: x.server.now(), HTTP: facts}
		if t.operation != "" {
			one := *c
			one.model = model
			costs = append(costs, x.newMeter(&one))
			q.LLM = one.facts(costs[len(costs)-1])
		}
		questions = append(questions, q)
	}
	r := &ruling{Verdict: x.judgeAll(questions)}
	for _, cost := range costs {
		r.Verdict, r.estimate = x.checkUnknownCost(r.Verdict, cost), cost.estimate()
	}
	if !r.denies() {
		t.keep(c)
		x.server.metrics.messages.WithLabelValues(x.target.name, "ok").Inc()
	}
	return r
}

// readSaid reads a message: the facts of the handshake with the message as the
// body, and what it asks of the model. Of one that can't be read neither is known.
func (x *exchange) readSaid(m message) (*policy.HTTP, *call) {
	t := x.asked.talk
	facts, c := *x.asked.http, &call{operation: t.operation, limit: -1, choices: 1}
	body, reason := parseSaid(m)
	if reason != "" {
		facts.Body, facts.GraphQL = policy.UnknownFact[any](reason), policy.UnknownFact[[]string](reason)
		c.fail(reason)
		return &facts, c
	}
	facts.Body = body
	facts.GraphQL = x.graphQL(&facts)
	t.read(t, &facts, c, object(body))
	return &facts, c
}

// parseSaid gives a message as a body of JSON, or why that can't be.
func parseSaid(m message) (body any, reason string) {
	switch {
	case m.op != opText:
		return nil, "the message is binary"
	case len(m.payload) > maxRequest:
		return nil, fmt.Sprintf("the message has more than %d bytes, which is what can be judged", maxRequest)
	}
	body, err := parseBody("application/json", m.payload)
	if err != nil || len(m.payload) == 0 {
		return nil, "the message is not one value of JSON, no member twice"
	}
	return body, ""
}

// modelsOf are the models that a message may concern: those of the session, and
// the one it names itself. "" stands for one that can't be told.
func (t *talk) modelsOf(c *call) []string {
	all := slices.Clone(t.models)
	if c.model != "" && !slices.Contains(all, c.model) {
		all = append(all, c.model)
	}
	if len(all) > maxNamed {
		c.fail("the session names too many models")
	}
	if len(all) == 0 || len(all) > maxNamed {
		return []string{""}
	}
	return all
}

// keep takes in what a message that passes makes of the session. One that could
// not be read may have made anything of it.
func (t *talk) keep(c *call) {
	t.paid.mayUse(c)
	if t.operation != "realtime" {
		return // each message says all
	}
	t.session.mayUse(c)
	for _, name := range c.tools {
		if !slices.Contains(t.session.tools, name) {
			t.session.tools = append(t.session.tools, name)
		}
	}
	if c.model != "" && c.problem == "" && !slices.Contains(t.models, c.model) {
		t.models = append(t.models, c.model)
	}
	t.session.transcribes = t.session.transcribes || c.transcribes
	switch {
	case c.problem != "":
		t.session.fail("a message before this one could not be read")
	case len(t.session.tools) > maxOffered:
		t.session.tools = nil
		t.session.fail("the session names too many tools")
	}
}

// mayUse adds the tools of another call that are paid.
func (c *call) mayUse(o *call) {
	for name, most := range o.uses {
		if had, ok := c.uses[name]; ok && (had < 0 || most >= 0 && most < had) {
			most = had
		}
		c.use(name, most)
	}
	if c.priceless == "" {
		c.priceless = o.priceless
	}
}

// bill makes known which tools the answers may have used.
func (t *talk) bill(m *meter) {
	if t != nil && m != nil {
		m.call.uses, m.call.priceless = t.paid.uses, t.paid.priceless
	}
}

// decline records a message that is refused, and answers it in the place of the
// upstream. The WebSocket lives on. It says what went wrong.
func (x *exchange) decline(from, to *socket, m message, v *ruling) string {
	f := v.on(frameOf(x.number, from, m))
	if f.Body != "" && f.Body != sparedBody && x.sides.Request.Content != nil {
		f.Body = x.maskedFrame(m)
	}
	if why := x.note(from, to, f); why != "" {
		return why
	}
	r := policy.Refuse(v.Verdict)
	x.server.metrics.messages.WithLabelValues(x.target.name, r.Kind.String()).Inc()
	x.about(x.server.log.Info()).Str("kind", r.Kind.String()).Str("rule", r.Rule).Int64("message", x.asked.talk.heard).Msg("refused: " + r.Public)
	id := fmt.Sprintf("%s.%d", x.id, x.asked.talk.heard)
	answer := x.asked.talk.refusal(r, answerFor(r).status, id, m.payload)
	if answer == nil {
		from.close(forbidden, string(shorten([]byte(messageOf(r)), maxControl-2)))
		to.close(1001, "the other side went away")
		return "a message was refused to which the protocol has no answer"
	}
	text, err := json.Marshal(answer)
	if err != nil || from.write(opText, text) != nil {
		return "the caller went away"
	}
	return ""
}

// maskedFrame is a refused message as the recording keeps it.
func (x *exchange) maskedFrame(m message) string {
	text, n, err := x.sides.Request.Content.JSON(nil, m.payload)
	if err != nil {
		return unreadBody
	}
	x.countMasked(n)
	return frameText(text)
}
