//go:build linux

package world

import (
	"fmt"
	"testing"
	"time"
)

// A network that loses, delays, doubles and reorders datagrams, both ways: everything
// is answered, once, and the counts agree.
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
	m := g.Metrics()
	sent, resent, probes := m.Sum("radsec_gw_server_requests_sent_total"), m.Sum("radsec_gw_server_requests_resent_total"), m.Sum("radsec_gw_server_probes_total")
	lost, doubled := wire.toServer()
	saw, once := s.count(), len(all)+1
	t.Logf("the gateway sent %.0f, of which %.0f were probes, and resent %.0f; the wire lost %d and doubled %d of them; the server saw %d", sent, probes, resent, lost, doubled, saw)
	if arrived := sent + resent - float64(lost) + float64(doubled); arrived != float64(saw) {
		t.Errorf("the server saw %d datagrams, expected %v: what was sent and resent, without the lost, with the doubled", saw, arrived)
	}
	// More, where a port fell silent for a moment and its socket was renewed: what
	// waits goes out of the new one as a new request.
	if s.fresh() < once || sent-probes < float64(s.fresh()) {
		t.Errorf("the server saw %d different requests, and %v count as sent: expected %d or more, and no more than were sent", s.fresh(), sent-probes, once)
	}
	if fates := m.Sum("radsec_gw_requests_total", `fate="relayed"`); fates != float64(once) {
		t.Errorf("%v requests count as relayed, expected %d", fates, once)
	}
}
