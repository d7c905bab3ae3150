package httpguard

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestMoney(t *testing.T) {
	for text, want := range map[string]string{
		"1.25": "1.25", "0.000000000001": "0.000000000001", "0": "0", "1e-07": "0.0000001", "3.75e-8": "0.0000000375",
		"1.0000000000000001e-7": "0.000000100001", // rounded up to whole picodollars
		"12":                    "12",
	} {
		m, err := parseMoney(text, 1)
		if err != nil || m.String() != want {
			t.Errorf("%s: %v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "-1", "1/3", "NaN", "Inf", "0x", "1e400", "9999999999", "true", strings.Repeat("1", 50)} {
		if m, err := parseMoney(text, 1); err == nil {
			t.Errorf("%q is %v", text, m)
		}
	}
	per, _ := parseMoney("0.0375", perMillion)
	if per != 37_500 || per.times(1_000_000).String() != "0.0375" {
		t.Errorf("a token costs %d", per)
	}
	if maxMoney.plus(1) != maxMoney || money(1<<40).times(1<<40) != maxMoney || money(3).times(-1) != 0 || money(0).times(5) != 0 {
		t.Error("money overflows")
	}
	// A condition compares as the decimals do.
	for _, text := range []string{"0.1", "0.5", "0.3", "0.000001", "1.1", "123.456789"} {
		m, err := parseMoney(text, 1)
		var literal float64
		if err != nil || json.Unmarshal([]byte(text), &literal) != nil || m.usd() != literal || (m+1).usd() <= literal || (m-1).usd() >= literal {
			t.Errorf("%s: %v is not %v", text, m.usd(), literal)
		}
	}
}

func TestShippedPrices(t *testing.T) {
	shipped, _, err := readShipped(shippedPrices)
	if err != nil {
		t.Fatal(err)
	}
	if len(shipped) < 60 {
		t.Errorf("%d models", len(shipped))
	}
	table := &priceTable{shipped: shipped}
	for model, want := range map[string][2]string{
		"gpt-4o": {"0.0000025", "0.00001"}, "gpt-4o-2024-08-06": {"0.0000025", "0.00001"}, "gpt-4o-2024-05-13": {"0.000005", "0.000015"},
		"claude-sonnet-4-5-20250929": {"0.000003", "0.000015"}, "claude-3-5-haiku-latest": {"0.0000008", "0.000004"},
		"claude-opus-4-1@20250805": {"0.000015", "0.000075"}, "models/gemini-2.5-pro": {"0.00000125", "0.00001"},
		"GPT-5": {"0.00000125", "0.00001"},
	} {
		p := table.find(openAI, model)
		if p == nil || p.rates[0].input.String() != want[0] || p.rates[0].output.String() != want[1] {
			t.Errorf("%s: %+v", model, p)
		}
	}
	for _, model := range []string{"", "gpt-4o-2024", "gpt", "ft:gpt-4o:acme", "gpt-4o-mini-x", "-2024-08-06"} {
		if p := table.find(openAI, model); p != nil {
			t.Errorf("%s has the price %+v", model, p)
		}
	}
	for name, p := range shipped {
		for _, r := range p.rates {
			if r.cached > r.input || r.written < 0 || r.hour < r.written || r.input > dollar || r.output > dollar {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestOverlay(t *testing.T) {
	models, err := parseOverlay([]byte(`{
		"sample_spec": {"input_cost_per_token": "a price", "mode": "one of chat"},
		"gpt-4o": {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "output_cost_per_reasoning_token": 3e-06, "cache_read_input_token_cost": 5e-07, "max_input_tokens": 1000, "max_output_tokens": 100, "supports_vision": true},
		"azure/eu": {"input_cost_per_token": 2e-6},
		"a/shared": {"input_cost_per_token": 1e-6}, "b/shared": {"input_cost_per_token": 9e-6},
		"long": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "input_cost_per_token_above_200k_tokens": 2e-6, "input_cost_per_token_above_128k_tokens": 1.5e-6, "output_cost_per_token_above_200k_tokens": 4e-6},
		"ranges": {"tiered_pricing": [{"range": [0, 32000], "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}, {"range": [32000, 128000], "input_cost_per_token": 3e-6, "output_cost_per_token": 5e-6}]},
		"picture": {"input_cost_per_image": 0.01, "output_cost_per_image": 0.02, "mode": "image_generation"},
		"voice": {"input_cost_per_character": 1.5e-05}, "ear": {"input_cost_per_second": 0.0001},
		"nothing": {"mode": "chat"}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	shipped, _, _ := readShipped(shippedPrices)
	table := &priceTable{overlay: models, shipped: shipped}
	if p := table.find(openAI, "gpt-4o"); p.rates[0].output != 3_000_000 || p.rates[0].cached != 500_000 || p.maxInput != 1000 || p.maxOutput != 100 {
		t.Errorf("gpt-4o: %+v", p)
	}
	if p := table.find(azure, "eu"); p == nil || p.rates[0].input != 2_000_000 {
		t.Errorf("eu: %+v", p)
	}
	if p := table.find(openAI, "shared"); p == nil || p.rates[0].input != 9_000_000 {
		t.Errorf("shared: %+v", p)
	}
	for input, want := range map[int64]money{1: 1_000_000, 128_000: 1_000_000, 128_001: 1_500_000, 200_001: 2_000_000} {
		if r := table.find(openAI, "long").at(input); r.input != want {
			t.Errorf("long at %d: %+v", input, r)
		}
	}
	if r := table.find(openAI, "ranges").at(40_000); r.input != 3_000_000 || r.output != 5_000_000 {
		t.Errorf("ranges: %+v", r)
	}
	if p := table.find(openAI, "picture"); !p.hasImage || p.image.String() != "0.03" || len(p.rates) != 0 {
		t.Errorf("picture: %+v", p)
	}
	if !table.find(openAI, "voice").hasLetter || !table.find(openAI, "ear").hasSecond || len(table.find(openAI, "nothing").rates) != 0 {
		t.Error("voice, ear or nothing")
	}
	if table.find(openAI, "sample_spec") != nil || table.find(openAI, "gpt-4.1") == nil {
		t.Error("the explanation is a model, or the shipped prices are gone")
	}
	for _, bad := range []string{``, `[]`, `{"m": 3}`, `{"m": {"input_cost_per_token": -1}}`, `{"m": {"input_cost_per_token": "x"}}`, `{"m": {"input_cost_per_token": true}}`, `{} {}`} {
		if _, err := parseOverlay([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestTiers charges the whole call by the rate of its length.
func TestTiers(t *testing.T) {
	shipped, _, _ := readShipped(shippedPrices)
	target := &target{name: "a", provider: anthropic, prices: &priceTable{shipped: shipped}}
	m := &meter{ledger: &ledger{}, target: target, call: &call{model: "claude-sonnet-4-5", deed: byToken, operation: "chat"}}
	m.price = target.prices.find(anthropic, m.call.model)
	for name, c := range map[string]struct {
		u    usage
		want string
	}{
		"short":        {usage{seen: true, input: 200_000, output: 1000}, "0.615"},
		"long":         {usage{seen: true, input: 200_001, output: 1000}, "1.222506"},
		"cached":       {usage{seen: true, input: 1100, cached: 1000, output: 0}, "0.0006"},
		"written":      {usage{seen: true, input: 1000, written: 1000, hour: 400}, "0.00465"},
		"more than is": {usage{seen: true, input: 10, cached: 100, written: 100, hour: 100}, "0.000003"},
		"priority":     {usage{seen: true, input: 1000, dear: true}, "0.006"},
		"beyond":       {usage{seen: true, input: math.MaxInt64}, "9223372.036854775807"},
	} {
		if got, known := m.bill(c.u); !known || got.String() != c.want {
			t.Errorf("%s: %v, %v; want %s", name, got, known, c.want)
		}
	}
}

func TestExpected(t *testing.T) {
	var o outputs
	if o.high("t", "m", 500) != 500 {
		t.Error("something is known of nothing")
	}
	for i := range int64(100) {
		o.add("t", "m", i)
	}
	if got := o.high("t", "m", 500); got != 93 { // the last 64 are 36 to 99
		t.Errorf("got %d", got)
	}
}
