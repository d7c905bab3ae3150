package httpguard

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"sallyport/policy"
	"sallyport/recorder"
)

// What `unknown_cost` may say: whether a call whose cost can't be told passes.
// Without it only the rules that read the cost deny.
const (
	costDeny  = "deny"
	costAllow = "allow"
)

// ruleUnknownCost is the rule of a refusal that unknown_cost makes necessary.
const ruleUnknownCost = "(unknown-cost)"

// ledger is what all meters share: how tokens are counted, and how many of
// output there have been.
type ledger struct {
	tokens  tokenizers
	outputs outputs
}

// meter counts one call of a model. It belongs to the exchange's goroutine.
type meter struct {
	ledger *ledger
	target *target
	call   *call
	price  *price // of the model as the request names it; nil is unknown

	counted bool  // input is
	input   int64 // tokens
	added   bool  // usage was asked for in the caller's place
	used    usage
	events  int64 // of the stream, those with an answer's text or close to it
	open    unsettled
	answers map[answered]*usage // on a WebSocket
}

func (x *exchange) newMeter(c *call) *meter {
	return &meter{ledger: x.server.ledger, target: x.target, call: c, price: x.target.prices.find(x.target.provider, c.model)}
}

// priceOf is the price of a model that the response names, often the one that was
// asked for.
func (m *meter) priceOf(model string) *price {
	if model == m.call.model {
		return m.price
	}
	return m.target.prices.find(m.target.provider, model)
}

// checkCost reads the keys of a target that the meter needs.
func (t Target) checkCost(out *target, add func(key string, err error)) {
	if !slices.Contains([]string{"", costDeny, costAllow}, t.UnknownCost) {
		if t.UnknownCost == "ask" {
			add("unknown_cost", errors.New(`unknown_cost = "ask" is known, but not built yet`))
		} else {
			add("unknown_cost", fmt.Errorf("%q is neither deny nor allow", t.UnknownCost))
		}
	}
	out.unknownCost = t.UnknownCost
	if t.Kind() != policy.LLMTarget {
		if t.UnknownCost != "" {
			add("unknown_cost", errors.New("only the exchanges with a model's provider have a cost"))
		}
		if t.Prices != "" {
			add("prices", errors.New("only the exchanges with a model's provider have a cost"))
		}
		return
	}
	shipped, tools, err := readShipped(shippedPrices)
	add("prices", err)
	out.prices = &priceTable{shipped: shipped, tools: tools}
	if t.Prices != "" {
		out.prices.overlay, err = readOverlay(t.Prices)
		add("prices", err)
	}
}

func missing(reason string) error { return &policy.Missing{Reason: reason} }

// inputTokens is the fact.
func (m *meter) inputTokens() (int64, error) {
	c := m.call
	switch {
	case c.problem != "":
		return 0, missing(c.problem)
	case c.hidden != "" && m.price != nil && m.price.maxInput > 0:
		return m.price.maxInput, nil
	case c.hidden != "":
		return 0, missing(c.hidden + ", and how much the model takes is not known")
	}
	return m.countInput(), nil
}

// countInput counts what can be seen of the input, once.
func (m *meter) countInput() int64 {
	if !m.counted {
		m.counted = true
		m.input = m.ledger.tokens.count(m.call.model, m.call.texts) + m.call.extra + int64(m.call.images)*imageTokens(m.call.model)
		m.call.texts = nil
	}
	return m.input
}

// maxTokens is the fact.
func (m *meter) maxTokens() (int64, error) {
	c := m.call
	switch {
	case c.problem != "":
		return 0, missing(c.problem)
	case c.operation == "realtime" && c.deed == unpriced:
		return 0, missing("a session has any number of answers")
	case c.limit >= 0:
		return product(c.limit, c.choices), nil
	case m.price != nil && m.price.maxOutput > 0:
		return product(m.price.maxOutput, c.choices), nil
	case c.deed == free:
		return 0, nil
	}
	return 0, missing("neither the request nor the prices say how much output there can be")
}

// product does not overflow.
func product(a, b int64) int64 { return int64(money(a).times(b)) }

// usd is the fact.
func (m *meter) usd() (float64, error) {
	worst, reason := m.worst()
	if reason != "" && m.target.unknownCost != costAllow {
		return 0, missing("the cost can't be told: " + reason)
	}
	return worst.usd(), nil
}

