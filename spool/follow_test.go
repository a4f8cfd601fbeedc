package spool

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/spool/stream"
)

// sharing returns three spools of gateways that share a stream. The first leads, and the servers
// are silent to all.
func sharing(t *testing.T) (hub *fakeHub, a, b, c *bed) {
	t.Helper()
	hub = newFakeHub()
	list := make([]*bed, 3)
	for i := range list {
		list[i] = sharedBed(t, hub, i)
	}
	return hub, list[0], list[1], list[2]
}

// Whichever gateway has acknowledged a record, the one that leads sends it, and all know of it.
//
// Rules: GW4, SP5
func TestOneGatewaySends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		b.add(s1Start)
		c.add(s2Start)
		pass(time.Second)
		b.add(s1Stop)
		pass(time.Second)
		for _, one := range []*bed{a, b, c} {
			one.wantRecords("all stored", 3)
		}
		wantList(t, "acknowledged by b", b.owner.acknowledged(), "s1/start", "s1/stop")
		wantList(t, "acknowledged by c", c.owner.acknowledged(), "s2/start")
		a.owner.transmissions()
		a.owner.set(answering)
		pass(time.Minute)
		wantList(t, "sent by a", withoutRepeats(a.owner.names()), "s1/start", "s1/stop", "s2/start")
		for _, one := range []*bed{b, c} {
			wantList(t, "sent by another", one.owner.names())
		}
		for _, one := range []*bed{a, b, c} {
			one.wantRecords("all sent", 0)
		}
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
		a.wantMetric("leads", "", 1)
		for _, one := range []*bed{a, b} {
			if got := one.State().Elsewhere; got != (one == b) {
				t.Errorf("expected to be told that another sends: %v, got %v", one == b, got)
			}
		}
		hub.lead(-1)
		if b.State().Elsewhere {
			t.Error("expected that nobody sends")
		}
		hub.lead(0)
		a.close()
		a.wantMetric("leads", "", 0)
		b.wantMetric("leads", "", 0)
		b.wantMetric("stored_total", "", 2)
	})
}

// withoutRepeats returns the names in the order in which each came first, of one session after
// the other.
func withoutRepeats(names []string) (list []string) {
	seen := map[string]bool{}
	for _, session := range []string{"s1", "s2"} {
		for _, n := range names {
			if n[:2] == session && !seen[n] {
				seen[n] = true
				list = append(list, n)
			}
		}
	}
	return list
}

// A request must not overtake what another gateway has stored of its session, nor an Accounting-On
// what it has of the NAS.
//
// Rules: GW4, SP5
func TestNothingOvertakesTheRecordOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b, _ := sharing(t)
		b.add(s1Start)
		pass(time.Second)
		for _, s := range []sample{s1Stop, {"", on, 0}} {
			var l Live
			if e := a.entry(s); a.Begin(&l, &e.Marks) {
				t.Errorf("%v: expected it to go to the spool, because another gateway has a record before it", s)
			}
		}
		var l Live
		e := a.entry(s2Start)
		if !a.Begin(&l, &e.Marks) {
			t.Error("expected a request of another session to be sent to a server")
		}
		a.End(&l, true)
	})
}

// When the gateway is lost that leads, another goes on, also with what was in flight; what the
// lost one may have sent counts as repeated.
//
// Rules: GW4, SP9
func TestAnotherGatewayLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		a.owner.set(holding)
		c.add(s1Start, s2Start)
		pass(time.Second)
		if n := len(a.owner.take()); n != 1 {
			t.Fatalf("expected one record in flight, got %d", n)
		}
		hub.set(0, true, false) // with its disk
		b.owner.set(answering)
		pass(time.Second)
		wantList(t, "sent before it leads", b.owner.names())
		hub.lead(1)
		c.add(s1Stop)
		pass(time.Minute)
		wantList(t, "sent by b", withoutRepeats(b.owner.names()), "s1/start", "s1/stop", "s2/start")
		b.wantMetric("repeated_total", "", 2)
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
		a.add(s2Start) // it is refused, because the stream is out of reach
		pass(time.Minute)
		wantList(t, "of the lost one", a.owner.acknowledged(), "s2/start: disk")
	})
}

// A record whose request is still on its way to a server at another gateway waits for that.
//
// Rules: GW4, SP3
func TestRequestOnItsWayAtAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		a.owner.set(answering)
		var one, two Live
		for s, l := range map[sample]*Live{s1Start: &one, s2Start: &two} {
			e := b.entry(s)
			if !b.Begin(l, &e.Marks) {
				t.Fatal("expected the request to be sent")
			}
			e.Live, e.Record.Sent = l, true
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		pass(othersPause - 2*time.Second)
		wantList(t, "sent meanwhile", a.owner.names())
		b.End(&one, true) // a server has answered it after all
		pass(time.Second)
		a.wantRecords("one answered", 1)
		pass(10 * time.Second)
		wantList(t, "sent then", a.owner.names(), "s2/start")
		b.wantRecords("the other sent", 1) // its request has not ended
		b.End(&two, false)
		b.wantRecords("its request has ended", 0)
		b.wantMetric("answered_late_total", "", 1)
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
	})
}

