package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
)

// Refresh looks names up and renews sockets at once, and again when a second is over
// however often it is asked for within that.
func TestRefreshTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a")
		f.net.answering(t, "a")
		a := f.server(t, "a", named(0, health.CheckNone))
		defer a.Close()
		pass(10 * time.Millisecond)
		f.login(t, f.group(t, Failover, a))
		seen := func() (sockets, lookups int) {
			pass(10 * time.Millisecond)
			f.net.mu.Lock()
			defer f.net.mu.Unlock()
			return len(f.net.sockets), f.net.lookups / 2 // each asks for two families
		}
		expect := func(when string, sockets, lookups int) {
			t.Helper()
			if s, l := seen(); s != sockets || l != lookups {
				t.Errorf("%s: %d sockets were opened and the name was looked up %d times, expected %d and %d", when, s, l, sockets, lookups)
			}
		}
		expect("before", 1, 1)
		f.backend.Refresh() // soon after the start, which is no refresh
		expect("asked once", 2, 1)
		for range 3 {
			pass(200 * time.Millisecond)
			f.backend.Refresh()
		}
		expect("asked again within a second", 2, 1)
		pass(time.Second)
		expect("a second later", 3, 2)
		pass(10 * time.Second)
		expect("nobody asks", 3, 3) // the name, a second after the last time
		f.backend.Refresh()
		expect("asked again later", 4, 4)
	})
}

// One socket to all servers together is a bound, too: a second is not opened.
func TestLimitOfOneSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		f.backend.LimitSockets(1)
		g, b := f.group(t, Failover, a), f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(b)
		started := 0
		for range 300 {
			if g.Start(&newOwner(radius.CodeAccountingRequest).Exchange, b) == nil {
				started++
			}
		}
		b.Flush()
		if n := f.backend.sockets.Load(); n != 1 || started != 256 {
			t.Errorf("%d sockets for %d requests, expected one for 256", n, started)
		}
	})
}
