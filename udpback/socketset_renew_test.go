package udpback

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// everyKind starts one request of each kind.
func (f *fixture) everyKind(t *testing.T, g *Group) (all []*owner) {
	for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		o := newOwner(code)
		f.start(t, g, o)
		all = append(all, o)
	}
	return all
}

// When this machine's own address changes, every send on the old sockets fails: the
// request gets a new socket at once.
func TestOwnAddressChanges(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = check })
			defer s.Close()
			f.net.answering(t, "a")
			g := f.group(t, Failover, s)
			for _, o := range f.everyKind(t, g) {
				<-o.ended
			}
			pass(5 * time.Second)
			f.net.set(func() {
				for _, s := range f.net.sockets {
					s.stale = syscall.EINVAL
				}
			})
			before := time.Now()
			for _, o := range f.everyKind(t, g) {
				<-o.ended
				if took := time.Since(before); !o.answered() || took > 10*time.Millisecond {
					t.Errorf("health %v: a %v: %s after %v, expected an answer at once", check, o.code, o.outcome(), took)
				}
			}
			if got := s.endpoint(wire.KindAccess).health.State(); got != health.Up {
				t.Errorf("the server is %v, expected up: the change was this machine's own", got)
			}
		})
	}
}

// When this machine has no address for a while, what waits is answered when it has one.
func TestOwnAddressIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, s)
		for _, o := range f.everyKind(t, g) {
			<-o.ended
		}
		f.net.set(func() {
			for _, s := range f.net.sockets {
				s.stale = syscall.EINVAL
			}
			for _, port := range []string{"a:1812", "a:1813", "a:3799"} {
				f.net.noWay[port] = syscall.ENETUNREACH
			}
		})
		all := f.everyKind(t, g)
		pass(4500 * time.Millisecond)
		f.net.set(func() { clear(f.net.noWay) })
		before := time.Now()
		for _, o := range all {
			<-o.ended
			if took := time.Since(before); !o.answered() || took > time.Second+sweepGrain {
				t.Errorf("a %v: %s after %v, expected an answer within a second of the address's return", o.code, o.outcome(), took)
			}
		}
	})
}

// When a device in the path no longer forwards to the old local port, that costs a few
// seconds, and none when the operator calls for a refresh.
func TestStaleLocalPort(t *testing.T) {
	for _, row := range []struct {
		name    string
		check   health.Check
		refresh bool
		within  time.Duration
	}{
		{"health none", health.CheckNone, false, 7 * time.Second},
		{"Status-Server", health.CheckStatusServer, false, 7 * time.Second},
		{"health none, SIGHUP", health.CheckNone, true, 10 * time.Millisecond},
		{"Status-Server, SIGHUP", health.CheckStatusServer, true, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = row.check })
			defer s.Close()
			f.net.answering(t, "a")
			g := f.group(t, Failover, s)
			pass(2 * time.Second)
			for _, o := range f.everyKind(t, g) {
				<-o.ended
			}
			f.net.set(func() { f.net.forgotten = len(f.net.sockets) })
			if row.refresh {
				f.backend.Refresh()
			}
			before := time.Now()
			var all []*owner
			for range 10 { // one request each second
				o := newOwner(radius.CodeAccessRequest)
				f.start(t, g, o)
				all = append(all, o)
				pass(time.Second)
			}
			last := newOwner(radius.CodeAccessRequest)
			f.start(t, g, last)
			synctest.Wait()
			if !last.answered() {
				t.Errorf("%s: 10 s later: %s, expected an answer at once", row.name, last.outcome())
			}
			for i, o := range all {
				<-o.ended
				if !o.answered() {
					t.Errorf("%s: request %d: %s, expected an answer", row.name, i, o.outcome())
				}
			}
			if took := time.Since(before) - 10*time.Second; row.refresh && took > row.within {
				t.Errorf("%s: the last was answered %v after all were sent, expected none to wait", row.name, took)
			}
			pass(time.Minute)
			if n := len(s.endpoint(wire.KindAccess).sockets.all()); n != 1 {
				t.Errorf("%s: %d sockets are open, expected the last one", row.name, n)
			}
		})
	}
}

// A silent port gets new sockets now and then, of which only few generations are open
// at a time, and what waits on it keeps to its schedule.
// Rules: P55, P57
func TestSilentPortIsRenewedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer s.Close()
		g := f.group(t, Failover, s)
		most := 0
		var all []*owner
		for range 600 { // ten minutes
			o := newOwner(radius.CodeAccessRequest)
			all = append(all, o)
			f.start(t, g, o)
			pass(time.Second)
			most = max(most, len(s.endpoint(wire.KindAccess).sockets.all()))
		}
		if most > 8 {
			t.Errorf("%d sockets were open at a time, expected the one in use and few that listen on", most)
		}
		pass(31 * time.Second)
		sent := 0
		for _, tr := range f.net.seen("a:1812") {
			if tr.octets[0] == byte(radius.CodeAccessRequest) {
				sent++
			}
		}
		if sent > 5*len(all) || sent < 4*len(all) {
			t.Errorf("%d transmissions of %d requests, expected 4 or 5 of each", sent, len(all))
		}
		if n := f.count(t, "radsec_gw_server_outstanding_requests", "port", "auth"); n > 1 {
			t.Errorf("%v Identifiers in use, expected none but a check's", n)
		}
	})
}

