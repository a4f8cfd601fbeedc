package cluster

import (
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
	"radsec-gw/metrics"
)

// gateway is what a Sharing is told, and learns.
type gateway struct {
	*Sharing
	conn    *Conn
	metrics *metrics.Cluster
	log     *log

	mu      sync.Mutex
	markers map[MarkerID]struct{}
	issuers []Issuer
}

// share begins to share until the test ends.
func share(t *testing.T, servers *natstest.Cluster, marker MarkerID) *gateway {
	t.Helper()
	return shareBy(t, Config{URLs: servers.URLs(), Prefix: "a.b"}, marker)
}

// shareBy is share with a configuration.
func shareBy(t *testing.T, cfg Config, marker MarkerID) *gateway {
	t.Helper()
	g := &gateway{metrics: newMetrics()}
	cfg.Metrics = g.metrics
	g.conn, g.log = connect(t, cfg)
	g.Sharing = NewSharing(g.conn, SharingConfig{
		Prefix: cfg.Prefix, Metrics: g.metrics, Log: slog.New(slog.NewTextHandler(g.log, nil)),
		Marker: func() MarkerID { return marker },
		Markers: func(all map[MarkerID]struct{}) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.markers = all
		},
		Remember: func(i Issuer) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.issuers = append(g.issuers, i)
		},
	})
	t.Cleanup(func() { closeAll(t, g.Sharing) })
	return g
}

// knows reports whether a gateway knows the markers of others, and no more.
func (g *gateway) knows(markers ...MarkerID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range markers {
		if _, ok := g.markers[m]; !ok {
			return false
		}
	}
	return len(g.markers) == len(markers)
}

func (g *gateway) learned() []Issuer {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.issuers)
}

// Gateways learn each other's markers, one that comes later those of the others at once, and after
// a loss of NATS too. What they tell of States arrives in order at all others, and not at themselves.
//
// Rules: GW5
func TestSharing(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	a, b := share(t, servers, MarkerID{1}), share(t, servers, MarkerID{2})
	until(t, "two gateways that know each other", func() bool { return a.knows(MarkerID{2}) && b.knows(MarkerID{1}) })
	began := time.Now()
	c := share(t, servers, MarkerID{}) // without markers
	until(t, "three gateways that know each other", func() bool {
		return c.knows(MarkerID{1}, MarkerID{2}) && a.Replicas() == 2 && b.Replicas() == 2 && c.Replicas() == 2
	})
	if took := time.Since(began); took > announceEvery/2 {
		t.Errorf("that took %v, expected that they tell a new one at once", took)
	}
	var want []Issuer
	for i := range 1000 {
		want = append(want, Issuer{uint64(i), 7})
		a.Issued(want[i])
	}
	until(t, "all pairs", func() bool { return len(b.learned()) == 1000 && len(c.learned()) == 1000 })
	if !slices.Equal(b.learned(), want) || len(a.learned()) != 0 {
		t.Errorf("expected that b learned what a told, in order, and a nothing; a has %d", len(a.learned()))
	}
	if n := a.metrics.Counts(); n.Dropped != 0 || n.Invalid != 0 || n.Sent < 1000 {
		t.Errorf("a counted %+v", n)
	}

	servers.Kill(0)
	for _, g := range []*gateway{a, b} {
		await(t, g.conn, false)
	}
	a.Issued(Issuer{1, 1})
	if n := a.metrics.Counts().Dropped; n < 1 {
		t.Error("what was issued without a connection is not counted as dropped")
	}
	servers.Restart(0)
	for _, g := range []*gateway{a, b, c} {
		await(t, g.conn, true)
	}
	until(t, "pairs after a loss", func() bool {
		a.Issued(Issuer{99, 99})
		all := b.learned()
		return all[len(all)-1] == Issuer{99, 99}
	})
	d := share(t, servers, MarkerID{4})
	until(t, "a gateway that knows the others", func() bool { return d.knows(MarkerID{1}, MarkerID{2}) && a.knows(MarkerID{2}, MarkerID{4}) })
}

// What is not a message is counted, and one line of the log tells of it; nothing of it is used.
//
// Rules: GW6
func TestForeignMessages(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	nc := servers.Connect()
	announced, err := nc.SubscribeSync("a.b.marker")
	if err != nil {
		t.Fatal(err)
	}
	nc.Flush()
	g := share(t, servers, MarkerID{1})
	if _, err := announced.NextMsg(patience); err != nil { // it has subscribed before
		t.Fatal(err)
	}
	valid := appendIssuer(appendHeader(nil, ReplicaID{9}), Issuer{5, 6})
	for subject, list := range map[string][][]byte{
		"a.b.marker": {nil, []byte("hello"), make([]byte, markerSize)},
		"a.b.state":  {nil, []byte("hello"), valid[:len(valid)-1], valid},
		"a.c.state":  {valid}, // of another prefix
	} {
		for _, data := range list {
			if err := nc.PublishMsg(&nats.Msg{Subject: subject, Data: data}); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "six messages that are counted", func() bool { return g.metrics.Counts().Invalid == 6 && len(g.learned()) == 1 })
	if got := g.learned(); got[0] != (Issuer{5, 6}) || g.Replicas() != 0 || g.log.counts("ignored a message from NATS") != 1 {
		t.Errorf("learned %v and %d gateways; the log has\n%v", got, g.Replicas(), g.log)
	}
}

// Issued drops what finds the queue full, while NATS does not read, or no connection, and
// allocates nothing.
//
// Rules: GW5
func TestIssuedNeverWaits(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	g := share(t, servers, MarkerID{1})
	await(t, g.conn, true)
	g.Sharing.cancel() // nobody empties the queue
	<-g.Sharing.done
	before := g.metrics.Counts().Dropped
	for i := range maxWaiting + 10 {
		g.Issued(Issuer{uint64(i), 1})
	}
	if n := g.metrics.Counts().Dropped - before; n < 10 || n > 11 {
		t.Errorf("%d were dropped, expected the last ten", n)
	}
	if n := testing.AllocsPerRun(1000, func() { g.Issued(Issuer{1, 1}) }); n != 0 {
		t.Errorf("Issued allocates %v times, expected none", n)
	}
	<-g.Sharing.issued
	if n := testing.AllocsPerRun(1, func() { g.Issued(Issuer{1, 1}) }); n != 0 {
		t.Errorf("Issued allocates %v times, expected none", n)
	}
	servers.KillAll()
	await(t, g.conn, false)
	<-g.Sharing.issued
	if g.Issued(Issuer{1, 1}); len(g.Sharing.issued) == maxWaiting {
		t.Error("a State waits for a connection, expected that it is dropped")
	}
}
