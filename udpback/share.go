package udpback

import "sync/atomic"

// Share counts the Identifiers that one client holds on all servers, those
// included whose request it has given up: an Identifier rests until a valid reply
// or its schedule's end (RFC 5080 §2.2.2), whoever asked. The zero value is ready.
type Share struct{ held atomic.Int64 }

// exceeds says whether the client takes more than the others can spare: more
// than half of a port that is three quarters full. However many Identifiers one
// client burns, the last quarter stays for the rest.
func (s *Share) exceeds(outstanding, capacity int64) bool {
	return s != nil && outstanding >= capacity*3/4 && s.held.Load() >= capacity/2
}

// add changes how many Identifiers the client holds; a nil Share counts nothing.
func (s *Share) add(n int64) {
	if s != nil {
		s.held.Add(n)
	}
}
