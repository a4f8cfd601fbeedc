package dynauth

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
)

// A connection has 256 requests unanswered, each with an Identifier of its own. Then they go to
// the next connection of the same NAS, and after that get 506; one that is answered makes space.
//
// Rules: RC11
func TestFullConnection(t *testing.T) {
	for _, v11only := range []bool{false, true} {
		b := newBed(t)
		version := func(c *LinkConfig) { c.V11 = v11only }
		other := b.open("a", version)
		first, second := b.open("a", version, device("one")), b.open("a", version, device("one"))
		first.login(session("s"), nasID("ap"))
		fill := func(l *link, from int) (sent [][]byte) {
			t.Helper()
			ids := map[string]bool{}
			for i := range 256 {
				b.put(otherPort(), gatewayAddr, must(packet(radius.CodeCoARequest, byte(i), senderSecret, session("s"), attr{18, string(rune(from + i))}).Encode()))
				one := l.one()
				sent = append(sent, one)
				ids[string(one[1:2])+string(one[4:8])] = true
			}
			if len(ids) != 256 {
				t.Errorf("%d different Identifiers, expected 256", len(ids))
			}
			return sent
		}
		sent := fill(first, 1000)
		fill(second, 2000)
		p := b.ask(1, session("s"))
		b.wantNAK(p, 506)
		if !strings.Contains(b.log.String(), "506") {
			t.Errorf("the log is %s", b.log)
		}
		if n := first.Outstanding() + second.Outstanding(); n != 512 {
			t.Errorf("%d requests are outstanding, expected 512", n)
		}
		if got := b.counts("radsec_gw_reverse_pending_requests"); got != "512" {
			t.Errorf("%s requests are pending, expected 512", got)
		}
		answer := reply11(sent[17], 44)
		if !v11only {
			answer = ack(t, sent[17], radius.CodeCoAACK)
		}
		if out := first.reply(answer); len(out) != 1 || out[0].Fate != metrics.FateReverseAnswer {
			t.Errorf("the outcome is %v", out)
		}
		b.answers()
		b.ask(2, session("s"))
		first.one()
		if len(other.got()) > 0 {
			t.Error("a connection of another device was used")
		}
		b.wantFates("coa relayed 1, disconnect no_identifier 1")
	}
}

