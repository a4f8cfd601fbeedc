package resolve

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Lookup returns the addresses of a host; network is "ip4" or "ip6". It returns
// soon after ctx is done. net.Resolver.LookupNetIP is one.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

const (
	// lookupTimeout bounds one look-up. The resolver of a system asks each name
	// server for 5 s, the default of resolv.conf(5).
	lookupTimeout = 5 * time.Second

	// starts is how many look-ups may begin within startHold: a look-up holds one of
	// as many places for that long or until it ends. A look-up lasts up to
	// lookupTimeout, so that at most 8 × (5 + 1) = 48 run at once however many names
	// hang; and 8 names that hang delay another by at most a second.
	starts    = 8
	startHold = time.Second

	// MaxLookups is how many look-ups run at once at the most, see starts.
	MaxLookups = starts * (int(lookupTimeout/startHold) + 1)

	// LookupDescriptors is how many descriptors one look-up has open: a socket for
	// each family.
	LookupDescriptors = 2

	// familyGrace is how long the answer of one family waits for the other, so that
	// a name with both does not change twice (RFC 8305 §3, Resolution Delay).
	familyGrace = 50 * time.Millisecond

	// shortestPause is between the beginnings of two look-ups of one name, even after
	// Refresh.
	shortestPause = time.Second

	// longestBackoff bounds the pause after failures where the interval does not.
	longestBackoff = 30 * time.Second
)

// Resolver starts look-ups of many names, a bounded number at a time.
type Resolver struct {
	lookup Lookup
	places chan struct{}
}

// New returns a Resolver that calls lookup.
func New(lookup Lookup) *Resolver {
	return &Resolver{lookup: lookup, places: make(chan struct{}, starts)}
}

// acquire waits for a place. The place is free again after startHold, or when release is
// called. ok is false when ctx is done.
func (r *Resolver) acquire(ctx context.Context) (release func(), ok bool) {
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	release = sync.OnceFunc(func() { <-r.places })
	time.AfterFunc(startHold, release)
	return release, true
}
