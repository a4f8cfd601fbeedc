package udpback

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// The sockets of a source are opened with its first request, closed after minutes without
// one, but not while an Identifier is in use, and opened again from the same address.
// Rules: ID9, P26
func TestSourceIsClosedAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		a := f.server(t, "a", func(c *ServerConfig) { c.Schedule = Schedule{Duration: 30 * time.Minute, Count: 1000} })
		defer a.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, a)
		e := a.endpoint(wire.KindAccess)
		sets := func() (n int) {
			for range e.sources.all() {
				n++
			}
			return n
		}
		f.try(g, nil)
		if n := f.backend.sockets.Load(); sets() != 0 || n != 1 {
			t.Errorf("before the first request from it, a source has %d sets of sockets, and %d sockets are open; expected none, and the server's own", sets(), n)
		}
		source := f.source(t, from1, "")
		f.try(g, source)
		if n := f.backend.sockets.Load(); sets() != 1 || n != 2 {
			t.Errorf("after it there are %d sets and %d sockets, expected 1 and 2", sets(), n)
		}
		pass(sourceRest + sourceRest/2)
		if n := f.backend.sockets.Load(); sets() != 0 || n != 1 {
			t.Errorf("at rest there are %d sets and %d sockets, expected only the server's own", sets(), n)
		}
		f.net.set(func() { f.net.serve = nil })
		o := newOwner(radius.CodeAccessRequest)
		o.Source = source
		f.start(t, g, o)
		pass(3 * sourceRest)
		if n := f.backend.sockets.Load(); sets() != 1 || n != 2 {
			t.Errorf("while an Identifier is in use there are %d sets and %d sockets, expected that they stay", sets(), n)
		}
		if got := m.count(from1); got < 2 {
			t.Errorf("%d datagrams came from the source, expected those of both requests", got)
		}
		f.backend.ReleaseSource(source, nil)
		o.Cancel()
		pass(time.Hour)
		f.backend.sources.mu.Lock()
		defer f.backend.sources.mu.Unlock()
		if n := f.backend.sockets.Load(); sets() != 0 || n != 1 || len(f.backend.sources.byAddr) != 0 || f.backend.sources.sweeping {
			t.Errorf("after all of it %d sets, %d sockets and %d sources remain (sweeping %t), expected only the server's own socket", sets(), n, len(f.backend.sources.byAddr), f.backend.sources.sweeping)
		}
	})
}

// Where no more sockets may be opened, those of the source that has been idle longest are
// closed, never the servers' own, and never one with an Identifier in use.
// Rules: ID9
func TestIdleSourceMakesSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.machine()
		f.backend.LimitSockets(8)
		a := f.server(t, "a", nil)
		defer a.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, a)
		e := a.endpoint(wire.KindAccess)
		f.try(g, nil)
		var sources []*Source
		for i := range 20 {
			sources = append(sources, f.source(t, netip.AddrFrom4([4]byte{127, 0, 9, byte(i + 1)}), ""))
		}
		busy := newOwner(radius.CodeAccessRequest)
		busy.Source = sources[0]
		serve := f.net.serve
		f.net.set(func() { f.net.serve = nil })
		f.start(t, g, busy)
		f.net.set(func() { f.net.serve = serve })
		for i, s := range sources[1:] {
			if got := f.try(g, s); got != accepted {
				t.Errorf("the request of source %d: %s, expected an Access-Accept", i+1, got)
			}
			synctest.Wait()
			if n := f.backend.sockets.Load(); n > 8 {
				t.Errorf("%d sockets are open, expected at most 8", n)
			}
		}
		if len(*e.sockets.current.Load()) != 1 {
			t.Error("the server's own socket was closed")
		}
		if set := e.setOf(sources[0]); len(*set.current.Load()) != 1 {
			t.Error("a socket with an Identifier in use was closed")
		}
		busy.Cancel()
	})
}

// Where no more sockets may be opened, those of sources are not renewed while requests wait on
// them: a reload or a server that moves would open one more for each source at once. The
// requests are sent from their source as soon as there is space.
// Rules: ID9, P26
func TestSourcesAreNotRenewedAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		f.backend.LimitSockets(8)
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		var owners []*owner
		for i := range 8 {
			o := newOwner(radius.CodeAccessRequest)
			if i > 0 {
				o.Source = f.source(t, netip.AddrFrom4([4]byte{127, 0, 9, byte(i)}), "")
			}
			f.start(t, g, o)
			owners = append(owners, o)
		}
		bounded := func(when string) {
			t.Helper()
			synctest.Wait()
			if n := f.backend.sockets.Load(); n > 9 { // the server's own may have one more
				t.Errorf("%s %d sockets are open, expected at most 9", when, n)
			}
		}
		bounded("at first")
		f.backend.Refresh()
		bounded("after a refresh")
		a.endpoint(wire.KindAccess).moveToAddress(false)
		bounded("after the server has moved")
		f.net.answering(t, "a")
		pass(10 * time.Second)
		bounded("later")
		for i, o := range owners {
			if got := o.outcome(); got != accepted {
				t.Errorf("request %d: %s, expected an Access-Accept", i, got)
			}
		}
		for i := range 7 {
			if m.count(netip.AddrFrom4([4]byte{127, 0, 9, byte(i + 1)})) == 0 {
				t.Errorf("nothing came from source %d", i+1)
			}
		}
	})
}

// The sockets of sources count among those of their port, and all are closed with it.
// Rules: ID9
func TestSourcesAreCountedAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.machine()
		a := f.server(t, "a", nil)
		f.net.answering(t, "a")
		g := f.group(t, Failover, a)
		f.try(g, nil)
		for _, addr := range []netip.Addr{from1, from2} {
			f.try(g, f.source(t, addr, ""))
		}
		open := func() float64 { return f.count(t, "radsec_gw_server_open_sockets", "port", string(metrics.PortAuth)) }
		if open() != 3 {
			t.Errorf("the metric has %v open sockets, expected 3", open())
		}
		f.backend.Refresh()
		synctest.Wait()
		if got := f.try(g, f.source(t, from1, "")); got != accepted || open() != 3 {
			t.Errorf("after a refresh: %s, with %v open sockets; expected an Access-Accept and 3", got, open())
		}
		a.Close()
		if n := f.backend.sockets.Load(); n != 0 || open() != 0 {
			t.Errorf("after Close %d sockets are open, %v in the metric; expected none", n, open())
		}
		if got := f.try(g, f.source(t, from1, "")); strings.Contains(got, "Accept") {
			t.Errorf("after Close: %s, expected an error", got)
		}
	})
}

// A set that is made while its port is being closed is not counted for ever, or the sweep of
// the sources would never end.
// Rules: ID9
func TestSetOfClosedPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		e := server.endpoint(wire.KindAccess)
		e.sources.closed.Store(true)
		if set := e.setOf(&Source{Addr: from1}); !set.isClosed() {
			t.Error("the sockets of a source on a closed port are open, expected closed")
		}
		if n := f.backend.sources.sets.Load(); n != 0 {
			t.Errorf("%d sets of sources are counted, expected none: their port is closed", n)
		}
	})
}
