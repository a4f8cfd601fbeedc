package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/dynauth"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// reverse is a relay with reverse CoA, on real UDP sockets and real time, and one client.
type reverse struct {
	*bed
	dynamic *dynauth.Server
	sender  net.Conn // of the server
}

func newReverse(t *testing.T, change func(*reverse)) *reverse {
	r := &reverse{bed: newBed(t, settings{policy: strict})}
	cfg := &dynauth.Config{Timeout: 20 * time.Second, MaxLearned: 1000, Lifetime: time.Hour, Timestamps: dynauth.Timestamps{Window: 300 * time.Second},
		Senders: []dynauth.Sender{{Name: "a", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Secret: must(wire.NewServerSecret([]byte(serverText)))}}}
	r.dynamic = dynauth.New(r.back, cfg, r.metrics.DynAuth(), nil, slog.New(slog.NewTextHandler(r.log, nil)))
	r.client.Reverse = &dynauth.ClientConfig{Reverse: true, Secret: r.client.Secret}
	if change != nil {
		change(r)
	}
	r.known = NewClient(r.client)
	r.dynamic.Configure(cfg, []*dynauth.Client{r.known.Reverse()})
	r.relay.UseDynAuth(r.dynamic)
	l, err := dynauth.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { r.dynamic.Serve(ctx, l) })
	if r.sender, err = net.Dial("udp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); serving.Wait(); r.sender.Close() })
	r.net.setServe(func(q []byte) [][]byte { return accept(q, mac, text(25, "class-of-the-server")) })
	return r
}

// login has the client send a request, and returns what it is answered with.
func (r *reverse) login(c *Connection, p *peer, q []byte) []byte {
	r.t.Helper()
	if err := r.put(c, q); err != nil {
		r.t.Fatal(err)
	}
	c.Flush()
	return r.wait(p)
}

// wait returns the next packet that the client is sent.
func (r *reverse) wait(p *peer) []byte {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		if list := p.got(); len(list) > 0 {
			if len(list) > 1 {
				r.t.Fatalf("the client was sent %d packets at once", len(list))
			}
			return list[0]
		}
	}
	r.t.Fatal("the client was sent nothing")
	return nil
}

// ask sends a Disconnect-Request by UDP.
func (r *reverse) ask(id byte, attrs ...attr) []byte {
	q := makeRequestUnder(serverText, radius.CodeDisconnectRequest, id, 0, attrs...)
	r.sender.Write(q)
	return q
}

// answer returns what the sender gets for q, verified.
func (r *reverse) answer(q []byte) []byte {
	r.t.Helper()
	b := make([]byte, 4096)
	r.sender.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := r.sender.Read(b)
	if err != nil {
		r.t.Fatal(err)
	}
	if !radius.IsAuthenticResponse(b[:n], q, []byte(serverText)) {
		r.t.Errorf("the sender gets an answer that does not verify: % x", b[:n])
	}
	return b[:n]
}

// A request for a session that the relay has carried goes down its connection, and what the
// client answers goes back, in both versions of RADIUS.
//
// Rules: RC8, RC11, RC12, RC19
func TestReverse(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		r := newReverse(t, nil)
		c, p := r.open()
		if v11 {
			p = &peer{v11: true}
			c = r.relay.Open(r.known, p, netip.MustParseAddrPort("192.0.2.1:1024"), Origin{})
			r.conns = append(r.conns, c)
		}
		q := makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(44, "session-1"), text(32, "ap-7"), mac)
		if v11 {
			q = assemble(radius.CodeAccessRequest, 0, append(binary.BigEndian.AppendUint32(nil, 77), make([]byte, 12)...), []attr{nemo, text(44, "session-1"), text(32, "ap-7")})
		}
		r.login(c, p, q)
		for i, names := range [][]attr{{text(44, "session-1")}, {text(25, "class-of-the-server")}, {text(32, "ap-7")}} {
			asked := r.ask(byte(i), append(names, proxyState("s"))...)
			down := r.wait(p)
			if c.Awaited() != 1 || c.Outstanding() != 0 {
				t.Errorf("%d are awaited and %d outstanding, expected 1 and 0", c.Awaited(), c.Outstanding())
			}
			reply := respondUnder(clientText, down, radius.CodeDisconnectACK, integer(101, 201))
			if v11 {
				reply = assemble(radius.CodeDisconnectACK, 0, append(down[4:8:8], make([]byte, 12)...), []attr{integer(101, 201)})
			}
			if err := errors.Join(r.put(c, reply), c.Flush()); err != nil {
				t.Fatal(err)
			}
			got := r.answer(asked)
			if got[0] != 41 || joined(got, 33) != "s" || joined(got, 101) != "\x00\x00\x00\xc9" {
				t.Errorf("the sender gets % x", got)
			}
			if err := errors.Join(r.put(c, reply), c.Flush()); err != nil { // its double is only counted
				t.Fatal(err)
			}
		}
		if c.Awaited() != 0 {
			t.Errorf("%d are awaited, expected none", c.Awaited())
		}
		r.wantFates("access/relayed=1 other/reverse_answer=3 other/unexpected_reply=3")
	}
}

