package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// A request with State does not wait for the server that issued it when that one is
// known to be down: another is asked at once, which may begin anew.
// Rules: P66
func TestStateOfADeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", probed), f.server(t, "b", probed)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		g.rememberIssuer(&Exchange{progress: progress{ep: a.endpoint(wire.KindAccess)}}, []byte("state"))
		pass(time.Minute) // probes have found it out
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Down {
			t.Fatalf("a is %v, expected down: it answers nothing", s)
		}
		o := newOwner(radius.CodeAccessRequest)
		o.HasState, o.StateHash = true, Hash([]byte("state"))
		before := time.Now()
		f.start(t, g, o)
		<-o.ended
		if took := time.Since(before); o.outcome() != accepted || took > 100*time.Millisecond {
			t.Errorf("%s after %v, expected b's Access-Accept at once", o.outcome(), took)
		}
		if server, _, sends := o.Served(); server != "b" || sends != 1 {
			t.Errorf("sent %d times, last to %s; expected once, to b", sends, server)
		}
	})
}
