//go:build linux

package world

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/interop/testbed"

	"golang.org/x/net/dns/dnsmessage"
	"layeh.com/radius"
)

// deadAddresses makes names of two addresses, and servers of which the good ones are returned.
func deadAddresses(w *world) (good, local *server) {
	names := w.names()
	names.set("silent.test", at("10.0.0.20", "10.0.0.10"))
	names.set("refused.test", at("10.0.0.21", "10.0.0.10"))
	// The dead address may be the one that sorts first, too.
	names.set("silent-low.test", at("10.0.0.5", "10.0.0.10"))
	names.set("refused-low.test", at("10.0.0.6", "10.0.0.10"))
	names.set("six-dead.test", at("fd00::20", "10.0.0.10"))
	names.set("four-dead.test", at("10.0.0.5", "fd00::10"))
	w.hosts("::1 both.test", "127.0.0.9 both.test")
	w.address(w.gateway, "eth0", "fd00::1/64")
	w.address(w.outside, "eth0", "fd00::20/64")
	w.address(w.outside, "eth0", "fd00::10/64")
	w.serverAt(w.outside, "[fd00::20]:1812", nil).hang(true)
	w.serverAt(w.outside, "[fd00::10]:1812", nil)
	w.server("10.0.0.20", nil).hang(true)
	w.server("10.0.0.5", nil).hang(true)
	w.address(w.outside, "eth0", "10.0.0.21/24") // nothing listens there
	w.address(w.outside, "eth0", "10.0.0.6/24")
	good = w.server("10.0.0.10", nil)
	local = w.serverAt(w.gateway, "127.0.0.9:1812", nil)
	return good, local
}

// A name with two addresses of which one lives (W5): IPv6 before IPv4 in the hosts
// file, a silent and a refusing address before a good one in DNS.
func TestNameWithDeadAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, local := deadAddresses(w)
	realms := []string{"silent.test", "refused.test", "silent-low.test", "refused-low.test", "six-dead.test", "four-dead.test", "both.test"}
	var rest string
	for _, name := range realms {
		rest += backend(name, name) + backend(name+" unprobed", name, `health = "none"`) +
			route(name, to(name)) + route("unprobed."+name, to(name+" unprobed"))
	}
	g := w.start(setup{rest: rest})
	c := w.dial()
	all := map[string]exchanges{}
	for range 5 {
		for _, name := range realms {
			all[name] = append(all[name], c.login("u@"+name))
			all["unprobed."+name] = append(all["unprobed."+name], c.login("u@unprobed."+name))
		}
		time.Sleep(time.Second) // one login a second
	}
	for name, sent := range all {
		sum := sent.wait(40 * time.Second)
		t.Logf("one address dead: %-25s %v", name, sum)
		if !sum.all() {
			t.Errorf("%s, of whose addresses one lives: %v, expected all granted", name, sum)
		}
	}
	if t.Failed() {
		return
	}
	for name := range all {
		e := c.login("u@" + name)
		if !e.within(patience) || e.took > firstTry {
			t.Errorf("%s afterwards: %v, expected an answer at once: the address that lives is remembered", name, e)
		}
	}
	if good.fresh() == 0 || local.fresh() == 0 {
		t.Errorf("the living addresses 10.0.0.10 and 127.0.0.9 were sent %d and %d requests", good.fresh(), local.fresh())
	}
	_, page, _ := g.Get("/", patience)
	for _, address := range []string{"10.0.0.10", "127.0.0.9"} {
		if !strings.Contains(page, address) {
			t.Errorf("the status page does not show that a server is at %s", address)
		}
	}
}

