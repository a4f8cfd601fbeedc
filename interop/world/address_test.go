//go:build linux

package world

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// comesBack is how long it may take without a signal until requests are answered
// again after an address has changed.
const comesBack = 10 * time.Second

// recovery sends five logins a second for d after something has changed and
// reports what became of them, and when the first of a run of answers to the end
// was sent.
type recovery struct {
	all   exchanges
	sum   summary
	again time.Duration // after the change: all that was sent later was granted at once; 0: right from the start
}

func (c *client) recover(user string, d time.Duration) recovery {
	from := time.Now()
	r := recovery{all: pace([]*client{c}, user, 5, d)}
	r.sum = r.all.wait(40 * time.Second) // more than the schedule of 30 s
	for _, e := range r.all {
		if !e.granted() || e.took > firstTry {
			r.again = e.sent.Sub(from) + 200*time.Millisecond
		}
	}
	return r
}

// kinds are servers that differ in what could renew their sockets: a name, probes.
var kinds = []struct{ name, address, health string }{
	{"literal-probed", "10.0.0.10", "status-server"},
	{"literal-unprobed", "10.0.0.10", "none"},
	{"named-probed", "radius.test", "status-server"},
	{"named-unprobed", "radius.test", "none"},
}

// kindsOf is the configuration of all kinds, each with a realm of its own.
func kindsOf(literal string) (text string) {
	for _, k := range kinds {
		address := k.address
		if address != "radius.test" {
			address = literal
		}
		text += backend(k.name, address, fmt.Sprintf("health = %q", k.health)) + route(k.name+".test", to(k.name))
	}
	return text
}

// recoverAll runs recover for all kinds at once and checks it.
func recoverAll(t *testing.T, w *world, what string, d, bound time.Duration) {
	t.Helper()
	var running sync.WaitGroup
	for _, k := range kinds {
		c := w.dial()
		running.Go(func() {
			r := c.recover("u@"+k.name+".test", d)
			t.Logf("%s, server %-16s: answered at once again after %v; %v", what, k.name, round(r.again), r.sum)
			if r.again > bound {
				t.Errorf("%s: server %s is answered again after %v, expected at most %v", what, k.name, r.again, bound)
			}
			if !r.sum.all() {
				t.Errorf("%s: server %s: %v, expected all granted: each has 30s", what, k.name, r.sum)
			}
		})
	}
	running.Wait()
}

// before sends a login to each kind, so that sockets are open.
func before(t *testing.T, w *world) {
	t.Helper()
	c := w.dial()
	for _, k := range kinds {
		if e := c.login("u@" + k.name + ".test"); !e.within(patience) {
			t.Fatalf("before anything has changed: %v, expected Access-Accept", e)
		}
	}
}

// The gateway's own address changes, as by DHCP or docker network connect (W2):
// its sockets keep the old one, and each send fails.
func TestOwnAddressChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.names().set("radius.test", at("10.0.0.10"))
	w.server("10.0.0.10", nil)
	g := w.start(setup{rest: kindsOf("10.0.0.10")})
	before(t, w)

	change := func(from, to string) {
		w.removeAddress(w.gateway, "eth0", from+"/24") // removes the routes through it, too
		w.address(w.gateway, "eth0", to+"/24")
		w.run(w.gateway, "ip route add default via "+outsideAddress)
	}
	change("10.0.0.1", "10.0.0.2")
	recoverAll(t, w, "own address changed", 12*time.Second, comesBack)
	change("10.0.0.2", "10.0.0.3")
	g.Reload()
	// "At once": what is sent after SIGHUP is answered to its first transmission.
	recoverAll(t, w, "own address changed, SIGHUP", 2*time.Second, 0)
}

// The backend behind a NAT address is replaced: the connection that is tracked
// still leads to the old one as long as the same port sends (W3).
func TestBackendReplacedBehindNAT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.names().set("radius.test", at("10.9.9.9"))
	old, fresh := w.server("10.0.0.10", nil), w.server("10.0.0.11", nil)
	third := w.server("10.0.0.12", nil)
	fresh.hang(true)
	third.hang(true)
	w.rules(w.gateway,
		"add table ip balancer",
		"add chain ip balancer out { type nat hook output priority -100 ; }",
		"add rule ip balancer out ip daddr 10.9.9.9 dnat to 10.0.0.10")
	g := w.start(setup{rest: kindsOf("10.9.9.9")})
	before(t, w)

	replace := func(from, to *server) {
		w.rules(w.gateway, "flush chain ip balancer out", "add rule ip balancer out ip daddr 10.9.9.9 dnat to "+to.address.Addr().String())
		from.hang(true)
		to.hang(false)
	}
	replace(old, fresh)
	recoverAll(t, w, "backend replaced", 12*time.Second, comesBack)
	replace(fresh, third)
	g.Reload()
	recoverAll(t, w, "backend replaced, SIGHUP", 2*time.Second, 0)
}
