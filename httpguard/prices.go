package httpguard

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// money is an amount in picodollars, a millionth of a millionth: prices of one
// token are whole numbers of it. It does not overflow: what is too much for it,
// nine million dollars, stays that.
type money int64

const (
	dollar   money = 1_000_000_000_000
	maxMoney money = 1<<63 - 1
)

// times is the price of n.
func (m money) times(n int64) money {
	if m <= 0 || n <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(m), uint64(n))
	if high != 0 || low > uint64(maxMoney) {
		return maxMoney
	}
	return money(low)
}

func (m money) plus(o money) money {
	if m > maxMoney-o {
		return maxMoney
	}
	return m + o
}

// usd is the amount for a condition. Both it and a literal of CEL are the
// nearest double to a decimal, so that they compare as the decimals do.
func (m money) usd() float64 { return float64(m) / float64(dollar) }

// String is the exact amount in dollars.
func (m money) String() string {
	s := fmt.Sprintf("%d.%012d", m/dollar, m%dollar)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// parseMoney reads a decimal number of dollars, for per units of something, and
// rounds up to whole picodollars.
func parseMoney(s string, per int64) (money, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok || strings.Contains(s, "/") || len(s) > 40 || r.Sign() < 0 {
		return 0, fmt.Errorf("%q is not a price", s)
	}
	r.Mul(r, new(big.Rat).SetInt64(int64(dollar)))
	r.Quo(r, new(big.Rat).SetInt64(per))
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsInt64() {
		return 0, errors.New("a price beyond all reason")
	}
	return money(whole.Int64()), nil
}

// rate is what tokens cost from a length of input on.
type rate struct {
	above         int64 // tokens of input
	input, output money // of one token; output is the dearer of answer and reasoning
	cached        money // of one that was read from the provider's cache
	written, hour money // of one written into it, and of one kept there for an hour
}

// price is what a model costs. Nothing is free because its price is not said:
// the marks say which prices are.
type price struct {
	rates     []rate           // by above, which is 0 in the first; none: tokens have no price
	image     money            // of one made, at most
	letter    money            // of one character spoken
	second    money            // of sound heard
	sound     sounds           // of tokens of sound
	uses      map[string]money // of one use of a tool of the provider's own, where it has a price for the model
	hasImage  bool
	hasLetter bool
	hasSecond bool
	hasSound  bool
	maxInput  int64 // tokens the model takes; 0 is unknown
	maxOutput int64 // tokens of one answer; 0 is unknown
}

// at is the rate for an input of so many tokens.
func (p *price) at(input int64) rate {
	r := p.rates[0]
	for _, next := range p.rates[1:] {
		if input > next.above {
			r = next
		}
	}
	return r
}

// sounds is what one token of sound costs.
type sounds struct{ input, cached, output money }

func (p sounds) of(n sound) money {
	cached := min(n.cached, n.input)
	return p.input.times(n.input - cached).plus(p.cached.times(cached)).plus(p.output.times(n.output))
}

// priceTable finds prices by model: the operator's first, then the shipped.
type priceTable struct {
	overlay map[string]*price // nil: none
	shipped map[string]*price
	tools   map[string]money // of one use of a provider's own tool: "provider tool"
}

// find looks the model up under its provider's name, under its own, and under
// its own without a date.
func (t *priceTable) find(provider, model string) *price {
	if model == "" {
		return nil
	}
	all := names(provider, model)
	for _, table := range []map[string]*price{t.overlay, t.shipped} {
		for _, name := range all {
			if p := table[name]; p != nil {
				return p
			}
		}
	}
	return nil
}

// names are what a model may stand under in a table, the nearest first.
func names(provider, model string) []string {
	model = strings.ToLower(model)
	own := model[strings.LastIndexByte(model, '/')+1:]
	all := []string{provider + "/" + model, model, provider + "/" + own, own}
	if undated := withoutDate(own); undated != own {
		all = append(all, provider+"/"+undated, undated)
	}
	return all
}

// withoutDate takes -2025-08-07, -20250807, @20250807 and -latest off a name.
func withoutDate(name string) string {
	if base, ok := strings.CutSuffix(name, "-latest"); ok {
		return base
	}
	for _, pattern := range []string{"-0000-00-00", "-00000000", "@00000000"} {
		if i := len(name) - len(pattern); i > 0 && looksLike(name[i:], pattern) {
			return name[:i]
		}
	}
	return name
}

func looksLike(s, pattern string) bool {
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if digit != (pattern[i] == '0') || !digit && s[i] != pattern[i] {
			return false
		}
	}
	return true
}
