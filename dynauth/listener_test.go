package dynauth

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
)

// Both families can be listened on with one port, and an IPv4-mapped address is the IPv4 address.
//
// Rules: RC3
func TestListenOnBothFamilies(t *testing.T) {
	four, err := Listen(netip.MustParseAddrPort("0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	all := []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), four.Addr().Port()), netip.AddrPortFrom(netip.IPv6Unspecified(), four.Addr().Port())}
	six, err := Listen(all[1], all...)
	if err != nil {
		t.Fatal(err)
	}
	defer six.Close()
	if l, err := Listen(all[0], all...); err == nil {
		l.Close()
		t.Error("an address was opened twice")
	}
	mapped, err := Listen(netip.MustParseAddrPort("[::ffff:127.0.0.1]:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	if a := mapped.Addr().Addr(); a != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("listens on %v", a)
	}
}

// serve serves a listener of the bed's Server until the test ends.
func (b *bed) serve(t *testing.T) *Listener {
	l, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { b.s.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	return l
}

// A socket that is no longer configured takes nothing new, and takes it again when it is taken
// back before it closes; afterwards it is closed.
//
// Rules: RC18
func TestRetireAndRevive(t *testing.T) {
	b := newBed(t)
	b.cfg.Senders[0].Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	b.configure()
	l := b.serve(t)
	c, err := net.Dial("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answered := func(id byte, within time.Duration) bool {
		c.Write(must(packet(radius.CodeDisconnectRequest, id, senderSecret).Encode()))
		c.SetReadDeadline(time.Now().Add(within))
		n, err := c.Read(make([]byte, 4096))
		return err == nil && n > 0
	}
	if !answered(1, 20*time.Second) {
		t.Fatal("no NAK")
	}
	l.Retire(time.Hour)
	if answered(2, 50*time.Millisecond) {
		t.Error("a retired socket takes a new request")
	}
	if !l.Revive() || !answered(3, 20*time.Second) {
		t.Error("it is not taken back")
	}
	l.Retire(0)
	for end := time.Now().Add(20 * time.Second); l.Revive() && time.Now().Before(end); {
		l.Retire(0)
	}
	if l.Revive() {
		t.Error("it does not close")
	}
}
