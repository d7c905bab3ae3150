package httpguard

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of this room. Labels are bounded: targets of the
// configuration, kinds of refusal.
type metrics struct {
	exchanges *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	masked    *prometheus.CounterVec
	messages  *prometheus.CounterVec
	sessions  prometheus.Gauge
	*spending
}

func newMetrics() *metrics {
	return &metrics{
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_http_exchanges_total",
			Help: "HTTP exchanges by target and result: ok, cut (broken off), or the kind of refusal.",
		}, []string{"target", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "sallyport_http_exchange_seconds",
			Help:    "Time from an exchange's first byte to its last.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"target"}),
		masked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_http_masked_total",
			Help: "Values masked in responses.",
		}, []string{"target"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_http_messages_total",
			Help: "Messages of callers on WebSockets that were judged, by target and result: ok, or the kind of refusal.",
		}, []string{"target", "result"}),
		spending: newSpending(),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sallyport_http_sessions",
			Help: "HTTP sessions whose recording is open.",
		}),
	}
}

func (m *metrics) register(reg prometheus.Registerer) error {
	for _, c := range append(m.collectors(), m.exchanges, m.seconds, m.masked, m.messages, m.sessions) {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// observe counts one exchange; a nil target is one that does not exist.
func (m *metrics) observe(t *target, result string, took time.Duration) {
	name := ""
	if t != nil {
		name = t.name
	}
	m.exchanges.WithLabelValues(name, result).Inc()
	m.seconds.WithLabelValues(name).Observe(took.Seconds())
}
