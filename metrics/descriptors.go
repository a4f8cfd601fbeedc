package metrics

import "github.com/prometheus/client_golang/prometheus"

// descriptors are the metrics of the process's file descriptors.
type descriptors struct {
	// static after construction
	accept *prometheus.CounterVec // listener
	budget *prometheus.GaugeVec   // use
}

func newDescriptors(reg prometheus.Registerer) *descriptors {
	d := &descriptors{
		accept: counter("accept_failures_total",
			"Connections that could not be accepted, most often because the process had no descriptor left.", "listener"),
		budget: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "descriptor_budget",
			Help: "How the descriptors that the process may have (RLIMIT_NOFILE) are divided."}, []string{"use"}),
	}
	reg.MustRegister(d.accept, d.budget)
	for _, listener := range []string{"radsec", "http", "tap"} {
		d.accept.WithLabelValues(listener)
	}
	return d
}

// AcceptFailed counts a connection that could not be accepted; listener is
// "radsec", "http" or "tap".
func (m *Metrics) AcceptFailed(listener string) { m.descriptors.accept.WithLabelValues(listener).Inc() }

// SetDescriptors sets how many descriptors one use may have; use is "radsec"
// (connections), "udp" (sockets to servers), "http" (connections) or "other".
func (m *Metrics) SetDescriptors(use string, n int) {
	m.descriptors.budget.WithLabelValues(use).Set(float64(n))
}
