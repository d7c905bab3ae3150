package httpguard

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxPrices is how many bytes a file of prices may have.
const maxPrices = 32 << 20

//go:embed prices.json
var shippedPrices []byte

// perMillion is what the shipped prices of tokens and characters are for.
const perMillion = 1_000_000

// shippedModel is one line of prices.json: dollars in decimals, for a million
// tokens or characters, for one image, for one minute of sound.
type shippedModel struct {
	Models    []string `json:"models"`
	Input     string   `json:"input"`
	Cached    string   `json:"cached"`       // absent: as the input
	Written   string   `json:"written"`      // absent: as the input
	Hour      string   `json:"written_hour"` // absent: as written
	Output    string   `json:"output"`
	Above     int64    `json:"above"` // tokens of input from which the next two hold
	InputOver string   `json:"input_over"`
	OutOver   string   `json:"output_over"`
	Image     string   `json:"image"`
	Letters   string   `json:"letters"`
	Minute    string   `json:"minute"`
	SoundIn   string   `json:"sound_input"` // a million tokens of sound
	SoundKept string   `json:"sound_cached"`
	SoundOut  string   `json:"sound_output"`
	Search    string   `json:"search"` // one search of the provider's own; absent: the provider's price of one
	MaxInput  int64    `json:"max_input"`
	MaxOutput int64    `json:"max_output"`
}

