package spool

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The gateway that sends stores a record of which another gateway's copy comes while its own waits
// to be stored: it is sent once. The writer may take either first, so there are many.
//
// Rules: GW4, SP7
func TestCopyWhileTheLeaderStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 20
		hub, a, b, _ := sharing(t)
		for i := range many {
			hub.behind(a, func() {
				a.add(sample{fmt.Sprintf("s%d", i), start, 0})
				b.add(sample{fmt.Sprintf("s%d", i), start, 0})
			})
		}
		a.wantRecords("copies removed", 2*many)
		b.wantRecords("copies removed", 2*many)
		if hub.len() != 2*many {
			t.Errorf("expected %d records, got %d", 2*many, hub.len())
		}
		for _, one := range []*bed{a, b} {
			if n := len(one.owner.acknowledged()); n < many {
				t.Errorf("expected every copy to be acknowledged, got %d", n)
			}
		}
	})
}

// Copies that were stored while nobody led are removed by whoever leads then: by a gateway that had
// them, and by one that leads as soon as it has read them. Records of other clients that look like
// them stay.
//
// Rules: GW4, SP7
func TestCopiesBeforeALead(t *testing.T) {
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("early=%t", early), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, a, b, c := sharing(t)
				hub.lead(-1)
				release := hub.hold()
				for _, one := range []*bed{a, b, c} {
					one.add(s1Start, s2Start)
				}
				e := c.entry(s1Start)
				e.Record.Client = "other"
				e.Marks = c.Marks("other", &e.Packet)
				e.Marks.content = a.entry(s1Start).Marks.content // by chance
				if err := c.Add(e); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				release()
				pass(time.Second)
				if hub.len() != 7 {
					t.Fatalf("expected each copy to be stored, got %d records", hub.len())
				}
				if early {
					hub.lead(3)
					sharedBed(t, hub, 3)
				} else {
					hub.lead(0)
				}
				pass(time.Second)
				if hub.len() != 3 {
					t.Errorf("expected one record of each, got %d", hub.len())
				}
				a.wantRecords("copies removed", 3)
			})
		})
	}
}

// While the later of two copies has a live request neither is removed: the earlier is the one that
// a gateway keeps which leads next. When a server has answered one of them, both are.
//
// Rules: GW4, SP7
func TestLaterCopyIsLive(t *testing.T) {
	for _, c := range []struct {
		early    bool // they are compared when they are stored, not when the gateway begins to lead
		answered bool
		sent     int
	}{{false, false, 1}, {false, true, 0}, {true, false, 1}, {true, true, 0}} {
		synctest.Test(t, func(t *testing.T) {
			hub, a, b, other := sharing(t)
			if !c.early {
				hub.lead(-1)
			}
			var live Live
			e := a.entry(s1Start)
			if !a.Begin(&live, &e.Marks) {
				t.Fatal("expected the request to be sent to a server")
			}
			e.Live, e.Record.Sent = &live, true
			hub.behind(a, func() {
				if err := a.Add(e); err != nil {
					t.Fatal(err)
				}
				b.add(s1Start)
			})
			hub.lead(0)
			pass(5 * time.Second)
			for _, one := range []*bed{a, b, other} {
				one.wantRecords("in use", 3)
			}
			a.owner.set(answering)
			pass(10 * time.Second)
			if n := times(a.owner.names(), "s1/start"); n != 0 {
				t.Error("expected nothing to be sent while the live request waits")
			}
			a.End(&live, c.answered)
			pass(10 * time.Second)
			if n := times(a.owner.names(), "s1/start"); n != c.sent || hub.len() != 0 {
				t.Errorf("%+v: sent %d times, and %d records are left", c, n, hub.len())
			}
		})
	}
}

// While the later of two copies is in flight neither is removed; when a server has answered one of
// them, both are.
//
// Rules: GW4, SP7
func TestLaterCopyIsInFlight(t *testing.T) {
	for _, c := range []struct {
		result Result
		sent   int // in all
	}{{Silent, 2}, {Answered, 1}} {
		for _, early := range []bool{false, true} { // they are compared when they are stored
			synctest.Test(t, func(t *testing.T) {
				hub, a, b, _ := sharing(t)
				hub.setLast(10)
				a.owner.set(func(sample) (Result, time.Duration) { return c.result, 10 * time.Second })
				a.add(s1Start)
				pass(time.Second)
				if !early {
					hub.lead(-1)
				}
				hub.setLast(4) // which took longer on its way
				hub.publish(encoded(b, s1Start, time.Now()))
				hub.setLast(11)
				pass(time.Second)
				hub.lead(0)
				pass(time.Second)
				if hub.len() != 2 {
					t.Fatalf("expected the record in flight and its copy, got %d records", hub.len())
				}
				a.owner.set(answering) // from the next on
				pass(5 * time.Minute)
				if n := times(a.owner.names(), "s1/start"); n != c.sent || hub.len() != 0 {
					t.Errorf("result %v: expected %d times, got %d, and %d records are left", c.result, c.sent, n, hub.len())
				}
			})
		}
	}
}

// times returns how often a name is in a list.
func times(list []string, name string) (n int) {
	for _, one := range list {
		if one == name {
			n++
		}
	}
	return n
}
