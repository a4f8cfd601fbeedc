package udpback

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
