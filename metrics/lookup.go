package metrics

import (
	"net/netip"
	"strings"
)

// lookupResults are the results of a look-up of a host name.
var lookupResults = []string{"found", "failed"}

// CountLookup counts a look-up of a server's host name by its result. The first one
// creates the series of both results, so that an increase from zero is seen. They are
// removed with the last port of the server, or of its addresses.
func (m *Metrics) CountLookup(server string, found bool) {
	for i, result := range lookupResults {
		c := m.lookups.WithLabelValues(server, result)
		if found == (i == 0) {
			c.Inc()
		}
	}
}

// deleteLookups deletes the series that CountLookup has created for a server, unless it
// still has a port, or an address with counters of its own: then its name is still looked
// up.
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
