package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// A goroutine that chose a socket just before it was renewed gets no Identifier of it,
// nor opens one socket more than is needed.
func TestReserveDuringRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer a.Close()
		f.net.answering(t, "a")
		f.login(t, f.group(t, Failover, a))
		e := a.endpoint(wire.KindAccess)
		seen := e.sockets.current.Load()
		e.sockets.refresh()
		o := newOwner(radius.CodeAccessRequest)
		if _, ok := (*seen)[0].reserve(&o.Exchange, nil); ok {
			t.Error("the retired socket gave an Identifier, expected none: it closes")
		}
		if err := e.sockets.grow(seen); err != nil {
			t.Errorf("%v, expected that the new socket is used", err)
		}
		if n := len(*e.sockets.current.Load()); n != 1 {
			t.Errorf("%d sockets in use, expected the new one", n)
		}
	})
}

// What a request was sent by another socket of one server does not count as sent at the
// next server, which a Protocol-Error makes it go to.
// Rules: P57
func TestSendsAfterRenewalAndProtocolError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if to == "a:1812" && len(f.net.seen("a:1812")) == 2 {
				return [][]byte{protocolError(q, 0xF6)} // 502
			}
			return serve(to, q)
		})
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		pass(time.Second)
		a.endpoint(wire.KindAccess).sockets.renew(true)
		<-o.ended
		toA, toB := f.net.seen("a:1812"), f.net.seen("b:1812")
		if len(toA) != 2 || len(toB) != 1 || toA[0].socket == toA[1].socket {
			t.Fatalf("%d transmissions to a and %d to b, expected two by different sockets, and one", len(toA), len(toB))
		}
		if _, _, sends := o.Served(); sends != 3 || !o.answered() {
			t.Errorf("%s after %d transmissions by its own count, expected b's answer after 3", o.outcome(), sends)
		}
	})
}

// A server's patience with a request goes on when its socket is renewed.
func TestPatienceGoesOnOverARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		patient := func(c *ServerConfig) { c.Health.Check, c.Health.FailingAfter = health.CheckStatusServer, 100 }
		a, b := f.server(t, "a", patient), f.server(t, "b", patient)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		f.net.hung("a")
		pass(2 * time.Second)
		o, before := newOwner(radius.CodeAccessRequest), time.Now()
		f.start(t, f.group(t, Failover, a, b), o)
		pass(5 * time.Second)
		f.backend.Refresh()
		<-o.ended
		if took := time.Since(before); !o.answered() || took > defaults.Patience+sweepGrain {
			t.Errorf("%s after %v, expected b's answer after a's %v", o.outcome(), took, defaults.Patience)
		}
	})
}

// So it does when the request goes to the new socket meanwhile.
func TestPatienceGoesOnAtTheNewSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g, err := f.backend.NewGroup(GroupConfig{MoveAfter: 10}, a, b)
		if err != nil {
			t.Fatal(err)
		}
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		pass(3 * time.Second)
		a.endpoint(wire.KindAccess).sockets.renew(true)
		<-o.ended
		if took := time.Since(f.net.start); !o.answered() || took < defaults.Patience-sweepGrain || took > defaults.Patience+sweepGrain {
			t.Errorf("%s after %v, expected b's answer after %v", o.outcome(), took, defaults.Patience)
		}
		if toA := f.net.seen("a:1812"); toA[len(toA)-1].socket == toA[0].socket {
			t.Error("the request was not sent by the new socket, expected that it was")
		}
	})
}

// Requests that were sent under a longer schedule keep it when a reload shortens it,
// though their sockets are renewed.
func TestRenewalAfterTheScheduleWasShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		o := newOwner(radius.CodeDisconnectRequest)
		f.start(t, f.group(t, Failover, a), o)
		c := a.config
		c.Schedule.Duration = 5 * time.Second
		a.Reconfigure(c)
		f.backend.Refresh()
		<-o.ended
		if took := time.Since(f.net.start); o.fails[0] != FailSilent || took < 30*time.Second-sweepGrain {
			t.Errorf("%s after %v, expected silence for 30s", o.outcome(), took)
		}
	})
}

// A SIGHUP while users are asked to confirm their logins has nobody asked again.
func TestRefreshSendsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", checked)
		defer a.Close()
		f.net.answering(t, "a")
		f.net.slow("a", 20*time.Second)
		g, err := f.backend.NewGroup(GroupConfig{Patience: 30 * time.Second}, a)
		if err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		pass(time.Second)
		f.backend.Refresh()
		<-o.ended
		if !o.answered() {
			t.Errorf("%s, expected an Access-Accept", o.outcome())
		}
		pushes := map[string]bool{}
		for _, tr := range f.net.seen("a:1812") {
			if tr.octets[0] == byte(radius.CodeAccessRequest) {
				pushes[string(tr.octets)] = true // a copy is not a second push
			}
		}
		if len(pushes) != 1 {
			t.Errorf("the user was asked %d times, expected once", len(pushes))
		}
	})
}

