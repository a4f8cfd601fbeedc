package cluster

import (
	"encoding/binary"
	"testing"
	"time"
)

// A gateway is present for 35 s after its last announcement, and its marker is remembered for ten
// minutes.
//
// Rules: GW5
func TestReplicas(t *testing.T) {
	var r replicas
	now := time.Unix(1000, 0)
	one, two := ReplicaID{1}, ReplicaID{2}
	heard := func(id ReplicaID, marker MarkerID, at time.Duration, want bool) {
		t.Helper()
		if news, full := r.heard(id, marker, now.Add(at)); news != want || full {
			t.Errorf("heard at %v: news is %v and full is %v, expected %v and false", at, news, full, want)
		}
	}
	current := func(at time.Duration, present int, markers ...MarkerID) {
		t.Helper()
		n, got := r.current(now.Add(at))
		ok := n == present && len(got) == len(markers)
		for _, m := range markers {
			_, has := got[m]
			ok = ok && has
		}
		if !ok {
			t.Errorf("at %v: %d are present with the markers %v, expected %d and %v", at, n, got, present, markers)
		}
	}
	current(0, 0)
	heard(one, MarkerID{1}, 0, true)
	heard(two, MarkerID{}, 0, true) // it marks nothing
	heard(one, MarkerID{1}, time.Second, false)
	current(time.Second, 2, MarkerID{1})
	heard(one, MarkerID{3}, 2*time.Second, true)
	current(35*time.Second, 2, MarkerID{3})
	current(36*time.Second, 1, MarkerID{3})
	current(38*time.Second, 0, MarkerID{3})
	current(602*time.Second, 0, MarkerID{3})
	current(603*time.Second, 0)
	heard(one, MarkerID{3}, 604*time.Second, true)
}

// There is a bound on the gateways that are remembered: those that are gone make way, and one of
// those that are present never does.
//
// Rules: GW5, GW6
func TestManyReplicas(t *testing.T) {
	var r replicas
	now := time.Unix(1000, 0)
	id := func(i int) (id ReplicaID) {
		binary.BigEndian.PutUint64(id[:], uint64(i))
		return id
	}
	for i := range 1000 {
		if news, full := r.heard(id(i), MarkerID{1}, now); !news || full {
			t.Fatalf("gateway %d is not remembered", i)
		}
	}
	if _, full := r.heard(id(1000), MarkerID{2}, now.Add(35*time.Second)); !full {
		t.Error("the 1001st is remembered, expected that it is not")
	}
	if news, full := r.heard(id(999), MarkerID{2}, now.Add(35*time.Second)); !news || full {
		t.Error("one that is known is not remembered any longer")
	}
	if _, full := r.heard(id(1000), MarkerID{2}, now.Add(36*time.Second)); full || len(r.known) != 2 {
		t.Errorf("%d are known, expected that those who are gone make way", len(r.known))
	}
}
