package metrics

// This file removes the series of what a reload has removed: a server that is gone must
// not be shown as down forever. Counting by a handle that is still held has no effect
// then. A name that is configured again begins at zero.

// KeepServers removes the series of every port of a server for which keep returns false,
// unless requests are outstanding there. It returns how many remain because of that.
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
		m.ofServers.remove(&s.owner)
		m.deleteLookups(key.name)
		m.deleteLookups(ServerOf(key.name))
	}
	return remaining
}

// KeepClients removes the series of every client for which keep returns false, unless it
// has connections. It returns how many remain because of that.
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
		m.ofClients.remove(&c.owner)
		m.open.forget(name)
	}
	return remaining
}

// KeepRoutes removes the series of every route except those with these names and
// OtherRoute.
func (m *Metrics) KeepRoutes(names []string) {
	keep := map[string]bool{OtherRoute: true}
	for _, name := range names {
		keep[name] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, r := range m.routes {
		if !keep[name] {
			delete(m.routes, name)
			m.ofRoutes.remove(&r.owner)
		}
	}
}
