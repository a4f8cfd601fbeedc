package udpback

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// A server that goes down has just answered other requests: those that it was sent before
// its last answer move like all others.
// Rules: P54, P65
func TestRequestsMoveFromAServerThatGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		lost := newOwner(radius.CodeAccessRequest)
		f.start(t, g, lost)
		pass(50 * time.Millisecond)
		f.net.answering(t, "a", "b")
		answered := newOwner(radius.CodeAccessRequest)
		f.start(t, g, answered) // a's last answer
		<-answered.ended
		f.net.answering(t, "b")
		<-lost.ended
		if took := time.Since(f.net.start); lost.outcome() != "replies [Access-Accept] fails []" || took > 6850*time.Millisecond {
			t.Errorf("%s after %v, expected b's Access-Accept after about 6s", lost.outcome(), took)
		}
	})
}

// One request counts once against its server, however often it is resent.
// Rules: P83
func TestOneSilentRequestIsNoSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		port := s.endpoint(wire.KindAccess).health
		for i, want := range []health.State{health.Up, health.Up, health.Down} { // without checks, silence is all there is
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, g, o)
			<-o.ended
			if got := port.State(); got != want {
				t.Errorf("after %d requests without an answer a is %v, expected %v", i+1, got, want)
			}
		}
	})
}

// The Identifier that a request leaves behind when it moves is free again after
// its schedule, even when nothing else happens on its socket.
// Rules: P26
func TestMovedRequestGivesItsIdentifierBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		if n := a.endpoint(wire.KindAccess).outstanding.Load(); n != 1 {
			t.Errorf("%d Identifiers of a are in use after the move, expected 1: a may still answer (RFC 5080 §2.2.2)", n)
		}
		pass(30 * time.Second)
		if n := a.endpoint(wire.KindAccess).outstanding.Load(); n != 0 {
			t.Errorf("%d Identifiers of a are in use after the schedule, expected none", n)
		}
	})
}

// When Cancel reports that the exchange was not waiting, its end is reported to the
// owner, also during a move.
// Rules: P59
func TestCancelDuringAMoveStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		o := &hasty{owner: newOwner(radius.CodeAccessRequest)}
		o.Handler = o
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		if err := f.group(t, Failover, a, b).Start(&o.Exchange, batch); err != nil {
			t.Fatal(err)
		}
		batch.Flush()
		<-o.ended
		if got := o.outcome(); got != "replies [] fails [0]" || o.took {
			t.Errorf("%s, Cancel %t; expected that Cancel finds nothing and one FailSilent follows", got, o.took)
		}
		if n := len(f.net.seen("b:1812")); n != 1 {
			t.Errorf("%d transmissions to b, expected 1: it was cancelled", n)
		}
	})
}

// hasty cancels itself while it moves.
type hasty struct {
	*owner
	took bool
}

func (h *hasty) Write(d *wire.Digests, dst []byte, to Hop, id wire.ServerID) (int, error) {
	if h.writes == 1 {
		h.took = h.Cancel()
	}
	return h.owner.Write(d, dst, to, id)
}

// A reply that comes in the midst of a move that then fails is not the last one:
// the request is sent again where it was, and answered again.
// Rules: P54, P65
func TestReplyDuringAFailedMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		o := &interrupted{owner: newOwner(radius.CodeAccessRequest)}
		o.Handler = o
		o.atMove = func() {
			sent := f.net.seen("a:1812")
			f.net.sockets[sent[0].socket].in <- answer(t, sent[0].octets, radius.CodeAccessAccept)
			synctest.Wait()
			f.net.answering(t, "a", "b")
		}
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		if err := f.group(t, Failover, a, b).Start(&o.Exchange, batch); err != nil {
			t.Fatal(err)
		}
		batch.Flush()
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected a's Access-Accept", got)
		}
		if n := len(f.net.seen("b:1812")); n != 0 {
			t.Errorf("%d transmissions to b, expected none: the move failed", n)
		}
	})
}

// interrupted cannot be written for a second server.
type interrupted struct {
	*owner
	atMove func()
}

