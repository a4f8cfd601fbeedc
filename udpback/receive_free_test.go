package udpback

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// A reply that verifies for a request which has ended meanwhile, and whose Identifier is
// another's by then, ends nothing.
// Rules: P21, P26
func TestReplyIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer s.Close()
		g := f.group(t, Failover, s)
		var all []*owner
		for range 256 {
			all = append(all, newOwner(radius.CodeAccountingRequest))
		}
		f.start(t, g, all...)
		socket := s.endpoint(wire.KindAccounting).sockets.all()[0]
		reply := answer(t, f.net.seen("a:1813")[0].octets, radius.CodeAccountingResponse)
		r := f.backend.receivers.Get().(*receiver)
		r.socket = socket
		r.parse(inboxOf(reply))
		r.check()
		socket.handle(inboxOf(reply)) // the same, doubled, was quicker
		<-all[0].ended
		bob := newOwner(radius.CodeAccountingRequest)
		f.start(t, g, bob)
		if bob.id != all[0].id {
			t.Fatalf("bob has Identifier %d, expected %d: it is the only one that is free", bob.id, all[0].id)
		}
		r.freeAnswered(f.backend.Now())
		if c := &r.candidates[0]; c.ex != nil || socket.slot(bob.id).ex != &bob.Exchange {
			t.Error("the reply to the first request ended the second, which has its Identifier")
		}
	})
}

// The time that an answer took is reported to the port's health: of those that verify,
// and not of checks.
// Rules: P83
func TestHowLongAnswersTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		pass(100 * time.Second)
		old, quick := newOwner(radius.CodeAccountingRequest), newOwner(radius.CodeAccountingRequest)
		f.start(t, g, old)
		pass(9 * time.Second)
		f.start(t, g, quick)
		pass(time.Second)
		e := s.endpoint(wire.KindAccounting)
		sent := f.net.seen("a:1813")
		forged := answer(t, sent[0].octets, radius.CodeAccountingResponse)
		forged[9] ^= 1
		e.sockets.all()[0].handle(inboxOf(forged, answer(t, sent[len(sent)-1].octets, radius.CodeAccountingResponse)))
		<-quick.ended
		now := f.backend.Now()
		e.health.CheckAnswered(now)
		if e.health.Overdue(now-4*time.Second+1, now) || !e.health.Overdue(now-4*time.Second, now) {
			t.Error("expected that a request is overdue after four times as long as the one answer took, a second")
		}
		old.Cancel()
	})
}

// A reply that does not verify does not show that the server is reachable again.
// Rules: P21, P84
func TestForgedReplyIsNotEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		e := s.endpoint(wire.KindAccess)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		e.unreachableAt.Store(int64(f.backend.Now()))
		forged := answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		forged[9] ^= 1
		f.net.sockets[0].in <- forged
		synctest.Wait()
		if got := e.rank(); got != health.Down {
			t.Errorf("rank %v after a forged reply, expected down still", got)
		}
		o.Cancel()
	})
}

// Who issued a State is noted where there is a choice of servers, from verified replies
// that have one.
// Rules: P66
func TestIssuerIsRemembered(t *testing.T) {
	for _, row := range []struct {
		servers int
		state   string
		noted   bool
	}{{2, "state", true}, {1, "state", false}, {2, "", false}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			a, b := f.server(t, "a", nil), f.server(t, "b", nil)
			defer a.Close()
			defer b.Close()
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, Failover, []*Server{a, b}[:row.servers]...), o)
			p, err := radius.Parse(f.net.seen("a:1812")[0].octets, []byte(secretText))
			if err != nil {
				t.Fatal(err)
			}
			r := p.Response(radius.CodeAccessChallenge)
			if row.state != "" {
				r.Add(rfc2865.State_Type, radius.Attribute(row.state))
			}
			reply, err := r.Encode()
			if err != nil {
				t.Fatal(err)
			}
			forged := bytes.Clone(reply)
			forged[9] ^= 1
			f.net.sockets[0].in <- forged
			synctest.Wait()
			hash := Hash([]byte(row.state)) | 1
			if f.backend.issuers.find(hash) != 0 || f.backend.issuers.entries.Load() != nil {
				t.Error("a State of a forged reply was noted")
			}
			f.net.sockets[0].in <- reply
			<-o.ended
			if noted := f.backend.issuers.find(hash) == a.number; noted != row.noted || !noted && f.backend.issuers.entries.Load() != nil {
				t.Errorf("%d servers, State %q: noted %t, expected %t", row.servers, row.state, noted, row.noted)
			}
		})
	}
}

// A request that is to go on at another socket, of which there is none, waits on where
// it was.
// Rules: P65
func TestNoSocketToGoOnAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		e := s.endpoint(wire.KindAccess)
		one := e.sockets.all()[0]
		var none []*socket
		was := e.sockets.current.Swap(&none)
		f.net.set(func() { f.net.noWay["a:1812"] = errTest })
		one.mu.Lock()
		w := workOf(one)
		w.moving = append(w.moving, w.beginMove(o.id, mover{sameServer: true, notDue: true}))
		one.mu.Unlock()
		w.move(f.backend.Now())
		e.sockets.current.Store(was)
		one.mu.Lock()
		if sl := one.slot(o.id); sl.ex != &o.Exchange || sl.state != slotWaiting {
			t.Errorf("the slot is in state %d, expected that the request waits there", sl.state)
		}
		one.mu.Unlock()
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected the reply", got)
		}
	})
}

// A Protocol-Error that ends a request is counted, and its connection is flushed.
// Rules: P97
func TestProtocolErrorIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.serve = func(_ string, q []byte) [][]byte { return [][]byte{protocolError(q, 502-256)} }
		o := &gathering{owner: newOwner(radius.CodeAccessRequest), to: new(gathered)}
		o.Handler = o
		f.startHandler(t, f.group(t, Failover, a, b), &o.Exchange)
		<-o.ended
		synctest.Wait()
		if got := o.outcome(); got != "replies [] fails [1]" || len(o.to.flushes) != 1 {
			t.Errorf("%s, %d flushes; expected one FailProtocolError and one flush", got, len(o.to.flushes))
		}
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "protocol_error"); n != 2 {
			t.Errorf("%v Protocol-Errors counted, expected one of each server", n)
		}
		if n := f.count(t, "radsec_gw_server_requests_moved_total"); n != 1 {
			t.Errorf("%v requests counted as moved, expected 1", n)
		}
	})
}

// The previous exchange of a slot is matched once: the next batch does not have it.
// Rules: P64
func TestMatchPreviousClears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		c := &candidate{previous: previous{ex: &o.Exchange, use: o.useCount()}}
		if err := c.view.Parse(protocolError(f.net.seen("a:1812")[0].octets, 502-256)); err != nil {
			t.Fatal(err)
		}
		(&receiver{socket: s.endpoint(wire.KindAccess).sockets.all()[0]}).matchPrevious(c)
		if c.ex != nil || c.previous.ex != nil {
			t.Error("a Protocol-Error of the server that was left ends the request, or is kept for the next reply")
		}
		o.Cancel()
	})
}
