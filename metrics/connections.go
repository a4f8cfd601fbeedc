package metrics

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/locks"
)

// Connection describes one TLS connection of a client while it is open. It
// must not be changed after Opened.
type Connection struct {
	Client   string         // its configured name
	Remote   netip.AddrPort // the peer's address
	Subject  string         // of its certificate, as the peer wrote it; "" without one
	NotAfter time.Time      // the certificate's end; zero without one
	Version  string         // of TLS, as crypto/tls names it
	Since    time.Time      // when the handshake was done
}

// connections are the TLS connections that are open now.
type connections struct {
	desc *prometheus.Desc // static after construction

	mu   locks.Mutex[locks.OpenConnections] // guards open
	open map[*Connection]struct{}
}

func newConnections(reg prometheus.Registerer) *connections {
	c := &connections{open: map[*Connection]struct{}{}, desc: prometheus.NewDesc(
		prometheus.BuildFQName(namespace, "", "tls_client_certificate_expiry_timestamp_seconds"),
		"When the first of a client's certificates in use ends, in Unix time; absent while the client has no connection with a certificate.",
		[]string{"client"}, nil)}
	reg.MustRegister(c)
	return c
}

// Opened notes a connection until Ended is called with the same pointer.
func (m *Metrics) Opened(c *Connection) {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	m.open.open[c] = struct{}{}
}

// Ended removes a connection that Opened has noted.
func (m *Metrics) Ended(c *Connection) {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	delete(m.open.open, c)
}

// Connections returns those that are open now, sorted by the end of their certificates,
// those without a certificate last. The list is the caller's, its elements are shared.
func (m *Metrics) Connections() []*Connection {
	m.open.mu.Lock()
	list := make([]*Connection, 0, len(m.open.open))
	for c := range m.open.open {
		list = append(list, c)
	}
	m.open.mu.Unlock()
	slices.SortFunc(list, func(a, b *Connection) int {
		if a.NotAfter.IsZero() != b.NotAfter.IsZero() {
			if b.NotAfter.IsZero() {
				return -1
			}
			return 1
		}
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), cmp.Compare(a.Client, b.Client), a.Remote.Compare(b.Remote))
	})
	return list
}

// Describe implements prometheus.Collector.
func (c *connections) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c *connections) Collect(ch chan<- prometheus.Metric) {
	soonest := map[string]time.Time{}
	c.mu.Lock()
	for one := range c.open {
		if t := soonest[one.Client]; !one.NotAfter.IsZero() && (t.IsZero() || one.NotAfter.Before(t)) {
			soonest[one.Client] = one.NotAfter
		}
	}
	c.mu.Unlock()
	for client, t := range soonest {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(t.Unix()), client)
	}
}
