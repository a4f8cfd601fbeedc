package metrics

import (
	"time"

	"radsec-gw/wire"
)

// clientCounter is one of the counters of a client: an index into clientFamilies. To
// add one, add its constant, its line in the table and the method that counts it.
type clientCounter int

// The counters of a client.
const (
	clientRequests clientCounter = iota
	clientReplies
	clientReceived
	clientSent
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
	clientReceived: {name: "client_received_bytes_total", help: "Octets of the RADIUS packets received from a RadSec client, without TLS."},
	clientSent:     {name: "client_sent_bytes_total", help: "Octets of the RADIUS packets passed to a RadSec client's connection, without TLS."},
	clientOmitted: {"omitted_attributes_total", "Attributes that were omitted from a packet, by the reason: from each copy of a request for a server, and from each reply to a client; loop_marker is the gateway's own.",
		[]string{"reason"}, valuesOf(wire.NumOmissions)},
	clientConnections: {name: "tls_client_connections_total", help: "TLS connections that were accepted for a client."},
	clientClosed: {"tls_client_connections_closed_total", "TLS connections of a client that have ended, by the reason.",
		[]string{"reason"}, valuesOf(NumReasons)},
}

// maxClientLabels is how many clients have series of their own. A client whose fates are
// many has more than a hundred series.
const maxClientLabels = 2000

// Client is the handle for one configured client. Its methods may be called
// from any goroutine, allocate nothing and take no lock.
type Client struct {
	owner // static after construction; its counters by clientCounter

	open level
}

// Client returns the handle for the client of this configured name. The same name gives
// the same handle until KeepClients removes it, so counts go on over a reload.
func (m *Metrics) Client(name string) *Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.clients[name]; c != nil {
		return c
	}
	c := &Client{owner: m.ofClients.create(time.Now(), name)}
	m.clients[name] = c
	return c
}

// Count counts the fate f of one packet of kind k from this client.
func (c *Client) Count(k wire.Kind, f Fate) { c.request(k, f).n.Add(1) }

func (c *Client) request(k wire.Kind, f Fate) *count {
	return &c.counters[clientRequests][int(k)*int(NumFates)+int(f)]
}

// CountReply counts one packet of some octets that was passed to this client's connection,
// by its Code.
func (c *Client) CountReply(code wire.Code, octets int) {
	c.counters[clientReplies][AnswerOf(code)].n.Add(1)
	c.counters[clientSent][0].n.Add(uint64(octets))
}

// Received counts the octets of one packet of this client.
func (c *Client) Received(octets int) { c.counters[clientReceived][0].n.Add(uint64(octets)) }

// Omitted counts n attributes that were omitted from one packet.
func (c *Client) Omitted(why wire.Omission, n int) { c.counters[clientOmitted][why].n.Add(uint64(n)) }

// Connected counts a connection that was accepted for this client.
func (c *Client) Connected() {
	c.counters[clientConnections][0].n.Add(1)
	c.open.add(1)
}

// Disconnected counts the end of a connection that Connected has counted.
func (c *Client) Disconnected(r Reason) {
	c.counters[clientClosed][r].n.Add(1)
	c.open.add(-1)
}
