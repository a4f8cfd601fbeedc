package udpback

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// An address of a pool follows from the key alone: these are the same for ever, on every
// machine.
// Rules: ID7
func TestPoolAddress(t *testing.T) {
	for _, row := range []struct{ pool, key, want string }{
		{"127.1.0.0/16", "dns ap1.example", "127.1.51.200"},
		{"127.1.0.0/16", "dns ap2.example", "127.1.165.75"},
		{"127.1.77.7/16", "dns ap1.example", "127.1.51.200"},
		{"192.0.2.4/30", "x", "192.0.2.6"},
		{"192.0.2.8/31", "x", "192.0.2.9"},
		{"192.0.2.8/32", "x", "192.0.2.8"},
		{"2001:db8:7::/64", "dns ap1.example", "2001:db8:7:0:3aec:115b:7c15:e872"},
	} {
		if got := PoolAddress(netip.MustParsePrefix(row.pool), []byte(row.key)).String(); got != row.want {
			t.Errorf("the address of %q in %s is %s, expected %s", row.key, row.pool, got, row.want)
		}
	}
}

// Keys spread over the whole of a pool, but for the network's and the broadcast address.
// Rules: ID7
func TestPoolAddressSpreads(t *testing.T) {
	pool := netip.MustParsePrefix("127.1.0.0/24")
	seen := map[netip.Addr]int{}
	for i := range 254 * 40 {
		seen[PoolAddress(pool, binary.BigEndian.AppendUint32(nil, uint32(i)))]++
	}
	for a, n := range seen {
		if n > 120 {
			t.Errorf("%v has %d of 10160 keys, expected about 40", a, n)
		}
	}
	if len(seen) != 254 {
		t.Errorf("10160 keys have %d addresses, expected 254", len(seen))
	}
	for _, a := range []string{"127.1.0.0", "127.1.0.255"} {
		if n := seen[netip.MustParseAddr(a)]; n > 0 {
			t.Errorf("%d keys have %s, the network's or the broadcast address", n, a)
		}
	}
}

// An address is inside its pool, is always the same, and is neither the network's nor the
// broadcast address nor that of all routers.
// Rules: ID7
func FuzzPoolAddress(f *testing.F) {
	f.Add([]byte{127, 1, 0, 0}, uint8(16), []byte("dns ap1"))
	f.Add([]byte{192, 0, 2, 4}, uint8(30), []byte(""))
	f.Add([]byte{192, 0, 2, 4}, uint8(32), []byte("x"))
	f.Add([]byte{0, 0, 0, 0}, uint8(0), []byte("x"))
	f.Add([]byte{0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(64), []byte("x"))
	f.Add([]byte{0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(127), []byte("x"))
	f.Fuzz(func(t *testing.T, octets []byte, bits uint8, key []byte) {
		a, ok := netip.AddrFromSlice(octets)
		if !ok || a.Is4In6() || int(bits) > a.BitLen() {
			return
		}
		pool := netip.PrefixFrom(a, int(bits)).Masked()
		got := PoolAddress(pool, key)
		if !pool.Contains(got) {
			t.Fatalf("%v is not in %v", got, pool)
		}
		if again := PoolAddress(pool, key); again != got {
			t.Fatalf("%v, then %v", got, again)
		}
		if a.BitLen()-int(bits) < 2 {
			return
		}
		if got == pool.Addr() {
			t.Fatalf("%v is the first address of %v", got, pool)
		}
		if a.Is4() && !pool.Contains(got.Next()) {
			t.Fatalf("%v is the broadcast address of %v", got, pool)
		}
	})
}
