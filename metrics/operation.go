package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// operation holds what an operator's own care is about: the gateway's own
// certificates.
type operation struct {
	certificates *prometheus.GaugeVec // certificate, file
	refused      prometheus.Gauge
	newRefused   prometheus.Gauge
	accept       *prometheus.CounterVec // listener
	limits       *prometheus.GaugeVec   // use
}

func newOperation(reg prometheus.Registerer) *operation {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	o := &operation{
		certificates: gauge("certificate_expiry_timestamp_seconds",
			"When the first certificate of a configured file, as it is in force, ends, in Unix time; certificate is what the file is for: server, client_ca, ca (a client's own), intermediates or metrics.", "certificate", "file"),
		refused: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "certificate_refused",
			Help: "Whether every client refuses the gateway's own certificate: it has expired, is not valid yet, or is not for servers."}),
		newRefused: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "new_certificate_refused",
			Help: "Whether the file of the gateway's own certificate has one that is not in force because every client would refuse it, and the old one stays."}),
		accept: counter("accept_failures_total",
			"Connections that could not be accepted, most often because the process had no descriptor left.", "listener"),
		limits: gauge("descriptor_budget",
			"How the descriptors that the process may have (RLIMIT_NOFILE) are divided.", "use"),
	}
	reg.MustRegister(o.certificates, o.refused, o.newRefused, o.accept, o.limits)
	for _, listener := range []string{"radsec", "http", "tap"} {
		o.accept.WithLabelValues(listener)
	}
	return o
}

// AcceptFailed counts a connection that could not be accepted; listener is
// "radsec", "http" or "tap".
func (m *Metrics) AcceptFailed(listener string) { m.operation.accept.WithLabelValues(listener).Inc() }

// SetDescriptors says how many descriptors one use may have; use is "radsec"
// (connections), "udp" (sockets to servers), "http" (connections) or "other".
func (m *Metrics) SetDescriptors(use string, n int) {
	m.operation.limits.WithLabelValues(use).Set(float64(n))
}

// The help of metrics that each queue has.
const (
	queueLengthHelp = "What waits in a bounded queue now, in the unit of its label."
	queueLimitHelp  = "The most that a bounded queue takes, in the unit of its label."
)

// queueShed describes the counter of what a queue has dropped.
func queueShed(name string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Name: "queue_shed_total",
		Help: "Items that were dropped because a bounded queue was full.", ConstLabels: prometheus.Labels{"queue": name}}
}

// CertificateFile says when the first certificate of a file ends.
type CertificateFile struct {
	For  string // "server", "client_ca", "ca", "intermediates" or "metrics"
	File string // of the operator's
	Ends time.Time
}

// maxCertificateFiles bounds the files that are shown.
const maxCertificateFiles = 100

// SetCertificates replaces what is shown about files of certificates: of many, those
// that end first.
func (m *Metrics) SetCertificates(list []CertificateFile) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b CertificateFile) int { return a.Ends.Compare(b.Ends) })
	m.operation.certificates.Reset()
	for _, c := range list[:min(len(list), maxCertificateFiles)] {
		m.operation.certificates.WithLabelValues(c.For, strings.ToValidUTF8(c.File, "?")).Set(float64(c.Ends.Unix()))
	}
}

// SetRefused says whether every client refuses the gateway's own certificate.
func (m *Metrics) SetRefused(refused bool) {
	m.operation.refused.Set(oneIf(refused))
}

// SetNewRefused says whether a new certificate of the gateway's own is not in force
// because every client would refuse it.
func (m *Metrics) SetNewRefused(refused bool) {
	m.operation.newRefused.Set(oneIf(refused))
}

// oneIf is the value of a gauge that says whether something is so.
func oneIf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

// Queue is the handle for one bounded queue. Its methods may be called from
// any goroutine.
type Queue struct {
	shed   prometheus.Counter
	length level
}

// Queue returns the handle for the queue of this name, one of the program's
// own, that takes at most limit items (or octets, as unit says: "items",
// "bytes"). The same name gives the same handle; the limit is the first one's.
func (m *Metrics) Queue(name, unit string, limit int) *Queue {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := m.queues[name]; q != nil {
		return q
	}
	q := &Queue{shed: prometheus.NewCounter(queueShed(name))}
	m.reg.MustRegister(q.shed)
	labels := prometheus.Labels{"queue": name, "unit": unit}
	q.length.register(m.reg, "queue_length", queueLengthHelp, labels)
	bound := &level{}
	bound.n.Store(int64(limit))
	bound.register(m.reg, "queue_limit", queueLimitHelp, labels)
	m.queues[name] = q
	return q
}

// Add adds n, negative for what left, to what waits.
func (q *Queue) Add(n int) { q.length.n.Add(int64(n)) }

// Shed counts n items that found the queue full and were dropped.
func (q *Queue) Shed(n int) { q.shed.Add(float64(n)) }

// Dropped returns how many items were dropped so far.
func (q *Queue) Dropped() int { return int(read(q.shed)) }
