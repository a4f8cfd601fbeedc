package dynauth

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// What is not a CoA-Request or Disconnect-Request, is malformed, is not from a sender, or does
// not verify gets no answer, reaches no NAS, and is counted.
//
// Rules: RC3, RC4, RC19
func TestRefusedDatagrams(t *testing.T) {
	good := must(packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s")).Encode())
	changed := func(f func(b []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	for _, x := range []struct {
		name   string
		from   netip.AddrPort
		octets []byte
		fate   string
		log    string
	}{
		{"good", senderAddress, good, "", ""},
		{"padding after the packet (P2)", senderAddress, append(good[:len(good):len(good)], 1, 2, 3), "", ""},
		{"empty", senderAddress, nil, "other bad_length 1", ""},
		{"shorter than its Length", senderAddress, good[:22], "other bad_length 1", ""},
		{"Length 19", senderAddress, changed(func(b []byte) []byte { b[3] = 19; return b }), "other bad_length 1", ""},
		{"attribute of length 0", senderAddress, changed(func(b []byte) []byte { b[21] = 0; return b }), "disconnect bad_attributes 1", ""},
		{"Access-Request", senderAddress, must(packet(radius.CodeAccessRequest, 1, senderSecret).Encode()), "other unknown_code 1", ""},
		{"Status-Server", senderAddress, must(packet(radius.CodeStatusServer, 1, senderSecret).Encode()), "other unknown_code 1", ""},
		{"Disconnect-ACK", senderAddress, must(packet(radius.CodeDisconnectACK, 1, senderSecret).Encode()), "other unknown_code 1", ""},
		{"an unknown sender", netip.MustParseAddrPort("192.0.2.99:4000"), good, "disconnect unknown_sender 1", "neither a [[server]]'s nor"},
		{"the gateway itself", netip.MustParseAddrPort("198.51.100.1:3799"), good, "disconnect unknown_sender 1", ""},
		{"another sender's secret", otherAddress, good, "disconnect bad_request_authenticator 1", "another secret"},
		{"wrong authenticator", senderAddress, changed(func(b []byte) []byte { b[7] ^= 1; return b }), "disconnect bad_request_authenticator 1", "of=radius"},
		{"wrong Message-Authenticator", senderAddress, wrongMA(t), "disconnect bad_message_authenticator 1", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBed(t)
			l := b.open("a")
			l.login(session("s"))
			b.put(x.from, gatewayAddr, x.octets)
			b.wantFates(x.fate)
			if n := len(l.got()); n > 1 || (n == 1) != (x.fate == "") {
				t.Errorf("the NAS was sent %d packets", n)
			}
			if list := b.answers(); len(list) > 0 {
				t.Errorf("%d answers, expected none", len(list))
			}
			if !strings.Contains(b.log.String(), x.log) {
				t.Errorf("the log lacks %q: %s", x.log, b.log)
			}
		})
	}
}

// wrongMA returns a request whose Message-Authenticator is wrong under a right Request
// Authenticator.
func wrongMA(t *testing.T) []byte {
	p := packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s"), attr{80, strings.Repeat("x", 16)})
	return must(p.Encode())
}

// A Message-Authenticator can be required.
//
// Rules: RC4
func TestRequireMessageAuthenticator(t *testing.T) {
	b := newBed(t)
	b.cfg.RequireMA = true
	b.configure()
	l := b.open("a")
	l.login(session("s"))
	b.ask(1, session("s"))
	b.wantFates("disconnect missing_message_authenticator 1")
	if !strings.Contains(b.log.String(), "require_message_authenticator") {
		t.Errorf("the log is %s", b.log)
	}
	h, secret := wire.NewHasher(), must(wire.NewServerSecret([]byte(senderSecret)))
	signed := must(wire.NewRequest(radius.CodeDisconnectRequest, 2).AddMessageAuthenticator().AddText(44, "s").Sign(h, secret))
	b.put(senderAddress, gatewayAddr, signed)
	if down := l.one(); down[20] != 80 {
		t.Error("the NAS's copy has no Message-Authenticator")
	}
}

// Of several senders with one address each secret is tried.
//
// Rules: RC3
func TestSendersOfOneAddress(t *testing.T) {
	b := newBed(t)
	b.cfg.Senders = append(b.cfg.Senders, Sender{"second", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, must(wire.NewServerSecret([]byte("second secret")))})
	b.configure()
	l := b.open("a")
	l.login(session("s"))
	in := [][]byte{}
	for i, secret := range []string{"second secret", senderSecret, "neither", "second secret"} {
		in = append(in, must(packet(radius.CodeDisconnectRequest, byte(i), secret, session("s")).Encode()))
	}
	b.put(senderAddress, gatewayAddr, in...)
	if n := len(l.got()); n != 3 {
		t.Errorf("the NAS was sent %d requests, expected 3", n)
	}
	b.wantFates("disconnect bad_request_authenticator 1")
	if !strings.Contains(b.log.String(), `of="radius, second"`) {
		t.Errorf("the log is %s", b.log)
	}
}

// A request outside the window of its Event-Timestamp is dropped silently; one without is, too,
// if one is required.
//
// Rules: RC5
func TestEventTimestamp(t *testing.T) {
	for _, x := range []struct {
		name  string
		stamp time.Duration // from now; 1: none
		t     Timestamps
		fate  string
	}{
		{"now", 0, Timestamps{Window: 300 * time.Second, Require: true}, ""},
		{"old", -301 * time.Second, Timestamps{Window: 300 * time.Second}, "disconnect stale_event_timestamp 1"},
		{"of the future", 302 * time.Second, Timestamps{Window: 300 * time.Second}, "disconnect stale_event_timestamp 1"},
		{"within the window", -290 * time.Second, Timestamps{Window: 300 * time.Second}, ""},
		{"old, not checked", -time.Hour, Timestamps{}, ""},
		{"none", 1, Timestamps{Window: 300 * time.Second}, ""},
		{"none, required", 1, Timestamps{Window: 300 * time.Second, Require: true}, "disconnect stale_event_timestamp 1"},
	} {
		b := newBed(t)
		b.cfg.Timestamps = x.t
		b.configure()
		l := b.open("a")
		l.login(session("s"))
		list := attrs{session("s")}
		if x.stamp != 1 {
			list = append(list, stamp(x.stamp))
		}
		b.ask(1, list...)
		if n := len(l.got()); (n == 1) != (x.fate == "") {
			t.Errorf("%s: the NAS was sent %d requests", x.name, n)
		}
		b.wantFates(x.fate)
		if x.fate != "" && !strings.Contains(b.log.String(), "Event-Timestamp") {
			t.Errorf("%s: the log is %s", x.name, b.log)
		}
	}
}

// stamp is an Event-Timestamp some time from now.
func stamp(d time.Duration) attr {
	return attr{55, string(binary.BigEndian.AppendUint32(nil, uint32(time.Now().Add(d).Unix())))}
}

// Requests that arrive together are sent together: one write for each connection, and one
// packet a record, which is one Send.
func TestBatch(t *testing.T) {
	b := newBed(t)
	first, second := b.open("a"), b.open("b")
	first.login(session("1"))
	second.login(session("2"))
	var in [][]byte
	for i := range 30 {
		in = append(in, must(packet(radius.CodeCoARequest, byte(i), senderSecret, session(string('1'+rune(i%3)))).Encode()))
	}
	b.put(senderAddress, gatewayAddr, in...)
	if n, m, naks := len(first.got()), len(second.got()), len(b.answers()); n != 10 || m != 10 || naks != 10 {
		t.Errorf("%d and %d requests and %d NAKs, expected 10 of each", n, m, naks)
	}
	if first.flushes != 1 || second.flushes != 1 {
		t.Errorf("%d and %d writes, expected 1 for each", first.flushes, second.flushes)
	}
	b.wantFates("coa no_nas 10")
}

// When the gateway stops, and on a socket that is no longer configured, nothing new is taken:
// the sender tries again elsewhere. What was sent down is answered, and its duplicates are.
//
// Rules: RC18
func TestDrain(t *testing.T) {
	for name, stop := range map[string]func(*bed){"drain": func(b *bed) { b.s.Drain() }, "retired": func(b *bed) { b.l.retired.Store(true) }} {
		b := newBed(t)
		l := b.open("a")
		l.login(session("s"))
		p := b.ask(1, session("s"))
		down := l.one()
		stop(b)
		b.ask(2, session("s"))
		b.ask(3, session("unknown"))
		if len(l.got()) > 0 || len(b.answers()) > 0 {
			t.Errorf("%s: a new request was taken", name)
		}
		l.reply(ack(t, down, radius.CodeDisconnectACK))
		first := b.answers()
		b.askOctets(p)
		again := b.answers()
		if len(first) != 1 || len(again) != 1 || string(first[0].packet) != string(again[0].packet) {
			t.Errorf("%s: answers %v, then %v", name, first, again)
		}
		b.wantFates("disconnect duplicate_answered 1, disconnect relayed 1, disconnect shutdown 2")
	}
}

// Without the flag a client gets nothing more, but what it was sent it may answer.
//
// Rules: C2, RC2, RC18
func TestFlagTakenAway(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	l.login(session("s"), nasID("ap"))
	p := b.ask(1, session("s"))
	down := l.one()
	b.change("a", func(c *ClientConfig) { c.Reverse = false })
	b.wantNAK(b.ask(2, session("s")), 502)
	b.wantNAK(b.ask(3, nasID("ap")), 502)
	l.reply(ack(t, down, radius.CodeDisconnectACK))
	b.verified(p, b.answers()[0].packet)
	b.wantFates("disconnect not_allowed 2, disconnect relayed 1")
	if !strings.Contains(b.log.String(), "reverse_coa") {
		t.Errorf("the log is %s", b.log)
	}
	b.change("a", func(c *ClientConfig) { c.Reverse = true })
	b.ask(4, session("s"))
	l.one()
}

// A NAK has the sender's Proxy-State.
//
// Rules: RC13
func TestNAKHasProxyState(t *testing.T) {
	b := newBed(t)
	p := b.ask(1, attr{33, "one"}, attr{33, "two"})
	r := b.verified(p, b.answers()[0].packet)
	var states []string
	for _, a := range r.Attributes {
		if a.Type == 33 {
			states = append(states, string(a.Attribute))
		}
	}
	if strings.Join(states, " ") != "one two" {
		t.Errorf("the NAK has Proxy-State %q", states)
	}
}