// The same record that two gateways have stored at the same time is sent once; a copy that
// comes to another gateway later is acknowledged, and not stored.
//
// Rules: GW4, SP7
func TestCopyAtAnotherGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		b.add(s1Start)
		c.add(s1Start)
		pass(time.Second)
		if hub.len() != 1 {
			t.Errorf("expected one record, got %d", hub.len())
		}
		a.add(s1Start)
		pass(time.Second)
		for _, one := range []*bed{a, b, c} {
			wantList(t, "acknowledged", one.owner.acknowledged(), "s1/start")
			one.wantRecords("with copies", 1)
		}
		a.owner.transmissions()
		a.owner.set(answering)
		pass(time.Minute)
		wantList(t, "sent", a.owner.names(), "s1/start")
	})
}

// Records with the same content of different clients are not copies.
//
// Rules: GW4, SP7
func TestSameContentOfAnotherClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		b.add(s1Start)
		e := c.entry(s1Start)
		e.Record.Client = "other"
		e.Marks = c.Marks("other", &e.Packet)
		if err := c.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if hub.len() != 2 {
			t.Errorf("expected two records, got %d", hub.len())
		}
		a.wantRecords("both", 2)
	})
}

// A commit that fails in the middle: what is durable is acknowledged, because another gateway may
// have acknowledged a copy of it, and is sent once. The rest is refused.
//
// Rules: GW4, SP2
func TestCommitThatFailsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		hub.mu.Lock()
		hub.fail, hub.gate = true, make(chan struct{})
		hub.mu.Unlock()
		b.add(sample{"first", start, 0}) // alone in its commit, which waits
		synctest.Wait()
		b.add(s1Start, s2Start, s1Start)
		close(hub.gate)
		pass(2 * time.Second)
		got := b.owner.acknowledged()
		wantList(t, "acknowledged", got, "first/start", "s1/start", "s2/start: disk", "s1/start")
		if hub.len() != 2 {
			t.Errorf("expected two records, got %d", hub.len())
		}
		hub.mu.Lock()
		hub.fail = false
		hub.mu.Unlock()
		c.add(s1Start)
		pass(time.Second)
		wantList(t, "a copy", c.owner.acknowledged(), "s1/start")
		a.owner.transmissions()
		a.owner.set(answering)
		pass(5 * time.Minute)
		if names := a.owner.names(); len(names) == 0 || hub.len() != 0 {
			t.Errorf("expected all that is stored to be sent, got %q", names)
		}
	})
}

// Without the stream nothing is acknowledged, and requests go to the servers as without a spool;
// when it is back, all is as before.
//
// Rules: GW2, GW4, SP10
func TestStreamOutOfReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		hub.set(1, true, false)
		b.add(s1Start)
		pass(time.Second)
		wantList(t, "without the stream", b.owner.acknowledged(), "s1/start: disk")
		var l Live
		e := b.entry(s2Start)
		if !b.Begin(&l, &e.Marks) {
			t.Error("expected a request to go to the servers")
		}
		b.End(&l, true)
		hub.set(1, false, false)
		b.add(s1Start)
		pass(time.Second)
		b.wantMetric("up", "", 1)
		wantList(t, "with the stream", b.owner.acknowledged(), "s1/start")
		a.wantRecords("with the stream", 1)
	})
}

// A record that somebody drops is dropped for all, also while the gateway that leads is about to
// send it; too old ones are dropped by that gateway.
//
// Rules: GW4, SP11, SP14
func TestDroppedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		a.owner.set(holding)
		b.add(s1Start, s2Start)
		pass(time.Second)
		held := a.owner.take()
		if n, err := c.Drop(func(*Kept) bool { return true }); n != 2 || err != nil {
			t.Fatalf("expected two records to be dropped, got %d, %v", n, err)
		}
		pass(time.Second)
		for _, o := range held {
			o.Done(Silent)
		}
		a.owner.set(answering)
		pass(5 * time.Minute)
		for _, one := range []*bed{a, b, c} {
			one.wantRecords("dropped", 0)
		}
		a.wantMetric("dropped_total", "damaged", 0)
		a.owner.set(silent)
		b.add(s1Stop)
		short := roomy
		short.MaxAge = time.Minute
		a.SetLimits(short)
		b.SetLimits(short)
		pass(2 * time.Minute)
		a.wantMetric("dropped_total", "age", 1)
		b.wantMetric("dropped_total", "age", 0)
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
	})
}

// What is in the stream and is no record is left alone until the stream is opened again, and is
// dropped then.
//
// Rules: GW4, GW6, SP13
func TestNoRecordInTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		later := (&Record{Client: "x"}).appendTo(nil)
		later[0] = formatVersion + 1
		hub.mu.Lock()
		for _, value := range [][]byte{append([]byte{formatVersion}, "rubbish"...), later} {
			hub.last++
			hub.values[hub.last] = value
			for _, m := range hub.members {
				m.feed <- stream.Change{Kind: stream.Added, Seq: hub.last, Data: value}
			}
		}
		hub.mu.Unlock()
		pass(time.Second)
		a.wantRecords("rubbish", 0)
		pass(5 * comparePause)
		if hub.len() != 1 {
			t.Errorf("expected that only the record of another version is left, got %d", hub.len())
		}
		opened := hub.openings()
		pass(10 * comparePause)
		if hub.openings() > opened+3 {
			t.Errorf("expected the stream not to be opened again for a record of another version, got %d times", hub.openings()-opened)
		}
		b.add(s1Start)
		pass(time.Second)
		a.wantRecords("a good one", 1)
	})
}
