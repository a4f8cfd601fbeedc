package tlsfront

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// refuses reports whether the address refuses connections.
func refuses(t *testing.T, address string) bool {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
	}
	return err != nil
}

// The addresses of a server can change while it serves: a new one is served, an old one
// is closed, one that stays keeps its socket, and connections stay open.
//
// Fault L5.
func TestListenersChangeWhileServing(t *testing.T) {
	f := startTCP(t, nil)
	old := f.addr
	c, p := f.dial()
	first := f.server.listeners.open[0]
	second := must(net.Listen("tcp", "127.0.0.1:0"))
	f.server.SetListeners([]net.Listener{first, second})
	if got := f.server.Addrs(); len(got) != 2 || got[0].String() != old || got[1].String() != second.Addr().String() {
		t.Errorf("the server listens on %v, want %s and %v", got, old, second.Addr())
	}
	for _, address := range []string{old, second.Addr().String()} {
		f.addr = address
		f.dial()
	}
	f.server.SetListeners([]net.Listener{second})
	if !refuses(t, old) {
		t.Errorf("%s is listened on after it was removed", old)
	}
	f.dial()
	must(c.Write(packet(20, 1)))
	await(t, p.packets, "the packet of a connection that came over the removed address")
	if log := f.log.String(); !strings.Contains(log, "no longer listening for RadSec") || strings.Contains(log, "accepting a RadSec connection") {
		t.Errorf("the log is\n%s", log)
	}
}

// A server that drains opens no more listeners.
func TestListenersWhileDraining(t *testing.T) {
	f := startTCP(t, nil)
	f.server.Drain(context.Background())
	late := must(net.Listen("tcp", "127.0.0.1:0"))
	f.server.SetListeners([]net.Listener{late})
	if !refuses(t, late.Addr().String()) {
		t.Error("a server that drains listens on a new address")
	}
}

// An address that is in both lists keeps its socket, also if the system chose the port.
//
// Fault L5.
func TestRelistenKeepsWhatIsInBothLists(t *testing.T) {
	any4 := netip.MustParseAddrPort("127.0.0.1:0")
	of := []netip.AddrPort{any4, any4}
	have := must(Listen(of))
	ls, opened, err := Relisten(have, of, []netip.AddrPort{any4, any4, any4})
	if err != nil {
		t.Fatal(err)
	}
	defer closeListeners(ls)
	if len(ls) != 3 || len(opened) != 1 || ls[0] != have[0] || ls[1] != have[1] || ls[2] != opened[0] {
		t.Errorf("from %v came %v with %v opened", have, ls, opened)
	}
}

// An address that the kernel does not allow while the old socket is open is an error,
// and no listener stays open.
//
// Fault L5.
func TestRelistenOverlap(t *testing.T) {
	have := must(Listen([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}))
	defer closeListeners(have)
	port := have[0].Addr().(*net.TCPAddr).AddrPort().Port()
	of := []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port)}
	free := netip.MustParseAddrPort("127.0.0.1:0")
	wanted := []netip.AddrPort{free, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	ls, opened, err := Relisten(have, of, wanted)
	if err == nil {
		t.Fatalf("got %v and %v, want an error", ls, opened)
	}
	for _, want := range []string{wanted[1].String(), "still listens on " + of[0].String(), "restart"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, which lacks %q", err, want)
		}
	}
	if refuses(t, have[0].Addr().String()) {
		t.Error("the listener in force was closed")
	}
	other := must(net.Listen("tcp4", "127.0.0.1:0")) // as another program would have it
	defer other.Close()
	_, _, err = Relisten(have, of, []netip.AddrPort{netip.MustParseAddrPort(other.Addr().String())})
	if err == nil || strings.Contains(err.Error(), "this gateway") {
		t.Errorf("an address of another program gives %v", err)
	}
}
