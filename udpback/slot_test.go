package udpback

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// Identifiers are handed out longest unused first (RFC 5080 §2.2.2).
// Rules: P26
func TestIdentifiersAreReusedLate(t *testing.T) {
	var q identifiers
	q.init()
	first, _ := q.acquire()
	q.release(first)
	for i := range 255 {
		if id, _ := q.acquire(); id == first {
			t.Fatalf("Identifier %d came back after %d others, expected 255", first, i)
		}
	}
	if id, ok := q.acquire(); !ok || id != first {
		t.Errorf("the 256th is %d, expected %d again", id, first)
	}
	if _, ok := q.acquire(); ok {
		t.Error("a 257th Identifier was handed out")
	}
}

// Each of the 256 Identifiers is given out once. Those that come back are given out
// again in the order of their coming back, whatever that is, and never one that is in use.
// Rules: P26
func TestIdentifiersComeBackInAnyOrder(t *testing.T) {
	var q identifiers
	q.init()
	inUse := map[wire.ServerID]bool{}
	take := func() wire.ServerID {
		t.Helper()
		id, ok := q.acquire()
		if !ok {
			t.Fatalf("no Identifier is free, expected %d", 256-len(inUse))
		}
		if inUse[id] {
			t.Fatalf("Identifier %d was given out twice", id)
		}
		inUse[id] = true
		return id
	}
	give := func(id wire.ServerID) {
		q.release(id)
		delete(inUse, id)
	}
	for range 256 {
		take()
	}
	if id, ok := q.acquire(); ok || id != 0 {
		t.Errorf("all are in use, and take returned %d, %v; expected 0, false", id, ok)
	}
	for round := range 3 {
		order := []wire.ServerID{200, 3, 77, 255, 0, wire.ServerID(10 + round)}
		for _, id := range order {
			give(id)
		}
		for _, want := range order {
			if got := take(); got != want {
				t.Errorf("round %d: Identifier %d was given out, expected %d, which is free longest", round, got, want)
			}
		}
	}
	if q.free != 0 {
		t.Errorf("%d Identifiers are free, expected none", q.free)
	}
}

// The Identifier of a request that cannot be written is free again: it was never sent.
// Rules: P26
func TestReleaseGivesTheIdentifierBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		b := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(b)
		// The Identifiers have all been used before.
		for range 256 {
			f.start(t, g, newOwner(radius.CodeAccessRequest))
		}
		pass(time.Minute)
		quota := new(Quota)
		o := newOwner(radius.CodeAccessRequest)
		o.Quota, o.writeErr = quota, errTest
		if err := g.Start(&o.Exchange, b); !errors.Is(err, errTest) {
			t.Fatalf("Start: %v, expected the owner's own error", err)
		}
		e := s.endpoint(wire.KindAccess)
		if socket := e.sockets.all()[0]; socket.ids.free != 256 {
			t.Errorf("%d Identifiers are free, expected 256", socket.ids.free)
		}
		if n := quota.at(e).n.Load(); n != 0 {
			t.Errorf("the client holds %d Identifiers, expected none", n)
		}
		if _, _, sends := o.Served(); sends != 0 {
			t.Errorf("the request counts as sent %d times, expected 0", sends)
		}
	})
}

// Where the limit of a client is: nowhere in the first three quarters of a port, then
// at as many Identifiers as are free, and one at the least.
// Rules: P26
func TestExceeds(t *testing.T) {
	for _, row := range []struct {
		held, outstanding, capacity int64
		want                        bool
	}{
		{191, 191, 256, false}, // the first three quarters may be one client's
		{192, 192, 256, true},
		{63, 192, 256, false}, // 64 are free
		{64, 192, 256, true},
		{65, 192, 256, true},
		{1, 254, 256, false},
		{2, 254, 256, true},
		{0, 255, 256, false}, // who holds none gets the last
		{1, 255, 256, true},
		{0, 256, 256, false}, // none is left, which reserve reports
		{1, 256, 256, true},
		{0, 300, 256, false}, // the ceiling was lowered
		{1, 300, 256, true},
		{1000, 12288 - 1, 16384, false},
		{4096, 12288, 16384, true},
		{4095, 12288, 16384, false},
	} {
		h := new(usage)
		h.add(row.held)
		if got := h.exceeds(row.outstanding, row.capacity); got != row.want {
			t.Errorf("a client with %d, of %d of %d in use: exceeds %t, expected %t", row.held, row.outstanding, row.capacity, got, row.want)
		}
	}
	var none *usage
	if none.add(1); none.exceeds(256, 256) {
		t.Error("a client that is not counted exceeds its share")
	}
}

// The first Identifier that a client takes at a port is counted like those that follow,
// and each port by itself.
// Rules: P26
func TestQuotaAt(t *testing.T) {
	a, b := new(endpoint), new(endpoint)
	s := new(Quota)
	for n := range int64(3) {
		h := s.at(a)
		if h == nil || h.n.Load() != n {
			t.Fatalf("after %d Identifiers the client holds %+v", n, h)
		}
		h.add(1)
	}
	if h := s.at(b); h == nil || h.n.Load() != 0 {
		t.Errorf("at another port the client holds %+v, expected 0", h)
	}
	var nobody *Quota
	if h := nobody.at(a); h != nil {
		t.Errorf("a client that is not counted holds %+v", h)
	}
}

// A client's count of a port goes with the port.
func TestQuotaRemovesClosedPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.answering(t, "a")
		quota := new(Quota)
		for range 50 {
			a := f.server(t, "a", nil)
			o := newOwner(radius.CodeAccessRequest)
			o.Quota = quota
			f.start(t, f.group(t, Failover, a), o)
			<-o.ended
			a.Close()
		}
		n := 0
		quota.ports.Range(func(any, any) bool { n++; return true })
		if n > 1 {
			t.Errorf("the client's quota knows %d ports, expected the last one at the most", n)
		}
	})
}

// A client that burns Identifiers by giving its requests up leaves a quarter of
// them to the others.
// Rules: P26
func TestOneClientCannotTakeEveryIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 4 })
		defer s.Close()
		g := f.group(t, Failover, s)
		greedy, modest := new(Quota), new(Quota)
		started := 0
		for range 1024 {
			o := newOwner(radius.CodeAccountingRequest)
			o.Quota = greedy
			b := f.backend.AcquireBatch()
			err := g.Start(&o.Exchange, b)
			b.Flush()
			f.backend.ReleaseBatch(b)
			if err == nil {
				started++
				o.Cancel()
			} else if !errors.Is(err, ErrQuota) {
				t.Fatalf("Start: %v, expected ErrQuota", err)
			}
		}
		if started != 768 {
			t.Errorf("the greedy client got %d of 1024 Identifiers, expected three quarters", started)
		}
		o := newOwner(radius.CodeAccountingRequest)
		o.Quota = modest
		f.start(t, g, o)
		pass(31 * time.Second)
		e := s.endpoint(wire.KindAccounting)
		if held := greedy.at(e).n.Load() + modest.at(e).n.Load(); held != 0 {
			t.Errorf("%d Identifiers are still held after the schedules' end", held)
		}
	})
}
