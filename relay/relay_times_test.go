package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/metrics"
)

// A request that is resent, or moves to another server, has the times that its client sent,
// however late it is by then (bis §6.2.3, RFC 5176 §6.3).
// Rules: P57, P58
func TestTimesAreNotRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: "the second's secret"})
		conn, _ := b.open()
		q := makeRequest(4, 9, 0, nemo, integer(55, 1234), integer(41, 9))
		b.send(conn, q)
		pass(31 * time.Second)
		at := map[string]int{}
		for _, d := range b.net.seen() {
			if d.octets[0] != q[0] {
				continue
			}
			at[d.address]++
			if joined(d.octets, 55) != joined(q, 55) || joined(d.octets, 41) != joined(q, 41) {
				t.Errorf("after %v: Event-Timestamp %x and Acct-Delay-Time %x, expected the client's", d.at, joined(d.octets, 55), joined(d.octets, 41))
			}
		}
		if len(at) != 2 || at["a:1813"] < 2 {
			t.Errorf("transmissions by address: %v, expected several to the first server and some to the second", at)
		}
		if conn.Outstanding() != 0 {
			t.Error("the request is still in flight after its schedule")
		}
		b.wantFates("accounting/" + metrics.FateServerSilent.String() + "=1")
	})
}
