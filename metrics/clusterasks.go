package metrics

import "github.com/prometheus/client_golang/prometheus"

// ClusterAsk is how the question ended that a gateway has asked the others: who has the
// connection for a CoA or Disconnect? The list is closed.
type ClusterAsk uint8

// The results of questions.
const (
	AskRelayed      ClusterAsk = iota // another gateway has sent it down, and its answer went to the sender
	AskUnanswered                     // another gateway has sent it down, and there was no answer in time, or the connection ended
	AskNobody                         // no gateway has the connection
	AskTimeout                        // NATS or another gateway did not answer in time
	AskNotConnected                   // there is no connection to NATS
	AskBusy                           // too many wait already
	AskBadAnswer                      // an answer from NATS does not verify under the secret of the sender
	AskStopped                        // the gateway stopped

	NumClusterAsks // how many there are
)

var clusterAskNames = [NumClusterAsks]string{
	AskRelayed:      "relayed",
	AskUnanswered:   "unanswered",
	AskNobody:       "nobody",
	AskTimeout:      "timeout",
	AskNotConnected: "not_connected",
	AskBusy:         "busy",
	AskBadAnswer:    "bad_answer",
	AskStopped:      "stopped",
}

// String returns the label.
func (a ClusterAsk) String() string { return nameOf(clusterAskNames[:], uint8(a)) }

// ClusterServed is what a gateway has done with a CoA or Disconnect of another gateway. The list
// is closed.
type ClusterServed uint8

// What is done with requests of other gateways.
const (
	ServedTaken   ClusterServed = iota // it was sent down, or got a NAK, or the answer that it got before
	ServedNotHere                      // its NAS has no connection here
	ServedRefused                      // it does not have the form of such a message, or was dropped as a datagram would have been
	ServedLate                         // it arrived so late that the other gateway no longer waits

	NumClusterServed // how many there are
)

var clusterServedNames = [NumClusterServed]string{
	ServedTaken:   "taken",
	ServedNotHere: "not_here",
	ServedRefused: "refused",
	ServedLate:    "late",
}

// String returns the label.
func (s ClusterServed) String() string { return nameOf(clusterServedNames[:], uint8(s)) }

// ClusterAsks is the handle for CoA and Disconnect that gateways pass on to each other. Its
// methods may be called from any goroutine.
type ClusterAsks struct {
	// static after construction
	series       clusterSeries
	asks         [NumClusterAsks]prometheus.Counter
	served       [NumClusterServed]prometheus.Counter
	namesRefused prometheus.Counter

	pending level
	names   level
}

func newClusterAsks(reg prometheus.Registerer) *ClusterAsks {
	a := &ClusterAsks{namesRefused: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "cluster_coa_names_refused_total",
		Help: "Names of NASes that other gateways do not find at once, because there are too many."})}
	asks := counter("cluster_coa_asks_total", "CoA and Disconnect without a connection here that other gateways were asked about, by result.", "result")
	for i := range a.asks {
		a.asks[i] = asks.WithLabelValues(ClusterAsk(i).String())
	}
	served := counter("cluster_coa_served_total", "CoA and Disconnect that other gateways have passed on to this one, by result.", "result")
	for i := range a.served {
		a.served[i] = served.WithLabelValues(ClusterServed(i).String())
	}
	a.series.collectors = []prometheus.Collector{asks, served, a.namesRefused,
		a.pending.gauge("cluster_coa_pending_asks", "CoA and Disconnect that other gateways are asked about now.", nil),
		a.names.gauge("cluster_coa_names", "Names of NASes and clients with a connection here, by which other gateways find it.", nil)}
	reg.MustRegister(&a.series)
	return a
}

// ClusterAsks returns the handle for CoA and Disconnect that gateways pass on to each other. It
// has no series until Use is called.
func (m *Metrics) ClusterAsks() *ClusterAsks { return m.clusterAsks }

// Use creates the series: there may be other gateways.
func (a *ClusterAsks) Use() { a.series.used.Store(true) }

// Count counts the result of a question.
func (a *ClusterAsks) Count(result ClusterAsk) { a.asks[result].Inc() }

// CountServed counts a request of another gateway.
func (a *ClusterAsks) CountServed(result ClusterServed) { a.served[result].Inc() }

// NameRefused counts a name that other gateways do not find.
func (a *ClusterAsks) NameRefused() { a.namesRefused.Inc() }

// AddPending adds n to the questions that have not ended.
func (a *ClusterAsks) AddPending(n int) { a.pending.add(n) }

// AddNames adds n to the names that other gateways find.
func (a *ClusterAsks) AddNames(n int) { a.names.add(n) }
