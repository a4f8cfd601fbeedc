package udpback

import (
	"sync"
	"sync/atomic"
)

// issuers remembers which server issued which State, so that the next round of a
// conversation finds it (RFC 5080 §2.1.2). There is one for all groups, which
// outlives them: a reload forgets nothing. It is a cache of fixed size that
// forgets by overwriting: an entry holds the upper bits of the State's hash and
// the server's number. Losing an entry costs nothing but the memory: the hash of
// the request's own attributes then decides, which agrees for all rounds of a
// conversation and on every replica.
type issuers struct {
	entries atomic.Pointer[[1 << 16]atomic.Uint64] // made when the first State is seen

	mu      sync.Mutex // guards the fields below
	numbers map[string]uint16
}

// number returns the number of the server with a name, from 1, the same for as
// long as the gateway runs; 0 when all numbers are given out.
func (s *issuers) number(name string) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.numbers[name]
	if !ok && len(s.numbers) < 1<<16-1 {
		if s.numbers == nil {
			s.numbers = map[string]uint16{}
		}
		n = uint16(len(s.numbers) + 1)
		s.numbers[name] = n
	}
	return n
}

// remember remembers that a server issued the State with this hash.
func (s *issuers) remember(hash uint64, server uint16) {
	all := s.entries.Load()
	if all == nil {
		s.entries.CompareAndSwap(nil, new([1 << 16]atomic.Uint64))
		all = s.entries.Load()
	}
	// The low 16 bits of the hash choose the entry, so that the server can have their
	// place in it.
	all[hash&0xffff].Store(hash&^0xffff | uint64(server))
}

// find returns the number of the server that issued the State with this hash;
// 0 when it is not known.
func (s *issuers) find(hash uint64) uint16 {
	all := s.entries.Load()
	if all == nil {
		return 0
	}
	e := all[hash&0xffff].Load()
	if e&^0xffff != hash&^0xffff {
		return 0
	}
	return uint16(e)
}
