package udpback

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// Since when a server has a request: since it was first sent to it, whichever of its
// sockets that was; not since it waits there for a socket.
// Rules: P65
func TestUnansweredSince(t *testing.T) {
	for _, row := range []struct {
		name   string
		asked  time.Duration
		parked bool
		want   time.Duration
	}{
		{"sent", 0, false, 100 * second},
		{"sent again, by another socket", 98 * second, false, 98 * second},
		{"parked", 0, true, 0},
		{"parked, and sent before", 98 * second, true, 98 * second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			if row.parked {
				f.net.set(func() { f.net.noWay["a:1812"] = syscall.EMFILE })
			}
			g := f.group(t, Failover, s)
			pass(100*second - 1)
			o := newOwner(radius.CodeAccessRequest)
			b := f.backend.AcquireBatch()
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatal(err)
			}
			o.firstSent = row.asked
			b.Flush()
			f.backend.ReleaseBatch(b)
			so := o.Exchange.socket
			so.mu.Lock()
			defer so.mu.Unlock()
			if o.firstSent != row.want || so.parked() != row.parked {
				t.Errorf("%s: asked at %v, expected %v", row.name, o.firstSent, row.want)
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
