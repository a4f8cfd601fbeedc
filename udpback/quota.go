package udpback

import (
	"sync"
	"sync/atomic"
)

// Quota counts the Identifiers that one client holds at each port, those included whose
// request it has given up: an Identifier stays taken until a valid reply or its
// schedule's end (RFC 5080 §2.2.2). The zero value is ready for use.
type Quota struct{ ports sync.Map } // *endpoint: *usage

// usage counts how many Identifiers one client holds at one port.
type usage struct{ n atomic.Int64 }

// at returns the usage of the client at a port; nil when the client is not counted.
func (q *Quota) at(e *endpoint) *usage {
	if q == nil {
		return nil
	}
	if u, ok := q.ports.Load(e); ok {
		return u.(*usage)
	}
	u, known := q.ports.LoadOrStore(e, new(usage))
	if !known {
		q.removeClosed()
	}
	return u.(*usage)
}

// removeClosed removes the ports that are closed, so that the memory for servers that
// were removed is freed. Slots of such a port keep their usage.
func (q *Quota) removeClosed() {
	q.ports.Range(func(e, _ any) bool {
		if e.(*endpoint).sockets.isClosed() {
			q.ports.Delete(e)
		}
		return true
	})
}

// exceeds reports whether the client holds its share of the port: when only a quarter of
// the Identifiers is free, a client may hold no more Identifiers than are free. The limit
// shrinks with everything that others hold, so that a client that holds few finds some
// free, however many clients hold many.
func (u *usage) exceeds(outstanding, capacity int64) bool {
	return u != nil && outstanding >= capacity*3/4 && u.n.Load() >= max(1, capacity-outstanding)
}

// add changes how many Identifiers the client holds; a nil usage counts nothing.
func (u *usage) add(n int64) {
	if u != nil {
		u.n.Add(n)
	}
}
