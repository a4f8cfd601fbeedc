package udpback

import (
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// An error of a socket is counted and logged, and the server's port is treated accordingly.
// An error of a parked socket, or of one to an earlier address of the server, says nothing
// about the server.
// Rules: P84
func TestFailed(t *testing.T) {
	here, left := ipOf("a"), ipOf("b")
	const failed = `level=WARN msg="sending to or receiving from the server failed" server=a port=auth address=192.0.2.1:1812 error=`
	for _, row := range []struct {
		name              string
		leadsTo           netip.Addr
		err               error
		counted           float64
		line              string // how the first line begins; empty: none is written
		blocked, troubled bool
		state             health.State
		orders            orders
	}{
		{name: "no socket", err: errNowhere},
		{name: "refused, left", leadsTo: left, err: syscall.ECONNREFUSED, counted: 1},
		{name: "no way, left", leadsTo: left, err: syscall.EHOSTUNREACH, counted: 1},
		{name: "refused", leadsTo: here, err: syscall.ECONNREFUSED, counted: 1, state: health.Suspect, orders: moveServer,
			line: `level=WARN msg="nobody listens on the server's port: is the RADIUS server running?" server=a port=auth address=192.0.2.1:1812 error="connection refused"`},
		{name: "no way", leadsTo: here, err: syscall.EHOSTUNREACH, counted: 1, blocked: true, troubled: true, orders: renewSocket | moveServer,
			line: failed + `"no route to host" hint="there is no route to the server's address: check the routes and the links"`},
		{name: "own address gone", leadsTo: here, err: syscall.EADDRNOTAVAIL, counted: 1, blocked: true, troubled: true, orders: renewSocket | moveSocket | moveServer,
			line: failed + `"cannot assign requested address" hint="this machine's own address has changed"`},
		{name: "out of buffers", leadsTo: here, err: syscall.ENOBUFS, counted: 1, troubled: true,
			line: failed + `"no buffer space available" hint="the system is short of memory for packets"`},
		{name: "unknown", leadsTo: here, err: syscall.EIO, counted: 1,
			line: failed + `"input/output error" hint="check the network between here and the server"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			journal := f.journal()
			server := f.server(t, "a", checked)
			defer server.Close()
			e := server.endpoint(wire.KindAccess)
			s := newSocket(&e.sockets, row.leadsTo, newNowhere())
			defer s.close()
			pass(time.Second)
			journal.take()
			s.timerAt = 1 // so that no sweep carries the orders out
			s.failed(row.err)
			s.mu.Lock()
			troubled, given := s.sendFailedAt, s.orders
			s.mu.Unlock()
			if got := e.health.State(); got != row.state || given != row.orders {
				t.Errorf("%s: the port is %v, orders %b; expected %v, %b", row.name, got, given, row.state, row.orders)
			}
			if blocked := e.unreachableAt.Load(); (blocked == int64(f.backend.Now())) != row.blocked || (troubled == f.backend.Now()) != row.troubled {
				t.Errorf("%s: blocked at %v, troubled at %v; expected now: %t, %t", row.name, time.Duration(blocked), troubled, row.blocked, row.troubled)
			}
			if n := f.count(t, "radsec_gw_server_socket_errors_total", "port", "auth"); n != row.counted {
				t.Errorf("%s: %v errors are counted, expected %v", row.name, n, row.counted)
			}
			if got := journal.take(); len(got) > 0 != (row.line != "") || row.line != "" && got[0] != row.line {
				t.Errorf("%s: the log says %q, expected %q", row.name, got, row.line)
			}
		})
	}
}

// ICMP port unreachable sends what waits to the next server at once, whatever the
// health check; with no other server it is resent.
// Rules: P84
func TestRefusedRequestsGoOn(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health.Check = check }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "b")
			f.net.unreachable = map[string]bool{"a:1812": true}
			g := f.group(t, Failover, a, b)
			for range 3 {
				o := newOwner(radius.CodeAccessRequest)
				before := time.Now()
				f.start(t, g, o)
				<-o.ended
				if took := time.Since(before); o.outcome() != "replies [Access-Accept] fails []" || took > 10*time.Millisecond {
					t.Errorf("health %d: %s after %v, expected b's Access-Accept at once", check, o.outcome(), took)
				}
			}
			if s := a.endpoint(wire.KindAccess).health.State(); check == health.CheckNone && s != health.Down {
				t.Errorf("a is %v after three refusals, expected down: nothing else can tell", s)
			}
			alone := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, Failover, a), alone)
			pass(7 * time.Second)
			f.net.mu.Lock()
			f.net.unreachable = nil
			f.net.mu.Unlock()
			f.net.answering(t, "a")
			<-alone.ended
			if got := alone.outcome(); got != "replies [Access-Accept] fails []" {
				t.Errorf("health %d: %s, expected a's Access-Accept once it is back", check, got)
			}
		})
	}
}

// A refused request for which no other server has space waits on where it is: it is
// not sent again before it is due, and has all of its time.
// Rules: P55, P84
func TestRefusedRequestsWaitForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		narrow := func(c *ServerConfig) { c.MaxSockets = 1 }
		a, b := f.server(t, "a", nil), f.server(t, "b", narrow)
		defer a.Close()
		defer b.Close()
		f.crowd(t, f.group(t, Failover, b))
		f.net.unreachable = map[string]bool{"a:1812": true}
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		pass(time.Second)
		if n := len(f.net.seen("a:1812")); n != 1 || len(o.ended) != 0 {
			t.Fatalf("%d transmissions to a in the first second and %s, expected 1 and that it waits", n, o.outcome())
		}
		f.net.mu.Lock()
		f.net.unreachable = nil
		f.net.mu.Unlock()
		f.net.answering(t, "a")
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" || time.Since(f.net.start) > 2300*time.Millisecond {
			t.Errorf("%s after %v, expected a's Access-Accept when it was due", got, time.Since(f.net.start))
		}
	})
}

// A request whose server cannot be reached, nor any socket to it opened, waits while the
// next server has no Identifier left, and keeps to its schedule.
// Rules: P55
func TestUnreachableAndNoIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", func(c *ServerConfig) { c.MaxSockets, c.Health.Check = 1, health.CheckStatusServer })
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		f.net.slow("b", 3*time.Second)
		g, onB := f.group(t, Failover, a, b), f.group(t, Failover, b)
		pass(2 * time.Second)
		f.login(t, g)
		f.login(t, onB) // its answers are known to take so long
		f.net.set(func() {
			f.net.cut["a:1812"], f.net.noWay["a:1812"] = syscall.EHOSTUNREACH, syscall.EHOSTUNREACH
		})
		f.crowd(t, onB)
		if outcome, took := f.login(t, g); outcome != accepted || took > 7500*time.Millisecond {
			t.Errorf("%s after %v, expected b's Access-Accept when it has Identifiers again", outcome, took)
		}
	})
}
