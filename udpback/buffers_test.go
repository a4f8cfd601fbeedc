package udpback

import (
	"bytes"
	"testing"
)

// A packet is copied whole into the smallest buffer that holds it, at first and when
// buffers have come back.
func TestBuffers(t *testing.T) {
	var b Buffers
	for round := range 3 {
		for _, row := range []struct{ length, want int }{
			{0, 512}, {20, 512}, {511, 512}, {512, 512}, {513, 1536}, {1536, 1536}, {1537, 4096}, {4096, 4096},
		} {
			p := bytes.Repeat([]byte{byte(row.length), byte(round)}, row.length/2+1)[:row.length]
			got := b.Copy(p)
			if !bytes.Equal(got, p) || cap(got) != row.want {
				t.Errorf("round %d: a packet of %d octets has %d octets in a buffer of %d, expected the same in %d", round, row.length, len(got), cap(got), row.want)
			}
			if len(p) > 0 {
				if p[0]++; got[0] == p[0] {
					t.Errorf("round %d: a packet of %d octets is not copied", round, row.length)
				}
			}
			b.Return(got)
		}
	}
	b.Return(nil)
	b.Return(make([]byte, 100)) // not of the pool: left alone
	if got := b.Copy([]byte{1}); cap(got) != 512 {
		t.Errorf("a buffer of %d octets, expected 512", cap(got))
	}
}

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
