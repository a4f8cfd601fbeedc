package udpback

import (
	"sync"
	"sync/atomic"
)

// Quota counts the Identifiers that one client holds at each port, those included
// whose request it has given up: an Identifier rests until a valid reply or its
// schedule's end (RFC 5080 §2.2.2), whoever asked. The zero value is ready.
type Quota struct{ ports sync.Map } // *endpoint: *holding

// usage counts how many Identifiers one client holds at one port.
type usage struct{ n atomic.Int64 }

// at returns the client's holding at a port; nil when the client is not counted.
func (s *Quota) at(e *endpoint) *usage {
	if s == nil {
		return nil
	}
	if h, ok := s.ports.Load(e); ok {
		return h.(*usage)
	}
	h, known := s.ports.LoadOrStore(e, new(usage))
	if !known {
		s.removeClosed()
	}
	return h.(*usage)
}

// removeClosed removes the ports that are closed, so that nothing remains of servers that
// come and go. A slot there still has its usage.
func (s *Quota) removeClosed() {
	s.ports.Range(func(e, _ any) bool {
		if e.(*endpoint).sockets.isClosed() {
			s.ports.Delete(e)
		}
		return true
	})
}

// exceeds reports whether the client uses more than the others can spare: in the last
// quarter of a port a client may hold no more Identifiers than are free. The limit
// shrinks with everything that others hold, so that a client that holds few finds
// some free, however many clients hold many.
func (h *usage) exceeds(outstanding, capacity int64) bool {
	return h != nil && outstanding >= capacity*3/4 && h.n.Load() >= max(1, capacity-outstanding)
}

// add changes how many Identifiers the client holds; a nil holding counts nothing.
func (h *usage) add(n int64) {
	if h != nil {
		h.n.Add(n)
	}
}
