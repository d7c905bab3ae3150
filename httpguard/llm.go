package httpguard

import (
	"net/http"
	"slices"
	"strings"

	"sallyport/policy"
)

// call is what is known of one call of a model, read off its path and body. It
// is read from above: what can't be understood is a problem or hidden, never
// nothing.
type call struct {
	operation string // "" is one that nobody listed
	deed      deed
	model     string // "" when the operation has none
	stream    bool
	usable    bool // OpenAI's stream_options mean something here

	problem   string // the body is not what the operation needs: nothing below is known
	foggy     string // why the model can't be told, besides problem
	hidden    string // why the input can't be counted: the model's maximum then stands for it
	priceless string // why no price can be told in advance

	texts   []string // what counts as input
	extra   int64    // tokens of the input besides the texts
	images  int64    // in the input
	choices int64    // answers asked for
	limit   int64    // tokens of output of one answer; -1 is as many as the model gives
	made    int64    // images or characters that are paid by the piece
	tools   []string
	uses    map[string]int64 // tools of the provider's own that are paid by the use, and how often at most; -1 is any number
	caching bool             // writes into the provider's cache, which costs more than the input
	dear    bool             // a service tier above the list price

	spoken      bool // input and output may be sound
	transcribes bool // another model writes down what is said
}

// deed is how an operation is paid.
type deed int

const (
	unpriced   deed = iota // nobody knows
	free                   // nothing
	byToken                // input and output
	byImage                // each image made
	byLetter               // each character spoken
	byDuration             // known only afterwards
)

// reader reads one kind of body.
type reader func(c *call, body map[string]any)

// operation is one way to call a provider.
type operation struct {
	path  string // the last segments, in lower case; * is any one
	name  string
	deed  deed
	read  reader // nil: no body is needed
	model bool   // a body that is no JSON may name a model all the same
}

// readCall reads what the exchange asks of the provider; nil for a provider
// without models.
func (x *exchange) readCall(facts *policy.HTTP) *call {
	if (Target{Provider: x.target.provider}).Kind() != policy.LLMTarget {
		return nil
	}
	if x.upgrades() {
		return x.readUpgrade(facts)
	}
	path, body := facts.Path, facts.Body
	c := &call{limit: -1, choices: 1}
	segments := strings.Split(strings.Trim(strings.ToLower(path), "/"), "/")
	exact := strings.Split(strings.Trim(path, "/"), "/")
	idle := len(x.body) == 0 && (x.in.Method == http.MethodGet || x.in.Method == http.MethodHead || x.in.Method == http.MethodOptions || x.in.Method == http.MethodDelete)
	switch x.target.provider {
	case anthropic:
		c.read(segments, anthropicOperations, idle, body)
	case gemini:
		if verb, model, ok := geminiVerb(exact); ok {
			c.readGemini(verb, model, body)
			break
		}
		c.read(segments, geminiOperations, idle, body)
	default:
		c.read(segments, openAIOperations, idle, body)
		c.readDeployment(x.target.provider, exact)
	}
	if c.operation == "realtime" && c.model == "" && c.foggy == "" {
		c.readRealtime(x.target.provider, facts.Query)
	}
	return c
}

// readUpgrade reads the handshake of a WebSocket with a model's provider: which
// of the known protocols it opens, if any, and the model.
func (x *exchange) readUpgrade(facts *policy.HTTP) *call {
	c := &call{limit: -1, choices: 1}
	if x.target.provider != openAI && x.target.provider != azure {
		return c
	}
	exact := strings.Split(strings.Trim(facts.Path, "/"), "/")
	switch segments := strings.Split(strings.ToLower(strings.Trim(facts.Path, "/")), "/"); {
	case endsWith(segments, "responses"):
		c.operation = "responses"
	case endsWith(segments, "realtime"):
		c.operation = "realtime"
		if c.readDeployment(x.target.provider, exact); c.model == "" {
			c.readRealtime(x.target.provider, facts.Query)
		}
	}
	return c
}

// readRealtime takes the model of a session from the query. Where the query has
// none, or goes on with what began elsewhere, no message tells it for certain.
func (c *call) readRealtime(provider string, query map[string][]string) {
	named := query["model"]
	if provider == azure {
		named = append(slices.Clone(named), query["deployment"]...)
	}
	switch {
	case len(query["call_id"]) > 0:
		c.foggy = "the session began elsewhere"
	case len(named) == 0 || named[0] == "":
		c.foggy = "the query names no model"
	case len(named) > 1:
		c.foggy = "the query names several models"
	default:
		c.model = named[0]
	}
}

// read finds the operation and reads the body it needs. What only asks, with a
// method that changes nothing and without a body, costs nothing.
func (c *call) read(segments []string, table []operation, idle bool, body any) {
	for _, op := range table {
		if !endsWith(segments, op.path) {
			continue
		}
		if op.name == "models" && !idle {
			return // somebody's who has models run at such a path
		}
		c.operation, c.deed = op.name, op.deed
		if idle && op.name != "realtime" {
			c.deed = free
			return
		}
		if op.read == nil {
			if op.model && op.deed != free {
				c.foggy = "the body is not read for its model"
			}
			return
		}
		object, ok := body.(map[string]any)
		if !ok {
			c.fail("the body is not the JSON object that the operation needs")
			return
		}
		op.read(c, object)
		return
	}
	if idle {
		c.operation, c.deed = "other", free
	}
}

// fail notes that the body is not what the operation needs. The reason holds
// nothing of it.
func (c *call) fail(reason string) {
	if c.problem == "" {
		c.problem = reason
	}
}

// endsWith reports whether the last segments are those of the pattern.
func endsWith(segments []string, pattern string) bool {
	want := strings.Split(pattern, "/")
	if len(segments) < len(want) {
		return false
	}
	for i, s := range segments[len(segments)-len(want):] {
		if want[i] != "*" && want[i] != s {
			return false
		}
	}
	return true
}

// readDeployment takes the model of Azure's path, which stands above that of
// the body.
func (c *call) readDeployment(provider string, segments []string) {
	if provider != azure {
		return
	}
	for i, s := range segments {
		if strings.EqualFold(s, "deployments") && i+2 < len(segments) {
			c.model, c.foggy = segments[i+1], ""
			return
		}
	}
}

// facts are what rules can know of the call.
func (c *call) facts(m *meter) *policy.LLM {
	if c.operation == "" {
		const reason = "this operation of the provider is not one that is known"
		return &policy.LLM{
			Operation: policy.UnknownFact[string](reason), Model: policy.UnknownFact[string](reason),
			Stream: policy.UnknownFact[bool](reason), InputTokens: policy.UnknownFact[int64](reason),
			MaxTokens: policy.UnknownFact[int64](reason), Tools: policy.UnknownFact[[]string](reason),
			EstimatedUSD: m.usd,
		}
	}
	out := &policy.LLM{
		Operation: policy.Known(c.operation), Model: policy.Known(c.model), Stream: policy.Known(c.stream),
		InputTokens: m.inputTokens, MaxTokens: m.maxTokens, EstimatedUSD: m.usd, Tools: policy.Known(c.tools),
	}
	if c.problem != "" {
		out.Stream, out.Tools = policy.UnknownFact[bool](c.problem), policy.UnknownFact[[]string](c.problem)
	}
	if reason := c.foggy + c.problem; reason != "" {
		out.Model = policy.UnknownFact[string](reason)
	}
	return out
}
