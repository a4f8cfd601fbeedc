package packets

import "sync"

// Shared signs each request once for all connections, which makes signing
// cheaper by their number. Relays look for duplicates among the requests of one
// connection (RFC 5080 §2.2.2: same source, Identifier, Request Authenticator and contents), and no
// connection is ever given the same request twice.
type Shared struct {
	mix     Mix
	entries [generations][256]entry
}

// generations is how far, in uses of one identifier, connections may be apart
// and still share: 16 × 256 requests, 5 MB at most.
const generations = 16

type entry struct {
	mu         sync.Mutex
	generation uint32 // 0: nothing yet
	packet     []byte
}

// NewShared makes requests of the mix; identifiers one after the other go through it in order.
func NewShared(mix Mix) *Shared { return &Shared{mix: mix} }

// Write writes a request with the identifier into dst (at least MaxLength
// octets). last is the connection's own count for this identifier, and starts
// at zero. A request that is not there yet is signed with m.
func (s *Shared) Write(dst []byte, m *Maker, identifier byte, last *uint32) ([]byte, Kind) {
	*last++
	e := &s.entries[*last%generations][identifier]
	e.mu.Lock()
	defer e.mu.Unlock()
	// When others are a whole ring ahead, use theirs: it is new here too.
	*last = max(*last, e.generation)
	kind := s.mix[(int(identifier)+int(*last))%len(s.mix)]
	if e.generation < *last {
		e.generation = *last
		e.packet = append(e.packet[:0], m.Write(dst, kind, identifier)...)
	}
	return dst[:copy(dst, e.packet)], kind
}