// After every error that says that a server is unreachable, its requests move to the next
// server at once; without another they wait, and are answered when it is reachable again.
func TestUnreachable(t *testing.T) {
	for _, err := range []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EPERM, syscall.EACCES, syscall.EADDRNOTAVAIL,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "a", "b")
			both, alone := f.group(t, Failover, a, b), f.group(t, Failover, a)
			pass(2 * time.Second)
			f.net.set(func() { f.net.cut["a:1812"], f.net.cut["a:1813"] = err, err })
			before := time.Now()
			for range 3 {
				for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest} {
					o := newOwner(code)
					f.start(t, both, o)
					<-o.ended
					if took := time.Since(before); !o.answered() || took > 10*time.Millisecond {
						t.Errorf("%v: a %v: %s after %v, expected b's answer at once", err, code, o.outcome(), took)
					}
				}
			}
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, alone, o)
			pass(3 * time.Second)
			f.net.set(func() { clear(f.net.cut) })
			<-o.ended
			if took := time.Since(before); !o.answered() || took > 7*time.Second {
				t.Errorf("%v: alone: %s after %v, expected an answer at its next transmission", err, o.outcome(), took)
			}
			pass(15 * time.Second)
			if got := a.endpoint(wire.KindAccess).health.State(); got != health.Up {
				t.Errorf("%v: a is %v, expected up", err, got)
			}
		})
	}
}

// While the only server is unreachable a request follows its schedule, and is answered
// when the server is reachable again, however often the sockets are renewed meanwhile.
// Rules: P55, P57
func TestUnreachableForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.answering(t, "a")
		f.net.set(func() { f.net.cut["a:1812"], f.net.cut["a:1813"] = syscall.EHOSTUNREACH, syscall.EHOSTUNREACH })
		g := f.group(t, Failover, a)
		var all []*owner
		for range 10 { // each send fails, and has the sockets renewed
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest} {
				o := newOwner(code)
				f.start(t, g, o)
				all = append(all, o)
			}
			pass(time.Second)
		}
		f.net.set(func() { clear(f.net.cut) })
		for i, o := range all {
			<-o.ended
			_, _, sends := o.Served()
			if !o.answered() || sends > 8 {
				t.Errorf("request %d, a %v: %s after %d transmissions, expected an answer after at most 8, two in each wait: the way was back with 20s left", i, o.code, o.outcome(), sends)
			}
		}
	})
}

// However often an operator asks for it, sockets are renewed once a second, and a
// request that its server does not answer goes to the next in time.
func TestRefreshAgainAndAgain(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health.Check = check }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "b")
			g := f.group(t, Failover, a, b)
			var all []*owner
			for range 4 { // so that a is not up
				o := newOwner(radius.CodeAccessRequest)
				f.start(t, g, o)
				all = append(all, o)
			}
			pass(2500 * time.Millisecond)
			most := 0
			for range 200 { // for 20 s
				f.backend.Refresh()
				pass(100 * time.Millisecond)
				most = max(most, len(a.endpoint(wire.KindAccess).sockets.all()))
			}
			for i, o := range all {
				select {
				case <-o.ended:
				default:
				}
				if !o.answered() {
					t.Errorf("health %v: request %d: %s after 22s, expected b's answer after 10s, the route's patience", check, i, o.outcome())
				}
			}
			if n := len(f.net.seen("a:1812")); n > 4*25+10 {
				t.Errorf("health %v: %d transmissions to the silent server, expected one a second of each request at the most", check, n)
			}
			if most > 33 {
				t.Errorf("health %v: %d sockets of one port were open, expected one for each second of the schedule at the most", check, most)
			}
			pass(time.Minute)
		})
	}
}

// A shortage of this machine says nothing about a server's health.
func TestLocalErrorsAreNotEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.set(func() { f.net.noWay["a:1812"], f.net.cut["a:1813"] = syscall.EMFILE, syscall.EPERM })
		g := f.group(t, Failover, a)
		for range 60 {
			f.start(t, g, newOwner(radius.CodeAccessRequest), newOwner(radius.CodeAccountingRequest))
			pass(time.Second)
		}
		for _, k := range []wire.Kind{wire.KindAccess, wire.KindAccounting} {
			if got := a.endpoint(k).health.State(); got != health.Up {
				t.Errorf("%v: the server is %v, expected up: nothing was ever sent to it", k, got)
			}
		}
		pass(time.Minute)
	})
}

// What has arrived is read before anything is given up, when the process was paused.
func TestPausedProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		f.net.answering(t, "a")
		pass(2 * time.Second)
		resume := make(chan struct{})
		f.net.set(func() { f.net.paused = resume })
		var all []*owner
		for range 100 {
			all = append(all, newOwner(radius.CodeAccountingRequest))
		}
		before := time.Now()
		f.start(t, f.group(t, Failover, a), all...)
		pass(1700 * time.Millisecond) // its first wait is 1.8 s at the least
		pass(longestPostponed)        // the sweep waits
		f.net.set(func() { f.net.paused = nil })
		close(resume)
		for _, o := range all {
			<-o.ended
		}
		if n := len(f.net.seen("a:1813")); n > 100+2 { // and a check or two
			t.Errorf("%d datagrams, expected each request once: its answer was there %v after it was sent", n, time.Since(before))
		}
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "unmatched"); n != 0 {
			t.Errorf("%v replies were unmatched, expected none", n)
		}
	})
}
