package httpguard

import (
	"slices"
	"strings"
)

// The tools of providers' own that are paid by the use and counted, by the names
// they have in prices.json.
const (
	toolSearch        = "web_search"
	toolSearchPreview = "web_search_preview" // OpenAI's older one
	toolFiles         = "file_search"
	toolCode          = "code_interpreter" // by the container it runs in
)

// paidNames are what requests call them.
var paidNames = map[string]string{
	"web_search": toolSearch, "google_search": toolSearch, "google_search_retrieval": toolSearch,
	"web_search_preview": toolSearchPreview, "file_search": toolFiles, "code_interpreter": toolCode,
}

// offerPaid notes a tool of the provider's own. One whose uses aren't counted
// has no price.
func (c *call) offerPaid(kind string, tool map[string]any) {
	if !paidTool(kind) {
		return
	}
	name := paidNames[strings.TrimRight(kind, "_0123456789")] // Anthropic's end in a date
	if name == "" {
		name = paidNames[strings.TrimRight(kind, "_-0123456789")]
	}
	switch {
	case name == "", name == toolCode && object(object(tool["container"])["memory_limit"]) != nil, name == toolCode && c.text(object(tool["container"]), "memory_limit") != "":
		c.priceless = "a tool of the provider's own is paid by the use"
	default:
		c.use(name, c.count(tool, "max_uses", -1))
	}
}

// use notes that the tool may be used so often. What it finds is input as well.
func (c *call) use(tool string, most int64) {
	if c.hidden == "" {
		c.hidden = "tools that the provider calls bring input of their own"
	}
	if c.uses == nil {
		c.uses = map[string]int64{}
	}
	c.uses[tool] = most
}

// eachUse is the price of one use.
func (m *meter) eachUse(p *price, tool string) (money, bool) {
	if p != nil {
		if each, ok := p.uses[tool]; ok {
			return each, true
		}
	}
	each, ok := m.target.prices.tools[m.target.provider+" "+tool]
	return each, ok
}

// toolsAllowed is the most the tools can cost, or why that can't be told.
func (m *meter) toolsAllowed() (money, string) {
	sum := money(0)
	for tool, most := range m.call.uses {
		each, ok := m.eachUse(m.price, tool)
		if !ok || most < 0 {
			return sum, "a tool of the provider's own is paid by the use"
		}
		sum = sum.plus(each.times(most))
	}
	return sum, ""
}

// toolsUsed is what their uses cost, and whether that is known.
func (m *meter) toolsUsed(p *price, u usage) (sum money, known bool) {
	known = !u.unpriced
	pay := func(n int64, tools ...string) {
		dearest, found := money(0), false
		for _, tool := range tools {
			if _, offered := m.call.uses[tool]; !offered && len(tools) > 1 {
				continue
			}
			if each, ok := m.eachUse(p, tool); ok {
				dearest, found = max(dearest, each), true
			}
		}
		sum, known = sum.plus(dearest.times(n)), known && (found || n == 0)
	}
	searches := u.searches
	if m.call.operation == "chat" && m.target.provider != anthropic && m.target.provider != gemini {
		// OpenAI's chat does not say how often it searched: once an answer at most.
		searches = max(searches, m.call.uses[toolSearch])
	}
	pay(searches, toolSearch, toolSearchPreview)
	pay(u.lookups, toolFiles)
	pay(int64(len(u.containers)), toolCode)
	return sum, known
}

// takeTools counts the uses that an answer tells of. An item of a tool that
// nobody listed may cost something.
func (u *usage) takeTools(a *reply) {
	var searches, lookups, queries int64
	for _, item := range a.Output {
		switch item.Type {
		case "web_search_call":
			if item.Action.Type == "" || item.Action.Type == "search" {
				searches++
			}
		case "file_search_call":
			lookups++
		case "code_interpreter_call":
			if u.containers == nil {
				u.containers = map[string]bool{}
			}
			u.containers[item.Container] = true
		case "image_generation_call":
			u.unpriced = true
		}
	}
	for _, part := range a.Candidates {
		queries += int64(len(part.Grounding.Queries))
	}
	top(&u.searches, searches, queries)
	top(&u.lookups, lookups)
}

// tokens of text.
type tokens struct{ input, cached, output int64 }

// textOf is what of the tokens is no sound; input without what was cached.
func (u usage) textOf(cached int64) tokens {
	heard := min(u.sound.input, u.input)
	t := tokens{cached: max(0, cached-min(u.sound.cached, heard)), output: max(0, u.output-u.sound.output)}
	t.input = max(0, u.input-heard-t.cached)
	return t
}

// lastOfAnswer are the types of the events with which answers end, in the Realtime
// API and in responses over a WebSocket.
var lastOfAnswer = []string{"response.done", "response.completed", "response.incomplete", "response.failed"}

// frame reads a message of a WebSocket: at the end of each answer it is said what
// that one used.
func (m *meter) frame(f message) {
	if m == nil || f.op != opText && f.op != opBinary {
		return
	}
	m.events++
	a := parseReply(f.payload)
	switch {
	case slices.Contains(lastOfAnswer, a.Type) && a.Response != nil:
		m.open = unsettled{}
	case strings.HasSuffix(a.Type, "transcription.completed"):
	case strings.HasPrefix(a.Type, "response.") && strings.HasSuffix(a.Type, "audio.delta"):
		m.open.addSound(f.payload)
		return
	case strings.HasPrefix(a.Type, "response.") && strings.HasSuffix(a.Type, ".delta"):
		m.open.add(f.payload)
		return
	default:
		return
	}
	var one usage
	one.take(a)
	if a.Response == nil {
		one.unpriced = true // by another model, which the event does not name
	}
	m.used.add(one)
	m.answer(one)
}

// maxModels is how many models may answer on one WebSocket and be priced.
const maxModels = 100

// answered is what prices answers differently on one WebSocket.
type answered struct {
	model string
	dear  bool
}

// answer adds an answer to those of the same price.
func (m *meter) answer(one usage) {
	key := answered{one.model, one.dear}
	u := m.answers[key]
	switch {
	case u == nil && len(m.answers) >= maxModels:
		m.used.unpriced = true
		return
	case u == nil && m.answers == nil:
		m.answers = map[answered]*usage{}
	}
	if u == nil {
		u = &usage{dear: one.dear}
		m.answers[key] = u
	}
	u.add(one)
}

// parts is what was used, by what it costs: more than one only where several
// models answered on a WebSocket.
func (m *meter) parts(u usage, estimated bool) []usage {
	if len(m.answers) == 0 || estimated || u.unpriced {
		return []usage{u}
	}
	var all []usage
	for _, one := range m.answers {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b usage) int { return strings.Compare(a.model, b.model) })
	return all
}

// add adds what one answer of several used.
func (u *usage) add(o usage) {
	sum := func(n *int64, more int64) { *n = min(*n+more, maxCount) }
	for _, pair := range []struct {
		n    *int64
		more int64
	}{
		{&u.input, o.input},
		{&u.cached, o.cached},
		{&u.output, o.output},
		{&u.sound.input, o.sound.input},
		{&u.sound.cached, o.sound.cached},
		{&u.sound.output, o.sound.output},
		{&u.searches, o.searches},
		{&u.lookups, o.lookups},
	} {
		sum(pair.n, pair.more)
	}
	for id := range o.containers {
		if u.containers == nil {
			u.containers = map[string]bool{}
		}
		u.containers[id] = true
	}
	u.seen, u.unpriced = u.seen || o.seen, u.unpriced || o.unpriced
	if o.model != "" {
		u.model = o.model
	}
}
