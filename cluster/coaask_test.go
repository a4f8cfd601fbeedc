package cluster

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
	"radsec-gw/dynauth"
)

// A question that has waited so long that a gateway might take it when this one has given up is
// not sent: its sender has got a NAK, and the NAS must not be sent the request. With time for one
// step it is sent.
//
// Rules: GW3, RC7
func TestLittleTimeLeft(t *testing.T) {
	servers := natstest.Start(t, 1)
	other := startCoA(t, servers, usual)
	n := other.connect("a", attr{sessionID, "s"})
	slow := servers.Connect()
	asked, err := slow.SubscribeSync("test.coa.name.*") // holds up what is asked for
	if err != nil {
		t.Fatal(err)
	}
	_ = slow.Flush()
	for _, x := range []struct {
		whole time.Duration // what is left of it when the question is asked
		sent  int
	}{
		{20 * time.Millisecond, 0},
		{usual.coa.late, 0},
		{usual.coa.late + 50*time.Millisecond, 0}, // the fastest message and the reply are on their way for a time, too
		{usual.coa.step, 1},
	} {
		t.Run(x.whole.String(), func(t *testing.T) {
			o := usual
			o.coa.whole = x.whole
			asker := startCoA(t, servers, o)
			awaitPeers(t, []*coaGateway{asker, other})
			s := asker.sender()
			s.wantNAK(s.send(attr{nasID, "ap"}, attr{sessionID, "s"}))
			_ = asker.conn.NATS().FlushTimeout(patience)
			_ = slow.Flush()
			got, _, _ := asked.Pending()
			if got != x.sent {
				t.Errorf("with %v left the others are asked %d times, expected %d", x.whole, got, x.sent)
			}
			for range got { // it arrives when its sender has got the NAK
				m, err := asked.NextMsg(patience)
				if err != nil {
					t.Fatal(err)
				}
				_ = slow.PublishMsg(&nats.Msg{Subject: "test.coa.to." + other.coa.name, Reply: m.Reply, Data: m.Data})
			}
			_ = slow.Flush()
			until(t, "that the other gateway has handled it", func() bool { return other.value("coa_served_total") >= float64(got) })
			if len(n.got) > 0 {
				t.Error("the NAS is sent a request whose sender has got a NAK")
				n.next()
			}
			asker.stop()
			until(t, "that the other gateway no longer knows it", func() bool { return other.coa.peers.count(other.coa.now(), time.Hour) == 0 })
		})
	}
}

// Before its replies would arrive, a gateway asks nobody.
//
// Rules: GW3, RC7
func TestAskBeforeRepliesArrive(t *testing.T) {
	servers := natstest.Start(t, 1)
	for _, begun := range []bool{false, true} {
		g := startCoA(t, servers, usual)
		awaitPeers(t, []*coaGateway{g})
		late := newCoA(g.conn, g.server, "late", g.coa.metrics, g.coa.log, quickCoA)
		late.active.Store(begun)
		if late.Ask(&dynauth.Question{}) {
			t.Errorf("it asks, though it does not listen to replies; Run has begun: %v", begun)
		}
		if got := g.value("coa_asks_total", "not_connected"); got != 1 {
			t.Errorf("%v are counted as not connected, expected 1", got)
		}
		late.heard.Store(g.conn.NATS())
		if late.Ask(&dynauth.Question{}) != begun {
			t.Errorf("when it listens to replies, it asks: %v, expected %v", !begun, begun)
		}
	}
}
