package relay

import "sync/atomic"

// Replicas are the identifiers in markers of other gateways that count as this one, because they
// share their requests: a request that one of them has sent to a server has looped if it arrives
// here. The zero value has none. It may be used by any goroutine.
type Replicas struct {
	ids atomic.Pointer[map[[markerSelf]byte]struct{}] // nil: none
}

// Set replaces the identifiers. The caller must not change the map any more.
func (r *Replicas) Set(ids map[[markerSelf]byte]struct{}) { r.ids.Store(&ids) }

// has reports whether an identifier is that of a replica.
func (r *Replicas) has(id [markerSelf]byte) bool {
	if r == nil {
		return false
	}
	ids := r.ids.Load()
	if ids == nil {
		return false
	}
	_, ok := (*ids)[id]
	return ok
}

// WithReplicas returns a marker that recognizes those of replicas, too, as they are at the time.
func (m *Marker) WithReplicas(r *Replicas) *Marker {
	with := *m
	with.replicas = r
	return &with
}
