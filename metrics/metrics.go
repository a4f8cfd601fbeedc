// Package metrics names every fate that a packet can have, counts it, and
// serves the counts to Prometheus.
//
// The lists of fates and results are closed: each is an enumeration whose
// String is the label value. Label values come from the configuration and from these
// lists only; nothing that a peer sends can create a series.
//
// A series exists at zero from the start, so that a rate never misses its first event. One
// that has a client, a server or a route as a label exists from its first count on:
// otherwise a thousand clients would have 200,000 series, nearly all of them zero. The
// time when such a series was last known to be zero goes with it as its created timestamp.
// Those of the spool and of a cluster exist while there is one.
//
// Nothing is global: New registers with the registry it is given. Handles
// (Client, Server, TLS) are looked up once, when the configuration is turned
// into objects; counting through them is one atomic add and no allocation.
//
// The files:
//
//	fate.go, result.go, handshake.go, reason.go, state.go, answer.go, fetch.go, port.go
//	              the closed lists
//	client.go, server.go, route.go
//	              a table of the counters that each of them has, and its handle
//	family.go     one counter with all its series, from the tables above
//	keep.go       removes the series of what is no longer configured
//	lookup.go, tls.go, crlfetch.go, connections.go, certificates.go, descriptors.go,
//	queue.go, logs.go, reload.go, noports.go, dynauth.go, dtls.go, spool.go,
//	cluster.go, clusterasks.go
//	              metrics that belong to no single client or port of a server
//	level.go, histogram.go
//	              gauges and histograms that cost an atomic add or two
//	exposition.go, arena.go
//	              the series of clients, servers and routes, as the encoders read them
//	scrape.go     answers /metrics
//	snapshot.go   the counts, for the status page
//	metrics.go    New, which puts these together
package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"radsec-gw/locks"
	"radsec-gw/wire"
)

// namespace is the first part of every name that this package gives.
const namespace = "radsec_gw"

// Metrics is the gateway's set of counters.
type Metrics struct {
	// static after construction
	shared       *prometheus.Registry // of what has neither a client, nor a server, nor a route as a label
	ofClients    *families
	ofServers    *families
	ofRoutes     *families
	lookups      *prometheus.CounterVec // server, result
	requestTime  [wire.NumKinds]histogram
	kindPairs    [wire.NumKinds][]*dto.LabelPair
	statePairs   [NumStates][]*dto.LabelPair
	buildInfo    *prometheus.GaugeVec // version, commit, go_version
	tls          *TLS
	open         *connections
	certificates *certificates
	descriptors  *descriptors
	reloads      *Reloads
	crlFetches   *CRLFetches
	scrapes      *scrapes
	dynAuth      *DynAuth
	dtls         *DTLS
	spool        *Spool
	cluster      *Cluster
	clusterAsks  *ClusterAsks

	routeStates atomic.Pointer[func() []RouteState]

	mu       locks.Mutex[locks.Series] // guards what follows, and the owners' since; held while series are made, removed or read
	clients  map[string]*Client
	servers  map[serverKey]*Server
	routes   map[string]*Route
	queues   map[string]*Queue
	lookedUp map[string]bool // servers with look-ups of their own
	exposed  int64           // when the series were last exposed, in milliseconds of Unix time; 0: never
}

// New makes the gateway's metrics and registers them with reg, together with
// the collectors of the Go runtime, of the process, and of the datagrams that the host
// dropped because no socket was open for their port. It panics when reg already holds one
// of them: a registry belongs to one Metrics. Handler serves them without reg.
func New(reg prometheus.Registerer) *Metrics {
	shared := prometheus.NewRegistry()
	m := &Metrics{
		shared:    shared,
		ofClients: newFamilies(clientFamilies[:], maxClientLabels, "client"),
		ofServers: newFamilies(serverFamilies[:], maxServerLabels, "server", "port"),
		ofRoutes:  newFamilies(routeFamilies[:], 0, "route"),
		lookups: counter("server_name_lookups_total",
			"Look-ups of a UDP server's host name, by whether an address was found.", "server", "result"),
		buildInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
			Help: "Always 1; the labels say which program this is."}, []string{"version", "commit", "go_version"}),
		tls:          newTLS(shared),
		open:         newConnections(),
		certificates: newCertificates(shared),
		descriptors:  newDescriptors(shared),
		reloads:      newReloads(shared),
		crlFetches:   newCRLFetches(shared),
		scrapes:      newScrapes(shared),
		dynAuth:      newDynAuth(shared),
		dtls:         newDTLS(shared),
		spool:        newSpool(shared),
		cluster:      newCluster(shared),
		clusterAsks:  newClusterAsks(shared),

		clients:  map[string]*Client{},
		servers:  map[serverKey]*Server{},
		routes:   map[string]*Route{},
		queues:   map[string]*Queue{},
		lookedUp: map[string]bool{},
	}
	shared.MustRegister(m.lookups, m.buildInfo,
		newNoPorts("/proc/net"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for k := range m.requestTime {
		m.requestTime[k].since = time.Now().UnixMilli()
		m.kindPairs[k] = labelPairs([]string{"kind"}, []string{wire.Kind(k).String()})
	}
	for state := range NumStates {
		m.statePairs[state] = labelPairs([]string{"state"}, []string{state.String()})
	}
	m.Route(OtherRoute)
	reg.MustRegister(m)
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

// Reloads returns the handle for the metrics of reloads.
func (m *Metrics) Reloads() *Reloads { return m.reloads }

// CRLFetches returns the handle for the metrics of fetched revocation lists.
func (m *Metrics) CRLFetches() *CRLFetches { return m.crlFetches }

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}
