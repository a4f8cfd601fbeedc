package udpback

import "sync/atomic"

// states remembers which server issued which State, so that the next round of a
// conversation finds it (RFC 5080 §2.1.2). It is a cache of fixed size that
// forgets by overwriting: an entry holds the upper bits of the State's hash and
// the server's place in the group. Losing an entry costs nothing but the
// memory: the hash of the request's own attributes then decides, which agrees
// for all rounds of a conversation and on every replica.
type states struct{ entries [1 << 13]atomic.Uint64 }

// note remembers that the group's server number issued the State with this hash.
func (s *states) note(hash uint64, server int) {
	s.entries[hash%uint64(len(s.entries))].Store(hash&^0xff | uint64(server) | 0x80)
}

// issuer returns the server that issued the State with this hash.
func (s *states) issuer(hash uint64) (server int, ok bool) {
	e := s.entries[hash%uint64(len(s.entries))].Load()
	// The low octet is the server and a mark that tells an entry from none; the
	// bits of the hash that it hides are those that chose the entry.
	return int(e & 0x7f), e&0x80 != 0 && e&^0xff == hash&^0xff
}
