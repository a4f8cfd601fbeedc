package udpback

import (
	"bytes"
	"testing"

	"radsec-gw/wire"
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

// Packets lie one behind the other, each at the begin of a line of the processor's
// cache, and none overlaps another; the arena is full when the longest no longer fits.
func TestArena(t *testing.T) {
	a := new(arena)
	at := 0
	for i, length := range []int{20, 64, 65, 4096, 1, 63, 128} {
		room := a.space()
		if len(room) != wire.MaxLength || cap(room) != wire.MaxLength {
			t.Fatalf("packet %d has space for %d octets, %d with the capacity; expected %d", i, len(room), cap(room), wire.MaxLength)
		}
		if &room[0] != &a.octets[at] {
			t.Errorf("packet %d does not begin at octet %d", i, at)
		}
		a.use(length)
		at += (length + 63) / 64 * 64
	}
	a.reset()
	packets := 0
	for ; !a.full(); packets++ {
		a.space()
		a.use(wire.MaxLength)
	}
	if packets != 16 {
		t.Errorf("%d of the longest packets fit, expected 16", packets)
	}
	a.reset()
	a.use(arenaSize - wire.MaxLength + 1)
	if !a.full() {
		t.Error("the arena is not full when the longest packet does not fit any more")
	}
}
