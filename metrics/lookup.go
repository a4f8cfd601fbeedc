package metrics

import (
	"net/netip"
	"strings"
)

// lookupResults are the results of a look-up of a host name.
var lookupResults = []string{"found", "failed"}

// CountLookup counts a look-up of a server's host name by its result. The first one
// creates the series of both results, so that an increase from zero is seen. They are
// removed with the last port of the server, or of its addresses. Servers beyond
// maxServerLabels share the label "other".
func (m *Metrics) CountLookup(server string, found bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.lookedUp[server] {
		if server == other || len(m.lookedUp) >= m.ofServers.limit {
			server = other
		} else {
			m.lookedUp[server] = true
		}
	}
	for i, result := range lookupResults {
		c := m.lookups.WithLabelValues(server, result)
		if found == (i == 0) {
			c.Inc()
		}
	}
}

// deleteLookups deletes the series that CountLookup has created for a server, unless it
// still has a port, or an address with counters of its own: then its name is still looked
// up. Called with Metrics.mu held.
func (m *Metrics) deleteLookups(server string) {
	if !m.lookedUp[server] {
		return // it is among the others, whose counts must not decrease
	}
	for other := range m.servers {
		if other.name == server || ServerOf(other.name) == server {
			return
		}
	}
	delete(m.lookedUp, server)
	for _, result := range lookupResults {
		m.lookups.DeleteLabelValues(server, result)
	}
}

// ServerOf returns the configured server that a name of Server belongs to. That is the
// name itself, unless each address of the server's host name has counters of its own:
// those are called NAME@ADDRESS.
func ServerOf(name string) string {
	i := strings.LastIndexByte(name, '@')
	if i < 0 {
		return name
	}
	if _, err := netip.ParseAddr(name[i+1:]); err != nil {
		return name
	}
	return name[:i]
}
