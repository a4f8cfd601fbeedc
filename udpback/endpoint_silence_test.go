package udpback

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// After a single silent request the server is checked. A server that answers stays up,
// whatever the realm does; its state does not change.
// Rules: P83, P84
func TestSilenceIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.deafTo(t, "a:1812", 100)
		pass(5 * time.Second)
		checks := func() (n int) {
			for _, tr := range f.net.seen("a:1812") {
				if tr.octets[0] == byte(radius.CodeStatusServer) {
					n++
				}
			}
			return n
		}
		before := checks()
		f.start(t, f.group(t, Failover, a), newOwner(radius.CodeAccessRequest))
		pass(2300 * time.Millisecond) // it is due again
		if n := checks() - before; n != 1 {
			t.Errorf("%d checks after one silent request, expected 1", n)
		}
		pass(4700 * time.Millisecond) // and again, at 6.6 s at the latest
		if n := checks() - before; n != 2 {
			t.Errorf("%d checks when the request is due once more, expected a second: nothing was heard since", n)
		}
		pass(5 * time.Second)
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Errorf("a is %v, expected up: it answers the checks", s)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.answering(t, "a")
		pass(5 * time.Second)
		f.net.answering(t)
		f.start(t, f.group(t, Failover, a), newOwner(radius.CodeAccessRequest))
		pass(5300 * time.Millisecond) // due again after 2.2 s at most, and 3 s for the check
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Suspect {
			t.Errorf("a is %v, expected suspect: it answered neither the request nor the check", s)
		}
	})
}

// A lost check of an idle port is asked again each time, not only the first.
// Rules: P82
func TestLostChecksOfAnIdlePortDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.answering(t, "a")
		var mu sync.Mutex
		checks := 0
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if checks++; checks%3 == 0 { // every third is lost
				return nil
			}
			return serve(to, q)
		})
		for range 600 {
			pass(time.Second)
			if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
				t.Fatalf("a is %v, expected up: no two checks in a row were lost", s)
			}
		}
	})
}
