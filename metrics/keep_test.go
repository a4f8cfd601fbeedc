package metrics

import (
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/wire"
)

// The series of a name that is no longer configured are removed: those of a server when
// nothing is outstanding there, of a client with its last connection, of a route at once.
// A name that is configured again begins at zero, and counting by old handles has no
// effect.
func TestSeriesOfRemovedNamesAreRemoved(t *testing.T) {
	m, c, s := filled(t)
	r := m.Route("example.org")
	c.Connected()
	c.Count(wire.KindAccess, FateRelayed)
	s.AddOutstanding(1)
	s.Count(ServerSent, 7)
	s.Count(ServerRepliesAfterMove, 1)
	s.Count(ServerRenewals, 1)
	s.ObserveReply(time.Second)
	r.Count(FateRelayed)
	shows := func(says string, want map[string]bool) {
		t.Helper()
		text := scrape(t, m)
		for label, there := range want {
			if strings.Contains(text, label) != there {
				t.Errorf("%s, a series with %s should be shown: %v, but it is %v", says, label, there, !there)
			}
		}
	}
	const client, server, route = `client="campus"`, `server="freeradius-a"`, `route="example.org"`
	left := func() int {
		m.KeepRoutes(nil)
		return m.KeepServers(func(string, Port) bool { return false }) + m.KeepClients(func(string) bool { return false })
	}
	if n := left(); n != 2 {
		t.Errorf("a server and a client that are in use should be left, but %d are", n)
	}
	shows("while an exchange and a connection last", map[string]bool{client: true, server: true, route: false})
	s.AddOutstanding(-1)
	c.Disconnected(ClosedByPeer)
	if n := left(); n != 0 {
		t.Errorf("nothing should be left in the end, but %d are", n)
	}
	shows("in the end", map[string]bool{client: false, server: false, route: false})
	if len(m.Clients())+len(m.Servers()) != 0 {
		t.Errorf("the status page should show none of them, but it shows %v and %v", m.Clients(), m.Servers())
	}

	c2, s2 := m.Client("campus"), m.Server("freeradius-a", "auth")
	m.Route("example.org")
	s.Count(ServerSent, 1)
	c.Count(wire.KindAccess, FateRelayed)
	r.Count(FateRelayed)
	if got := m.Servers()[0]; got.Counts[ServerSent] != 0 || got.Timed != 0 {
		t.Errorf("a server that is taken back should begin at zero, but it has %+v", got)
	}
	if got := m.Clients()[0]; got.Requests != 0 || got.Connections != 0 {
		t.Errorf("a client that is taken back should begin at zero, but it has %+v", got)
	}
	shows("taken back", map[string]bool{route: false, client: true, server: true})
	m.KeepServers(func(name string, port Port) bool { return name == "freeradius-a" && port == PortAuth })
	m.KeepClients(func(name string) bool { return name == "campus" })
	m.KeepRoutes([]string{"example.org"})
	if m.Client("campus") != c2 || m.Server("freeradius-a", "auth") != s2 {
		t.Error("what is configured should keep its handles, but it has others")
	}
	m.Route("example.org").Count(FateRelayed)
	shows("kept", map[string]bool{client: true, server: true, route: true})
}

// Handles are counted with while series come, go and are scraped: for the race
// detector.
func TestSeriesGoWhileOthersCount(t *testing.T) {
	m, c, s := filled(t)
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.Count(wire.KindAccess, FateRelayed)
				s.AddOutstanding(1)
				s.Count(ServerSent, 1)
				s.ObserveReply(time.Millisecond)
				s.SetState(StateUp)
				s.AddOutstanding(-1)
			}
		}
	})
	for range 50 {
		m.KeepServers(func(string, Port) bool { return false })
		m.KeepClients(func(string) bool { return false })
		scrape(t, m)
		m.Servers()
		m.Server("freeradius-a", "auth")
		m.Client("campus")
	}
	close(stop)
	running.Wait()
}

// removeServer removes the series of every port of a server on which nothing is
// outstanding.
func removeServer(m *Metrics, server string) {
	m.KeepServers(func(name string, _ Port) bool { return name != server })
}
