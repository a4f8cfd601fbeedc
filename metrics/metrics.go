// Package metrics names every fate that a packet can have, counts it, and
// serves the counts to Prometheus.
//
// The lists of fates and results are closed: each is an enumeration whose
// String is the label value, and every series exists at zero from the moment
// that its client or server is known, so that a rate never misses its first
// event. Label values come from the configuration and from these lists only;
// nothing that a peer sends can create a series.
//
// Nothing is global: New registers with the registry it is given. Handles
// (Client, Server, TLS) are looked up once, when the configuration is turned
// into objects; counting through them is one atomic add and no allocation.
//
// The files:
//
//	fate.go, result.go, handshake.go, reason.go, state.go, answer.go, port.go
//	              the closed lists
//	client.go, server.go, route.go
//	              a table of the counters that each of them has, and its handle
//	family.go     one counter with all its series, from the tables above
//	keep.go       removes the series of what is no longer configured
//	lookup.go, tls.go, connections.go, certificates.go, descriptors.go, queue.go,
//	logs.go, reload.go, noports.go
//	              metrics that belong to no single client or port of a server
//	level.go, histogram.go
//	              gauges and histograms that cost an atomic add or two
//	snapshot.go   the counts, for the status page
//	metrics.go    New, which puts these together
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"radsec-gw/locks"
	"radsec-gw/wire"
)

// namespace is the first part of every name that this package gives.
const namespace = "radsec_gw"

// Metrics is the gateway's set of counters in one registry.
type Metrics struct {
	// static after construction
	reg          prometheus.Registerer
	ofClients    *families
	ofServers    *families
	ofRoutes     *families
	lookups      *prometheus.CounterVec // server, result
	requestTime  [wire.NumKinds]*histogram
	buildInfo    *prometheus.GaugeVec // version, commit, go_version
	tls          *TLS
	open         *connections
	certificates *certificates
	descriptors  *descriptors

	mu      locks.Mutex[locks.Series] // guards the maps; held while series are created or deleted
	clients map[string]*Client
	servers map[serverKey]*Server
	routes  map[string]*Route
	queues  map[string]*Queue
}

// New makes the gateway's metrics and registers them with reg, together with
// the collectors of the Go runtime, of the process, and of the datagrams that the host
// dropped because no socket was open for their port. It panics when reg already holds one
// of them: a registry belongs to one Metrics.
func New(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		reg:       reg,
		ofClients: newFamilies(reg, clientFamilies[:], "client"),
		ofServers: newFamilies(reg, serverFamilies[:], "server", "port"),
		ofRoutes:  newFamilies(reg, routeFamilies[:], "route"),
		lookups: counter("server_name_lookups_total",
			"Look-ups of a UDP server's host name, by whether an address was found.", "server", "result"),
		buildInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
			Help: "Always 1; the labels say which program this is."}, []string{"version", "commit", "go_version"}),
		tls:          newTLS(reg),
		open:         newConnections(reg),
		certificates: newCertificates(reg),
		descriptors:  newDescriptors(reg),

		clients: map[string]*Client{},
		servers: map[serverKey]*Server{},
		routes:  map[string]*Route{},
		queues:  map[string]*Queue{},
	}
	reg.MustRegister(m.lookups, m.buildInfo,
		newNoPorts("/proc/net"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for k := range m.requestTime {
		m.requestTime[k] = newHistogram("request_seconds",
			"Time from a client's request to the answer that it was handed.", prometheus.Labels{"kind": wire.Kind(k).String()})
		reg.MustRegister(m.requestTime[k])
	}
	m.Route(OtherRoute)
	return m
}

// BuildInfo sets the labels of radsec_gw_build_info. It must be called once.
func (m *Metrics) BuildInfo(version, commit, goVersion string) {
	m.buildInfo.WithLabelValues(version, commit, goVersion).Set(1)
}

// ObserveRequest records the time from a client's request of kind k to the
// answer that it was handed: two atomic adds.
func (m *Metrics) ObserveRequest(k wire.Kind, d time.Duration) { m.requestTime[k].observe(d) }

// TLS returns the handle for metrics that belong to no client: handshakes and bytes
// waiting to be written.
func (m *Metrics) TLS() *TLS { return m.tls }

// Handler serves what g gathers in the Prometheus text formats, for /metrics.
// g is the registry that New was given.
func (m *Metrics) Handler(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{Registry: m.reg, MaxRequestsInFlight: 4, Timeout: 20 * time.Second})
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}
