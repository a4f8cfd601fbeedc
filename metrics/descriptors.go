package metrics

import (
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// descriptors are the metrics of the process's file descriptors.
type descriptors struct {
	// static after construction
	accept *prometheus.CounterVec // listener
	budget *prometheus.GaugeVec   // use
	limit  level

	displaced prometheus.Counter
}

func newDescriptors(reg prometheus.Registerer) *descriptors {
	d := &descriptors{

		accept: counter("accept_failures_total",
			"Connections that could not be accepted, most often because the process had no descriptor left.", "listener"),
		budget: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "descriptor_budget",
			Help: "How the descriptors that the process may have (RLIMIT_NOFILE) are divided."}, []string{"use"}),
		displaced: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "http_connections_displaced_total",
			Help: "HTTP connections that were closed for new ones, because as many were open as there may be."}),
	}
	d.limit.register(reg, "descriptor_limit", "How many descriptors the process may have open (RLIMIT_NOFILE).", nil)
	reg.MustRegister(d.accept, d.budget, d.displaced)
	if dir, err := os.Open("/proc/self/fd"); err == nil { // other systems have none
		reg.MustRegister(&openDescriptors{dir: dir, desc: prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "open_descriptors"),
			"Descriptors that the process has open. Unlike process_open_fds it is there when they have run out.", nil, nil)})
	}
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

// HTTPDisplaced counts an HTTP connection that was closed for a new one.
func (m *Metrics) HTTPDisplaced() { m.descriptors.displaced.Inc() }

// SetDescriptorLimit sets how many descriptors the process may have open.
func (m *Metrics) SetDescriptorLimit(n int) { m.descriptors.limit.n.Store(int64(n)) }

// openDescriptors counts the descriptors of the process at each scrape, by a directory
// that it holds open: when they have run out, none could be opened.
type openDescriptors struct {
	// static after construction
	dir  *os.File // /proc/self/fd
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (o *openDescriptors) Describe(ch chan<- *prometheus.Desc) { ch <- o.desc }

// Collect implements prometheus.Collector. It is called by one goroutine at a time, as
// reading a directory requires.
func (o *openDescriptors) Collect(ch chan<- prometheus.Metric) {
	n := 0
	if info, err := o.dir.Stat(); err == nil && info.Size() > 0 { // since Linux 6.2 it is the number
		n = int(info.Size())
	} else if _, err := o.dir.Seek(0, 0); err == nil {
		names, _ := o.dir.Readdirnames(-1)
		n = len(names)
	}
	if n > 0 {
		ch <- prometheus.MustNewConstMetric(o.desc, prometheus.GaugeValue, float64(n))
	}
}
