package udpback

import (
	"math/rand/v2"
	"time"

	"radsec-gw/config/defaults"
)

// Schedule holds the four retransmission parameters of RFC 5080 §2.2.1.
// A zero field means its default, which is in package defaults.
type Schedule struct {
	Initial  time.Duration // IRT: the first wait, before jitter
	Max      time.Duration // MRT: no wait is longer, before jitter
	Count    int           // MRC: transmissions in all, the first included
	Duration time.Duration // MRD: the request has failed by then
}

// withDefaults fills the fields that are zero.
func (s Schedule) withDefaults() Schedule {
	if s.Initial == 0 {
		s.Initial = defaults.RetransmitInitial
	}
	if s.Max == 0 {
		s.Max = defaults.RetransmitMax
	}
	if s.Count == 0 {
		s.Count = defaults.RetransmitCount
	}
	if s.Duration == 0 {
		s.Duration = defaults.RetransmitDuration
	}
	return s
}

// first returns the wait after the first transmission: IRT ± 10 % (RFC 5080 §2.2.1).
func (s *Schedule) first(jitter float64) time.Duration {
	return vary(s.Initial, jitter)
}

// next returns the wait that follows prev: twice that ± 10 % of prev, and about MRT once
// that would exceed it (RFC 5080 §2.2.1).
func (s *Schedule) next(prev time.Duration, jitter float64) time.Duration {
	rt := 2*prev + time.Duration(jitter*float64(prev))
	if rt > s.Max {
		return vary(s.Max, jitter)
	}
	return rt
}

// Waits returns the waits that follow the transmissions of a request that stays
// unanswered, those that begin before it has failed. jitter, from -0.1 to 0.1, lengthens
// each wait by that part.
func (s Schedule) Waits(jitter float64) (waits []time.Duration) {
	s = s.withDefaults()
	at, wait := time.Duration(0), s.first(jitter)
	for at < s.Duration && len(waits) < s.Count {
		waits = append(waits, wait)
		at += wait
		wait = s.next(wait, jitter)
	}
	return waits
}

func vary(d time.Duration, jitter float64) time.Duration {
	return d + time.Duration(jitter*float64(d))
}

// jitter draws the RAND of RFC 5080 §2.2.1, uniform in ±0.1. It keeps many
// requests from resending in step; nothing secret depends on it.
func jitter() float64 {
	return (rand.Float64() - 0.5) / 5
}
