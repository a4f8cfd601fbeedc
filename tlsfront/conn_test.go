package tlsfront

import (
	"testing"
	"testing/synctest"
	"time"
)

// After a failed handshake its processor pauses, so that peers that fail repeatedly use
// only a part of it.
func TestPauseAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &conn{cpu: make(chan struct{}, 1)}
		for _, row := range []struct{ computed, want time.Duration }{
			{400 * time.Microsecond, 1200 * time.Microsecond},
			{time.Second, maxFailurePause}, // it was interrupted
		} {
			c.cpuTime = 0
			c.acquireCPU()
			<-time.After(row.computed)
			before := time.Now()
			c.pauseAfterFailure()
			if took := time.Since(before); took != row.want {
				t.Errorf("after %v of computing it rested for %v, expected %v", row.computed, took, row.want)
			}
			c.releaseCPU()
		}
	})
}
