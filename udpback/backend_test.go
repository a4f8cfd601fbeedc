package udpback

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
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

// A packet is copied whole into the smallest buffer that holds it, at first and when
// buffers have come back.
func TestBuffers(t *testing.T) {
	var b Buffers
	for round := range 3 {
		for _, row := range []struct{ length, want int }{
			{0, 512}, {20, 512}, {511, 512}, {512, 512}, {513, 1536}, {1536, 1536}, {1537, 4096}, {4096, 4096},
		} {
			p := bytes.Repeat([]byte{byte(row.length), byte(round)}, row.length/2+1)[:row.length]
			got := b.Copy(p)
			if !bytes.Equal(got, p) || cap(got) != row.want {
				t.Errorf("round %d: a packet of %d octets has %d octets in a buffer of %d, expected the same in %d", round, row.length, len(got), cap(got), row.want)
			}
			if len(p) > 0 {
				if p[0]++; got[0] == p[0] {
					t.Errorf("round %d: a packet of %d octets is not copied", round, row.length)
				}
			}
			b.Return(got)
		}
	}
	b.Return(nil)
	b.Return(make([]byte, 100)) // not of the pool: left alone
	if got := b.Copy([]byte{1}); cap(got) != 512 {
		t.Errorf("a buffer of %d octets, expected 512", cap(got))
	}
}

// A server that was one of many addresses keeps its counts when a reload makes it one
// machine again, or it is made anew.
func TestInUseOfANameThatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a")
		expanded := func(c *ServerConfig) { c.Address, c.Expand = host, true }
		pods := f.server(t, "pods", expanded)
		defer pods.Close()
		pass(time.Second)
		pods.Retire()
		again := f.server(t, "pods", named(0, health.CheckNone))
		defer again.Close()
		pass(time.Minute)
		e := again.endpoint(wire.KindAccess)
		if e.metrics != f.backend.metrics.Server("pods", "auth") {
			t.Error("the counts of the new server were forgotten")
		}
		if got := e.metrics.State(); got != metrics.StateUp {
			t.Errorf("its state is %v, expected up", got)
		}
	})
}
