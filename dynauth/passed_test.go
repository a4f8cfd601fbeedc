package dynauth

import (
	"bytes"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// passed is a request of another gateway, and what it is told.
type passedOn struct {
	Passed
	answers [][]byte
	lost    []bool
}

func passOn(octets []byte) *passedOn {
	p := &passedOn{Passed: Passed{Datagram: octets, From: senderAddress, Local: netip.MustParseAddr("198.51.100.2")}}
	p.Answer = func(answer []byte, lost bool) {
		p.answers, p.lost = append(p.answers, bytes.Clone(answer)), append(p.lost, lost)
	}
	return p
}

// encoded returns a request, which then has its Authenticator.
func encoded(p *radius.Packet) []byte {
	octets := must(p.Encode())
	copy(p.Authenticator[:], octets[4:20])
	return octets
}

// A request of another gateway is sent down, and its answer goes back there, signed for the
// sender. A duplicate is sent down no second time, by whatever way it arrives.
//
// Rules: GW3, RC6
func TestPass(t *testing.T) {
	b, f := withOthers(t)
	l := b.open("a")
	l.login(session("s"), nasID("ap"))
	p := packet(radius.CodeDisconnectRequest, 5, senderSecret, session("s"), attr{33, "state"})
	octets := encoded(p)
	first := passOn(octets)
	if !b.s.Has(&first.Passed) || len(l.got()) > 0 {
		t.Error("it is not here, or sent down before it is asked for")
	}
	if got := b.s.Pass(&first.Passed); got != PassTaken {
		t.Fatalf("Pass returns %d", got)
	}
	down := l.one()
	pending := passOn(octets)
	if got := b.s.Pass(&pending.Passed); got != PassTaken || len(pending.answers) != 1 || len(pending.answers[0]) > 0 || !pending.lost[0] {
		t.Errorf("a duplicate of a pending one: %d, %v", got, pending.answers)
	}
	b.put(senderAddress, gatewayAddr, octets)
	l.reply(ack(t, down, radius.CodeDisconnectACK))
	if len(first.answers) != 1 || len(b.answers()) > 0 {
		t.Fatalf("the other gateway gets %v", first.answers)
	}
	if r := b.verified(p, first.answers[0]); r.Code != radius.CodeDisconnectACK || string(r.Get(33)) != "state" {
		t.Errorf("the answer is %v", r)
	}
	again := passOn(octets)
	b.s.Pass(&again.Passed)
	b.put(senderAddress, gatewayAddr, octets)
	if list := b.answers(); len(again.answers) != 1 || !bytes.Equal(again.answers[0], first.answers[0]) || len(list) != 1 || !bytes.Equal(list[0].packet, first.answers[0]) {
		t.Errorf("duplicates get %v and %v", again.answers, list)
	}
	if len(l.got()) > 0 {
		t.Error("it is sent down again")
	}
	f.none(t, "a request of another gateway")
	b.wantFates("disconnect duplicate_answered 2, disconnect duplicate_dropped 2, disconnect relayed 1")
}

// What has no connection here is not kept, not refused and never passed on again.
//
// Rules: GW3
func TestPassNotHere(t *testing.T) {
	b, f := withOthers(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"of-a"} })
	b.change("c", func(c *ClientConfig) { c.Identifiers = []string{"of-c"} })
	l := b.open("a")
	l.login(session("s"), nasID("ap"))
	b.open("c")
	for _, x := range []struct {
		name       string
		list       attrs
		configured bool
		want       Pass
	}{
		{"unknown", attrs{nasID("x")}, true, PassNotHere},
		{"only configured", attrs{nasID("of-a")}, false, PassNotHere},
		{"of a client without the flag", attrs{nasID("of-c")}, true, PassNotHere},
		{"only configured, and that counts", attrs{nasID("of-a")}, true, PassTaken},
		{"a session, and a name that is not known", attrs{nasID("x"), session("s")}, false, PassTaken},
	} {
		octets := encoded(packet(radius.CodeDisconnectRequest, 1, senderSecret, x.list...))
		for range 2 {
			p := passOn(octets)
			p.Configured = x.configured
			if has := b.s.Has(&p.Passed); has != (x.want == PassTaken) {
				t.Errorf("%s: it is here: %t", x.name, has)
			}
			if got := b.s.Pass(&p.Passed); got != x.want {
				t.Errorf("%s: %d, expected %d", x.name, got, x.want)
			}
		}
		if n := len(l.got()); n > 1 || (n == 1) != (x.want == PassTaken) {
			t.Errorf("%s: %d are sent down", x.name, n)
		}
	}
	b.s.Drain()
	p := passOn(encoded(packet(radius.CodeDisconnectRequest, 2, senderSecret, nasID("ap"))))
	if b.s.Pass(&p.Passed) != PassNotHere || b.s.Has(&p.Passed) {
		t.Error("it is taken while the gateway drains")
	}
	f.none(t, "a request of another gateway")
	if len(b.answers()) > 0 {
		t.Error("something is sent by UDP")
	}
}