// Two addresses in rotation, more requests in flight than one socket takes: the
// server is one machine, so all go to one address (W6).
func TestRotationDoesNotSplitServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.names()
	rotation := at("10.0.0.10", "10.0.0.11")
	rotation.rotate = true
	names.set("radius.test", rotation)
	// Each machine knows only the conversations that it has begun.
	converse := func(name string) func(request) reply {
		return func(r request) reply {
			switch r.state {
			case "":
				return reply{code: radius.CodeAccessChallenge, state: name, after: 500 * time.Millisecond}
			case name:
				return reply{after: 500 * time.Millisecond}
			}
			return reply{code: radius.CodeAccessReject}
		}
	}
	a, b := w.server("10.0.0.10", converse("a")), w.server("10.0.0.11", converse("b"))
	w.start(setup{rest: backend("radius", "radius.test") + route("*", to("radius"))})
	var conns []*client
	for range 6 {
		conns = append(conns, w.dial())
	}
	var first, second exchanges
	for i := range 900 {
		first = append(first, conns[i%len(conns)].login(fmt.Sprintf("u%d@test", i)))
	}
	for i, e := range first {
		e.within(patience)
		if e.code != radius.CodeAccessChallenge {
			t.Fatalf("first round: %v, expected Access-Challenge", e)
		}
		second = append(second, conns[i%len(conns)].send(message{user: e.user, state: e.state}))
	}
	sum := second.wait(patience)
	t.Logf("900 conversations at a time, two addresses in rotation: sent %d requests to one and %d to the other; second rounds: %v", a.fresh(), b.fresh(), sum)
	if !sum.all() {
		t.Errorf("second rounds of conversations: %v, expected all granted", sum)
	}
	if a.fresh() > 0 && b.fresh() > 0 {
		t.Errorf("requests went to both addresses, %d and %d, expected one address at a time", a.fresh(), b.fresh())
	}
}

// With expand each address of a name is a server of its own, coming and going with the name.
func TestExpandedName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.names()
	names.set("radius.test", at("10.0.0.10", "10.0.0.11"))
	slow := func(request) reply { return reply{after: 100 * time.Millisecond} }
	servers := []*server{w.server("10.0.0.10", slow), w.server("10.0.0.11", slow), w.server("10.0.0.12", slow)}
	w.start(setup{rest: backend("radius", "radius.test", "expand = true", `resolve_interval = "1s"`) +
		route("*", to("radius"), `balance = "least-outstanding"`)})
	c := w.dial()
	rounds := 0
	// round sends 60 logins at a time, and returns how many each server was sent.
	round := func() (got []int) {
		rounds++
		realm := fmt.Sprintf("round%d.test", rounds)
		var all exchanges
		for i := range 60 {
			all = append(all, c.login(fmt.Sprintf("u%d@%s", i, realm)))
		}
		if sum := all.wait(patience); !sum.all() {
			t.Errorf("expanded name: %v, expected all granted", sum)
		}
		for _, s := range servers {
			got = append(got, s.of(realm))
		}
		return got
	}
	// settles repeats rounds until the servers that are used are those wanted. The
	// name is looked up each second; a slow machine gets more time.
	settles := func(what string, wanted ...bool) {
		t.Helper()
		var got []int
		ok := testbed.Eventually(patience, func() bool {
			got = round()
			for i := range wanted {
				if (got[i] > 0) != wanted[i] {
					return false
				}
			}
			return true
		})
		t.Logf("%s: of 60 requests the servers were sent %v", what, got)
		if !ok {
			t.Errorf("%s: of 60 requests the servers were sent %v, expected some to %v", what, got, wanted)
		}
	}
	settles("two addresses", true, true, false)
	names.set("radius.test", at("10.0.0.10", "10.0.0.11", "10.0.0.12"))
	settles("a third is added", true, true, true)
	names.set("radius.test", at("10.0.0.11", "10.0.0.12"))
	settles("the first is removed", false, true, true)
	names.set("radius.test", at("10.0.0.10"))
	settles("all are replaced by one", true, false, false)
}