// How soon after a renewal sockets are renewed again: after a second where sending
// fails; where nothing is heard, later each time.
// Rules: P57
func TestPaceOfRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		f.net.answering(t, "a")
		f.login(t, f.group(t, Failover, a))
		e := a.endpoint(wire.KindAccess)
		renewals := 0
		for i, row := range []struct {
			after  time.Duration
			heard  bool // something verifies just before
			broken bool
			want   bool
		}{
			{want: true}, // the first
			{},
			{broken: true},
			{after: second - 1, broken: true},
			{},
			{after: 1, want: true},
			{after: second},
			{broken: true, want: true},
			{after: 4*second - 1},
			{after: 1, want: true},
			{after: 8*second - 1},
			{after: 1, want: true},
			{after: 8*second - 1},
			{after: 1, want: true},
			{after: 1, heard: true, want: true},
			{after: second - 1},
			{after: 1, want: true},
		} {
			pass(row.after)
			if row.heard {
				e.health.Answered(f.backend.Now(), second)
			}
			if got := e.sockets.renew(row.broken); got != row.want {
				t.Errorf("step %d: renewed: %t, expected %t", i, got, row.want)
			}
			if row.want {
				renewals++
			}
		}
		synctest.Wait()
		if n := f.count(t, "radsec_gw_server_socket_renewals_total", "port", "auth"); n != float64(renewals) {
			t.Errorf("%v renewals are counted, expected %d", n, renewals)
		}
		if n := f.count(t, "radsec_gw_server_open_sockets", "port", "auth"); n != 1 {
			t.Errorf("%v sockets are counted as open to the port, expected 1", n)
		}
		if n := f.backend.sockets.Load(); n != 1 {
			t.Errorf("%v sockets are counted as open, expected 1", n)
		}
	})
}

// One socket takes the place of all that a port had.
func TestRenewalOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		for range 300 {
			f.start(t, g, newOwner(radius.CodeAccountingRequest))
		}
		for _, want := range []float64{2, 1} {
			if n := f.count(t, "radsec_gw_server_open_sockets", "port", "acct"); n != want {
				t.Errorf("%v sockets are counted as open to the port, expected %v", n, want)
			}
			a.endpoint(wire.KindAccounting).sockets.renew(true)
		}
		if n := f.backend.sockets.Load(); n != 3 {
			t.Errorf("%v sockets are counted as open, expected 3: two of them listen on", n)
		}
	})
}

// A port that has no socket gets none by a renewal.
func TestNothingToRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		if a.endpoint(wire.KindAccess).sockets.renew(true) {
			t.Error("a port without a socket reports that it was renewed")
		}
		f.backend.Refresh()
		synctest.Wait()
		if n := len(f.net.sockets); n != 0 {
			t.Errorf("%d sockets were opened, expected none: nothing was ever sent", n)
		}
		if n := f.count(t, "radsec_gw_server_socket_renewals_total"); n != 0 {
			t.Errorf("%v renewals are counted, expected none", n)
		}
	})
}

// However often sockets are renewed by an operator, few old ones listen on; at the limit
// of all sockets, one.
func TestRefreshKeepsFewSockets(t *testing.T) {
	for _, row := range []struct{ limit, want int }{{0, 1 + maxRetired}, {1, 2}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.backend.LimitSockets(row.limit)
			a := f.server(t, "a", nil)
			defer a.Close()
			g, e := f.group(t, Failover, a), a.endpoint(wire.KindAccess)
			for range 20 {
				f.start(t, g, newOwner(radius.CodeAccessRequest)) // one that waits on each
				e.sockets.refresh()
			}
			if n := len(e.sockets.all()); n != row.want {
				t.Errorf("limit %d: %d sockets are open, expected %d", row.limit, n, row.want)
			}
			pass(renewPause)
			if got := e.sockets.renew(true); got != (row.limit == 0) {
				t.Errorf("limit %d: renewed: %t", row.limit, got)
			}
		})
	}
}

// A port whose server has another address begins there anew: the status page shows it,
// and that the network could not get to the old one is ignored.
func TestMovedPortBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a")
		s := f.server(t, "x", named(0, health.CheckNone))
		defer s.Close()
		f.net.answering(t, "a")
		pass(time.Second)
		f.login(t, f.group(t, Failover, s))
		e := s.endpoint(wire.KindAccess)
		if got := e.metrics.Address(); got != "192.0.2.1:1812" {
			t.Errorf("the status page shows %q, expected a's address", got)
		}
		pass(time.Second)
		e.unreachableAt.Store(int64(f.backend.Now()))
		f.net.name(host, "b")
		f.backend.Refresh()
		synctest.Wait()
		if got := e.metrics.Address(); got != "192.0.2.2:1812" {
			t.Errorf("the status page shows %q, expected b's address", got)
		}
		if at := e.unreachableAt.Load(); at != 0 || e.rank() != health.Up {
			t.Errorf("blocked at %v and ranked %v, expected neither", time.Duration(at), e.rank())
		}
		if at := time.Duration(e.addressSince.Load()); at != f.backend.Now() {
			t.Errorf("the address is in use since %v, expected %v", at, f.backend.Now())
		}
	})
}
