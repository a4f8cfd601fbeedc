//go:build linux

package world

import (
	"fmt"
	"testing"
	"time"

	"radsec-gw/interop/testbed"

	"layeh.com/radius"
)

// moveAtOnce is how much later than otherwise a request is answered by the second
// server when the kernel or a router says that there is no way to the first (W10).
const moveAtOnce = 100 * time.Millisecond

// breakage is a way of being unreachable, and how it is repaired. First is the
// first server's address.
type breakage struct {
	name           string
	broken, repair func(w *world)
}

const first = "10.2.0.10" // beyond the link eth1

func breakages() []breakage {
	gatewayRoute := func(kind string) breakage {
		return breakage{"a route of type " + kind,
			func(w *world) { w.run(w.gateway, "ip route add "+kind+" "+first) },
			func(w *world) { w.run(w.gateway, "ip route del "+kind+" "+first) }}
	}
	rule := func(name, action string) breakage {
		return breakage{name,
			func(w *world) { w.rules(w.gateway, "add rule ip filter out ip daddr "+first+" "+action) },
			func(w *world) { w.rules(w.gateway, "flush chain ip filter out") }}
	}
	return []breakage{
		gatewayRoute("unreachable"), // EHOSTUNREACH
		gatewayRoute("prohibit"),    // EACCES
		gatewayRoute("blackhole"),   // EINVAL
		gatewayRoute("throw"),       // no route: ENETUNREACH, there is no default route to fall back to
		rule("EPERM by the packet filter", "drop"),
		rule("ICMP host unreachable by the packet filter", "reject with icmp type host-unreachable"),
		{"ICMP prohibited by a distant packet filter",
			func(w *world) {
				w.rules(w.outside, "add rule ip filter in ip daddr "+first+" reject with icmp type admin-prohibited")
			},
			func(w *world) { w.rules(w.outside, "flush chain ip filter in") }},
		{"the link is down",
			func(w *world) { w.run(w.gateway, "ip link set eth1 down") },
			func(w *world) { w.run(w.gateway, "ip link set eth1 up") }},
	}
}

// newTwoLinkWorld makes a world with a first server behind a link of its own,
// and no default route.
func newTwoLinkWorld(t *testing.T) *world {
	w := newWorld(t)
	w.connect(w.gateway, "eth1", w.outside, "eth1")
	w.address(w.gateway, "eth1", "10.2.0.1/24")
	w.address(w.outside, "eth1", first+"/24")
	w.run(w.gateway, "ip route del default")
	for _, n := range []*namespace{w.gateway, w.outside} {
		w.rules(n, "add table ip filter", "add chain ip filter out { type filter hook output priority 0 ; }", "add chain ip filter in { type filter hook input priority 0 ; }")
	}
	return w
}

// A server that cannot be reached, beside a second: requests move at once, those
// that wait already and new ones (W10).
func TestUnreachableMovesAtOnce(t *testing.T) {
	for _, health := range []string{"status-server", "none"} {
		for _, b := range breakages() {
			t.Run(b.name+", health "+health, func(t *testing.T) {
				t.Parallel()
				w := newTwoLinkWorld(t)
				w.serverAt(w.outside, first+":1812", nil)
				w.server("10.0.0.10", nil)
				key := fmt.Sprintf("health = %q", health)
				w.start(setup{rest: backend("first", first, key) + backend("second", "10.0.0.10", key) + route("*", to("first", "second")) + route("control.test", to("second"))})
				c := w.dial()
				if e := c.login("before@test"); !e.within(patience) {
					t.Fatalf("before: %v", e)
				}
				b.broken(w)
				sum, control := c.besideControl("test", "control.test", 2*time.Second)
				by, slow := sum.slower(control, moveAtOnce)
				t.Logf("%s: %v; median %v above that of the second server alone", b.name, sum, round(by))
				// One that waits for silence takes six seconds.
				if !sum.all() || slow {
					t.Errorf("%s: %v, and of the second server alone %v: expected all granted, the median at most %v more", b.name, sum, control, moveAtOnce)
				}
			})
		}
	}
}

// A request that waits at a server when the way to it is lost moves at its next
// transmission; alone, it is answered once the way is back within its schedule (W10, W4).
func TestUnreachableAloneWaits(t *testing.T) {
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			w := newTwoLinkWorld(t)
			w.serverAt(w.outside, first+":1812", nil)
			w.start(setup{rest: backend("probed", first, "acct_port = 1812") + route("probed.test", to("probed"), `packets = ["access", "accounting"]`) +
				backend("unprobed", first, `health = "none"`, "acct_port = 1812") + route("unprobed.test", to("unprobed"), `packets = ["access", "accounting"]`)})
			c := w.dial()
			realms := []string{"probed.test", "unprobed.test"}
			for _, realm := range realms {
				if e := c.login("before@" + realm); !e.within(patience) {
					t.Fatalf("before: %v", e)
				}
			}
			b.broken(w)
			var all exchanges
			for range 6 { // for three seconds
				for _, realm := range realms {
					all = append(all, c.login("u@"+realm), c.accounting("u@"+realm))
				}
				time.Sleep(500 * time.Millisecond)
			}
			b.repair(w)
			sum := all.wait(40 * time.Second)
			t.Logf("%s for 3 s: %v", b.name, sum)
			if !sum.all() {
				t.Errorf("%s for 3 s: logins and accounting: %v, expected all granted: each had 27s left", b.name, sum)
			}
		})
	}
}

