package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/wire"
)

// This file takes away the series of what a reload has removed: a server that is
// gone must not be shown as down for ever. Who still holds a handle may go on
// counting; it leads nowhere. A name that comes back begins at zero.

// KeepServers removes the series of every port of a server that keep does not
// want, once nothing is outstanding there. It returns how many are left until then.
func (m *Metrics) KeepServers(keep func(name, port string) bool) (left int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, s := range m.servers {
		if keep(key.name, key.port) {
			continue
		}
		if s.outstanding.n.Load() > 0 {
			left++
			continue
		}
		delete(m.servers, key)
		s.own.unregister(m.reg)
		m.deleteServer(key)
	}
	return left
}

// deleteServer deletes the label values that Server has made.
func (m *Metrics) deleteServer(key serverKey) {
	for _, v := range []*prometheus.CounterVec{m.sent, m.resent, m.timeouts, m.socketErrors, m.moved, m.answeredAfterMove, m.renewals} {
		v.DeleteLabelValues(key.name, key.port)
	}
	for _, answered := range []string{"answered", "unanswered"} {
		m.probes.DeleteLabelValues(key.name, key.port, answered)
	}
	for r := range NumResults {
		m.replies.DeleteLabelValues(key.name, key.port, r.String())
	}
	m.deleteLookups(key.name)
	m.deleteLookups(ServerOf(key.name))
}

// deleteLookups deletes what CountLookup has made for a server, unless it still has a
// port, or an address that counts by itself: then its name is still looked up.
func (m *Metrics) deleteLookups(server string) {
	for other := range m.servers {
		if other.name == server || ServerOf(other.name) == server {
			return
		}
	}
	for _, result := range lookupResults {
		m.lookups.DeleteLabelValues(server, result)
	}
}

// ForgetServer removes the series of every port of a server on which nothing is
// outstanding.
func (m *Metrics) ForgetServer(server string) {
	m.KeepServers(func(name, _ string) bool { return name != server })
}

// KeepClients removes the series of every client that keep does not want, once it
// has no connection. It returns how many are left until then.
func (m *Metrics) KeepClients(keep func(name string) bool) (left int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, c := range m.clients {
		if keep(name) {
			continue
		}
		if c.open.n.Load() > 0 {
			left++
			continue
		}
		delete(m.clients, name)
		c.own.unregister(m.reg)
		m.deleteClient(name)
	}
	return left
}

// deleteClient deletes the label values that Client has made: each by itself,
// because looking for a client's among those of thousands takes long.
func (m *Metrics) deleteClient(name string) {
	m.connections.DeleteLabelValues(name)
	for k := range wire.NumKinds {
		for f := range NumFates {
			m.requests.DeleteLabelValues(name, k.String(), f.String())
		}
	}
	for a := range NumAnswers {
		m.clientReplies.DeleteLabelValues(name, a.String())
	}
	for o := range wire.NumOmissions {
		m.omitted.DeleteLabelValues(name, o.String())
	}
	for r := range NumReasons {
		m.closed.DeleteLabelValues(name, r.String())
	}
}

// KeepRoutes removes at once the series of every route but those of these names
// and OtherRoute.
func (m *Metrics) KeepRoutes(names []string) {
	keep := map[string]bool{OtherRoute: true}
	for _, name := range names {
		keep[name] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.routes {
		if !keep[name] {
			delete(m.routes, name)
			for f := range NumFates {
				m.routeRequests.DeleteLabelValues(name, f.String())
			}
		}
	}
}

// own is the collectors that are registered for one handle alone.
type own []prometheus.Collector

// register registers c with reg.
func (o *own) register(reg prometheus.Registerer, c prometheus.Collector) {
	reg.MustRegister(c)
	*o = append(*o, c)
}

func (o own) unregister(reg prometheus.Registerer) {
	for _, c := range o {
		reg.Unregister(c)
	}
}
