package udpback

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

const host = "radius.example.org"

// named makes a server of a host name.
func named(interval time.Duration, check health.Check) func(*ServerConfig) {
	return func(c *ServerConfig) {
		c.Address, c.ResolveInterval = host, interval
		c.Health.Check = check
	}
}

// No request waits for a name server that never answers: it goes to the next server of
// its group at once. One without another server is answered once the name is known.
func TestHungNameServer(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.hang = true
			a, b := f.server(t, "a", named(30*time.Second, check)), f.server(t, "b", nil)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "a", "b")
			both, alone := f.group(t, Failover, a, b), f.group(t, Failover, a)
			for range 20 {
				o := newOwner(radius.CodeAccessRequest)
				before := time.Now()
				f.start(t, both, o)
				<-o.ended
				if took := time.Since(before); took != 0 || o.outcome() != "replies [Access-Accept] fails []" {
					t.Fatalf("%s after %v, expected b's Access-Accept at once", o.outcome(), took)
				}
				pass(100 * time.Millisecond)
			}
			var waiting []*owner
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeDisconnectRequest} {
				o := newOwner(code)
				f.start(t, alone, o)
				waiting = append(waiting, o)
			}
			pass(10 * time.Second)
			f.net.name(host, "a")
			f.net.set(func() { f.net.hang = false })
			pass(11 * time.Second) // the look-up that hangs lasts 5 s, the pause after failures up to 4 s
			for _, o := range waiting {
				if !o.answered() {
					t.Errorf("%v: %s, expected an answer as soon as the name had an address", o.code, o.outcome())
				}
			}
			if n := f.count(t, "radsec_gw_server_outstanding_requests", "server", "a"); n != 0 {
				t.Errorf("%v requests outstanding, expected none", n)
			}
		})
	}
}

// A server that is moved is found at its new address within resolve_interval, whatever
// its health check, and though the old address still answers.
func TestNewAddressWhileTheOldOneAnswers(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.name(host, "a")
			s := f.server(t, "x", named(10*time.Second, check))
			defer s.Close()
			f.net.answering(t, "a", "b")
			g := f.group(t, Failover, s)
			pass(time.Second)
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeDisconnectRequest} {
				o := newOwner(code)
				f.start(t, g, o)
				<-o.ended
			}
			f.net.name(host, "b")
			pass(10 * time.Second)
			before := len(f.net.seen("a:1812")) + len(f.net.seen("a:3799"))
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeDisconnectRequest} {
				o := newOwner(code)
				f.start(t, g, o)
				<-o.ended
				if !o.answered() {
					t.Errorf("%v: %s, expected an answer", code, o.outcome())
				}
			}
			if n := len(f.net.seen("a:1812")) + len(f.net.seen("a:3799")); n != before {
				t.Errorf("the old address got %d more requests, expected none", n-before)
			}
		})
	}
}

// What waits for a server when its address changes goes to the new address at once,
// as a new request under its one deadline.
// Rules: P65
func TestWhatWaitsMovesToTheNewAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a")
		s := f.server(t, "x", named(5*time.Second, health.CheckStatusServer))
		defer s.Close()
		g := f.group(t, Failover, s)
		f.net.answering(t, "b") // the container at a has gone
		pass(time.Second)
		var all []*owner
		for range 60 {
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest} {
				o := newOwner(code)
				f.start(t, g, o)
				all = append(all, o)
			}
			pass(125 * time.Millisecond)
		}
		f.net.name(host, "b")
		before := time.Now()
		for _, o := range all {
			<-o.ended
			if !o.answered() {
				t.Errorf("a %v: %s, expected b's answer", o.code, o.outcome())
			}
		}
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("the last was answered after %v, expected the next look-up, 5s at the most", took)
		}
		pass(time.Minute)
		e := s.endpoint(wire.KindAccess)
		if n := len(e.sockets.all()); n != 1 {
			t.Errorf("%d sockets are open, expected the one to the new address", n)
		}
		if n := f.backend.sockets.Load(); n != 3 {
			t.Errorf("%d sockets are counted, expected one for each port", n)
		}
	})
}

// Of several addresses of a name the next is tried when nothing is heard from the one
// in use; the one that answers is remembered, and all sockets lead there.
func TestSeveralAddresses(t *testing.T) {
	for _, check := range []health.Check{health.CheckNone, health.CheckStatusServer} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.name(host, "a", "b", "c") // only c is alive
			s := f.server(t, "x", named(10*time.Second, check))
			defer s.Close()
			f.net.answering(t, "c")
			g := f.group(t, Failover, s)
			o := newOwner(radius.CodeAccessRequest)
			pass(10 * time.Millisecond)
			f.start(t, g, o)
			<-o.ended
			if took := time.Since(f.net.start); !o.answered() || took > 15*time.Second {
				t.Fatalf("%s after %v, expected c's answer: two silent addresses before it", o.outcome(), took)
			}
			f.net.name(host, "c", "b", "a") // a rotation is not a change
			dead := len(f.net.seen("a:1812")) + len(f.net.seen("b:1812"))
			f.net.answering(t)
			f.net.wrap(func(serve server, to string, q []byte) [][]byte { return nil })
			pass(11 * time.Second)
			f.net.answering(t, "c")
			var many []*owner
			for range 600 {
				o := newOwner(radius.CodeAccountingRequest)
				many = append(many, o)
			}
			f.start(t, g, many...)
			for _, o := range many {
				<-o.ended
			}
			if n := len(f.net.seen("a:1813")) + len(f.net.seen("b:1813")); check == health.CheckNone && n != 0 {
				t.Errorf("%d packets went to other addresses, expected all 600 at one", n)
			}
			if n := len(f.net.seen("a:1812")) + len(f.net.seen("b:1812")); check == health.CheckNone && n != dead {
				t.Errorf("%d packets went to dead addresses later, expected none", n-dead)
			}
			if got := s.Address(); got != ipOf("c") {
				t.Errorf("the address in use is %v, expected c's", got)
			}
		})
	}
}

