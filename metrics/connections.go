package metrics

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"radsec-gw/locks"
)

// Connection describes one TLS connection of a client while it is open. It
// must not be changed after Opened.
type Connection struct {
	Client      string         // its configured name
	Listener    string         // that it came by
	Remote      netip.AddrPort // the peer's address
	Subject     string         // of its certificate, as the peer wrote it; "" without one
	PSKIdentity string         // of its pre-shared key; "" without one
	NotAfter    time.Time      // the certificate's end; zero without one
	Version     string         // of TLS, as crypto/tls names it
	Since       time.Time      // when the handshake was done
}

// connections are the TLS connections that are open now.
type connections struct {
	mu   locks.Mutex[locks.OpenConnections] // guards what follows
	open map[*Connection]struct{}
	last map[string]LastConnection // by client
}

// LastConnection is what is remembered of a client.
type LastConnection struct {
	Newest *Connection // that was opened last; it may have ended
	Ended  time.Time   // when the last one ended; zero: none has
}

func newConnections() *connections {
	return &connections{open: map[*Connection]struct{}{}, last: map[string]LastConnection{}}
}

// Opened notes a connection until Ended is called with the same pointer.
func (m *Metrics) Opened(c *Connection) {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	m.open.open[c] = struct{}{}
	last := m.open.last[c.Client]
	last.Newest = c
	m.open.last[c.Client] = last
}

// Ended removes a connection that Opened has noted.
func (m *Metrics) Ended(c *Connection) {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	delete(m.open.open, c)
	if last, known := m.open.last[c.Client]; known {
		last.Ended = time.Now()
		m.open.last[c.Client] = last
	}
}

// LastConnections returns what is remembered of each client that has connected since the
// start, for the status page. KeepClients forgets the clients that it removes.
func (m *Metrics) LastConnections() map[string]LastConnection {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	return maps.Clone(m.open.last)
}

// forget forgets a client.
func (c *connections) forget(client string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, client)
}

// NumConnections returns how many are open now.
func (m *Metrics) NumConnections() int {
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	return len(m.open.open)
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

// soonestEnds returns when the first certificate ends that an open connection of each
// client has; clients without one are not in it.
func (m *Metrics) soonestEnds() map[string]time.Time {
	soonest := map[string]time.Time{}
	m.open.mu.Lock()
	defer m.open.mu.Unlock()
	for one := range m.open.open {
		if t := soonest[one.Client]; !one.NotAfter.IsZero() && (t.IsZero() || one.NotAfter.Before(t)) {
			soonest[one.Client] = one.NotAfter
		}
	}
	return soonest
}