// There is no way to any server when the gateway starts: logins and accounting
// wait, and go on when the way appears (W4).
func TestNoRouteAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.names().set("radius.test", at("10.0.0.10"))
	s := w.server("10.0.0.10", nil)
	w.run(w.gateway, "ip link set eth0 down")
	both := `packets = ["access", "accounting"]`
	w.start(setup{rest: backend("literal", "10.0.0.10", "acct_port = 1812") + route("literal.test", to("literal"), both) +
		backend("named", "radius.test", "acct_port = 1812") + route("named.test", to("named"), both) +
		backend("unprobed", "radius.test", "acct_port = 1812", `health = "none"`) + route("unprobed.test", to("unprobed"), both)})
	c := w.dial()
	var all exchanges
	for range 4 { // for four seconds
		for _, realm := range []string{"literal.test", "named.test", "unprobed.test"} {
			all = append(all, c.login("u@"+realm), c.accounting("u@"+realm))
		}
		time.Sleep(time.Second)
	}
	w.run(w.gateway, "ip link set eth0 up")
	sum := all.wait(40 * time.Second)
	t.Logf("no way to any server for the first 4 s: %v", sum)
	if !sum.all() {
		t.Errorf("no way to any server for the first 4 s: logins and accounting: %v, expected all granted: each had 26s left", sum)
	}
	if n := s.fresh(); n < 24 {
		t.Errorf("the server has seen %d requests, expected 24", n)
	}
}

// Datagrams to servers may be fragmented on the way (W11): a link of 1280 octets
// lies between, and the ICMP that would report it is filtered, as on many tunnels.
func TestLargeRequestsAreFragmented(t *testing.T) {
	t.Parallel()
	w := newRoutedWorld(t, 1280)
	w.rules(w.between, "add table ip filter", "add chain ip filter out { type filter hook output priority 0 ; }",
		"add rule ip filter out icmp type destination-unreachable drop")
	w.address(w.outside, "eth0", "10.1.0.10/24")
	s := w.serverAt(w.outside, "10.1.0.10:1812", nil)
	w.start(setup{rest: backend("far", "10.1.0.10") + route("*", to("far"))})
	c := w.dial()
	var all exchanges
	for _, size := range []int{1100, 1240, 1400, 3000, 3900} {
		all = append(all, c.send(message{user: fmt.Sprintf("u%d@test", size), size: size}))
	}
	sum := all.wait(40 * time.Second)
	var sizes []int
	for _, r := range s.requests() {
		sizes = append(sizes, r.size)
	}
	t.Logf("requests up to 4000 octets through a link of 1280: %v; the server saw sizes %v", sum, sizes)
	if !sum.all() {
		t.Errorf("requests up to 4000 octets through a link of 1280: %v, expected all granted", sum)
	}
}

// The DF bit is clear towards servers, in requests, accounting and probes alike (W11).
func TestDontFragmentIsClear(t *testing.T) {
	t.Parallel()
	w, wire := newWiredWorld(t)
	s := w.server("10.0.0.10", nil)
	s.hang(true) // so that it is probed, too
	w.start(setup{rest: backend("server", "10.0.0.10", "acct_port = 1812", "suspect_after = 1", `retransmit_initial = "200ms"`) +
		route("*", to("server"), `packets = ["access", "accounting"]`)})
	c := w.dial()
	all := exchanges{c.login("u@test"), c.accounting("u@test"), c.send(message{user: "u@test", size: 3000})}
	time.Sleep(time.Second)
	s.hang(false)
	sum := all.wait(patience)
	unbroken, fragmentable := wire.counts()
	probes := len(s.probed())
	t.Logf("towards the server: %d datagrams or fragments with DF, %d without; %v; %d probes", unbroken, fragmentable, sum, probes)
	if unbroken > 0 || fragmentable == 0 {
		t.Errorf("towards the server %d datagrams or fragments had the DF bit and %d had not, expected none to have it", unbroken, fragmentable)
	}
	if !sum.all() {
		t.Errorf("%v, expected all granted", sum)
	}
}

// A CoA that its NAS was sent stays there (RFC 5176 §2.3), also while the way to it is lost.
func TestCoAWaitsForItsNAS(t *testing.T) {
	t.Parallel()
	w := newTwoLinkWorld(t)
	nas := w.serverAt(w.outside, first+":3799", func(r request) reply { return reply{silent: !r.again} })
	other := w.server("10.0.0.10", nil)
	w.start(setup{rest: backend("nas", first, "auth_port = 0", "coa_port = 3799", `health = "none"`) +
		backend("other", "10.0.0.10", "auth_port = 0", "coa_port = 1812", `health = "none"`) +
		route("*", to("nas", "other"), `packets = ["coa"]`)})
	c := w.dial()
	e := c.send(message{code: radius.CodeCoARequest, user: "u@test"})
	if !testbed.Eventually(patience, func() bool { return nas.fresh() == 1 }) {
		t.Fatal("the NAS was sent no CoA-Request")
	}
	w.run(w.gateway, "ip route add unreachable "+first)
	time.Sleep(3 * time.Second) // the first retransmission finds no way
	w.run(w.gateway, "ip route del unreachable "+first)
	if !e.within(patience) {
		t.Errorf("a CoA-Request whose NAS could not be reached for 3s: %v, expected CoA-ACK", e)
	}
	t.Logf("a CoA-Request whose NAS could not be reached for 3 s: %v; the NAS saw %d transmissions, the other server %d", e, len(nas.requests()), other.fresh())
	if other.fresh() > 0 {
		t.Error("the CoA-Request went to another server, expected it to stay")
	}
}
