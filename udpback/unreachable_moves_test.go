package udpback

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// ICMP port unreachable sends what waits to the next server at once, whatever the
// health check; with no other server it is resent.
// Rules: P84
func TestRefusedRequestsGoOn(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health.Check = check }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "b")
			f.net.unreachable = map[string]bool{"a:1812": true}
			g := f.group(t, Failover, a, b)
			for range 3 {
				o := newOwner(radius.CodeAccessRequest)
				before := time.Now()
				f.start(t, g, o)
				<-o.ended
				if took := time.Since(before); o.outcome() != "replies [Access-Accept] fails []" || took > 10*time.Millisecond {
					t.Errorf("health %d: %s after %v, expected b's Access-Accept at once", check, o.outcome(), took)
				}
			}
			if s := a.endpoint(wire.KindAccess).health.State(); check == health.CheckNone && s != health.Down {
				t.Errorf("a is %v after three refusals, expected down: nothing else can tell", s)
			}
			alone := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, Failover, a), alone)
			pass(7 * time.Second)
			f.net.mu.Lock()
			f.net.unreachable = nil
			f.net.mu.Unlock()
			f.net.answering(t, "a")
			<-alone.ended
			if got := alone.outcome(); got != "replies [Access-Accept] fails []" {
				t.Errorf("health %d: %s, expected a's Access-Accept once it is back", check, got)
			}
		})
	}
}

// A refused request for which no other server has room waits on where it is: it is
// not sent again before it is due, and has all of its time.
// Rules: P55, P84
func TestRefusedRequestsWaitForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		narrow := func(c *ServerConfig) { c.MaxSockets = 1 }
		a, b := f.server(t, "a", nil), f.server(t, "b", narrow)
		defer a.Close()
		defer b.Close()
		f.crowd(t, f.group(t, Failover, b))
		f.net.unreachable = map[string]bool{"a:1812": true}
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		pass(time.Second)
		if n := len(f.net.seen("a:1812")); n != 1 || len(o.ended) != 0 {
			t.Fatalf("%d transmissions to a in the first second and %s, expected 1 and that it waits", n, o.outcome())
		}
		f.net.mu.Lock()
		f.net.unreachable = nil
		f.net.mu.Unlock()
		f.net.answering(t, "a")
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" || time.Since(f.net.start) > 2300*time.Millisecond {
			t.Errorf("%s after %v, expected a's Access-Accept when it was due", got, time.Since(f.net.start))
		}
	})
}

// A request whose server cannot be reached, nor any socket to it opened, waits while the
// next server has no Identifier left, and keeps to its schedule.
// Rules: P55
func TestUnreachableAndNoIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", func(c *ServerConfig) { c.MaxSockets, c.Health.Check = 1, health.CheckStatusServer })
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		f.net.slow("b", 3*time.Second)
		g, onB := f.group(t, Failover, a, b), f.group(t, Failover, b)
		pass(2 * time.Second)
		f.login(t, g)
		f.login(t, onB) // its answers are known to take so long
		f.net.set(func() {
			f.net.cut["a:1812"], f.net.noWay["a:1812"] = syscall.EHOSTUNREACH, syscall.EHOSTUNREACH
		})
		f.crowd(t, onB)
		if outcome, took := f.login(t, g); outcome != accepted || took > 7500*time.Millisecond {
			t.Errorf("%s after %v, expected b's Access-Accept when it has Identifiers again", outcome, took)
		}
	})
}
