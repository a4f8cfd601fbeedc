package tlsfront

import (
	"net"
	"net/netip"
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

func TestListenOnOneFamilyOnly(t *testing.T) {
	ls, err := Listen([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer ls[0].Close()
	if a := ls[0].Addr().(*net.TCPAddr); a.IP.To4() == nil {
		t.Errorf("0.0.0.0 is opened as %v, expected IPv4 only", a)
	}
}
