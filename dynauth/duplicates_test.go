package dynauth

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// A duplicate of a pending request is dropped, one of an answered request gets the same octets
// again, for as long as its Event-Timestamp would be fresh; none is sent down. Another source
// port, Identifier or Authenticator is another request.
//
// Rules: P68, RC5, RC6
func TestDuplicates(t *testing.T) {
	for _, x := range []struct{ window, kept time.Duration }{{300 * time.Second, 300 * time.Second}, {20 * time.Minute, 20 * time.Minute}, {0, 300 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t)
			b.cfg.Timestamps.Window = x.window
			b.configure()
			l := b.open("a")
			l.login(session("s"))
			p := packet(radius.CodeCoARequest, 1, senderSecret, session("s"), attr{33, "state"})
			b.askOctets(p)
			down := l.one()
			pass(time.Second)
			b.askOctets(p)
			if len(l.got()) > 0 || len(b.answers()) > 0 {
				t.Fatal("a duplicate of a pending request is not dropped")
			}
			l.reply(ack(t, down, radius.CodeCoAACK))
			answer := b.answers()[0]
			b.verified(p, answer.packet)
			pass(x.kept - 2*time.Second)
			b.askOctets(p)
			again := b.answers()
			if len(again) != 1 || !bytes.Equal(again[0].packet, answer.packet) || again[0].to != senderAddress || len(l.got()) > 0 {
				t.Errorf("the duplicate of an answered request gets %v", again)
			}
			b.wantFates("coa duplicate_answered 1, coa duplicate_dropped 1, coa relayed 1")
			pass(2 * time.Second)
			b.askOctets(p)
			if len(l.got()) != 1 {
				t.Error("after the window it is not a new request")
			}
			b.put(otherPort(), gatewayAddr, must(p.Encode()))
			p.Identifier++
			b.askOctets(p)
			p.Add(55, radius.Attribute(stamp(0).value))
			b.askOctets(p)
			if n := len(l.got()); n != 3 {
				t.Errorf("%d of 3 other requests were sent", n)
			}
			l.Close()
			pass(time.Hour)
			b.s.mu.Lock()
			defer b.s.mu.Unlock()
			if n := b.s.dups.kept.len(); n > 0 || len(b.s.dups.last) > 0 {
				t.Errorf("%d answers and %d requests are kept for ever", n, len(b.s.dups.last))
			}
		})
	}
}

// A NAK of the gateway's own is repeated, too.
//
// Rules: RC6
func TestDuplicateOfANAK(t *testing.T) {
	b := newBed(t)
	p := b.ask(1, session("s"))
	first := b.answers()[0].packet
	b.open("a").login(session("s")) // meanwhile it could be sent
	b.askOctets(p)
	if again := b.answers(); len(again) != 1 || !bytes.Equal(again[0].packet, first) {
		t.Errorf("the duplicate gets %v", again)
	}
	b.wantFates("disconnect duplicate_answered 1, disconnect no_nas 1")
}

// A request without an answer is not sent down again when its sender repeats it, because the
// NAS may have acted; but if its connection was lost it is new (RFC 6614bis §4.2).
//
// Rules: P136, RC6, RC7
func TestDuplicateOfAnUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		l := b.open("a")
		l.login(session("s"), nasID("ap"))
		p := b.ask(1, session("s"))
		l.one()
		pass(31 * time.Second)
		b.askOctets(p)
		if len(l.got()) > 0 || len(b.answers()) > 0 {
			t.Error("a request that was not answered in time was sent again")
		}
		b.wantFates("disconnect duplicate_dropped 1, disconnect nas_silent 1")
		q := b.ask(2, session("s"))
		l.one()
		l.Close()
		b.askOctets(q)
		if len(b.answers()) > 0 {
			t.Error("a NAK says that nothing has happened, though the NAS may have acted")
		}
		next := b.open("a")
		next.login(session("s"), nasID("ap"))
		b.askOctets(q)
		down := next.one()
		b.wantFates("disconnect client_gone 1, disconnect duplicate_dropped 1, disconnect nas_silent 1, disconnect no_nas 1")
		next.reply(ack(t, down, radius.CodeDisconnectACK))
		b.verified(q, b.answers()[0].packet)
		pass(299 * time.Second) // the first entry of q expires, the last does not
		b.askOctets(q)
		if len(next.got()) > 0 || len(b.answers()) != 1 {
			t.Error("the duplicate of the retry is not answered")
		}
		next.Close()
		pass(time.Hour)
	})
}

// The answers that are kept are bounded, and what goes is counted.
//
// Rules: RC6
func TestKeptAnswersAreBounded(t *testing.T) {
	b := newBed(t)
	for i := range maxKept + 10 {
		b.s.mu.Lock()
		b.s.keep(dupKey(i), []byte("an answer of twenty."), false, 0)
		b.s.mu.Unlock()
	}
	if n := b.s.dups.kept.len(); n != maxKept || len(b.s.dups.last) != maxKept {
		t.Errorf("%d answers are kept, expected %d", n, maxKept)
	}
	if got := b.counts("radsec_gw_reverse_answers_forgotten_total"); got != "10" {
		t.Errorf("%s are counted as forgotten, expected 10", got)
	}
	if answer, how := b.s.admit(maxKept+9, b.s.now(), true, nil); how != admitDuplicate || string(answer) != "an answer of twenty." {
		t.Errorf("the last answer is %q, %d", answer, how)
	}
	if _, how := b.s.admit(3, b.s.now(), true, nil); how != admitNew {
		t.Error("the first is still known")
	}
}
