package tlsfront

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/metrics"
)

// Where all slots are taken, the source that has the most of them gives one to another
// source as soon as a round trip is over, and to itself no sooner than a slow one must.
//
// Rules: P112
func TestLargestSourceYieldsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestAdmission(2)
		begin := func(from string) *arrival {
			a := arrivalFrom(from)
			d.enter(a, false, admissionLimits{connections: 100, silent: 100})
			d.requestSlot(a, time.Now().Add(time.Hour))
			a.waitingSince.Store(time.Now().UnixNano())
			return a
		}
		first, second := begin("192.0.2.1"), begin("192.0.2.1")
		sleep(yieldAfter)
		if same := begin("192.0.2.1"); same.stage != d.queued {
			t.Error("a third of the same source has a slot, expected it to wait")
		}
		other := begin("192.0.2.2")
		if other.stage != d.handshaking || first.result != metrics.HandshakeDisplaced || second.stage != d.handshaking {
			t.Errorf("another source has a slot: %v, the oldest of the largest source ended with %v; expected its slot to go to the other source", other.stage == d.handshaking, first.result)
		}
		if third := begin("192.0.2.3"); third.stage == d.handshaking {
			t.Error("a third source has a slot, though each of the others has one")
		}
		d.stop()
	})
}
