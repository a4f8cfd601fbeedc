package udpback

import (
	"testing"

	"radsec-gw/wire"
)

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
