package udpback

import "radsec-gw/wire"

// identifiers hands out the 256 Identifiers of one socket, the longest unused
// first: an Identifier rests as long as the load allows before it is seen again
// (RFC 5080 §2.2.2, RFC 2865 §2.5).
type identifiers struct {
	ring [256]wire.ServerID // the free ones, oldest at head
	head uint8
	free int
}

func (q *identifiers) init() {
	for i := range q.ring {
		q.ring[i] = wire.ServerID(i)
	}
	q.free = len(q.ring)
}

// take returns the Identifier that has been free longest; false when all are in use.
func (q *identifiers) take() (wire.ServerID, bool) {
	if q.free == 0 {
		return 0, false
	}
	id := q.ring[q.head]
	q.head++
	q.free--
	return id, true
}

// give puts an Identifier back behind all free ones.
func (q *identifiers) give(id wire.ServerID) {
	q.ring[q.head+uint8(q.free)] = id
	q.free++
}
