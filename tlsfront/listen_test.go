package tlsfront

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

// 0.0.0.0 and [::] with the same port are for both families, and can be listed together.
func TestListenOnBothFamilies(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("0.0.0.0:2083"), netip.MustParseAddrPort("[::]:2083")
	for _, row := range []struct {
		all  []netip.AddrPort
		want []string
	}{
		{[]netip.AddrPort{v4}, []string{"tcp4"}},
		{[]netip.AddrPort{v6}, []string{"tcp"}},
		{[]netip.AddrPort{v4, v6}, []string{"tcp4", "tcp6"}},
		{[]netip.AddrPort{v6, netip.MustParseAddrPort("127.0.0.1:2083")}, []string{"tcp6", "tcp4"}},
		{[]netip.AddrPort{v6, netip.MustParseAddrPort("127.0.0.1:2084")}, []string{"tcp", "tcp4"}},
		{[]netip.AddrPort{netip.MustParseAddrPort("[::1]:2083")}, []string{"tcp6"}},
	} {
		for i, a := range row.all {
			if got := network(a, row.all); got != row.want[i] {
				t.Errorf("%v of %v is opened as %s, expected %s", a, row.all, got, row.want[i])
			}
		}
	}
}

// 0.0.0.0 is for IPv4 only.
func TestListenOnOneFamilyOnly(t *testing.T) {
	ls, _, err := Listen(nil, Addresses{}, alone([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}))
	if err != nil {
		t.Fatal(err)
	}
	defer ls[0].Close()
	if a := ls[0].Addr().(*net.TCPAddr); a.IP.To4() == nil {
		t.Errorf("0.0.0.0 is opened as %v, expected IPv4 only", a)
	}
}

// An address that is in both lists keeps its socket, also if the system chose the port.
//
// Fault L5.
func TestListenKeepsListeners(t *testing.T) {
	any4 := netip.MustParseAddrPort("127.0.0.1:0")
	oldAddresses := []netip.AddrPort{any4, any4}
	old, _, err := Listen(nil, Addresses{}, alone(oldAddresses))
	if err != nil {
		t.Fatal(err)
	}
	ls, opened, err := Listen(old, alone(oldAddresses), alone([]netip.AddrPort{any4, any4, any4}))
	if err != nil {
		t.Fatal(err)
	}
	defer closeListeners(ls)
	if len(ls) != 3 || len(opened) != 1 || ls[0] != old[0] || ls[1] != old[1] || ls[2] != opened[0] {
		t.Errorf("from %v got %v with %v opened", old, ls, opened)
	}
}

// An address that the kernel does not allow while the old socket is open is an error,
// and no listener stays open.
//
// Fault L5.
func TestListenOverlap(t *testing.T) {
	old := []net.Listener{must(net.Listen("tcp4", "0.0.0.0:0"))}
	defer closeListeners(old)
	port := old[0].Addr().(*net.TCPAddr).AddrPort().Port()
	oldAddresses := []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port)}
	free := netip.MustParseAddrPort("127.0.0.1:0")
	wanted := []netip.AddrPort{free, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	ls, opened, err := Listen(old, alone(oldAddresses), alone(wanted))
	if err == nil {
		t.Fatalf("got %v and %v, want an error", ls, opened)
	}
	for _, want := range []string{wanted[1].String(), "still listens on " + oldAddresses[0].String(), "restart"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, which lacks %q", err, want)
		}
	}
	if refuses(t, old[0].Addr().String()) {
		t.Error("the old listener was closed")
	}
	other := must(net.Listen("tcp4", "127.0.0.1:0")) // as another program would have it
	defer other.Close()
	_, _, err = Listen(old, alone(oldAddresses), alone([]netip.AddrPort{netip.MustParseAddrPort(other.Addr().String())}))
	if err == nil || strings.Contains(err.Error(), "this gateway") {
		t.Errorf("an address of another program gives %v", err)
	}
}

// An error of listening says what is missing: a capability, an address, or the port.
//
// Fault O10.
func TestBindHint(t *testing.T) {
	for _, row := range []struct {
		err  error
		port uint16
		want string
	}{
		{syscall.EACCES, 83, "CAP_NET_BIND_SERVICE"},
		{syscall.EACCES, 2083, "security policy"},
		{syscall.EADDRNOTAVAIL, 2083, "no interface of this machine has that address"},
		{syscall.EADDRINUSE, 2083, "ss -ltnp"},
		{syscall.EMFILE, 2083, "is the address right?"},
	} {
		if got := BindHint(&net.OpError{Err: os.NewSyscallError("bind", row.err)}, row.port); !strings.Contains(got, row.want) {
			t.Errorf("%v on port %d: %q, expected %q", row.err, row.port, got, row.want)
		}
	}
	_, _, err := Listen(nil, Addresses{}, alone([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.77:0")}))
	if err == nil || !strings.Contains(err.Error(), "no interface of this machine") {
		t.Errorf("an address of another machine: %v, expected that it says so", err)
	}
}

// alone returns the addresses of a listener without others.
func alone(list []netip.AddrPort) Addresses { return Addresses{list, list} }
