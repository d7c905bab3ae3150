package httpguard

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxSeries is how many combinations of target, model and principal have
	// series of their own. The rest are counted together.
	maxSeries  = 2000
	otherLabel = "other"
)

// spending counts tokens and money. Its labels are bounded.
type spending struct {
	tokens *prometheus.CounterVec
	usd    *prometheus.CounterVec
	blind  *prometheus.CounterVec

	mu   sync.Mutex
	seen map[[3]string]bool
}

func newSpending() *spending {
	labels := []string{"target", "model", "principal"}
	return &spending{
		seen: map[[3]string]bool{},
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_llm_tokens_total",
			Help: "Tokens of model calls by target, model, principal and kind: input, cached (of the input), output.",
		}, append(labels, "kind")),
		usd: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_llm_usd_total",
			Help: "Cost of model calls in US dollars, of those whose price is known.",
		}, labels),
		blind: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_llm_unpriced_total",
			Help: "Model calls whose cost is not known.",
		}, labels),
	}
}

func (s *spending) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.tokens, s.usd, s.blind}
}

// spend counts one call.
func (s *spending) spend(target, model, principal string, u usage, cost money, known bool) {
	model, principal = s.bound(target, model, principal)
	s.tokens.WithLabelValues(target, model, principal, "input").Add(float64(u.input))
	s.tokens.WithLabelValues(target, model, principal, "cached").Add(float64(u.cached))
	s.tokens.WithLabelValues(target, model, principal, "output").Add(float64(u.output))
	if known {
		s.usd.WithLabelValues(target, model, principal).Add(cost.usd())
	} else {
		s.blind.WithLabelValues(target, model, principal).Inc()
	}
}

// bound gives the labels, or the common ones when there are too many.
func (s *spending) bound(target, model, principal string) (string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [3]string{target, model, principal}
	if !s.seen[key] {
		if len(s.seen) >= maxSeries {
			return otherLabel, otherLabel
		}
		s.seen[key] = true
	}
	return model, principal
}
