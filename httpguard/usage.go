package httpguard

import (
	"encoding/json"

	"sallyport/recorder"
)

// usage is what a response says that was used, in one shape for all providers:
// input is everything that was read, what was cached and written included.
type usage struct {
	seen    bool
	model   string // as the response names it
	input   int64
	cached  int64
	written int64 // into the provider's cache
	hour    int64 // of written: for an hour
	output  int64
	seconds float64
	dear    bool
}

// reply is what is read of a response, or of one event of a stream.
type reply struct {
	Type        string             `json:"type"`
	Model       string             `json:"model"`
	Version     string             `json:"modelVersion"` // Gemini's model
	Tier        string             `json:"service_tier"`
	Choices     *[]json.RawMessage `json:"choices"`
	Usage       *usageBody         `json:"usage"`
	Metadata    *geminiUsage       `json:"usageMetadata"`
	Message     *reply             `json:"message"`           // Anthropic's message_start
	Response    *reply             `json:"response"`          // of OpenAI's responses
	PromptCount int64              `json:"prompt_eval_count"` // Ollama's
	EvalCount   int64              `json:"eval_count"`
}

// usageBody holds the names of OpenAI's chat, then those it shares with
// Anthropic, then Anthropic's.
type usageBody struct {
	Prompt        int64 `json:"prompt_tokens"`
	Completion    int64 `json:"completion_tokens"`
	PromptDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Input        int64 `json:"input_tokens"`
	Output       int64 `json:"output_tokens"`
	InputDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	CacheRead     int64 `json:"cache_read_input_tokens"`
	CacheCreation int64 `json:"cache_creation_input_tokens"`
	Creation      struct {
		Hour int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	Seconds float64 `json:"seconds"` // of sound, where type is duration
}

type geminiUsage struct {
	Prompt     int64 `json:"promptTokenCount"`
	Cached     int64 `json:"cachedContentTokenCount"`
	ToolPrompt int64 `json:"toolUsePromptTokenCount"`
	Candidates int64 `json:"candidatesTokenCount"`
	Thoughts   int64 `json:"thoughtsTokenCount"`
}

// parseReply reads as much as it can: members of other types than expected
// count for nothing.
func parseReply(text []byte) *reply {
	a := &reply{}
	_ = json.Unmarshal(text, a)
	return a
}

// take adds what the answer says. The numbers of a stream are totals so far.
func (u *usage) take(a *reply) {
	if a == nil {
		return
	}
	u.take(a.Message)
	u.take(a.Response)
	if a.Model != "" {
		u.model = a.Model
	}
	if a.Version != "" {
		u.model = a.Version
	}
	u.dear = u.dear || a.Tier == "priority"
	if b := a.Usage; b != nil {
		u.seen = true
		top(&u.input, b.Prompt, b.Input+b.CacheRead+b.CacheCreation)
		top(&u.output, b.Completion, b.Output)
		top(&u.cached, b.PromptDetails.Cached, b.InputDetails.Cached, b.CacheRead)
		top(&u.written, b.CacheCreation)
		top(&u.hour, b.Creation.Hour)
		u.seconds = max(u.seconds, b.Seconds)
	}
	if g := a.Metadata; g != nil {
		u.seen = true
		top(&u.input, g.Prompt+g.ToolPrompt)
		top(&u.cached, g.Cached)
		top(&u.output, g.Candidates+g.Thoughts)
	}
	if a.EvalCount > 0 || a.PromptCount > 0 {
		u.seen = true
		top(&u.input, a.PromptCount)
		top(&u.output, a.EvalCount)
	}
}

// top raises n to the highest, none below nothing and none beyond reason.
func top(n *int64, others ...int64) {
	for _, o := range others {
		if o > *n && o <= maxCount {
			*n = o
		}
	}
}

// bill is what the usage costs, and whether that is known.
func (m *meter) bill(u usage) (money, bool) {
	p := m.target.prices.find(m.target.provider, u.model)
	if p == nil {
		p = m.price
	}
	switch {
	case m.call.deed == free:
		return 0, true
	case p == nil:
		return 0, false
	case u.seconds > 0 && p.hasSecond:
		return p.second.times(int64(u.seconds) + 1), true
	case u.seen && len(p.rates) > 0:
		r := p.at(u.input)
		cached := min(u.cached, u.input)
		written := min(u.written, u.input-cached)
		hour := min(u.hour, written)
		sum := r.input.times(u.input - cached - written).plus(r.cached.times(cached))
		sum = sum.plus(r.written.times(written - hour)).plus(r.hour.times(hour))
		sum = sum.plus(r.output.times(u.output))
		if u.dear {
			sum = sum.times(2)
		}
		return sum, m.call.priceless == ""
	case m.call.deed == byImage && p.hasImage:
		return p.image.times(m.call.made), true
	case m.call.deed == byLetter && p.hasLetter:
		return p.letter.times(m.call.made), true
	}
	return 0, false
}

// settle says what the exchange used, for the recording and the metrics; nil
// when nothing was. Where the upstream worked and said nothing of it, because
// the caller left perhaps, the input counts and an event as one token.
func (x *exchange) settle(status int) *recorder.Usage {
	m := x.asked.meter
	if m == nil || m.call.deed == free || status >= 400 && !m.used.seen {
		return nil
	}
	u, estimated := m.used, false
	if !u.seen && m.call.deed == byToken && m.call.problem == "" {
		u.input, u.output, u.seen, estimated = m.countInput(), m.events, true, true
	}
	cost, known := m.bill(u)
	out := &recorder.Usage{
		Model: m.call.model, InputTokens: u.input, CachedTokens: u.cached, OutputTokens: u.output, Estimated: estimated,
	}
	if out.Model == "" {
		out.Model = u.model
	}
	if known {
		out.USD = cost.String()
	}
	if !estimated && u.seen && m.call.deed == byToken {
		m.ledger.outputs.add(m.target.name, m.call.model, u.output/max(1, m.call.choices))
	}
	x.server.metrics.spend(x.target.name, m.label(u), x.who.Subject, u, cost, known)
	return out
}

// paid is what was used of a response that the caller does not get.
func (x *exchange) paid() *recorder.Usage {
	if !x.asked.left {
		return nil
	}
	return x.settle(0)
}

// label is the model's name in metrics: one that has a price, or "other", since
// callers can make up names.
func (m *meter) label(u usage) string {
	for _, name := range []string{m.call.model, u.model} {
		if m.target.prices.find(m.target.provider, name) != nil {
			return withoutDate(plainModel(name))
		}
	}
	return otherLabel
}
