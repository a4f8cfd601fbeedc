package dynauth

import (
	"bytes"
	"crypto/md5"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// fakeOthers are other gateways: a test answers for them.
type fakeOthers struct {
	mu     sync.Mutex
	full   bool // nothing can be asked
	asked  []*Question
	names  []Name
	nobody bool // says at once that nobody has it
}

func (f *fakeOthers) Ask(q *Question) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return false
	}
	f.asked = append(f.asked, q)
	if f.nobody {
		q.Nobody()
	}
	return true
}

func (f *fakeOthers) Here(n Name) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = append(f.names, n)
}

// here returns the names that were reported since the last call, sorted.
func (f *fakeOthers) here() []Name {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.names
	f.names = nil
	slices.SortFunc(list, func(a, b Name) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// one returns the one question since the last call.
func (f *fakeOthers) one(t testing.TB) *Question {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) != 1 {
		t.Fatalf("%d questions, expected 1", len(f.asked))
	}
	q := f.asked[0]
	f.asked = nil
	return q
}

// none fails if there was a question.
func (f *fakeOthers) none(t testing.TB, what string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) > 0 {
		t.Errorf("%s: the others were asked", what)
	}
	f.asked = nil
}

// withOthers returns a bed with other gateways.
func withOthers(t testing.TB) (*bed, *fakeOthers) {
	b, f := newBed(t), new(fakeOthers)
	b.s.UseOthers(f)
	return b, f
}

// answerTo returns the signed answer to a request.
func answerTo(p *radius.Packet, code radius.Code, list ...attr) []byte {
	r := p.Response(code)
	for _, a := range list {
		r.Add(radius.Type(a.t), radius.Attribute(a.value))
	}
	return must(r.Encode())
}

// waiting reports whether a request has a deadline.
func (b *bed) waiting() bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.s.oldest != nil || b.s.newest != nil
}

// A request without a connection is handed to the other gateways, as it came. The answer goes to
// its sender; duplicates are dropped until then, and get the same octets afterwards.
//
// Rules: GW3, RC6
func TestAskedAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := withOthers(t)
		p := packet(radius.CodeCoARequest, 7, senderSecret, nasID("ap"), session("s"), attr{33, "state"})
		octets := b.askOctets(p)
		q := f.one(t)
		if !bytes.Equal(q.Datagram, octets) || q.From != senderAddress || q.Local != gatewayAddr || !q.Find || len(q.Clients) > 0 {
			t.Errorf("the question is %+v", q)
		}
		if want := []Name{nameOf("nas-identifier:", []byte("ap"))}; !slices.Equal(q.Names, want) {
			t.Errorf("asked for %v, expected %v", q.Names, want)
		}
		b.askOctets(p)
		f.none(t, "a duplicate of a pending request")
		if len(b.answers()) > 0 || b.s.PendingTime() != 30*time.Second {
			t.Errorf("it is answered already, or waits for %v", b.s.PendingTime())
		}
		answer := answerTo(p, radius.CodeCoAACK, attr{33, "state"})
		if !q.Answered(answer) {
			t.Fatal("a good answer is refused")
		}
		list := b.answers()
		if len(list) != 1 || !bytes.Equal(list[0].packet, answer) || list[0].to != senderAddress || list[0].local != gatewayAddr {
			t.Fatalf("the sender gets %v", list)
		}
		b.askOctets(p)
		f.none(t, "a duplicate of an answered request")
		if again := b.answers(); len(again) != 1 || !bytes.Equal(again[0].packet, answer) {
			t.Errorf("the duplicate gets %v", again)
		}
		b.wantFates("coa duplicate_answered 1, coa duplicate_dropped 1, coa relayed 1")
		q.Answered(answer)
		q.Nobody()
		q.Unanswered(true)
		if len(b.answers()) > 0 || b.waiting() {
			t.Error("it is answered twice, or still waits")
		}
		pass(time.Hour)
	})
}

