package cluster

import (
	"time"

	"radsec-gw/locks"
)

const (
	// announceEvery is how often a gateway says that it is there.
	announceEvery = 10 * time.Second
	// presentFor is how long after its last announcement a gateway counts as present: it
	// has missed three.
	presentFor = 35 * time.Second
	// rememberFor is how long its marker is remembered. A gateway that lost NATS still marks
	// its requests.
	rememberFor = 10 * time.Minute
	// maxReplicas bounds the gateways that are remembered.
	maxReplicas = 1000
)

// replicas are the other gateways.
type replicas struct {
	mu    locks.Mutex[locks.ClusterReplicas] // guards known
	known map[ReplicaID]replica
}

// replica is another gateway.
type replica struct {
	marker MarkerID
	seen   time.Time // its last announcement
}

// heard notes an announcement. news reports whether the gateway was not known, or has another
// marker than before; full whether it cannot be remembered.
func (r *replicas) heard(id ReplicaID, marker MarkerID, now time.Time) (news, full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.known[id]
	if !known && len(r.known) >= maxReplicas {
		r.forget(now.Add(-presentFor))
		if len(r.known) >= maxReplicas {
			return false, true
		}
	}
	if r.known == nil {
		r.known = map[ReplicaID]replica{}
	}
	r.known[id] = replica{marker, now}
	return !known || before.marker != marker, false
}

// current forgets gateways that were not heard of for long. It returns how many are present, and
// the markers of all that are remembered.
func (r *replicas) current(now time.Time) (present int, markers map[MarkerID]struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now.Add(-rememberFor))
	markers = map[MarkerID]struct{}{}
	for _, one := range r.known {
		if now.Sub(one.seen) <= presentFor {
			present++
		}
		if one.marker != (MarkerID{}) {
			markers[one.marker] = struct{}{}
		}
	}
	return present, markers
}

// forget forgets gateways that were last heard of before a time. Called with mu held.
func (r *replicas) forget(before time.Time) {
	for id, one := range r.known {
		if one.seen.Before(before) {
			delete(r.known, id)
		}
	}
}
