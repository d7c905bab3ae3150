package recorder

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	events *prometheus.CounterVec
	bytes  prometheus.Counter
	errors prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_recorder_events_total",
			Help: "Events written to recordings.",
		}, []string{"kind"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sallyport_recorder_bytes_total",
			Help: "Bytes written to recordings.",
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sallyport_recorder_errors_total",
			Help: "Failures to record; each ended what it could not record.",
		}),
	}
}

// Register puts the recorder's counters on reg.
func (r *Recorder) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{r.metrics.events, r.metrics.bytes, r.metrics.errors} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