// A forged answer ends its connection; what answers nothing does not. Those that have arrived
// with it are handled.
//
// Rules: RC12
func TestForgedAnswerEndsTheConnection(t *testing.T) {
	r := newReverse(t, nil)
	c, p := r.open()
	r.login(c, p, makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(32, "ap-7"), mac))
	asked := r.ask(1, text(32, "ap-7"))
	first := r.wait(p)
	r.ask(2, text(32, "ap-7"))
	second := r.wait(p)
	unknown := respondUnder(clientText, second, radius.CodeCoAACK)
	good, forged := respondUnder(clientText, first, radius.CodeDisconnectACK), respondUnder("another", second, radius.CodeDisconnectACK)
	for _, q := range [][]byte{unknown, good, forged} {
		if err := r.put(c, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); !errors.Is(err, wire.ErrReverseAuthenticator) {
		t.Errorf("Flush returns %v, expected ErrReverseAuthenticator", err)
	}
	r.answer(asked)
	two := assemble(radius.CodeDisconnectACK, second[1], second[4:20], []attr{mac, mac})
	if err := r.put(c, two); err == nil {
		t.Error("a packet after it is taken")
	}
	r.packets-- // which has no fate
	r.wantFates("access/relayed=1 other/bad_response_authenticator=1 other/reverse_answer=1 other/unexpected_reply=1")
	if c.Closed(); c.Awaited() != 0 {
		t.Errorf("%d are awaited of a closed connection", c.Awaited())
	}
}

// Malformed authenticators end the connection at once, and more answers than are handled together
// are handled in turns.
//
// Rules: RC12
func TestManyAnswers(t *testing.T) {
	r := newReverse(t, nil)
	c, p := r.open()
	r.login(c, p, makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(32, "ap-7"), mac))
	const many = 40
	var downs [][]byte
	for i := range many {
		r.ask(byte(i), text(32, "ap-7"))
		downs = append(downs, r.wait(p))
	}
	for _, down := range downs[1:] {
		if err := r.put(c, respondUnder(clientText, down, radius.CodeDisconnectACK)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if c.Awaited() != 1 {
		t.Errorf("%d are awaited, expected 1", c.Awaited())
	}
	two := assemble(radius.CodeDisconnectACK, downs[0][1], downs[0][4:20], []attr{mac, mac})
	if err := r.put(c, two); !errors.Is(err, wire.ErrMessageAuthenticatorForm) {
		t.Errorf("two Message-Authenticators: %v", err)
	}
	r.wantFates("access/relayed=1 other/bad_message_authenticator=1 other/reverse_answer=39")
}

// The Identifiers of the two directions are separate: with all 256 of the one in use the client's
// own requests are answered, whatever theirs, and so are those that it was sent.
//
// Rules: P135, RC11
func TestIdentifiersOfBothDirections(t *testing.T) {
	r := newReverse(t, nil)
	c, p := r.open()
	r.login(c, p, makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(32, "ap-7"), mac))
	var downs [256][]byte
	for i := range 256 {
		r.ask(byte(i), text(32, "ap-7"))
		down := r.wait(p)
		downs[down[1]] = down
	}
	for id, down := range downs {
		if down == nil {
			t.Fatalf("Identifier %d was not used", id)
		}
		reply := r.login(c, p, makeRequest(radius.CodeAccessRequest, byte(id), 2+id, nemo, text(32, "ap-7"), mac))
		if reply[0] != byte(radius.CodeAccessAccept) || reply[1] != byte(id) {
			t.Fatalf("the client's request %d is answered with % x", id, reply[:4])
		}
		if err := r.put(c, respondUnder(clientText, down, radius.CodeDisconnectACK)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	r.wantFates("access/relayed=257 other/reverse_answer=256")
}

// Servers know a session by the names that rules have given it; what was sent is learned, and
// what the NAS says of itself.
//
// Rules: AR6, RC8
func TestLearnedAfterRules(t *testing.T) {
	set := func(name string, value string) rules.Rule {
		return rules.Rule{Set: []rules.Assignment{{Attribute: name, Values: []string{value}}}}
	}
	r := newReverse(t, func(r *reverse) {
		r.client.Attributes.Request = chainOf(r.t, set("NAS-Identifier", "of-the-client"))
		r.rules.Routes[0].Attributes = &ServerRules{Route: AttributeRules{Request: chainOf(r.t, set("Acct-Session-Id", "of-the-route"))}}
	})
	c, p := r.open()
	r.login(c, p, makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(44, "own"), text(32, "ap-7"), mac))
	for i, name := range []attr{text(44, "own"), text(32, "ap-7"), text(32, "of-the-client"), text(44, "of-the-route")} {
		r.ask(byte(i), name)
		r.wait(p)
	}
}

// Accounting that the gateway answers itself is learned; what a server rejects, and what a client
// without the flag sends, is not.
//
// Rules: RC1, RC9
func TestLearnedByAnswer(t *testing.T) {
	cause := func(q []byte) uint32 {
		if v := values(q, 101); len(v) == 1 && len(v[0]) == 4 {
			return binary.BigEndian.Uint32(v[0])
		}
		return 0
	}
	r := newReverse(t, func(r *reverse) { r.rules.Routes[0].AnswersAccounting = true })
	c, p := r.open()
	r.login(c, p, makeRequest(radius.CodeAccountingRequest, 1, 1, nemo, text(44, "counted"), integer(40, 1)))
	r.ask(1, text(44, "counted"))
	r.wait(p)
	r.net.setServe(func(q []byte) [][]byte { return [][]byte{respond(q, radius.CodeAccessReject, mac)} })
	r.login(c, p, makeRequest(radius.CodeAccessRequest, 2, 1, nemo, text(44, "rejected"), mac))
	if got := cause(r.answer(r.ask(2, text(44, "rejected")))); got != 502 {
		t.Errorf("a rejected session: Error-Cause %d, expected 502", got)
	}

	other := newReverse(t, func(r *reverse) { r.client.Reverse = nil })
	c, p = other.open()
	other.login(c, p, makeRequest(radius.CodeAccessRequest, 1, 1, nemo, text(44, "s"), mac))
	if got := cause(other.answer(other.ask(1, text(44, "s")))); got != 502 {
		t.Errorf("a client without the flag: Error-Cause %d, expected 502", got)
	}
	if other.conns[0].Keep() {
		t.Error("its connection is kept")
	}
}
