package cluster

import (
	"context"
	"testing"
	"time"

	"radsec-gw/cluster/natstest"
)

// What NATS delivers faster than it is handled is counted, whether it arrives by a gateway's own
// subjects or by a name, and so is what was dropped before the gateway unsubscribes.
//
// Rules: GW6
func TestDroppedCoAIsCounted(t *testing.T) {
	servers := natstest.Start(t, 1)
	o := usual
	o.coa.names = 20 * time.Millisecond
	g := startCoA(t, servers, o)
	await(t, g.conn, true)
	g.connect("a", attr{nasID, "ap"})
	g.stopCoA()
	c := newCoA(g.conn, g.server, "other", g.coa.metrics, g.coa.log, o.coa) // nobody reads what arrives
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	subscribed := make(chan struct{})
	go func() { defer close(subscribed); c.subscribe(ctx) }()
	until(t, "that it subscribes", func() bool { return g.value("coa_names") >= 2 })
	_ = g.conn.NATS().FlushTimeout(patience)
	forger := servers.Connect()
	name := ""
	for n := range g.server.Reachable() {
		name = c.subject(n)
	}
	dropped := func() float64 { return g.value("cluster_receive_dropped_total", "coa") }
	send := func(n int, subject string) {
		t.Helper()
		for range n {
			publish(t, forger, subject, "", []byte("x"))
		}
		_ = forger.Flush()
	}
	send(maxIn+10, "other.coa.find")
	until(t, "that ten are counted", func() bool { return dropped() == 10 })
	send(maxIn+20, name)
	until(t, "that twenty more are counted", func() bool { return dropped() == 30 })
	send(maxIn+5, "other.coa.gateways")
	_ = g.conn.NATS().FlushTimeout(patience) // what was sent before has arrived
	cancel()
	<-subscribed
	if got := dropped(); got != 35 {
		t.Errorf("%v are counted as dropped, expected 35", got)
	}
}

// What does not fit into the queue of messages is counted; what finds no connection is, too.
//
// Rules: GW6
func TestUnsentCoAIsCounted(t *testing.T) {
	servers := natstest.Start(t, 1)
	g := startCoA(t, servers, usual)
	await(t, g.conn, true)
	g.stopCoA()
	before := g.value("cluster_dropped_total", "coa")
	for range maxOut + 10 {
		g.coa.reply("test.coa.reply.f0.1", coaReply{kind: replyTaken})
	}
	if got := g.value("cluster_dropped_total", "coa") - before; got < 10 || got > maxOut/2 {
		t.Errorf("%v are counted as dropped, expected 10 and what had waited before", got)
	}
	servers.KillAll()
	await(t, g.conn, false)
	before = g.value("cluster_dropped_total", "coa")
	g.coa.publishNow(<-g.coa.out)
	if got := g.value("cluster_dropped_total", "coa") - before; got != 1 {
		t.Errorf("%v are counted as dropped without a connection, expected 1", got)
	}
}

// That a gateway is no longer asked is told by the goroutine that publishes, once, and after the
// gateway has unsubscribed: unsubscribing must not wait for NATS.
//
// Rules: GW3
func TestByeIsPublishedLast(t *testing.T) {
	servers := natstest.Start(t, 1)
	g := startCoA(t, servers, usual)
	await(t, g.conn, true)
	observer := servers.Connect()
	told, err := observer.SubscribeSync("test.coa.gateways")
	if err != nil {
		t.Fatal(err)
	}
	_ = observer.Flush()
	byes := func() (n int) {
		_ = g.conn.NATS().FlushTimeout(patience)
		_ = observer.Flush()
		waiting, _, _ := told.Pending()
		for range waiting {
			m, err := told.NextMsg(patience)
			if err != nil {
				t.Fatal(err)
			}
			if m.Data[0] == messageBye {
				n++
			}
		}
		return n
	}
	c := newCoA(g.conn, g.server, "test", g.coa.metrics, g.coa.log, usual.coa)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); c.subscribe(ctx) }()
	until(t, "that it subscribes", func() bool { return len(c.beatNow) > 0 })
	cancel()
	<-done
	if n := byes(); n != 0 {
		t.Errorf("%d messages say that the gateway stops when it has unsubscribed, and nothing publishes: expected none", n)
	}
	g.stopCoA()
	if n := byes(); n != 1 {
		t.Errorf("%d messages say that the gateway stops, expected 1", n)
	}
}
