package dtlsfront

import (
	"container/list"
	"net/netip"

	"radsec-gw/locks"
)

// admission limits the handshakes at one time. Each is of a peer that has returned a cookie
// from its address. At the limit the oldest of the source with the most is ended: so the share
// of each source shrinks as others arrive, and a single source may use everything.
type admission struct {
	mu      locks.Mutex[locks.DTLSAdmission] // guards what follows
	limit   int
	total   int
	sources map[netip.Addr]*list.List // of *pending, the oldest first
}

// enter adds a handshake, and returns the one that has to end for it; nil: none has.
func (a *admission) enter(p *pending) (displaced *pending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.total >= a.limit {
		displaced = a.largest().Front().Value.(*pending)
		a.remove(displaced)
	}
	of := a.sources[p.source]
	if of == nil {
		of = list.New()
		a.sources[p.source] = of
	}
	p.place = of.PushBack(p)
	a.total++
	return displaced
}

// resize changes the limit. Handshakes that exceed it stay.
func (a *admission) resize(limit int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = limit
}

// leave removes a handshake, if enter has not displaced it.
func (a *admission) leave(p *pending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove(p)
}

func (a *admission) remove(p *pending) {
	if p.place == nil {
		return
	}
	of := a.sources[p.source]
	of.Remove(p.place)
	p.place = nil
	a.total--
	if of.Len() == 0 {
		delete(a.sources, p.source)
	}
}

// largest returns the handshakes of the source that has the most. There are at most as many
// sources as handshakes, and this is done only for a peer that has returned a cookie.
func (a *admission) largest() (most *list.List) {
	for _, of := range a.sources {
		if most == nil || of.Len() > most.Len() {
			most = of
		}
	}
	return most
}

// sourceOf returns the source that an address belongs to: an IPv4 address, or an IPv6 /64,
// because a host may use any address of its link (RFC 4291 §2.5.1).
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
