package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/wire"
)

// Client is the handle for one configured client. Its methods may be called
// from any goroutine, allocate nothing and take no lock.
type Client struct {
	// static after construction
	requests    [wire.NumKinds][NumFates]prometheus.Counter
	replies     [NumAnswers]prometheus.Counter
	omitted     [wire.NumOmissions]prometheus.Counter
	connections prometheus.Counter
	closed      [NumReasons]prometheus.Counter
	own         own // what is registered for it

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
	c := &Client{connections: m.connections.WithLabelValues(name)}
	for k := range c.requests {
		for f := range c.requests[k] {
			c.requests[k][f] = m.requests.WithLabelValues(name, wire.Kind(k).String(), Fate(f).String())
		}
	}
	for a := range c.replies {
		c.replies[a] = m.clientReplies.WithLabelValues(name, Answer(a).String())
	}
	for o := range c.omitted {
		c.omitted[o] = m.omitted.WithLabelValues(name, wire.Omission(o).String())
	}
	for r := range c.closed {
		c.closed[r] = m.closed.WithLabelValues(name, Reason(r).String())
	}
	c.own.register(m.reg, c.open.gauge("tls_client_connections",
		"TLS connections of a client that are open now.", prometheus.Labels{"client": name}))
	m.clients[name] = c
	return c
}

// Count counts the fate f of one packet of kind k from this client.
func (c *Client) Count(k wire.Kind, f Fate) { c.requests[k][f].Inc() }

// CountReply counts one packet that was handed to this client's connection, by
// its Code.
func (c *Client) CountReply(code wire.Code) { c.replies[AnswerOf(code)].Inc() }

// Omitted counts n attributes that one packet went on without.
func (c *Client) Omitted(why wire.Omission, n int) { c.omitted[why].Add(float64(n)) }

// Connected counts a connection that was accepted for this client.
func (c *Client) Connected() {
	c.connections.Inc()
	c.open.n.Add(1)
}

// Disconnected counts the end of a connection that Connected has counted.
func (c *Client) Disconnected(r Reason) {
	c.closed[r].Inc()
	c.open.n.Add(-1)
}
