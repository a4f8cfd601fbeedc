package udpback

import (
	"testing"

	"radsec-gw/wire"
)

// Each of the 256 Identifiers is given out once. Those that come back are given out
// again in the order of their coming back, whatever that is, and never one that is in use.
// Rules: P26
func TestIdentifiersComeBackInAnyOrder(t *testing.T) {
	var q identifiers
	q.init()
	inUse := map[wire.ServerID]bool{}
	take := func() wire.ServerID {
		t.Helper()
		id, ok := q.acquire()
		if !ok {
			t.Fatalf("no Identifier is free, expected %d", 256-len(inUse))
		}
		if inUse[id] {
			t.Fatalf("Identifier %d was given out twice", id)
		}
		inUse[id] = true
		return id
	}
	give := func(id wire.ServerID) {
		q.release(id)
		delete(inUse, id)
	}
	for range 256 {
		take()
	}
	if id, ok := q.acquire(); ok || id != 0 {
		t.Errorf("all are in use, and take returned %d, %v; expected 0, false", id, ok)
	}
	for round := range 3 {
		order := []wire.ServerID{200, 3, 77, 255, 0, wire.ServerID(10 + round)}
		for _, id := range order {
			give(id)
		}
		for _, want := range order {
			if got := take(); got != want {
				t.Errorf("round %d: Identifier %d was given out, expected %d, which is free longest", round, got, want)
			}
		}
	}
	if q.free != 0 {
		t.Errorf("%d Identifiers are free, expected none", q.free)
	}
}
