package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// ClusterMessage is a kind of what gateways tell each other through NATS. The list is closed.
type ClusterMessage uint8

// What gateways tell each other.
const (
	ClusterMarker ClusterMessage = iota
	ClusterState
	ClusterCoA

	NumClusterMessages // how many there are
)

var clusterMessageNames = [NumClusterMessages]string{
	ClusterMarker: "marker",
	ClusterState:  "state",
	ClusterCoA:    "coa",
}

// String returns the label.
func (m ClusterMessage) String() string { return nameOf(clusterMessageNames[:], uint8(m)) }

// Cluster is the handle for what gateways share through NATS. Its methods may be called from
// any goroutine, also while there are no series: what they count is shown once there are.
type Cluster struct {
	// static after construction
	series clusterSeries

	up, replicas                         prometheus.Gauge
	reconnects                           prometheus.Counter
	sent, received, dropped, notReceived [NumClusterMessages]prometheus.Counter
	invalid                              [NumClusterMessages]prometheus.Counter
}

func newCluster(reg prometheus.Registerer) *Cluster {
	c := &Cluster{
		up: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "cluster_up",
			Help: "Whether the gateway is connected to a NATS server."}),
		replicas: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "cluster_replicas",
			Help: "Other gateways with the same prefix that were heard of in the last 35 seconds."}),
		reconnects: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "cluster_reconnects_total",
			Help: "Times that the gateway was connected to a NATS server again after it had lost one."}),
	}
	c.series.collectors = []prometheus.Collector{c.up, c.replicas, c.reconnects}
	for _, x := range []struct {
		name, help string
		counters   *[NumClusterMessages]prometheus.Counter
	}{
		{"cluster_sent_total", "What was told to the other gateways, by kind. A message may have up to 256 of the kind state.", &c.sent},
		{"cluster_received_total", "What was learned from other gateways, by kind.", &c.received},
		{"cluster_dropped_total", "What was not told to the other gateways, because there was no connection or because a bounded queue was full, by kind.", &c.dropped},
		{"cluster_receive_dropped_total", "Messages of other gateways that were dropped because they arrived faster than they could be handled, by kind.", &c.notReceived},
		{"cluster_invalid_total", "Messages that were ignored because they do not have the form of their kind.", &c.invalid},
	} {
		family := counter(x.name, x.help, "kind")
		for i := range x.counters {
			x.counters[i] = family.WithLabelValues(ClusterMessage(i).String())
		}
		c.series.collectors = append(c.series.collectors, family)
	}
	reg.MustRegister(&c.series)
	return c
}

// Cluster returns the handle for what gateways share. It has no series until Use is called.
func (m *Metrics) Cluster() *Cluster { return m.cluster }

// Use creates the series: something is shared.
func (c *Cluster) Use() { c.series.used.Store(true) }

// SetUp sets whether there is a connection to a NATS server.
func (c *Cluster) SetUp(up bool) { c.up.Set(oneIf(up)) }

// SetReplicas sets how many other gateways there are.
func (c *Cluster) SetReplicas(n int) { c.replicas.Set(float64(n)) }

// Reconnected counts a connection after one that was lost.
func (c *Cluster) Reconnected() { c.reconnects.Inc() }

// Sent counts n of a kind that were told to the others.
func (c *Cluster) Sent(kind ClusterMessage, n int) { c.sent[kind].Add(float64(n)) }

// Received counts n of a kind that were learned from others.
func (c *Cluster) Received(kind ClusterMessage, n int) { c.received[kind].Add(float64(n)) }

// Dropped counts n of a kind that were not told to the others.
func (c *Cluster) Dropped(kind ClusterMessage, n int) { c.dropped[kind].Add(float64(n)) }

// NotReceived counts n messages of a kind that could not be handled in time.
func (c *Cluster) NotReceived(kind ClusterMessage, n int) { c.notReceived[kind].Add(float64(n)) }

// Invalid counts a message that was ignored.
func (c *Cluster) Invalid(kind ClusterMessage) { c.invalid[kind].Inc() }

// ClusterCounts is what was counted so far.
type ClusterCounts struct {
	Reconnects, Sent, Received, Dropped, Invalid uint64
}

// Counts returns what was counted so far, all kinds together.
func (c *Cluster) Counts() ClusterCounts {
	return ClusterCounts{
		Reconnects: valueOf(c.reconnects), Sent: valueOf(c.sent[:]...), Received: valueOf(c.received[:]...),
		Dropped: valueOf(c.dropped[:]...) + valueOf(c.notReceived[:]...), Invalid: valueOf(c.invalid[:]...),
	}
}

// clusterSeries collects the series once something is shared.
type clusterSeries struct {
	// static after construction
	collectors []prometheus.Collector

	used atomic.Bool
}

// Describe implements prometheus.Collector.
func (s *clusterSeries) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range s.collectors {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (s *clusterSeries) Collect(ch chan<- prometheus.Metric) {
	if !s.used.Load() {
		return
	}
	for _, c := range s.collectors {
		c.Collect(ch)
	}
}