// A port that is silent alone does not make its server change its address.
func TestOneSilentPortKeepsTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b")
		s := f.server(t, "x", named(30*time.Second, health.CheckStatusServer))
		defer s.Close()
		f.net.answering(t, "a", "b")
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if to == "a:1813" { // no accounting there
				return nil
			}
			return serve(to, q)
		})
		pass(2 * time.Minute)
		if got := s.Address(); got != ipOf("a") {
			t.Errorf("the address in use is %v, expected a's: its auth port answers", got)
		}
	})
}

// A name that cannot be looked up is notified of, and its server is down with that hint.
func TestNameWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "x", named(30*time.Second, health.CheckStatusServer))
		defer s.Close()
		pass(5 * time.Second)
		if got := s.endpoint(wire.KindAccess).health.State(); got != health.Down {
			t.Errorf("the server is %v, expected down", got)
		}
		if n := f.count(t, "radsec_gw_server_name_lookups_total", "server", "x", "result", "failed"); n < 2 {
			t.Errorf("%v look-ups failed, expected two or more", n)
		}
		f.net.name(host, "a")
		f.net.answering(t, "a")
		pass(10 * time.Second)
		if got := s.endpoint(wire.KindAccess).health.State(); got != health.Up {
			t.Errorf("the server is %v, expected up at its address", got)
		}
	})
}

// A server of several addresses that was down comes back at the one where it answers:
// the port is not led away between the answers that it takes.
func TestSeveralAddressesComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b", "c")
		s := f.server(t, "x", named(10*time.Second, health.CheckStatusServer))
		defer s.Close()
		f.net.answering(t)
		pass(time.Minute)
		if got := s.endpoint(wire.KindAccess).health.State(); got != health.Down {
			t.Fatalf("the server is %v after a minute of silence, expected down", got)
		}
		f.net.answering(t, "b")
		pass(4 * 3 * 3300 * time.Millisecond) // at most two checks elsewhere before b's first, for each of two ports; then three answers
		if got := s.endpoint(wire.KindAccess).health.State(); got != health.Up || s.Address() != ipOf("b") {
			t.Errorf("the server is %v at %v, expected up at b's address", got, s.Address())
		}
	})
}

// Many refusals of one address have a server go on to its next address once: those that
// come late say nothing about the address that is in use by then.
func TestRefusalsOfAPreviousAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b")
		s := f.server(t, "x", named(30*time.Second, health.CheckNone))
		defer s.Close()
		f.net.answering(t, "b")
		f.net.unreachable = map[string]bool{"a:1813": true}
		g := f.group(t, Failover, s)
		pass(100 * time.Millisecond)
		var all []*owner
		for range 10 { // a datagram and a refusal each
			o := newOwner(radius.CodeAccountingRequest)
			f.start(t, g, o)
			all = append(all, o)
		}
		before := time.Now()
		for _, o := range all {
			<-o.ended
			if took := time.Since(before); !o.answered() || took > 10*time.Millisecond {
				t.Errorf("%s after %v, expected b's answer at once", o.outcome(), took)
			}
		}
		if n := len(f.net.seen("a:1813")); n > len(all) {
			t.Errorf("%d datagrams went to a, expected each of %d requests there once at the most", n, len(all))
		}
		if got := s.Address(); got != ipOf("b") {
			t.Errorf("the address in use is %v, expected b's", got)
		}
	})
}

// A server that is down at all of its addresses is tried at each in turn, which is logged
// once a minute.
func TestSilentAddressesAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var log bytes.Buffer
		f.backend.log = slog.New(slog.NewTextHandler(&log, nil))
		f.net.name(host, "a", "b")
		s := f.server(t, "x", named(0, health.CheckStatusServer))
		defer s.Close()
		pass(10 * time.Minute)
		if a, b := len(f.net.seen("a:1812")), len(f.net.seen("b:1812")); a < 10 || b < 10 {
			t.Errorf("a got %d checks and b %d, expected both in turn", a, b)
		}
		s.Retire() // nothing writes to the log any more
		if n := strings.Count(log.String(), "trying its next"); n < 1 || n > 11 {
			t.Errorf("%d lines in 10 minutes, expected one a minute", n)
		}
	})
}

// While none of a server's addresses answers each is tried for a while: what waits is
// sent again at each turn.
func TestSilentAddressesAreTriedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b")
		s := f.server(t, "x", named(30*time.Second, health.CheckStatusServer))
		defer s.Close()
		g := f.group(t, Failover, s)
		for range 170 {
			f.start(t, g, newOwner(radius.CodeAccessRequest))
			pass(time.Second)
		}
		// Eight turns in 30 s, each with a transmission and one after 2 s; and checks.
		if sent := len(f.net.seen("a:1812")) + len(f.net.seen("b:1812")); sent > 170*16+120 {
			t.Errorf("%d transmissions of 170 requests, expected two at each turn", sent)
		}
	})
}
