package metrics

// This file removes the series of what a reload has removed: a server that is
// gone must not be shown as down for ever. Who still holds a handle may go on
// counting; it leads nowhere. A name that comes back begins at zero.

// KeepServers removes the series of every port of a server that keep does not
// want, once nothing is outstanding there. It returns how many remain until then.
func (m *Metrics) KeepServers(keep func(name string, port Port) bool) (remaining int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, s := range m.servers {
		if keep(key.name, key.port) {
			continue
		}
		if s.outstanding.n.Load() > 0 {
			remaining++
			continue
		}
		delete(m.servers, key)
		s.own.unregister(m.reg)
		m.ofServers.delete(key.name, string(key.port))
		m.deleteLookups(key.name)
		m.deleteLookups(ServerOf(key.name))
	}
	return remaining
}

// ForgetServer removes the series of every port of a server on which nothing is
// outstanding.
func (m *Metrics) ForgetServer(server string) {
	m.KeepServers(func(name string, _ Port) bool { return name != server })
}

// KeepClients removes the series of every client that keep does not want, once it
// has no connection. It returns how many remain until then.
func (m *Metrics) KeepClients(keep func(name string) bool) (remaining int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, c := range m.clients {
		if keep(name) {
			continue
		}
		if c.open.n.Load() > 0 {
			remaining++
			continue
		}
		delete(m.clients, name)
		c.own.unregister(m.reg)
		m.ofClients.delete(name)
	}
	return remaining
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
			m.ofRoutes.delete(name)
		}
	}
}