// What other gateways are asked for, in the order of RC8, and what they are not asked about.
//
// Rules: GW3, RC8
func TestWhatIsAsked(t *testing.T) {
	id := func(s string) Name { return nameOf("nas-identifier:", []byte(s)) }
	address := nameOf("nas-address:", []byte{192, 0, 2, 9})
	called := nameOf("called-station-id:", []byte("02-AA:wlan"))
	client := func(s string) Name { return nameOf("client:", []byte(s)) }
	for _, x := range []struct {
		name    string
		list    attrs
		names   []Name
		find    bool
		clients []Name
	}{
		{"all names", attrs{nasID("ap"), {241, "\x08op"}, nasIP("192.0.2.9"), {30, "02-AA:wlan"}}, []Name{id("op"), id("ap"), address, called}, true, nil},
		{"a session", attrs{session("s")}, nil, true, nil},
		{"a configured name that has no connection", attrs{nasID("of-b")}, []Name{id("of-b")}, true, []Name{client("b")}},
		{"an operator", attrs{{126, "1example.org"}}, nil, false, []Name{client("b")}},
		{"a NAS that has lost its connection", attrs{nasID("lost")}, []Name{id("lost")}, true, nil},
		{"a session at a NAS of another name", attrs{session("here"), nasID("other")}, []Name{id("other")}, false, nil},
		{"a configured name, which the client's connection has not had", attrs{nasID("of-a"), session("x")}, []Name{id("of-a")}, true, nil},
		{"a session here", attrs{session("here")}, nil, false, nil},
		{"a session here and its NAS", attrs{session("here"), nasID("ap-1")}, nil, false, nil},
		{"a NAS here, and an unknown name", attrs{session("here"), {241, "\x08x"}, nasID("ap-1")}, nil, false, nil},
		{"two that contradict each other", attrs{session("here"), nasID("ap-2")}, nil, false, nil},
		{"a client without the flag", attrs{nasID("of-c")}, nil, false, nil},
		{"nothing", attrs{user("u")}, nil, false, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			b, f := withOthers(t)
			b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"of-a"} })
			b.change("b", func(c *ClientConfig) { c.Identifiers, c.Operators = []string{"of-b"}, []string{"example.org"} })
			b.change("c", func(c *ClientConfig) { c.Identifiers = []string{"of-c"} })
			b.open("a").login(session("here"), nasID("ap-1"))
			b.open("a").login(session("two"), nasID("ap-2"))
			lost := b.open("a")
			lost.login(nasID("lost"))
			lost.Close()
			b.ask(1, x.list...)
			if len(x.names) == 0 && !x.find && len(x.clients) == 0 {
				f.none(t, x.name)
				return
			}
			q := f.one(t)
			if !slices.Equal(q.Names, x.names) || q.Find != x.find || !slices.Equal(q.Clients, x.clients) {
				t.Errorf("asked for %v, find %t, %v; expected %v, %t, %v", q.Names, q.Find, q.Clients, x.names, x.find, x.clients)
			}
		})
	}
}

// If nobody has the connection, or nobody can be asked, a request is handled as without other
// gateways: refused with 502, or sent down what has connected meanwhile, or what only the
// configuration says.
//
// Rules: GW3
func TestAskedInVain(t *testing.T) {
	b, f := withOthers(t)
	p := b.ask(1, nasID("ap"))
	f.one(t).Nobody()
	b.wantNAK(p, 502)
	f.full = true
	b.wantNAK(b.ask(2, nasID("ap")), 502)
	f.full, f.nobody = false, true // also at once, on another goroutine or on this
	b.wantNAK(b.ask(3, nasID("ap")), 502)
	f.one(t)
	f.nobody = false
	if b.waiting() {
		t.Error("something still waits")
	}
	p = b.ask(4, nasID("ap"))
	l := b.open("a")
	l.login(nasID("ap"))
	f.one(t).Nobody()
	down := l.one()
	l.reply(ack(t, down, radius.CodeDisconnectACK))
	b.verified(p, b.answers()[0].packet)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"of-a"} })
	b.ask(5, nasID("of-a"))
	if len(l.got()) > 0 {
		t.Error("it is sent down before the others were asked")
	}
	f.one(t).Nobody()
	l.reply(ack(t, l.one(), radius.CodeDisconnectACK))
	f.full = true
	b.ask(6, nasID("of-a"))
	b.ask(7, nasID("of-a"))
	for _, down := range l.got() {
		l.reply(ack(t, down, radius.CodeDisconnectACK))
	}
	b.wantFates("disconnect no_nas 3, disconnect relayed 4")
	if b.waiting() {
		t.Error("something still waits at the end")
	}
	f.none(t, "at the end")
}