// reply11 returns the answer of RADIUS/1.1 to a request: a header with its Token.
func reply11(request []byte, code byte, octets ...byte) []byte {
	b := make([]byte, 20, 20+len(octets))
	b[0] = code
	copy(b[4:8], request[4:8])
	b = append(b, octets...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// Tokens count from a random start, one for each request, on every connection.
//
// Rules: RC11
func TestTokens(t *testing.T) {
	b := newBed(t)
	starts := map[uint32]bool{}
	for range 8 {
		l := b.open("a", v11)
		l.login(nasID("ap"))
		var before uint32
		for i := range 3 {
			b.ask(byte(i), nasID("ap"), attr{18, string(rune('a' + len(starts)*3 + i))})
			down := l.one()
			token := binary.BigEndian.Uint32(down[4:])
			if i > 0 && token != before+1 {
				t.Errorf("Token %d follows %d", token, before)
			}
			before = token
		}
		starts[before] = true
		l.Close()
	}
	long := false
	for start := range starts {
		long = long || start > 0xffff
	}
	if !long {
		t.Error("the Tokens do not use their 32 bits")
	}
	if len(starts) != 8 {
		t.Errorf("%d different starts of 8 connections", len(starts))
	}
}

// A connection that ends frees what waits: the senders get no answer, and may ask again.
//
// Rules: P136, RC10
func TestConnectionLost(t *testing.T) {
	for reason, fate := range map[metrics.Reason]string{metrics.ClosedByPeer: "client_gone", metrics.ClosedShutdown: "shutdown", metrics.ClosedNotReading: "client_not_reading"} {
		b := newBed(t)
		l := b.open("a")
		l.login(session("s"))
		for i := range 3 {
			b.ask(byte(i), session("s"))
		}
		l.peer.ended = reason
		l.Close()
		if len(b.answers()) > 0 || l.Outstanding() != 0 || b.counts("radsec_gw_reverse_pending_requests") != "" || b.s.oldest != nil {
			t.Errorf("%v: something still waits", reason)
		}
		b.wantFates("disconnect " + fate + " 3")
		if ok, _ := l.commit(&request{}, make([]byte, 20)); ok {
			t.Error("a closed connection takes a request")
		}
		b.wantNAK(b.ask(9, session("s")), 502)
	}
}

// A request that finds its connection ending is not lost for its sender: it is dropped, and the
// next try is new.
//
// Rules: RC10
func TestSendFails(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	l.login(session("s"))
	l.peer.closed, l.peer.ended = true, metrics.ClosedNotReading
	p := b.ask(1, session("s"))
	b.wantFates("disconnect client_not_reading 1")
	l.peer.closed = false
	b.askOctets(p)
	l.one()
}

// A NAS that does not answer in time leaves its sender without an answer. A late answer is
// counted and dropped, and the Identifier is not used again while there are others; when it is, what
// does not verify may be an answer to an earlier request, and does not end the connection.
//
// Rules: RC7
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		l := b.open("a")
		l.login(session("s"), nasID("ap"))
		b.ask(1, session("s"))
		late := l.one()
		pass(29 * time.Second)
		b.wantFates("")
		pass(2 * time.Second)
		b.wantFates("disconnect nas_silent 1")
		if l.Outstanding() != 0 || b.counts("radsec_gw_reverse_pending_requests") != "" {
			t.Error("it still waits")
		}
		if !strings.Contains(b.log.String(), "has not answered") {
			t.Errorf("the log is %s", b.log)
		}
		if out := l.reply(ack(t, late, radius.CodeDisconnectACK)); out[0] != (Outcome{Fate: metrics.FateLateAnswer}) {
			t.Errorf("the late answer ends as %v", out)
		}
		b.ask(3, session("s"), attr{18, "never"}) // another one, to which no answer comes in time
		late = l.one()
		pass(31 * time.Second)
		for i := range 255 {
			b.put(otherPort(), gatewayAddr, must(packet(radius.CodeCoARequest, byte(i), senderSecret, session("s"), attr{18, string(rune('0' + i))}).Encode()))
			if down := l.one(); down[1] == late[1] {
				t.Fatal("the Identifier of the late request was used again")
			}
		}
		b.ask(2, session("s"), attr{18, "again"})
		again := l.one()
		if again[1] != late[1] {
			t.Errorf("Identifier %d, expected %d again", again[1], late[1])
		}
		if out := l.reply(ack(t, late, radius.CodeDisconnectACK)); out[0] != (Outcome{Fate: metrics.FateLateAnswer}) {
			t.Errorf("the answer to the earlier request ends as %v", out)
		}
		if out := l.reply(ack(t, again, radius.CodeDisconnectACK)); out[0] != (Outcome{Fate: metrics.FateReverseAnswer}) {
			t.Errorf("the answer ends as %v", out)
		}
		if n := len(b.answers()); n != 1 {
			t.Errorf("%d answers to senders, expected 1", n)
		}
		l.Close()
		pass(time.Hour)
	})
}

// The last connection of a client's device stays open although it is idle, for requests; others
// do not, nor do those of a client without the flag.
//
// Rules: RC17
func TestKeep(t *testing.T) {
	b := newBed(t)
	first, second, third := b.open("a", device("one")), b.open("a", device("one")), b.open("a", device("two"))
	if first.Keep() {
		t.Error("the first of two is kept")
	}
	if !second.Keep() || !third.Keep() {
		t.Error("the last of a device is not kept")
	}
	first.Close()
	if !second.Keep() {
		t.Error("the last is not kept after the other has closed")
	}
	if b.open("c").Keep() {
		t.Error("a client without reverse_coa is kept")
	}
}
