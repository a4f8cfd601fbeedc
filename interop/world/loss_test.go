package world

import (
	"fmt"
	"testing"
	"time"
)

// A way that loses, delays, doubles and reorders datagrams, both ways: everything
// is answered, once, and the books close.
func TestLossDelayReordering(t *testing.T) {
	t.Parallel()
	w, wire := newWiredWorld(t)
	s := w.server("10.0.0.10", nil)
	// Lost on one way or the other: 19 %. Ten times in a row: one of 16 million.
	g := w.start(setup{rest: backend("server", "10.0.0.10", "acct_port = 1812", `retransmit_initial = "500ms"`, `retransmit_max = "2s"`, "retransmit_count = 10") +
		route("*", to("server"), `packets = ["access", "accounting"]`)})
	c := w.dial()
	if e := c.login("before@test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	wire.set(path{lose: 10, double: 10, delay: 10 * time.Millisecond, jitter: 60 * time.Millisecond})
	var all exchanges
	for i := range 200 {
		all = append(all, c.login(fmt.Sprintf("u%d@test", i)))
		if i%2 == 0 {
			all = append(all, c.accounting(fmt.Sprintf("u%d@test", i)))
		}
		time.Sleep(10 * time.Millisecond)
	}
	sum := all.wait(patience)
	wire.set(path{})
	t.Logf("10 %% lost, 10 %% doubled, 10 to 70 ms each way: %v", sum)
	if !sum.all() {
		t.Errorf("10 %% lost, 10 %% doubled, 10 to 70 ms each way: %v, expected all granted", sum)
	}
	time.Sleep(200 * time.Millisecond) // what was on the way has arrived
	m := g.metrics()
	sent, resent := m.sum("radsec_gw_server_requests_sent_total"), m.sum("radsec_gw_server_requests_resent_total")
	lost, doubled := wire.toServer()
	saw := float64(len(s.requests()))
	t.Logf("the gateway sent %.0f and resent %.0f; the wire lost %d and doubled %d of what it carried to the server; the server saw %.0f requests and %d probes",
		sent, resent, lost, doubled, saw, len(s.probed()))
	if s.fresh() != len(all)+1 {
		t.Errorf("the server saw %d different requests, expected %d: the first and each login and accounting request once", s.fresh(), len(all)+1)
	}
	if sent != float64(len(all)+1) {
		t.Errorf("%v requests count as sent, expected %d", sent, len(all)+1)
	}
	// Probes are not in sent and resent; so the wire's counts are of requests and probes.
	if probes := m.sum("radsec_gw_server_probes_total"); probes == 0 && sent+resent-float64(lost)+float64(doubled) != saw {
		t.Errorf("sent %v and resent %v, of which %d were lost and %d doubled, make %v, and the server saw %v",
			sent, resent, lost, doubled, sent+resent-float64(lost)+float64(doubled), saw)
	}
	if fates := m.sum("radsec_gw_requests_total", `fate="relayed"`); fates != float64(len(all)+1) {
		t.Errorf("%v requests count as relayed, expected %d", fates, len(all)+1)
	}
}
