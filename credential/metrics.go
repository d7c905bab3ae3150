package credential

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are by scheme: references stay out, for there may be many.
type metrics struct {
	fetches *prometheus.CounterVec
	errors  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_credential_fetches_total",
			Help: "Credentials asked for, failures included.",
		}, []string{"scheme"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_credential_errors_total",
			Help: "Credentials that could not be fetched; each refused a session or an exchange.",
		}, []string{"scheme"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "sallyport_credential_seconds",
			Help:    "Time to fetch a credential, logging in to its store included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"scheme"}),
	}
	for scheme := range providers { // zeros are worth showing: a rate needs a start
		m.fetches.WithLabelValues(scheme)
		m.errors.WithLabelValues(scheme)
	}
	return m
}

func (m *metrics) fetched(scheme string, took time.Duration, err error) {
	m.fetches.WithLabelValues(scheme).Inc()
	m.seconds.WithLabelValues(scheme).Observe(took.Seconds())
	if err != nil {
		m.errors.WithLabelValues(scheme).Inc()
	}
}

// Register puts the lender's metrics on reg.
func (l *Lender) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{l.metrics.fetches, l.metrics.errors, l.metrics.seconds} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
