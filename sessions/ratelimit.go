package sessions

import (
	"time"

	"radsec-gw/locks"
)

// RateLimiter limits a client, on all its connections together, to a number of packets
// and octets per second. Up to a second's worth may arrive at once.
type RateLimiter struct {
	// static after construction
	perPacket, perOctet time.Duration // the time that each takes; 0: no limit. Octets in 1/1024 ns.

	mu                  locks.Mutex[locks.RateLimiter] // guards what follows
	packetsAt, octetsAt time.Time                      // when everything allowed so far would have arrived at a constant rate
}

// octetScale makes perOctet at least 1 at any rate in use.
const octetScale = 1024

// newRateLimiter returns nil if there is no such limit.
func newRateLimiter(packetsPerSecond, octetsPerSecond int) *RateLimiter {
	if packetsPerSecond <= 0 && octetsPerSecond <= 0 {
		return nil
	}
	r := &RateLimiter{}
	if packetsPerSecond > 0 {
		r.perPacket = time.Second / time.Duration(packetsPerSecond)
	}
	if octetsPerSecond > 0 {
		r.perOctet = octetScale * time.Second / time.Duration(octetsPerSecond)
	}
	return r
}

// Allow allows a packet of n octets, or returns how long to wait before the next
// attempt. low reports whether no more than half of the second's worth is used.
func (r *RateLimiter) Allow(now time.Time, n int) (wait time.Duration, low bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	octets := time.Duration(n) * r.perOctet / octetScale
	ahead := max(r.packetsAt.Sub(now), r.octetsAt.Sub(now), 0)
	if ahead > time.Second {
		return ahead - time.Second, false
	}
	r.packetsAt = later(r.packetsAt, now).Add(r.perPacket)
	r.octetsAt = later(r.octetsAt, now).Add(octets)
	return 0, ahead < time.Second/2
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
