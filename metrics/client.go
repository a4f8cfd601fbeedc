package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/wire"
)

// clientCounter is one of the counters of a client: an index into clientFamilies. To
// add one, add its constant, its line in the table and the method that counts it.
type clientCounter int

// The counters of a client.
const (
	clientRequests clientCounter = iota
	clientReplies
	clientOmitted
	clientConnections
	clientClosed

	numClientCounters // how many there are
)

var clientFamilies = [numClientCounters]family{
	clientRequests: {"requests_total", "Packets received from RadSec clients, by their fate.",
		[]string{"kind", "fate"}, pairsOf(wire.NumKinds, NumFates)},
	clientReplies: {"replies_total", "Packets passed to a RadSec client's connection, by their Code.",
		[]string{"code"}, valuesOf(NumAnswers)},
	clientOmitted: {"omitted_attributes_total", "Attributes that were omitted from a packet, by the reason: from each copy of a request for a server, and from each reply to a client; loop_marker is the gateway's own.",
		[]string{"reason"}, valuesOf(wire.NumOmissions)},
	clientConnections: {name: "tls_client_connections_total", help: "TLS connections that were accepted for a client."},
	clientClosed: {"tls_client_connections_closed_total", "TLS connections of a client that have ended, by the reason.",
		[]string{"reason"}, valuesOf(NumReasons)},
}

// Client is the handle for one configured client. Its methods may be called
// from any goroutine, allocate nothing and take no lock.
type Client struct {
	// static after construction
	counters counters // by clientCounter
	own      own

	open level
}

// Client returns the handle for the client of this configured name, and makes
// all its series at zero the first time. The same name gives the same handle
// until KeepClients removes it, so counts go on over a reload.
func (m *Metrics) Client(name string) *Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.clients[name]; c != nil {
		return c
	}
	c := &Client{counters: m.ofClients.create(name)}
	c.own.register(m.reg, c.open.gauge("tls_client_connections",
		"TLS connections of a client that are open now.", prometheus.Labels{"client": name}))
	m.clients[name] = c
	return c
}

// Count counts the fate f of one packet of kind k from this client.
func (c *Client) Count(k wire.Kind, f Fate) { c.request(k, f).Inc() }

func (c *Client) request(k wire.Kind, f Fate) prometheus.Counter {
	return c.counters[clientRequests][int(k)*int(NumFates)+int(f)]
}

// CountReply counts one packet that was passed to this client's connection, by
// its Code.
func (c *Client) CountReply(code wire.Code) { c.counters[clientReplies][AnswerOf(code)].Inc() }

// Omitted counts n attributes that were omitted from one packet.
func (c *Client) Omitted(why wire.Omission, n int) { c.counters[clientOmitted][why].Add(float64(n)) }

// Connected counts a connection that was accepted for this client.
func (c *Client) Connected() {
	c.counters[clientConnections][0].Inc()
	c.open.add(1)
}

// Disconnected counts the end of a connection that Connected has counted.
func (c *Client) Disconnected(r Reason) {
	c.counters[clientClosed][r].Inc()
	c.open.add(-1)
}