// readShipped reads prices.json: of models, and of tools.
func readShipped(text []byte) (map[string]*price, map[string]money, error) {
	var file struct {
		AsOf  string `json:"as_of"`
		Note  string `json:"note"`
		Tools []struct {
			Providers []string `json:"providers"`
			Tool      string   `json:"tool"`
			Each      string   `json:"each"`
		} `json:"tools"`
		Sources []struct {
			Source string         `json:"source"`
			Models []shippedModel `json:"models"`
		} `json:"sources"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, nil, fmt.Errorf("read the shipped prices: %w", err)
	}
	tools := map[string]money{}
	for _, t := range file.Tools {
		each, err := parseMoney(t.Each, 1)
		if err != nil {
			return nil, nil, fmt.Errorf("shipped prices: %s: %w", t.Tool, err)
		}
		for _, provider := range t.Providers {
			tools[provider+" "+t.Tool] = each
		}
	}
	out := map[string]*price{}
	for _, source := range file.Sources {
		for _, m := range source.Models {
			p, err := m.price()
			if err != nil {
				return nil, nil, fmt.Errorf("shipped prices: %v: %w", m.Models, err)
			}
			for _, name := range m.Models {
				if out[name] != nil {
					return nil, nil, fmt.Errorf("shipped prices: %s stands twice", name)
				}
				out[name] = p
			}
		}
	}
	return out, tools, nil
}

func (m shippedModel) price() (*price, error) {
	p := &price{maxInput: m.MaxInput, maxOutput: m.MaxOutput, hasImage: m.Image != "", hasLetter: m.Letters != "", hasSecond: m.Minute != "", hasSound: m.SoundIn != "" || m.SoundOut != ""}
	var all []error
	read := func(s string, per int64, absent money) money {
		if s == "" {
			return absent
		}
		v, err := parseMoney(s, per)
		all = append(all, err)
		return v
	}
	if m.Input != "" {
		r := rate{input: read(m.Input, perMillion, 0), output: read(m.Output, perMillion, 0)}
		r.cached, r.written = read(m.Cached, perMillion, r.input), read(m.Written, perMillion, r.input)
		r.hour = read(m.Hour, perMillion, r.written)
		p.rates = []rate{r}
		if m.Above > 0 {
			over := rate{above: m.Above, input: read(m.InputOver, perMillion, 0), output: read(m.OutOver, perMillion, 0)}
			over.cached, over.written, over.hour = over.input, max(over.input, r.written), max(over.input, r.hour)
			p.rates = append(p.rates, over)
		}
	}
	p.image, p.letter, p.second = read(m.Image, 1, 0), read(m.Letters, perMillion, 0), read(m.Minute, 60, 0)
	p.sound = sounds{input: read(m.SoundIn, perMillion, 0), output: read(m.SoundOut, perMillion, 0)}
	p.sound.cached = read(m.SoundKept, perMillion, p.sound.input)
	if m.Search != "" {
		p.uses = map[string]money{toolSearch: read(m.Search, 1, 0)}
	}
	return p, errors.Join(all...)
}

// readOverlay reads an operator's file in the format of LiteLLM's
// model_prices_and_context_window.json: a map of models, dollars for one unit.
func readOverlay(name string) (map[string]*price, error) {
	info, err := os.Stat(name)
	if err != nil {
		var cause *os.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, err
	}
	if info.Size() > maxPrices || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file of at most %d bytes", maxPrices)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.New("the file cannot be read")
	}
	return parseOverlay(text)
}

func parseOverlay(text []byte) (map[string]*price, error) {
	var models map[string]map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&models); err != nil {
		return nil, fmt.Errorf("want a JSON object of models as LiteLLM writes it: %w", err)
	}
	if dec.More() {
		return nil, errors.New("want one JSON object")
	}
	out := make(map[string]*price, len(models))
	for model, entry := range models {
		if model == "sample_spec" { // LiteLLM's explanation of the format
			continue
		}
		p, err := overlayPrice(entry)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", model, err)
		}
		out[strings.ToLower(model)] = p
	}
	withoutProvider(out)
	return out, nil
}

// withoutProvider lets each model be found by its name alone as well. Of several
// providers the dearest stands for it.
func withoutProvider(models map[string]*price) {
	own := map[string]*price{}
	for name, p := range models {
		name = name[strings.LastIndexByte(name, '/')+1:]
		if models[name] == nil && (own[name] == nil || p.dearer(own[name])) {
			own[name] = p
		}
	}
	maps.Copy(models, own)
}

func (p *price) dearer(o *price) bool {
	sum := func(p *price) money {
		total := p.image.plus(p.letter).plus(p.second)
		for _, r := range p.rates {
			total = max(total, r.input.plus(r.output))
		}
		return total
	}
	return sum(p) > sum(o)
}

// overlayPrice reads one model of the overlay. What has a unit that is not
// known here is no price.
func overlayPrice(entry map[string]any) (*price, error) {
	o := overlay{entry: entry}
	p := &price{maxInput: o.tokens("max_input_tokens"), maxOutput: o.tokens("max_output_tokens")}
	if input, ok := o.money("input_cost_per_token"); ok {
		r := rate{input: input}
		r.output = max(o.some("output_cost_per_token", 0), o.some("output_cost_per_reasoning_token", 0))
		r.cached = o.some("cache_read_input_token_cost", input)
		r.written = o.some("cache_creation_input_token_cost", input)
		r.hour = o.some("cache_creation_input_token_cost_above_1hr", r.written)
		p.rates = append(append(p.rates, r), o.tiers(r)...)
	} else if tiers := o.tiers(rate{}); len(tiers) > 0 {
		tiers[0].above = 0
		p.rates = tiers
	}
	made, okMade := o.money("output_cost_per_image")
	shown, okShown := o.money("input_cost_per_image")
	p.image, p.hasImage = made.plus(shown), okMade || okShown
	p.letter, p.hasLetter = o.money("input_cost_per_character")
	p.second, p.hasSecond = o.money("input_cost_per_second")
	if second, ok := o.money("output_cost_per_second"); ok {
		p.second, p.hasSecond = p.second.plus(second), true
	}
	in, okIn := o.money("input_cost_per_audio_token")
	out, okOut := o.money("output_cost_per_audio_token")
	p.sound, p.hasSound = sounds{input: in, cached: in, output: out}, okIn || okOut
	if kept, ok := o.money("cache_read_input_audio_token_cost"); ok {
		p.sound.cached = kept
	}
	if sizes := object(entry["search_context_cost_per_query"]); sizes != nil {
		dearest := money(0)
		for size := range sizes {
			each, _ := o.amount(sizes, size)
			dearest = max(dearest, each)
		}
		p.uses = map[string]money{toolSearch: dearest, toolSearchPreview: dearest}
	}
	return p, o.err
}

// overlay reads the members of one model and keeps the first error.
type overlay struct {
	entry map[string]any
	err   error
}

func (o *overlay) money(key string) (money, bool) { return o.amount(o.entry, key) }

func (o *overlay) amount(of map[string]any, key string) (money, bool) {
	var text string
	switch v := of[key].(type) {
	case nil:
		return 0, false
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	m, err := parseMoney(text, 1)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s: %w", key, err)
	}
	return m, err == nil
}

func (o *overlay) some(key string, absent money) money {
	if m, ok := o.money(key); ok {
		return m
	}
	return absent
}

// tokens is a count, 0 where it is not said or said as a text.
func (o *overlay) tokens(key string) int64 {
	n, ok := o.entry[key].(json.Number)
	if !ok {
		return 0
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > maxCount {
		return 0
	}
	return int64(f)
}

// tiers are the rates for longer inputs: input_cost_per_token_above_200k_tokens,
// and those of tiered_pricing with their ranges.
func (o *overlay) tiers(base rate) []rate {
	at := map[int64]*rate{}
	tier := func(above int64) *rate {
		if at[above] == nil {
			r := base
			r.above = above
			at[above] = &r
		}
		return at[above]
	}
	for key := range o.entry {
		name, rest, ok := strings.Cut(key, "_above_")
		thousands, isTokens := strings.CutSuffix(rest, "k_tokens")
		if !ok || !isTokens {
			continue
		}
		n, err := strconv.ParseInt(thousands, 10, 32)
		amount, given := o.money(key)
		if err != nil || !given {
			continue
		}
		r := tier(n * 1000)
		switch name {
		case "input_cost_per_token":
			r.input = amount
		case "output_cost_per_token":
			r.output = amount
		case "cache_read_input_token_cost":
			r.cached = amount
		case "cache_creation_input_token_cost":
			r.written = amount
		}
	}
	list, _ := o.entry["tiered_pricing"].([]any)
	for _, e := range list {
		t := object(e)
		span, _ := t["range"].([]any)
		if len(span) == 0 {
			continue
		}
		from, _ := span[0].(json.Number)
		f, err := from.Float64()
		if err != nil || f < 0 || f > maxCount {
			continue
		}
		r := tier(int64(f))
		if m, ok := o.amount(t, "input_cost_per_token"); ok {
			r.input, r.cached, r.written, r.hour = m, m, max(m, base.written), max(m, base.hour)
		}
		if m, ok := o.amount(t, "output_cost_per_token"); ok {
			r.output = m
		}
		if m, ok := o.amount(t, "output_cost_per_reasoning_token"); ok {
			r.output = max(r.output, m)
		}
	}
	out := make([]rate, 0, len(at))
	for _, r := range at {
		r.cached, r.written = min(r.cached, r.input), max(r.written, r.input)
		r.hour = max(r.hour, r.written)
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b rate) int { return int(a.above - b.above) })
	return out
}
