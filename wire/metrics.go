package wire

import (
	"github.com/prometheus/client_golang/prometheus"

	"sallyport/policy"
)

// metrics are the counters of this room.
type metrics struct {
	sessions   *prometheus.CounterVec // by target and how they ended
	active     prometheus.Gauge
	statements *prometheus.CounterVec // by target and action
	refusals   *prometheus.CounterVec // by kind
	rows       *prometheus.CounterVec // by target
	masked     *prometheus.CounterVec // values, by target
	dialErrors *prometheus.CounterVec // by target
	cancels    *prometheus.CounterVec // by result
	poolReady  *prometheus.GaugeVec   // by target
	poolTaken  *prometheus.CounterVec // by target and result
	poolClosed *prometheus.CounterVec // by target and why
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "sallyport", Subsystem: "wire", Name: name, Help: help,
		}, labels)
		reg.MustRegister(c)
		return c
	}
	m := &metrics{
		sessions:   counter("sessions_total", "PostgreSQL sessions that ended, by target and kind of end.", "target", "end"),
		statements: counter("statements_total", "Statements judged, by target and action.", "target", "action"),
		refusals:   counter("refusals_total", "Refusals sent to clients, by kind.", "kind"),
		rows:       counter("rows_total", "Rows sent to clients.", "target"),
		masked:     counter("masked_values_total", "Values masked in rows.", "target"),
		dialErrors: counter("dial_errors_total", "Upstream connections that failed.", "target"),
		cancels:    counter("cancels_total", "Cancel requests, by result.", "result"),
		poolTaken:  counter("pool_logins_total", "Sessions of targets with a pool, by whether a connection was ready.", "target", "result"),
		poolClosed: counter("pool_closed_total", "Pooled upstream connections that were closed, by reason.", "target", "reason"),
		poolReady: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "sallyport", Subsystem: "wire", Name: "pool_ready", Help: "Upstream connections that are logged in and wait for a session.",
		}, []string{"target"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "sallyport", Subsystem: "wire", Name: "sessions_active", Help: "PostgreSQL sessions open now.",
		}),
	}
	reg.MustRegister(m.active, m.poolReady)
	return m
}

// counters are a target's own, looked up once.
type counters struct {
	allowed, denied, rows, masked prometheus.Counter
}

// of finds the counters of a target.
func (m *metrics) of(target string) counters {
	return counters{
		allowed: m.statements.WithLabelValues(target, policy.Allow.String()),
		denied:  m.statements.WithLabelValues(target, policy.Deny.String()),
		rows:    m.rows.WithLabelValues(target),
		masked:  m.masked.WithLabelValues(target),
	}
}
