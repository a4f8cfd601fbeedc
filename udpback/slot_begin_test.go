package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// How the schedule of a request goes on where it is launched: from the begin at another
// server; from where it was at another socket of the same.
// Rules: P55, P65
func TestBegin(t *testing.T) {
	for _, row := range []struct {
		name     string
		before   priorSchedule
		deadline time.Duration // 0: none
		count    int
		sends    int32
		first    time.Duration
		least    time.Duration // of the moment when it is due
		most     time.Duration
		end      time.Duration
		early    bool
	}{
		{"anew", priorSchedule{}, 0, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 130 * second, false},
		{"anew, with a deadline", priorSchedule{}, 120 * second, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 120 * second, false},
		{"anew, with a deadline beyond the schedule", priorSchedule{}, 140 * second, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 130 * second, false},
		{"anew, near the deadline", priorSchedule{}, 101 * second, 5, 1, 100 * second, 101 * second, 101 * second, 101 * second, false},
		{"on from one transmission", priorSchedule{sends: 1, first: 98 * second, wait: 2 * second, overdue: true}, 128 * second, 5, 2, 98 * second, 103800 * time.Millisecond, 104200 * time.Millisecond, 128 * second, false},
		{"on from three", priorSchedule{sends: 3, first: 90 * second, wait: 4 * second}, 128 * second, 5, 4, 90 * second, 107600 * time.Millisecond, 108400 * time.Millisecond, 128 * second, false},
		{"on before it is due", priorSchedule{sends: 2, first: 90 * second, wait: 4 * second, due: 103 * second}, 128 * second, 5, 2, 90 * second, 103 * second, 103 * second, 128 * second, true},
		{"on before it is due, near the deadline", priorSchedule{sends: 2, first: 90 * second, wait: 4 * second, due: 103 * second}, 102 * second, 5, 2, 90 * second, 102 * second, 102 * second, 102 * second, true},
		{"the last one, after an early one", priorSchedule{sends: 4, first: 90 * second, wait: 4 * second, sentEarly: true}, 128 * second, 5, 5, 90 * second, 128 * second, 128 * second, 128 * second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			pass(100*second - 1)
			o := newOwner(radius.CodeAccessRequest)
			b := f.backend.AcquireBatch()
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatal(err)
			}
			o.prior, o.deadline = row.before, row.deadline
			b.Flush()
			f.backend.ReleaseBatch(b)
			so := o.Exchange.socket
			so.mu.Lock()
			defer so.mu.Unlock()
			sl := so.slot(o.id)
			if sl.sends != row.sends || sl.firstSent != row.first || sl.expires != row.end || sl.resentAfterError != row.early || sl.lastSent != 100*second {
				t.Errorf("%s: %d sends, first %v, end %v, early %t; expected %d, %v, %v, %t", row.name, sl.sends, sl.firstSent, sl.expires, sl.resentAfterError, row.sends, row.first, row.end, row.early)
			}
			if sl.due < row.least || sl.due > row.most {
				t.Errorf("%s: due at %v, expected %v to %v", row.name, sl.due, row.least, row.most)
			}
			if sl.overdue != row.before.overdue || sl.sentEarly != row.before.sentEarly || o.prior != (priorSchedule{}) {
				t.Errorf("%s: overdue %t, reminded %t, before %+v", row.name, sl.overdue, sl.sentEarly, o.prior)
			}
			if o.firstSent != 100*second || sl.moveAt != 110*second {
				t.Errorf("%s: asked at %v, leaves at %v; expected 100s and 110s", row.name, o.firstSent, sl.moveAt)
			}
		})
	}
}

// Each time that a request is sent again its server is asked for a sign of life; when a
// check is sent again, it is not.
// Rules: P83
func TestResentAndChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", checked)
		defer s.Close()
		f.net.answering(t, "a")
		f.net.hung("a")
		pass(2 * time.Minute)
		s.endpoint(wire.KindAccess).health.Answered(f.backend.Now(), time.Millisecond) // the watchdog rests
		checks := func() (n int) {
			for _, tr := range f.net.seen("a:1812") {
				if tr.octets[0] == byte(radius.CodeStatusServer) {
					n++
				}
			}
			return n
		}
		before := checks()
		f.start(t, f.group(t, Failover, s), newOwner(radius.CodeAccessRequest))
		for _, row := range []struct {
			after  time.Duration
			checks int
		}{
			{1700 * time.Millisecond, 0},
			{600 * time.Millisecond, 1}, // its second transmission, after 1.8 to 2.2 s
			{2800 * time.Millisecond, 1},
			{1800 * time.Millisecond, 2}, // its third, 3.4 to 4.7 s later
		} {
			pass(row.after)
			if n := checks() - before; n != row.checks {
				t.Errorf("%d checks, expected %d", n, row.checks)
			}
		}
	})
}