// A container ends and restarts with another address after eight seconds (W7).
// Its name does not exist meanwhile, as Docker's name server has it.
func TestContainerComesBackElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.names()
	names.set("radius.test", at("10.0.0.10"))
	// The only server, of one name; and a second world's worth without probes.
	w.server("10.0.0.10", nil)
	w.start(setup{rest: backend("radius", "radius.test") + route("probed.test", to("radius")) +
		backend("radius, not probed", "radius.test", `health = "none"`) + route("unprobed.test", to("radius, not probed"))})
	c := w.dial()
	for _, realm := range []string{"probed.test", "unprobed.test"} {
		if e := c.login("u@" + realm); !e.within(patience) {
			t.Fatalf("before: %v", e)
		}
	}
	w.removeAddress(w.outside, "eth0", "10.0.0.10/24")
	names.set("radius.test", entry{code: dnsmessage.RCodeNameError})
	var probed, unprobed exchanges
	for i := range 60 { // within 8 seconds
		probed = append(probed, c.login(fmt.Sprintf("u%d@probed.test", i)))
		unprobed = append(unprobed, c.login(fmt.Sprintf("u%d@unprobed.test", i)))
		time.Sleep(8 * time.Second / 60)
	}
	w.server("10.0.0.11", nil)
	names.set("radius.test", at("10.0.0.11"))
	back := time.Now()
	for name, all := range map[string]exchanges{"probed": probed, "not probed": unprobed} {
		sum := all.wait(40 * time.Second)
		t.Logf("60 logins in the 8 s that a container is away, server %s: %v", name, sum)
		if !sum.all() {
			t.Errorf("60 logins in the 8 s that a container is away, server %s: %v, expected all granted: each had 22 s left or more", name, sum)
		}
	}
	t.Logf("all answered %v after it was back", round(time.Since(back)))
}

// A server by name moves while its old address still answers, or has fallen
// silent, whatever its health check, and a CoA port too (W8, W9).
func TestNameMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.names()
	old, fresh := w.server("10.0.0.10", nil), w.server("10.0.0.11", nil)
	kinds := map[string]string{"probed": "status-server", "unprobed": "none", "silent-probed": "status-server", "silent-unprobed": "none"}
	quiet := w.server("10.0.0.12", nil)
	var rest string
	for kind, health := range kinds {
		from := "10.0.0.10"
		if strings.HasPrefix(kind, "silent") {
			from = "10.0.0.12"
		}
		names.set(kind+".test", at(from))
		rest += backend(kind, kind+".test", `resolve_interval = "1s"`, fmt.Sprintf("health = %q", health), "coa_port = 1812") +
			route(kind+".test", to(kind), `packets = ["access", "coa"]`)
	}
	w.start(setup{rest: rest})
	c := w.dial()
	ask := func(kind string) (login, coa *exchange) {
		login, coa = c.login("u@"+kind+".test"), c.send(message{code: radius.CodeCoARequest, user: "u@" + kind + ".test"})
		login.within(patience)
		coa.within(patience)
		return login, coa
	}
	for kind := range kinds {
		if login, coa := ask(kind); !login.granted() || !coa.granted() {
			t.Fatalf("before: %v, %v", login, coa)
		}
	}
	if fresh.fresh() > 0 {
		t.Fatal("the new address was used before the name led there")
	}
	quiet.hang(true)
	for kind := range kinds {
		names.set(kind+".test", at("10.0.0.11"))
	}
	moved := time.Now()
	var running sync.WaitGroup
	for kind := range kinds {
		running.Go(func() {
			ok := testbed.Eventually(patience, func() bool {
				before := fresh.of(kind + ".test")
				login, coa := ask(kind)
				return login.granted() && coa.granted() && fresh.of(kind+".test") >= before+2
			})
			took := time.Since(moved)
			t.Logf("%s: at the new address %v after the name had moved", kind, round(took))
			// resolve_interval, a retransmission for what was sent to a silent address, and a margin.
			if !ok || took > comesBack {
				t.Errorf("%s: requests go to the new address %v after the name has moved, expected at most %v with resolve_interval = \"1s\"", kind, took, comesBack)
			}
		})
	}
	running.Wait()
	t.Logf("the old address was sent %d requests, the silent one %d, the new one %d", old.fresh(), quiet.fresh(), fresh.fresh())
}
