package tlsfront

import (
	"context"
	"net"
	"strings"
	"testing"

	"radsec-gw/sessions"
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
	f.server.Drain(context.Background(), sessions.GatewayStops)
	late := must(net.Listen("tcp", "127.0.0.1:0"))
	f.server.SetListeners([]net.Listener{late})
	if !refuses(t, late.Addr().String()) {
		t.Error("a server that drains listens on a new address")
	}
}
