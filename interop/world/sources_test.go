//go:build linux

package world

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/interop/testbed"
	"radsec-gw/udpback"
)

// sourced are two clients, the first of which has a source.
func sourced(source string) string {
	return "[[client]]\nname = \"sourced\"\nnetworks = [\"127.0.9.1\"]\n" + source + "\n\n[[client]]\nname = \"plain\"\nnetworks = [\"127.0.9.2\"]\n"
}

// grantedFrom waits until a login of a client is granted, and returns where the server saw
// it come from.
func (w *world) grantedFrom(t *testing.T, c *client, s *server) netip.Addr {
	t.Helper()
	ok := testbed.Eventually(patience, func() bool {
		e := c.login("bob@example.org")
		<-e.done
		return e.code == radius.CodeAccessAccept
	})
	if !ok {
		t.Fatal("no login is granted")
	}
	all := s.requests()
	return all[len(all)-1].from.Addr().Unmap()
}

// A client's source is removed from the machine and added again while its requests flow: they
// are refused at once, never sent from another address, and are granted again without a
// reload. The other client does not notice.
// Rules: ID6, ID8
func TestSourceIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.server("10.0.0.10", nil)
	w.address(w.gateway, "eth0", "10.0.0.7/24")
	g := w.start(setup{clients: sourced(`source = "10.0.0.7"`), only: true, rest: backend("radius", "10.0.0.10") + route("*", to("radius"))})
	one, other := w.dialFrom("127.0.9.1"), w.dialFrom("127.0.9.2")
	if from := w.grantedFrom(t, one, server); from != netip.MustParseAddr("10.0.0.7") {
		t.Errorf("the requests of the client come from %v, expected its source, 10.0.0.7", from)
	}
	if from := w.grantedFrom(t, other, server); from != netip.MustParseAddr(gatewayAddress) {
		t.Errorf("the requests of the other come from %v, expected the gateway's address", from)
	}
	w.removeAddress(w.gateway, "eth0", "10.0.0.7/24")
	before := len(server.requests())
	if !testbed.Eventually(10*time.Second, func() bool { // the first find it out, and wait for the address as long as their schedule
		e := one.login("lost@example.org")
		select {
		case <-e.done:
			return e.code == radius.CodeAccessReject
		case <-time.After(time.Second):
			return false
		}
	}) {
		t.Error("requests from a source that is gone are not refused at once")
	}
	w.grantedFrom(t, other, server)
	for _, r := range server.requests()[before:] {
		if a := r.from.Addr().Unmap(); strings.HasPrefix(r.user, "lost") && a != netip.MustParseAddr("10.0.0.7") {
			t.Errorf("a request of the client came from %v", a)
		}
	}
	if n := g.Metrics().Sum("radsec_gw_requests_total", "client", "sourced", "fate", "no_source"); n < 1 {
		t.Errorf("%v requests have the fate no_source, expected some", n)
	}
	g.Says("level=WARN", "the source address of a client cannot be used", "source=10.0.0.7")
	w.address(w.gateway, "eth0", "10.0.0.7/24")
	if from := w.grantedFrom(t, one, server); from != netip.MustParseAddr("10.0.0.7") {
		t.Errorf("after the address has returned the requests come from %v, expected 10.0.0.7", from)
	}
}

// A prefix of IPv6 that is routed to the machine is a pool, with the AnyIP route alone.
// Rules: ID7
func TestPoolOfIPv6(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.address(w.gateway, "eth0", "fd00::1/64")
	w.address(w.outside, "eth0", "fd00::10/64")
	w.run(w.gateway, "ip -6 route add local fd00:1::/64 dev lo")
	w.run(w.outside, "ip -6 route add fd00:1::/64 via fd00::1")
	server := w.serverAt(w.outside, "[fd00::10]:1812", nil)
	w.start(setup{clients: sourced(`source_pool = "fd00:1::/64"`), only: true, rest: backend("radius", "fd00::10") + route("*", to("radius"))})
	want := udpback.PoolAddress(netip.MustParsePrefix("fd00:1::/64"), []byte("dns client"))
	if from := w.grantedFrom(t, w.dialFrom("127.0.9.1"), server); from != want {
		t.Errorf("the requests of the certificate come from %v, expected %v", from, want)
	}
	if from := w.grantedFrom(t, w.dialFrom("127.0.9.2"), server); from != netip.MustParseAddr("fd00::1") {
		t.Errorf("the requests of the other client come from %v, expected the gateway's address", from)
	}
}

// A source that this machine does not have stops the start, and refuses a reload, with the
// address and the error; the old configuration stays.
// Rules: ID8
func TestSourceThatNobodyHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.server("10.0.0.10", nil)
	rest := backend("radius", "10.0.0.10") + route("*", to("radius"))
	wrong := setup{clients: sourced(`source = "10.0.0.8"`), only: true, rest: rest, early: true}
	g := w.start(wrong)
	select {
	case <-g.Exited():
	case <-time.After(patience):
		t.Fatal("the gateway starts with a source that the machine does not have")
	}
	for _, want := range []string{"source: cannot send from 10.0.0.8", "cannot assign requested address", "ip addr add"} {
		if !strings.Contains(g.Printed(), want) {
			t.Errorf("expected %q, got:\n%s", want, g.Printed())
		}
	}

	w.address(w.gateway, "eth0", "10.0.0.7/24")
	g = w.start(setup{clients: sourced(`source = "10.0.0.7"`), only: true, rest: rest})
	w.configure(wrong)
	g.RefusedReload()
	g.Says("reload refused", "cannot send from 10.0.0.8")
	if from := w.grantedFrom(t, w.dialFrom("127.0.9.1"), server); from != netip.MustParseAddr("10.0.0.7") {
		t.Errorf("after the refused reload the requests come from %v, expected 10.0.0.7 as before", from)
	}
}

// A server that answers only the addresses that it knows ignores one client and serves the
// others, and is up.
// Rules: ID6, P83
func TestServerKnowsOneSourceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.address(w.gateway, "eth0", "10.0.0.7/24")
	server := w.server("10.0.0.10", func(r request) reply {
		return reply{silent: r.from.Addr().Unmap() == netip.MustParseAddr("10.0.0.7")}
	})
	g := w.start(setup{clients: sourced(`source = "10.0.0.7"`), only: true, rest: backend("radius", "10.0.0.10", "retransmit_duration = \"6s\"") + route("*", to("radius"))})
	one, other := w.dialFrom("127.0.9.1"), w.dialFrom("127.0.9.2")
	var all []*exchange
	for range 12 {
		all = append(all, one.login("bob@example.org"))
	}
	for _, e := range all {
		if <-e.done; e.code != radius.CodeAccessReject {
			t.Errorf("a request that the server ignores got %v, expected an Access-Reject", e.code)
		}
	}
	w.grantedFrom(t, other, server)
	g.Says("does not reply to the source address of a client, although it replies to others", "client=sourced", "source=10.0.0.7")
	if n := g.Metrics().Sum("radsec_gw_server_up", "server", "radius"); n != 1 {
		t.Errorf("radsec_gw_server_up is %v, expected 1", n)
	}
}
