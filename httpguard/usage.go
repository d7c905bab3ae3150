package httpguard

import (
	"encoding/json"
	"slices"
	"strings"

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
	sound   sound // of input, cached and output
	seconds float64
	dear    bool

	searches   int64           // of the provider's own
	lookups    int64           // in files, the same
	containers map[string]bool // in which it ran programs, by id
	unpriced   bool            // something was used that has no price here
}

// sound is how many of the tokens are sound.
type sound struct{ input, cached, output int64 }

func (s sound) any() bool { return s != sound{} }

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
	Output      []outputItem       `json:"output"`     // of OpenAI's responses
	Candidates  []groundedPart     `json:"candidates"` // Gemini's
}

// outputItem is what is read of an item of a response: the calls of OpenAI's own
// tools are items.
type outputItem struct {
	Type      string `json:"type"`
	Container string `json:"container_id"`
	Action    struct {
		Type string `json:"type"`
	} `json:"action"`
}

// groundedPart says what Google searched for.
type groundedPart struct {
	Grounding struct {
		Queries []string `json:"webSearchQueries"`
	} `json:"groundingMetadata"`
}

// usageBody holds the names of OpenAI's chat, then those it shares with
// Anthropic, then Anthropic's.
type usageBody struct {
	Prompt        int64         `json:"prompt_tokens"`
	Completion    int64         `json:"completion_tokens"`
	PromptDetails inputDetails  `json:"prompt_tokens_details"`
	OutputSound   outputDetails `json:"completion_tokens_details"`

	Input         int64         `json:"input_tokens"`
	Output        int64         `json:"output_tokens"`
	InputDetails  inputDetails  `json:"input_tokens_details"`
	RealtimeIn    inputDetails  `json:"input_token_details"` // of the Realtime API
	RealtimeOut   outputDetails `json:"output_token_details"`
	CacheRead     int64         `json:"cache_read_input_tokens"`
	CacheCreation int64         `json:"cache_creation_input_tokens"`
	Creation      struct {
		Hour int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	Seconds float64 `json:"seconds"` // of sound, where type is duration
	Tools   struct {
		Searches int64 `json:"web_search_requests"`
	} `json:"server_tool_use"` // Anthropic's
}

type inputDetails struct {
	Cached  int64 `json:"cached_tokens"`
	Sound   int64 `json:"audio_tokens"`
	Details struct {
		Sound int64 `json:"audio_tokens"`
	} `json:"cached_tokens_details"`
}

type outputDetails struct {
	Sound int64 `json:"audio_tokens"`
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
		top(&u.cached, b.PromptDetails.Cached, b.InputDetails.Cached, b.RealtimeIn.Cached, b.CacheRead)
		top(&u.sound.input, b.PromptDetails.Sound, b.InputDetails.Sound, b.RealtimeIn.Sound)
		top(&u.sound.cached, b.PromptDetails.Details.Sound, b.InputDetails.Details.Sound, b.RealtimeIn.Details.Sound)
		top(&u.sound.output, b.OutputSound.Sound, b.RealtimeOut.Sound)
		top(&u.searches, b.Tools.Searches)
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
	u.takeTools(a)
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
	p := m.priceOf(u.model)
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
		text := u.textOf(cached)
		sum := r.input.times(text.input - written).plus(r.cached.times(text.cached))
		sum = sum.plus(r.written.times(written - hour)).plus(r.hour.times(hour))
		sum = sum.plus(r.output.times(text.output)).plus(p.sound.of(u.sound))
		if u.dear {
			sum = sum.times(2)
		}
		tools, known := m.toolsUsed(p, u)
		return sum.plus(tools), known && m.call.priceless == "" && (p.hasSound || !u.sound.any())
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
	switch rest := m.open.tokens(); {
	case !u.seen && m.call.deed == byToken && m.call.problem == "":
		u.input, u.output, u.seen, estimated = m.countInput(), max(m.events, rest), true, true
	case rest > 0: // it left within an answer
		u.output, estimated = min(u.output+rest, maxCount), true
		u.unpriced = u.unpriced || m.call.deed != byToken // what went into it nobody says
	}
	parts := m.parts(u, estimated)
	sum, known := money(0), true
	var models []string
	for _, part := range parts {
		cost, ok := m.bill(part)
		sum, known = sum.plus(cost), known && ok
		x.server.metrics.spend(x.target.name, m.label(part), x.who.Subject, part, cost, ok)
		if !slices.Contains(models, part.model) {
			models = append(models, part.model)
		}
	}
	out := &recorder.Usage{
		Model: m.call.model, InputTokens: u.input, CachedTokens: u.cached, OutputTokens: u.output, Estimated: estimated,
	}
	if out.Model == "" {
		out.Model = strings.Join(models, ", ")
	}
	if known {
		out.USD = sum.String()
	}
	if !estimated && u.seen && m.call.deed == byToken {
		m.ledger.outputs.add(m.target.name, m.call.model, u.output/max(1, m.call.choices))
	}
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
		if m.priceOf(name) != nil {
			return withoutDate(plainModel(name))
		}
	}
	return otherLabel
}
