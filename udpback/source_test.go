package udpback

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
)

// A server's sockets are opened from its source, to addresses of the same family only; the
// hint on a source that is nobody's names it.
//
// Fault O10.
func TestSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		source := netip.MustParseAddr("192.0.2.99")
		var from []netip.Addr
		dial := f.backend.dial
		f.backend.dial = func(a netip.Addr, to netip.AddrPort) (datagram.Conn, error) {
			from = append(from, a)
			return dial(a, to)
		}
		f.net.names[host] = []netip.Addr{netip.MustParseAddr("2001:db8::1"), ipOf("a")}
		f.net.answering(t, "a")
		a := f.server(t, "a", func(c *ServerConfig) { c.Address, c.Source = host, source })
		defer a.Close()
		pass(time.Second)
		f.login(t, f.group(t, Failover, a))
		if len(from) == 0 || from[0] != source || a.Address() != ipOf("a") {
			t.Errorf("sockets from %v to %v, expected from %v to the IPv4 address", from, a.Address(), source)
		}
		if hint := a.hintOf(syscall.EADDRNOTAVAIL); !strings.Contains(hint, "source of the [[server]], 192.0.2.99") {
			t.Errorf("the hint is %q, expected one about the source", hint)
		}
		f.net.set(func() { f.net.names["six"] = []netip.Addr{netip.MustParseAddr("2001:db8::1")} })
		b := f.server(t, "b", func(c *ServerConfig) { c.Address, c.Source = "six", source })
		defer b.Close()
		pass(time.Second)
		if s := b.endpoints()[0].health.State(); s != health.Down {
			t.Errorf("a name without an address of the family is %v, expected down", s)
		}
	})
}

// own is the addresses of a test's machine.
type own struct {
	mu  sync.Mutex
	all []net.Addr
}

func (o *own) set(list ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = nil
	for _, a := range list {
		o.all = append(o.all, &net.IPNet{IP: net.ParseIP(a), Mask: net.CIDRMask(24, 32)})
	}
}

func (o *own) list() ([]net.Addr, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all, nil
}

// Errors of a socket to a server with a source name their cause: the kernel says that the
// network is unreachable, too, when no interface has the source any longer. A line about
// one cause does not delay that about the other, and none comes later, when another source
// may be configured.
func TestSourceGoesAway(t *testing.T) {
	const noRoute, noSource = "there is no route to the server's address", "no interface of this machine has source of the [[server]], 192.0.2.99"
	for _, gone := range []error{syscall.ENETUNREACH, syscall.EINVAL, syscall.EADDRNOTAVAIL} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			journal, machine := f.journal(), new(own)
			f.backend.interfaceAddrs = machine.list
			machine.set("127.0.0.1", "192.0.2.99")
			a := f.server(t, "a", func(c *ServerConfig) {
				checked(c)
				c.AcctPort, c.Source = 0, netip.MustParseAddr("192.0.2.99")
			})
			defer a.Close()
			f.net.answering(t, "a")
			pass(2 * time.Second)
			fail := func(sending, opening error) {
				f.net.set(func() { f.net.cut["a:1812"], f.net.noWay["a:1812"] = sending, opening })
			}
			expect := func(when string, routes, sources int, why string) {
				t.Helper()
				got := strings.Join(journal.take(), "\n")
				if r, s := strings.Count(got, noRoute), strings.Count(got, noSource+"; it is tried again"); r < routes || routes == 0 && r > 0 || s < sources || sources == 0 && s > 0 {
					t.Errorf("%v, %s: %d lines name the route and %d the source, expected %d and %d:\n%s", gone, when, r, s, routes, sources, got)
				}
				if st := a.Status()[0]; !strings.Contains(st.Why, why) || why == noSource && strings.Contains(st.Why, noRoute) {
					t.Errorf("%v, %s: it is %v, because %q; expected %q", gone, when, st.State, st.Why, why)
				}
			}
			fail(syscall.ENETUNREACH, syscall.ENETUNREACH)
			f.start(t, f.group(t, Failover, a), newOwner(radius.CodeAccessRequest))
			pass(40 * time.Second)
			expect("no route", 1, 0, noRoute)
			machine.set("127.0.0.1")
			fail(gone, syscall.EADDRNOTAVAIL)
			pass(time.Second)
			f.start(t, f.group(t, Failover, a), newOwner(radius.CodeAccessRequest))
			pass(4 * time.Second)
			expect("no source", 0, 1, noSource)
			f.backend.Refresh()
			a.Retire()
			pass(2 * time.Minute)
			expect("it was replaced", 1, 0, "") // of the first minute
		})
	}
}