// What another gateway passes on gets its answer once, whatever becomes of it: a NAK, the end of
// the connection, the deadline.
//
// Rules: GW3
func TestPassEnds(t *testing.T) {
	b, _ := withOthers(t)
	one, two := b.open("a"), b.open("b")
	one.login(session("s"), nasID("ap"))
	two.login(session("t"), nasID("ap-2"))
	p := packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s"), nasID("ap-2"))
	mismatch := passOn(encoded(p))
	if b.s.Pass(&mismatch.Passed) != PassTaken || len(mismatch.answers) != 1 || b.verified(p, mismatch.answers[0]).Code != radius.CodeDisconnectNAK {
		t.Errorf("a mismatch gets %v", mismatch.answers)
	}
	lost := passOn(encoded(packet(radius.CodeDisconnectRequest, 2, senderSecret, session("s"))))
	b.s.Pass(&lost.Passed)
	one.Close()
	if len(lost.answers) != 1 || len(lost.answers[0]) > 0 || !lost.lost[0] {
		t.Errorf("a lost connection gives %v, %v", lost.answers, lost.lost)
	}
	silent := passOn(encoded(packet(radius.CodeDisconnectRequest, 3, senderSecret, session("t"))))
	b.s.Pass(&silent.Passed)
	b.s.mu.Lock()
	b.s.oldest.deadline = b.s.now()
	b.s.mu.Unlock()
	b.s.expire()
	if len(silent.answers) != 1 || len(silent.answers[0]) > 0 || silent.lost[0] {
		t.Errorf("a silent NAS gives %v, %v", silent.answers, silent.lost)
	}
	two.peer.ended = metrics.ClosedShutdown
	last := passOn(encoded(packet(radius.CodeDisconnectRequest, 4, senderSecret, session("t"))))
	b.s.Pass(&last.Passed)
	two.Close()
	if len(last.answers) != 1 {
		t.Errorf("a shutdown gives %v", last.answers)
	}
	b.wantFates("disconnect client_gone 1, disconnect nas_mismatch 1, disconnect nas_silent 1, disconnect shutdown 1")
}

// What another gateway passes on is checked like a datagram: without the secret of a sender
// nothing is sent down, and nobody learns what is connected here.
//
// Rules: GW3, GW6
func TestPassIsChecked(t *testing.T) {
	good := encoded(packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s")))
	for name, p := range map[string]*passedOn{
		"another secret": passOn(encoded(packet(radius.CodeDisconnectRequest, 1, "x", session("s")))), "truncated": passOn(good[:21]), "empty": passOn(nil),
		"huge": passOn(make([]byte, 70_000)), "an answer": passOn(encoded(packet(radius.CodeDisconnectACK, 1, senderSecret, session("s")))),
		"Access-Request":    passOn(encoded(packet(radius.CodeAccessRequest, 1, senderSecret, session("s")))),
		"stale":             passOn(encoded(packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s"), stamp(-time.Hour)))),
		"an unknown sender": {Passed: Passed{Datagram: good, From: netip.MustParseAddrPort("192.0.2.99:1")}},
		"no sender":         {Passed: Passed{Datagram: good}},
	} {
		b, _ := withOthers(t)
		l := b.open("a")
		l.login(session("s"))
		if b.s.Has(&p.Passed) || b.s.Pass(&p.Passed) != PassRefused || len(l.got()) > 0 || len(p.answers) > 0 {
			t.Errorf("%s: it is not refused", name)
		}
		if p := passOn(good); b.s.Pass(&p.Passed) != PassTaken || len(l.got()) != 1 {
			t.Errorf("%s: the next is not sent down", name)
		}
	}
}

// Whatever another gateway passes on, signed by a sender or not, is answered at most once, and is
// sent down only if its sender has signed it.
//
// Rules: GW3, GW6
func FuzzPass(f *testing.F) {
	f.Add(must(packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s")).Encode()), true, false)
	f.Add(must(packet(radius.CodeCoARequest, 1, "x", nasID("ap"), attr{33, "p"}).Encode()), false, true)
	f.Add([]byte{43, 1, 0, 22}, true, true)
	b, _ := withOthers(f)
	b.s.log = slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, octets []byte, sign, configured bool) {
		b.t, b.s.dups = t, duplicates{last: map[dupKey]uint64{}}
		l := b.open("a")
		l.login(session("s"), nasID("ap"))
		var v wire.View
		n, err := wire.Cut(octets)
		good := err == nil && n > 0 && v.Parse(octets[:n]) == nil
		if sign && good {
			wire.NewHasher().SignRequest(octets[:n], must(wire.NewServerSecret([]byte(senderSecret))))
		}
		p := passOn(octets)
		p.Configured = configured
		result := b.s.Pass(&p.Passed)
		down := l.got()
		if len(down) > 1 || len(down) == 1 && (result != PassTaken || !radius.IsAuthenticRequest(octets[:n], []byte(senderSecret))) {
			t.Fatalf("%d, and the NAS is sent %x", result, down)
		}
		l.Close() // which ends what is not answered
		if want := map[bool]int{true: 1}[result == PassTaken]; len(p.answers) != want {
			t.Fatalf("%d, and %d answers", result, len(p.answers))
		}
		if len(b.answers()) > 0 {
			t.Fatal("something is sent by UDP")
		}
	})
}
