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

// Of two copies the one stays whose live request has not ended, although it is the later.
//
// Rules: GW4, SP7
func TestCopyThatIsInUseStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		hub.lead(-1)
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
		pass(time.Second)
		c.wantRecords("one copy removed", 2)
		a.owner.set(answering)
		pass(10 * time.Second)
		wantList(t, "sent while the live request waits", a.owner.names(), "before1/start", "before1/start")
		a.End(&live, true) // a server has answered it
		pass(time.Second)
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
	})
}
