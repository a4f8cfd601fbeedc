package udpback

import (
	"crypto/sha256"
	"math/big"
	"net/netip"
)

// PoolAddress returns the address in a range that a key has. It depends on nothing else: it is
// the same after a restart and at every replica (ID7). Of an IPv4 range of four addresses or
// more it is neither the first nor the last, which are the network's and the broadcast
// address; of an IPv6 range not the first, which is for all routers (RFC 4291 §2.6.1).
func PoolAddress(pool netip.Prefix, key []byte) netip.Addr {
	pool = pool.Masked()
	host := pool.Addr().BitLen() - pool.Bits()
	size := new(big.Int).Lsh(big.NewInt(1), uint(host))
	first := big.NewInt(0)
	if host >= 2 {
		first.SetInt64(1)
		size.Sub(size, big.NewInt(1))
		if pool.Addr().Is4() {
			size.Sub(size, big.NewInt(1))
		}
	}
	sum := sha256.Sum256(key)
	n := new(big.Int).SetBytes(sum[:])
	n.Mod(n, size).Add(n, first).Add(n, new(big.Int).SetBytes(pool.Addr().AsSlice()))
	octets := n.FillBytes(make([]byte, pool.Addr().BitLen()/8))
	a, _ := netip.AddrFromSlice(octets)
	return a
}
