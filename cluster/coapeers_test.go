package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/cluster/natstest"
	"radsec-gw/dynauth"
	"radsec-gw/metrics"
)

// A gateway is known until it has been silent for long, or has said that it stops; no more are
// known than the bound.
//
// Rules: GW3, GW6
func TestPeers(t *testing.T) {
	p := coaPeers{byName: map[string]*coaPeer{}}
	const silent = 6 * time.Second
	want := func(now time.Duration, n int) {
		t.Helper()
		if got := p.count(now, silent); got != n {
			t.Errorf("%d gateways are known, expected %d", got, n)
		}
	}
	if !p.heard("a", 0, 0, silent) || p.heard("a", 0, time.Second, silent) || !p.heard("b", 0, 2*time.Second, silent) {
		t.Error("new gateways are not told from known ones")
	}
	want(7*time.Second, 2)
	want(8*time.Second, 1)
	p.left("b")
	want(8*time.Second, 0)
	for i := range 2 * maxPeers {
		p.heard(fmt.Sprint(i), 0, 10*time.Second, silent)
	}
	want(10*time.Second, maxPeers-1) // "a" is silent, and remembered
	if p.delay("a", 0, 10*time.Second) != 10*time.Second || !p.heard("a", 0, 11*time.Second, silent) {
		t.Error("the clock of a silent gateway is not remembered")
	}
	p.heard("0", 0, 12*time.Minute, silent)
	if len(p.byName) != 1 {
		t.Errorf("%d gateways are remembered for ever", len(p.byName))
	}
}

// How long a message was on its way follows from the others of its gateway, whose clock may be
// any; after a pause of that gateway's machine its clock is learned anew.
//
// Rules: GW3
func TestDelay(t *testing.T) {
	p := coaPeers{byName: map[string]*coaPeer{}}
	const ms = time.Millisecond
	if got := p.delay("a", time.Hour, 0); got != 0 {
		t.Errorf("a message of an unknown gateway was on its way for %v", got)
	}
	for i, way := range []time.Duration{300, 5, 1, 80, 2} {
		clock := time.Duration(i) * time.Second
		p.heard("a", clock, 90*time.Minute+clock+way*ms, time.Hour)
	}
	if got := p.delay("a", 7*time.Second, 90*time.Minute+7*time.Second+41*ms); got != 40*ms {
		t.Errorf("it was on its way for %v, expected 40 ms", got)
	}
	for i := range maxOffsets {
		clock := time.Duration(10+i) * time.Second
		p.heard("a", clock, 91*time.Minute+clock+3*ms, time.Hour)
	}
	if got := p.delay("a", 30*time.Second, 91*time.Minute+30*time.Second+13*ms); got != 10*ms {
		t.Errorf("after a pause it was on its way for %v, expected 10 ms", got)
	}
}

// Whoever has a gateway seem to come and go has the others say that they are there no more often
// than every roundGap; what is new after that is told at once.
//
// Rules: GW6
func TestBeatsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &Conn{cfg: Config{Metrics: newMetrics()}}
		conn.connected.Store(true)
		c := newCoA(conn, nil, "test", metrics.New(prometheus.NewRegistry()).ClusterAsks(), slog.New(slog.DiscardHandler), defaultCoATimes)
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go c.beat(ctx)
		go c.hear(ctx)
		flood := func() {
			for range 100 {
				c.beats <- &nats.Msg{Data: encodeBeat(messageBeat, "f0", 0)}
				synctest.Wait()
				c.beats <- &nats.Msg{Data: encodeBeat(messageBye, "f0", 0)}
				synctest.Wait()
			}
		}
		told := func(want int) {
			t.Helper()
			if synctest.Wait(); len(c.out) != want {
				t.Errorf("after %v the others were told %d times that the gateway is there, expected %d", c.now(), len(c.out), want)
			}
		}
		told(1)
		flood()
		told(1)
		<-time.After(roundGap)
		told(2)
		flood()
		<-time.After(4 * roundGap)
		told(4) // once more for what has come while it waited
		c.beats <- &nats.Msg{Data: encodeBeat(messageBeat, "f1", 0)}
		told(5)
	})
}

// Names beyond the bound are counted and logged, and their NASes are found by asking all
// gateways. What waits to be subscribed to is bounded, too: then all names are looked at.
//
// Rules: GW3, GW6
func TestTooManyNames(t *testing.T) {
	servers := natstest.Start(t, 1)
	g, asker := startCoA(t, servers, usual), startCoA(t, servers, usual)
	awaitPeers(t, []*coaGateway{g, asker})
	g.coa.maxNames = 2
	first := g.connect("a", attr{nasID, "first"})
	n := &nas{g: g, got: make(chan []byte, 10)}
	n.link = g.server.Open(g.clients["a"], dynauth.LinkConfig{Peer: n, Device: "second"})
	v := viewOf(t, encode(t, request(1, 1, radsec, attr{nasID, "second"})))
	n.link.Arrived(v, 0)
	until(t, "that one is refused", func() bool {
		return g.value("coa_names_refused_total") > 0 && g.log.counts("65,536 names") == 1
	})
	if got := g.value("coa_names"); got != 2 {
		t.Errorf("%v names are subscribed to, expected 2", got)
	}
	s := asker.sender()
	s.wantACK(first, s.send(attr{nasID, "first"}))
	s.wantACK(n, s.send(attr{nasID, "second"}))

	for i := range 3 * maxNew {
		asker.coa.names.add(dynauth.Name{byte(i), byte(i >> 8)})
	}
	if list, missed := asker.coa.names.take(nil); len(list) != maxNew || !missed {
		t.Errorf("%d names wait, more: %t", len(list), missed)
	}
}