// A request that nobody answers in time gets no answer, and neither does one whose connection
// was lost at another gateway; that is asked about again when it is repeated, and is not refused.
//
// Rules: GW3, RC6, RC7
func TestAskedAndUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := withOthers(t)
		p := b.ask(1, nasID("ap"))
		q := f.one(t)
		pass(31 * time.Second)
		select {
		case <-q.Done():
		default:
			t.Error("the question has not ended")
		}
		q.Answered(answerTo(p, radius.CodeDisconnectACK))
		q.Nobody()
		b.askOctets(p)
		f.none(t, "a duplicate of what was not answered")
		p = b.ask(2, nasID("ap"))
		f.one(t).Unanswered(false)
		b.askOctets(p)
		f.none(t, "a duplicate of what its NAS did not answer")
		p = b.ask(3, nasID("ap"))
		f.one(t).Unanswered(true)
		b.askOctets(p)
		f.one(t).Nobody()
		if list := b.answers(); len(list) > 0 {
			t.Errorf("the senders get %v, expected nothing", list)
		}
		b.askOctets(p)
		f.one(t).Abandon()
		b.wantFates("disconnect client_gone 1, disconnect duplicate_dropped 2, disconnect nas_silent 2, disconnect no_nas 1, disconnect shutdown 1")
		if b.waiting() {
			t.Error("something still waits")
		}
		pass(time.Hour)
	})
}

// An answer that is not one to this request, signed with its sender's secret, is refused.
//
// Rules: GW3, GW6
func TestForgedAnswers(t *testing.T) {
	b, f := withOthers(t)
	p := b.ask(9, nasID("ap"))
	q := f.one(t)
	good := answerTo(p, radius.CodeDisconnectACK)
	changed := func(f func([]byte)) []byte { b := bytes.Clone(good); f(b); return b }
	other := *p
	other.Secret = []byte("another secret")
	protocolError := changed(func(b []byte) {
		b[0] = 52
		copy(b[4:20], p.Authenticator[:])
		sum := md5.Sum(append(bytes.Clone(b), senderSecret...))
		copy(b[4:20], sum[:])
	})
	another := *p
	another.Identifier++
	wrongMAC := answerTo(p, radius.CodeDisconnectACK, attr{80, string(make([]byte, 16))})
	for name, answer := range map[string][]byte{
		"empty": nil, "truncated": good[:19], "longer than its Length": append(bytes.Clone(good), 0),
		"a wrong authenticator": changed(func(b []byte) { b[5] ^= 1 }), "another Identifier": changed(func(b []byte) { b[1]++ }), "another Identifier, signed": answerTo(&another, radius.CodeDisconnectACK),
		"another secret": answerTo(&other, radius.CodeDisconnectACK), "CoA-ACK": answerTo(p, radius.CodeCoAACK), "a request": answerTo(p, radius.CodeDisconnectRequest),
		"Access-Accept": answerTo(p, radius.CodeAccessAccept), "Protocol-Error": protocolError, "a wrong Message-Authenticator": wrongMAC,
		"bad attributes": changed(func(b []byte) { b[3]++ }), "huge": make([]byte, 70_000),
	} {
		if q.Answered(answer) {
			t.Errorf("%s: it is accepted", name)
		}
	}
	if len(b.answers()) > 0 || !b.waiting() {
		t.Error("the question has ended")
	}
	if !q.Answered(good) || len(b.answers()) != 1 {
		t.Error("the good answer is not accepted afterwards")
	}
}

// Drain and shutdown: no new request is asked about, and one that was is still answered.
//
// Rules: GW3, RC18
func TestDrainWhileAsking(t *testing.T) {
	b, f := withOthers(t)
	p := b.ask(1, nasID("ap"))
	q := f.one(t)
	b.s.Drain()
	b.ask(2, nasID("ap"))
	f.none(t, "while it drains")
	q.Answered(answerTo(p, radius.CodeDisconnectACK))
	b.verified(p, b.answers()[0].packet)
	b.wantFates("disconnect relayed 1, disconnect shutdown 1")
}

// A connection that closes at this moment has the others asked.
//
// Rules: GW3, RC10
func TestAskedWhenTheConnectionCloses(t *testing.T) {
	b, f := withOthers(t)
	l := b.open("a")
	l.login(nasID("ap"))
	l.Link.mu.Lock()
	l.Link.ended = true // as Close does, between choose and reserve
	l.Link.mu.Unlock()
	p := b.ask(1, nasID("ap"))
	q := f.one(t)
	l.Link.closed.Store(true)
	q.Nobody()
	b.wantNAK(p, 502)
}
