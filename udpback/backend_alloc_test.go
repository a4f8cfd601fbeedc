//go:build !race && !lockorder

// The race detector makes sync.Pool drop what it is given, at random.

package udpback

import "testing"

// What was returned is lent again: a packet costs no allocation.
func TestBuffersAllocateNothing(t *testing.T) {
	var b Buffers
	for _, length := range []int{100, 1000, 4000} {
		p := make([]byte, length)
		b.Return(b.Copy(p))
		if n := testing.AllocsPerRun(100, func() { b.Return(b.Copy(p)) }); n >= 1 {
			t.Errorf("%d octets: %v allocations for each packet, expected none", length, n)
		}
	}
}
