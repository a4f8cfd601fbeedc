package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// With short waits it is the number of transmissions that ends a schedule: five, where
// nothing else is set, and the wait after the last (RFC 5080 §2.2.1, MRC).
// Rules: P55
func TestFiveTransmissionsAreAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Schedule = Schedule{Initial: time.Second, Max: time.Second} })
		defer a.Close()
		o := newOwner(radius.CodeAccountingRequest)
		began := time.Now()
		f.start(t, f.group(t, Failover, a), o)
		<-o.ended
		if got := o.outcome(); got != "replies [] fails [0]" {
			t.Errorf("%s, expected one FailSilent", got)
		}
		if n := len(f.net.seen("a:1813")); n != 5 {
			t.Errorf("%d transmissions, expected 5", n)
		}
		if took := time.Since(began); took < 4400*time.Millisecond || took > 5600*time.Millisecond {
			t.Errorf("failed after %v, expected five waits of about 1s", took)
		}
	})
}