// worst is the most the call can cost. With a reason it is what is known of it.
func (m *meter) worst() (money, string) {
	return m.cost(func(limit int64) int64 { return limit })
}

// expected is what calls of this model cost by experience: nine of ten had no
// more output.
func (m *meter) expected() (money, string) {
	return m.cost(func(limit int64) int64 { return min(limit, m.ledger.outputs.high(m.target.name, m.call.model, limit)) })
}

func (m *meter) cost(output func(limit int64) int64) (money, string) {
	c, p := m.call, m.price
	reason := c.problem + c.foggy
	switch {
	case c.deed == free:
		return 0, ""
	case c.operation == "":
		return 0, "this operation of the provider is not one that is known"
	case reason != "":
		return 0, reason
	case c.deed == unpriced || c.deed == byDuration:
		return 0, "this operation is priced by what comes of it"
	case p == nil:
		return 0, "the model is not in the table of prices"
	}
	sum := money(0)
	if len(p.rates) > 0 {
		in, err := m.inputTokens()
		if err != nil {
			return 0, err.Error()
		}
		out, err := m.outputLimit()
		if err != nil && c.deed == byToken {
			return 0, err.Error()
		}
		r := p.at(in)
		first, each := r.input, r.output
		if c.caching {
			first = max(r.input, r.written, r.hour)
		}
		if c.spoken {
			first, each = max(first, p.sound.input), max(each, p.sound.output)
		}
		sum = first.times(in).plus(each.times(product(output(out), c.choices)))
	}
	switch {
	case c.deed == byToken && len(p.rates) == 0, c.deed == byImage && !p.hasImage, c.deed == byLetter && !p.hasLetter:
		return sum, "the model has no price of the kind in the table of prices"
	case c.spoken && !p.hasSound:
		return sum, "sound has no price in the table of prices"
	case c.transcribes:
		return sum, "another model writes down what is said"
	case c.deed == byImage:
		sum = sum.plus(p.image.times(c.made))
	case c.deed == byLetter:
		sum = sum.plus(p.letter.times(c.made))
	}
	if c.dear {
		sum = sum.times(2)
	}
	tools, reason := m.toolsAllowed()
	return sum.plus(tools), c.priceless + reason
}

// outputLimit is how much output one answer can have.
func (m *meter) outputLimit() (int64, error) {
	most := m.price.maxOutput
	switch limit := m.call.limit; {
	case limit >= 0 && most > 0:
		return min(limit, most), nil
	case limit >= 0:
		return limit, nil
	case most > 0:
		return most, nil
	}
	return 0, missing("neither the request nor the prices say how much output there can be")
}

// estimate is for the recording: what was counted before the call, if anything
// was.
func (m *meter) estimate() *recorder.Estimate {
	if m == nil || !m.counted {
		return nil
	}
	out := &recorder.Estimate{InputTokens: m.input}
	out.MaxTokens, _ = m.maxTokens()
	if worst, reason := m.worst(); reason == "" {
		out.Worst = worst.String()
		expected, _ := m.expected()
		out.Expected = expected.String()
	}
	return out
}

// outputs remembers how much output calls had, by target and model.
type outputs struct {
	mu   sync.Mutex
	past map[[2]string]*past
}

type past struct {
	last [64]int64
	n    int
}

// maxPasts bounds how many models are remembered.
const maxPasts = 1000

// add notes the output of one call.
func (o *outputs) add(target, model string, tokens int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.past == nil {
		o.past = map[[2]string]*past{}
	}
	key := [2]string{target, model}
	p := o.past[key]
	if p == nil {
		if len(o.past) >= maxPasts {
			return
		}
		p = &past{}
		o.past[key] = p
	}
	p.last[p.n%len(p.last)] = tokens
	p.n++
}

// high is what nine of ten of the latest calls stayed within; absent when there
// were fewer than ten.
func (o *outputs) high(target, model string, absent int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.past[[2]string{target, model}]
	if p == nil || p.n < 10 {
		return absent
	}
	sorted := slices.Clone(p.last[:min(p.n, len(p.last))])
	slices.Sort(sorted)
	return sorted[len(sorted)*9/10]
}
