package udpback

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// What waits for a server that was silent is sent once more as soon as that is heard
// again: its last transmission was at 14 s, and the next would be the end of its
// schedule. The octets are the same (RFC 2865 §2.5). A CoA port has no checks, so there
// the next request finds out.
//
// Rules: P57
func TestWhatWaitsIsSentWhenTheServerIsBack(t *testing.T) {
	for _, row := range []struct {
		name   string
		health health.Config
		next   []radius.Code
		within time.Duration // after the server's return
	}{
		{"Status-Server", health.Config{Check: health.CheckStatusServer}, []radius.Code{radius.CodeCoARequest}, 9 * time.Second}, // the longest pause between checks
		{"health none", health.Config{}, []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest}, 2 * time.Second},
		{"one reply brings it back", health.Config{UpAfter: 1}, []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest}, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				s := f.server(t, "a", func(c *ServerConfig) { c.Health = row.health })
				defer s.Close()
				g := f.group(t, Failover, s)
				f.net.answering(t)
				var all []*owner
				for range 4 { // silence that makes it down
					all = append(all, f.everyKind(t, g)...)
				}
				pass(15 * time.Second)
				if got := s.endpoint(wire.KindAccess).health.State(); got != health.Down {
					t.Fatalf("the server is %v after 15 s of silence, expected down", got)
				}
				f.net.answering(t, "a")
				for _, code := range row.next {
					f.start(t, g, newOwner(code))
				}
				pass(row.within)
				for _, o := range all {
					if !o.answered() {
						t.Errorf("a %v: %s %v after the server's return, expected an answer", o.code, o.outcome(), row.within)
					}
				}
				n := len(f.requests("a:1812"))
				if slices.Contains(row.next, radius.CodeAccessRequest) {
					n--
				}
				if n < 4*4 || n > 4*5 {
					t.Errorf("four logins were sent %d times, expected each at about 0, 2, 6 and 14 s, and all but those due then once more", n)
				}
			})
		})
	}
}

// requests returns the transmissions to a port, checks left out.
func (f *fixture) requests(port string) (all []transmission) {
	for _, tr := range f.net.seen(port) {
		if tr.octets[0] != byte(radius.CodeStatusServer) {
			all = append(all, tr)
		}
	}
	return all
}

// downForLack returns a lone server without checks that is down, 15 s after it fell silent.
func (f *fixture) downForLack(t *testing.T, change func(*ServerConfig)) (*Server, *Group) {
	s := f.server(t, "a", change)
	g := f.group(t, Failover, s)
	f.net.answering(t)
	for range 6 {
		f.start(t, g, newOwner(radius.CodeAccessRequest))
	}
	pass(15 * time.Second)
	if got := s.endpoint(wire.KindAccess).health.State(); got != health.Down {
		t.Fatalf("the server is %v after 15 s of silence, expected down", got)
	}
	return s, g
}

// What is sent once more counts in the schedule, by whichever socket it is sent: MRC
// transmissions are all there are (RFC 5080 §2.2.1). But the request does not end sooner
// for having been sent sooner.
//
// Rules: P55
func TestEarlyTransmissionsCount(t *testing.T) {
	for _, count := range []int{2, 3} {
		t.Run("down", func(t *testing.T) { remindersCount(t, count, true) })
		t.Run("failing", func(t *testing.T) { remindersCount(t, count, false) })
	}
}

// remindersCount starts a request that is sent at 0 and about 8 s, would be due again at
// 24 s, and is to wait until 60 s. Its server answers others at 12 s, when it was down,
// and its sockets have been renewed, or failing.
func remindersCount(t *testing.T, count int, down bool) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		schedule := Schedule{Initial: 8 * time.Second, Count: count, Duration: time.Minute}
		var s *Server
		var g *Group
		if down {
			s, g = f.downForLack(t, func(c *ServerConfig) { c.Schedule = schedule })
		} else {
			s = f.server(t, "a", func(c *ServerConfig) { checked(c); c.Schedule = schedule })
			g = f.group(t, Failover, s)
			f.net.deafTo(t, "a:1812", 1000)
			pass(5 * time.Second)
			f.bring(t, s, health.Failing)
		}
		defer s.Close()
		pass(50 * time.Second) // the schedules of those that made it down are over
		before := len(f.requests("a:1812"))
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		pass(12 * time.Second)
		f.net.answering(t, "a")
		others := 3 // as many as bring a failing server back
		if down {
			others = 1
		}
		for range others {
			f.start(t, g, newOwner(radius.CodeAccessRequest))
		}
		f.net.deafTo(t, "a:1812", 1000)
		pass(2 * time.Second)
		if n := len(f.requests("a:1812")) - before - others; n != count {
			t.Errorf("it was sent %d times in 14 s, expected %d: its schedule has no more", n, count)
		}
		pass(31 * time.Second)
		if ended := o.outcome() != "replies [] fails []"; ended != (count == 2) {
			t.Errorf("with %d transmissions, after 45 s: %s, expected it to wait for the answer to a third, if it has that", count, o.outcome())
		}
		pass(16 * time.Second)
		if n := len(f.requests("a:1812")) - before - others; n != count || o.outcome() != "replies [] fails [0]" {
			t.Errorf("it was sent %d times, %s; expected the %d that its schedule has", n, o.outcome(), count)
		}
	})
}

// A request that its client has given up is not sent once more.
//
// Rules: P59
func TestCancelledIsNotSentEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s, g := f.downForLack(t, nil)
		defer s.Close()
		b := f.backend.AcquireBatch()
		o := newOwner(radius.CodeAccessRequest)
		if err := g.Start(&o.Exchange, b); err != nil {
			t.Fatal(err)
		}
		o.Cancel() // before it is sent
		b.Flush()
		f.backend.ReleaseBatch(b)
		mine := f.requests("a:1812")
		octets := string(mine[len(mine)-1].octets)
		pass(5 * time.Second)
		f.net.answering(t, "a")
		f.start(t, g, newOwner(radius.CodeAccessRequest))
		pass(5 * time.Second)
		copies := 0
		for _, tr := range f.requests("a:1812") {
			if string(tr.octets) == octets {
				copies++
			}
		}
		if copies != 1 {
			t.Errorf("the cancelled request was sent %d times, expected once", copies)
		}
	})
}
