package gateway

import (
	"testing"
	"time"
)

// A gateway in which a lock is held that everything else needs does not respond.
//
// Fault W12.
func TestRespondsNeedsTheLocks(t *testing.T) {
	o := startOutside(t, answering(t))
	responded := make(chan struct{})
	o.gw.reloading.Lock()
	go func() {
		o.gw.Responds()
		close(responded)
	}()
	select {
	case <-responded:
		t.Error("expected no response while the lock is held, got one")
	case <-time.After(100 * time.Millisecond):
	}
	o.gw.reloading.Unlock()
	<-responded
}
