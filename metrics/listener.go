package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Listener is the handle of [listen] or of a [[listener]]. What is counted with it counts for
// all listeners together, too, as with TLS.
type Listener struct {
	// static after construction
	*TLS
	name string
}

// listeners are the metrics that have a listener as a label.
type listeners struct {
	handshakes  *prometheus.CounterVec // listener, result
	connections *prometheus.GaugeVec   // listener
	limit       *prometheus.GaugeVec
	handshaking *prometheus.GaugeVec

	mu   sync.Mutex // guards what follows
	crls map[string][]CRL
}

func newListeners(reg prometheus.Registerer) *listeners {
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, []string{"listener_name"})
		reg.MustRegister(g)
		return g
	}
	l := &listeners{
		handshakes: counter("listener_handshakes_total",
			"Connections that [listen] or a [[listener]] has accepted, by how their handshakes ended.", "listener_name", "result"),
		connections: gauge("listener_connections", "Open connections of clients, by the [listen] or [[listener]] that they came by."),
		limit:       gauge("listener_connections_limit", "The most connections of a [listen] or [[listener]] that are open at a time: its max_connections, or fewer where the process has too few descriptors."),
		handshaking: gauge("listener_handshakes_in_progress", "TLS handshakes of a [listen] or [[listener]] that hold a slot and are not finished yet."),
		crls:        map[string][]CRL{},
	}
	reg.MustRegister(l.handshakes)
	return l
}

// Listener returns the handle of a listener, whose series begin.
func (m *Metrics) Listener(name string) *Listener {
	l := &Listener{m.tls, name}
	l.listeners.handshakes.WithLabelValues(name, HandshakeOK.String())
	l.listeners.connections.WithLabelValues(name)
	l.listeners.limit.WithLabelValues(name)
	l.listeners.handshaking.WithLabelValues(name)
	return l
}

// RemoveListener removes the series of a listener that has no connections any more.
func (m *Metrics) RemoveListener(name string) {
	m.tls.listeners.handshakes.DeletePartialMatch(prometheus.Labels{"listener_name": name})
	for _, g := range []*prometheus.GaugeVec{m.tls.listeners.connections, m.tls.listeners.limit, m.tls.listeners.handshaking} {
		g.DeleteLabelValues(name)
	}
	(&Listener{m.tls, name}).SetCRLs(nil)
}

// CountHandshake counts the result of an accepted connection's handshake.
func (l *Listener) CountHandshake(h Handshake) {
	l.TLS.CountHandshake(h)
	l.listeners.handshakes.WithLabelValues(l.name, h.String()).Inc()
}

// AddHandshaking adds n to the handshakes in progress.
func (l *Listener) AddHandshaking(n int) {
	l.TLS.AddHandshaking(n)
	l.listeners.handshaking.WithLabelValues(l.name).Add(float64(n))
}

// AddConnections adds n to the open connections of clients.
func (l *Listener) AddConnections(n int) {
	l.listeners.connections.WithLabelValues(l.name).Add(float64(n))
}

// SetLimit sets the most connections at a time.
func (l *Listener) SetLimit(connections int) {
	l.listeners.limit.WithLabelValues(l.name).Set(float64(connections))
}

// SetCRLs replaces the revocation lists that count for the listener's clients. An issuer's
// series are there as long as one listener has its list, and its certificates count as refused
// where one refuses them.
func (l *Listener) SetCRLs(list []CRL) {
	l.listeners.mu.Lock()
	defer l.listeners.mu.Unlock()
	l.listeners.crls[l.name] = list
	if list == nil {
		delete(l.listeners.crls, l.name)
	}
	all := map[string]CRL{}
	for _, of := range l.listeners.crls {
		for _, c := range of {
			known, ok := all[c.Issuer]
			refused := c.Refused || known.Refused
			if ok && c.ThisUpdate.Before(known.ThisUpdate) {
				c = known
			}
			c.Refused = refused
			all[c.Issuer] = c
		}
	}
	l.TLS.setCRLs(all)
}
