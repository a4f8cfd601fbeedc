package udpback

import "radsec-gw/wire"

// arena holds the packets of one batch one behind the other while they wait for
// their signatures: close together they share the processor's caches, which
// packets 4096 octets apart would not.
type arena struct {
	octets [arenaSize]byte
	used   int
}

// arenaSize is room for a batch of ordinary packets; a batch of the largest is
// cut short.
const arenaSize = 16 * wire.MaxLength

const cacheLine = 64

// full says whether a packet of any length no longer fits.
func (a *arena) full() bool { return a.used+wire.MaxLength > len(a.octets) }

// space returns space for a packet of any length; take says how much of it was used.
func (a *arena) space() []byte {
	return a.octets[a.used : a.used+wire.MaxLength : a.used+wire.MaxLength]
}

func (a *arena) use(n int) { a.used += (n + cacheLine - 1) &^ (cacheLine - 1) }

func (a *arena) reset() { a.used = 0 }
