package dynauth

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"radsec-gw/wire"
)

// maxLinks is how many connections of a NAS are remembered.
const maxLinks = 4

// NAS is a NAS that was learned from the requests of a client: what it calls itself, and
// the connections that have carried it.
type NAS struct {
	// static after construction
	client   *Client
	hash     key // of what it calls itself, and of its client
	called   wire.NAS
	name     string // its NAS-Identifier, for people; "": none
	address  netip.Addr
	address6 netip.Addr

	epoch  atomic.Uint32                 // increased by Accounting-On and Accounting-Off: older sessions have ended
	gone   atomic.Bool                   // it was removed from the table
	links  atomic.Pointer[[]*Link]       // the connections that have carried it, the last first; at most maxLinks
	seen   atomic.Int64                  // when it was carried last, on the server's clock
	device atomic.Pointer[string]        // of the connection that carried it last
	names  atomic.Pointer[[]learnedName] // that other gateways find it by; nil: none yet

	newer, older *NAS // in the order of their last use; guarded by the shard's mu
}

// newNAS returns the NAS that a packet with these names is of.
func newNAS(client *Client, hash key, n *names) *NAS {
	s := &NAS{client: client, hash: hash, name: strings.ToValidUTF8(string(n.nasIdentifier), "\ufffd")}
	s.address, _ = netip.AddrFromSlice(n.nasIP)
	if !s.address.Is4() {
		s.address = netip.Addr{}
	}
	s.address6, _ = netip.AddrFromSlice(n.nasIPv6)
	if !s.address6.Is6() {
		s.address6 = netip.Addr{}
	}
	switch {
	case len(n.nasIdentifier) > 0:
		s.called.Identifier = string(n.nasIdentifier)
	case s.address.IsValid():
		s.called.Address = s.address.AsSlice()
	case s.address6.IsValid():
		s.called.Address = s.address6.AsSlice()
	}
	s.links.Store(new([]*Link))
	return s
}

// carry records that a connection carries the NAS. It reports whether no other did.
func (s *NAS) carry(l *Link, now time.Duration) (first bool) {
	s.seen.Store(int64(now))
	for {
		old := s.links.Load()
		if len(*old) > 0 && (*old)[0] == l {
			return false
		}
		first = s.link() == nil
		next := make([]*Link, 1, maxLinks)
		next[0] = l
		for _, other := range *old {
			if other != l && !other.closed.Load() && len(next) < maxLinks {
				next = append(next, other)
			}
		}
		if s.links.CompareAndSwap(old, &next) {
			s.device.Store(&l.Device)
			return first
		}
	}
}

// link returns the open connection that has carried the NAS last, nil if all are closed.
func (s *NAS) link() *Link {
	for _, l := range *s.links.Load() {
		if !l.closed.Load() {
			return l
		}
	}
	return nil
}

// sameLink reports whether a request for either of two NASes goes down the same connection.
func (s *NAS) sameLink(other *NAS) bool {
	if s == other {
		return true
	}
	l := s.link()
	return l != nil && l == other.link()
}

// replacedBy reports whether the NAS has no connection, and its device has another NAS now: it
// has come back with another address, for example.
func (s *NAS) replacedBy(other *NAS) bool {
	mine, theirs := s.device.Load(), other.device.Load()
	return s.link() == nil && other.link() != nil && mine != nil && theirs != nil && *mine == *theirs
}
