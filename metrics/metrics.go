// Package metrics names every fate that a packet can have, counts it, and
// serves the counts to Prometheus.
//
// The lists of fates and results are closed: each is an enumeration whose
// String is the label value, and every series exists at zero from the moment
// that its client or server is known, so that a rate never misses its first
// event. Label values come from the configuration and from these lists only;
// nothing that a peer sends can make a series.
//
// Nothing is global: New registers with the registry it is given. Handles
// (Client, Server, TLS) are looked up once, when the configuration is turned
// into objects; counting through them is one atomic add and no allocation.
package metrics

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"radsec-gw/wire"
)

// namespace is the first part of every name that this package gives.
const namespace = "radsec_gw"

// Metrics is the gateway's set of counters in one registry.
type Metrics struct {
	// static after construction
	reg prometheus.Registerer

	requests      *prometheus.CounterVec // client, kind, fate
	clientReplies *prometheus.CounterVec // client, code
	omitted       *prometheus.CounterVec // client, reason
	routeRequests *prometheus.CounterVec // route, fate
	requestTime   [wire.NumKinds]*histogram

	sent, resent, timeouts, socketErrors, moved *prometheus.CounterVec // server, port
	answeredAfterMove, renewals                 *prometheus.CounterVec // server, port
	replies, probes                             *prometheus.CounterVec // server, port, result
	lookups                                     *prometheus.CounterVec // server, result

	connections *prometheus.CounterVec // client
	closed      *prometheus.CounterVec // client, reason
	buildInfo   *prometheus.GaugeVec   // version, commit, go_version
	tls         *TLS
	open        *connections
	operation   *operation

	mu      sync.Mutex // guards the maps; held while series come and go
	clients map[string]*Client
	servers map[serverKey]*Server
	routes  map[string]*Route
	queues  map[string]*Queue
}

// New makes the gateway's metrics and registers them with reg, together with
// the collectors of the Go runtime, of the process, and of the datagrams that
// the host dropped for want of a port. It panics when reg already holds one of
// them: a registry belongs to one Metrics.
func New(reg prometheus.Registerer) *Metrics {
	perServer := []string{"server", "port"}
	m := &Metrics{
		reg:     reg,
		clients: map[string]*Client{},
		servers: map[serverKey]*Server{},
		routes:  map[string]*Route{},
		queues:  map[string]*Queue{},

		requests: counter("requests_total",
			"Packets received from RadSec clients, by what became of them.", "client", "kind", "fate"),
		clientReplies: counter("replies_total",
			"Packets handed to a RadSec client's connection, by their Code.", "client", "code"),
		omitted: counter("omitted_attributes_total",
			"Attributes that a packet went on without, by why: each copy of a request for a server, and each reply to a client; loop_marker is the gateway's own.", "client", "reason"),
		routeRequests: counter("route_requests_total",
			"Requests that a route took, by what became of them; the route other stands for those that none took.", "route", "fate"),
		sent: counter("server_requests_sent_total",
			"Requests sent to a UDP server for the first time, retransmissions not counted.", perServer...),
		resent: counter("server_requests_resent_total",
			"Retransmissions sent to a UDP server.", perServer...),
		timeouts: counter("server_timeouts_total",
			"Exchanges that a UDP server left unanswered to the end of their schedule.", perServer...),
		socketErrors: counter("server_socket_errors_total",
			"Failed system calls on the sockets to a UDP server, such as those reporting an ICMP port unreachable.", perServer...),
		replies: counter("server_replies_total",
			"Datagrams received from a UDP server, by what they were.", "server", "port", "result"),
		moved: counter("server_requests_moved_total",
			"Requests that moved on to another server because this one left them unanswered, was failing or down, or could not route them.", perServer...),
		answeredAfterMove: counter("replies_after_move_total",
			"Answers of a UDP server that arrived after their request had gone to another server as well, and before that one's.", perServer...),
		renewals: counter("server_socket_renewals_total",
			"Times that new sockets took the place of those to a UDP server, because it was silent, unreachable or had another address.", perServer...),
		lookups: counter("server_name_lookups_total",
			"Look-ups of a UDP server's host name, by whether an address was found.", "server", "result"),
		probes: counter("server_probes_total",
			"Health probes of a UDP server, by whether they were answered.", "server", "port", "result"),
		connections: counter("tls_client_connections_total",
			"TLS connections that were accepted for a client.", "client"),
		closed: counter("tls_client_connections_closed_total",
			"TLS connections of a client that have ended, by the reason.", "client", "reason"),
		buildInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
			Help: "Always 1; the labels say which program this is."}, []string{"version", "commit", "go_version"}),
	}
	reg.MustRegister(m.requests, m.clientReplies, m.omitted, m.routeRequests,
		m.sent, m.resent, m.timeouts, m.socketErrors, m.moved, m.answeredAfterMove, m.renewals, m.lookups, m.replies, m.probes,
		m.connections, m.closed, m.buildInfo,
		newNoPorts("/proc/net"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for k := range m.requestTime {
		m.requestTime[k] = newHistogram("request_seconds",
			"Time from a client's request to the answer that it was handed.", prometheus.Labels{"kind": wire.Kind(k).String()})
		reg.MustRegister(m.requestTime[k])
	}
	m.tls, m.open, m.operation = newTLS(reg), newConnections(reg), newOperation(reg)
	m.Route(OtherRoute)
	return m
}

// BuildInfo sets the labels of radsec_gw_build_info; it is called once.
func (m *Metrics) BuildInfo(version, commit, goVersion string) {
	m.buildInfo.WithLabelValues(version, commit, goVersion).Set(1)
}

// ObserveRequest records the time from a client's request of kind k to the
// answer that it was handed: two atomic adds.
func (m *Metrics) ObserveRequest(k wire.Kind, d time.Duration) { m.requestTime[k].observe(d) }

// TLS returns the handle for what belongs to no client: handshakes and octets
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

// level is a gauge of whole numbers. A prometheus.Gauge holds a float64 and
// adds by compare-and-swap; this one adds in one step and is read at scrape.
type level struct{ n atomic.Int64 }

// register makes l visible under name, with labels.
func (l *level) register(reg prometheus.Registerer, name, help string, labels prometheus.Labels) {
	reg.MustRegister(l.gauge(name, help, labels))
}

// gauge is what makes l visible under name, with labels.
func (l *level) gauge(name, help string, labels prometheus.Labels) prometheus.Collector {
	return prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(l.n.Load()) })
}