func (o *interrupted) Write(d *wire.Digests, dst []byte, to Hop, id wire.ServerID) (int, error) {
	if o.writes == 1 {
		o.atMove()
		o.writeErr = errors.New("cannot be written")
	}
	return o.owner.Write(d, dst, to, id)
}

// A request moves from a silent server to one that may answer, never to one that is down;
// when the better one is full the request waits, and moves as soon as there is a free
// Identifier.
// Rules: P65, P84
func TestNothingMovesToAServerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		narrow := func(c *ServerConfig) { c.MaxSockets = 1 }
		a, b, c := f.server(t, "a", nil), f.server(t, "b", narrow), f.server(t, "c", nil)
		defer a.Close()
		defer b.Close()
		defer c.Close()
		c.endpoint(wire.KindAccess).health.NoAddress(errTest)
		late := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b, c), late)
		pass(5200 * time.Millisecond) // so that none of the crowd is due before late moves
		crowd := f.crowd(t, f.group(t, Failover, b))
		pass(1750 * time.Millisecond) // a has had its two transmissions, b is full
		if n := len(f.net.seen("c:1812")); n != 0 {
			t.Fatalf("%d transmissions to c, which is dead", n)
		}
		if n := len(f.net.seen("a:1812")); n != 3 {
			t.Errorf("%d transmissions to a, expected 3: it is still its server", n)
		}
		f.net.answering(t, "b")
		for _, o := range crowd {
			<-o.ended
		}
		<-late.ended
		if got := late.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected b's Access-Accept once it had space", got)
		}
	})
}

// crowd fills a group up.
func (f *fixture) crowd(t *testing.T, g *Group) (crowd []*owner) {
	b := f.backend.AcquireBatch()
	defer f.backend.ReleaseBatch(b)
	for {
		o := newOwner(radius.CodeAccessRequest)
		if err := g.Start(&o.Exchange, b); err != nil {
			b.Flush()
			return crowd
		}
		crowd = append(crowd, o)
	}
}

// A dead server without checks is tried by requests that begin something, not by
// one in the midst of a conversation.
// Rules: P66, P84
func TestTriesSpareConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		for range defaults.SuspectAfter {
			a.endpoint(wire.KindAccess).health.Silent(f.backend.Now())
		}
		pass(time.Minute)
		if i, _ := g.choose(&Exchange{Kind: wire.KindAccess, HasState: true, StateHash: 5, Conversation: true}, g.current()); i != 1 {
			t.Errorf("a request with State goes to server %d, expected 1: server 0 is dead", i)
		}
		if i, try := g.choose(&Exchange{Kind: wire.KindAccess}, g.current()); i != 0 || !try {
			t.Errorf("the next request without State goes to server %d, expected 0: it is due for a try", i)
		}
	})
}

// ICMP port unreachable can be forged: it starts the checks where there are any,
// so that new requests go elsewhere at once, and proves nothing by itself.
// Rules: P84
func TestRefusalIsAHint(t *testing.T) {
	for _, row := range []struct {
		check health.Check
		want  health.State
	}{{health.CheckStatusServer, health.Suspect}, {health.CheckNone, health.Up}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health = health.Config{Check: row.check} }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "a", "b")
			pass(5 * time.Second)
			f.net.mu.Lock()
			f.net.refused["a:1812"] = true
			f.net.mu.Unlock()
			f.start(t, f.group(t, Failover, a, b), newOwner(radius.CodeAccessRequest))
			if got := a.endpoint(wire.KindAccess).health.State(); got != row.want {
				t.Errorf("health %d: a is %v after one refusal, expected %v", row.check, got, row.want)
			}
			f.net.mu.Lock()
			f.net.refused["a:1812"] = false
			f.net.mu.Unlock()
			pass(5 * time.Second)
			if got := a.endpoint(wire.KindAccess).health.State(); got != health.Up {
				t.Errorf("health %d: a is %v although it answers, expected up: the refusal was forged", row.check, got)
			}
		})
	}
}
