package dynauth

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

func cause(n uint32) attr { return attr{101, string(binary.BigEndian.AppendUint32(nil, n))} }

// Answers go back unchanged but for their signature: ACK and NAK, with every attribute and
// Error-Cause, 507 included; the sender's Proxy-State is returned and was not sent down.
//
// Rules: RC12, RC13, RC16
func TestAnswers(t *testing.T) {
	for _, x := range []struct {
		request, answer radius.Code
		list            attrs
	}{
		{radius.CodeCoARequest, radius.CodeCoAACK, nil},
		{radius.CodeCoARequest, radius.CodeCoANAK, attrs{cause(507), {6, "\x00\x00\x00\x11"}, {24, "state"}}},
		{radius.CodeDisconnectRequest, radius.CodeDisconnectACK, attrs{cause(201), {25, "class"}}},
		{radius.CodeDisconnectRequest, radius.CodeDisconnectNAK, attrs{cause(503)}},
	} {
		for _, version := range []func(*LinkConfig){func(*LinkConfig) {}, v11} {
			b := newBed(t)
			l := b.open("a", version)
			l.login(session("s"), nasID("ap"))
			p := packet(x.request, 9, senderSecret, session("s"), attr{33, "one"}, attr{24, "st"}, attr{25, "cl"}, attr{33, "two"})
			b.askOctets(p)
			down := l.one()
			got := must(radius.Parse(down, []byte("radsec")))
			if got.Code != x.request || got.Get(33) != nil || string(got.Get(24)) != "st" || string(got.Get(25)) != "cl" || string(got.Get(32)) != "ap" {
				t.Errorf("the NAS gets %v", got.Attributes)
			}
			answer := ack(t, down, x.answer, x.list...)
			if l.V11 {
				answer = reply11(down, byte(x.answer), answer[20:]...)
			}
			if out := l.reply(answer); len(out) != 1 || out[0] != (Outcome{Fate: metrics.FateReverseAnswer}) {
				t.Errorf("the outcome is %v", out)
			}
			list := b.answers()
			if len(list) != 1 || list[0].to != senderAddress || list[0].local != gatewayAddr {
				t.Fatalf("the answers are %v", list)
			}
			r := b.verified(p, list[0].packet)
			want := append(append(attrs{}, x.list...), attr{33, "one"}, attr{33, "two"})
			if r.Code != x.answer || len(r.Attributes) != len(want) {
				t.Fatalf("the sender gets %v with %v, expected %v with %v", r.Code, r.Attributes, x.answer, want)
			}
			for i, a := range r.Attributes {
				if byte(a.Type) != want[i].t || string(a.Attribute) != want[i].value {
					t.Errorf("attribute %d is %d %q, expected %d %q", i, a.Type, a.Attribute, want[i].t, want[i].value)
				}
			}
			b.wantFates(x.request.String()[:0] + kindName(x.request) + " relayed 1")
			if got := b.counts("radsec_gw_reverse_answers_total", "code"); got != x.answer.String()+" 1" {
				t.Errorf("the answers are counted as %q", got)
			}
		}
	}
}

func kindName(c radius.Code) string { return wire.KindOf(c).String() }

// What answers nothing that waits is not ours, and the connection stays; what is forged ends it.
//
// Rules: P134, RC12
func TestWrongAnswers(t *testing.T) {
	forged := func(b []byte) []byte { b[6] ^= 1; return b }
	identifier := func(b []byte, id byte) []byte { b[1] = id; return b }
	for _, x := range []struct {
		name   string
		answer func(down []byte) []byte
		want   metrics.Fate
		err    error
	}{
		{"another Identifier", func(d []byte) []byte { return identifier(ack(t, d, radius.CodeDisconnectACK), d[1]+1) }, metrics.FateUnexpectedReply, nil},
		{"the ACK of the other kind", func(d []byte) []byte { return ack(t, d, radius.CodeCoAACK) }, metrics.FateUnexpectedReply, nil},
		{"the NAK of the other kind", func(d []byte) []byte { return ack(t, d, radius.CodeCoANAK) }, metrics.FateUnexpectedReply, nil},
		{"Access-Accept", func(d []byte) []byte { return ack(t, d, radius.CodeAccessAccept) }, metrics.FateUnexpectedReply, nil},
		{"forged", func(d []byte) []byte { return forged(ack(t, d, radius.CodeDisconnectACK)) }, metrics.FateBadResponseAuthenticator, wire.ErrReverseAuthenticator},
		{"wrong Message-Authenticator", func(d []byte) []byte {
			return ack(t, d, radius.CodeDisconnectACK, attr{80, strings.Repeat("x", 16)})
		}, metrics.FateBadMessageAuthenticator, wire.ErrMessageAuthenticator},
		{"malformed Message-Authenticator", func(d []byte) []byte {
			return ack(t, d, radius.CodeDisconnectACK, attr{80, "x"})
		}, metrics.FateBadMessageAuthenticator, wire.ErrMessageAuthenticatorForm},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBed(t)
			l := b.open("a")
			l.login(session("s"))
			p := b.ask(1, session("s"))
			down := l.one()
			out := l.reply(x.answer(down))
			if len(out) != 1 || out[0].Fate != x.want || !errors.Is(out[0].Err, x.err) {
				t.Fatalf("the outcome is %v, expected %v, %v", out, x.want, x.err)
			}
			if len(b.answers()) > 0 || l.Outstanding() != 1 {
				t.Error("it has ended the request")
			}
			out = l.reply(ack(t, down, radius.CodeDisconnectACK), ack(t, down, radius.CodeDisconnectACK)) // and twice
			if out[0].Fate != metrics.FateReverseAnswer || out[1].Fate != metrics.FateLateAnswer || out[0].Err != nil || out[1].Err != nil {
				t.Errorf("the right one and its double end as %v", out)
			}
			if out := l.reply(ack(t, down, radius.CodeDisconnectACK)); out[0].Fate != metrics.FateUnexpectedReply || out[0].Err != nil {
				t.Errorf("the third ends as %v", out)
			}
			list := b.answers()
			if len(list) != 1 {
				t.Fatalf("%d answers, expected 1", len(list))
			}
			b.verified(p, list[0].packet)
		})
	}
}

// A Protocol-Error is for one hop only: its sender gets a NAK, with a cause that a NAK may have.
//
// Rules: RC12, RC16
func TestProtocolErrorOfNAS(t *testing.T) {
	for sent, want := range map[uint32]uint32{406: 406, 0: 505, 601: 505} {
		b := newBed(t)
		l := b.open("a", v11)
		l.login(session("s"))
		p := b.ask(1, session("s"), attr{33, "state"})
		var list []byte
		if sent != 0 {
			list = append([]byte{101, 6}, cause(sent).value...)
		}
		l.reply(reply11(l.one(), 52, list...))
		b.wantNAK(p, want)
		b.wantFates("disconnect protocol_error 1")
	}
}

// An answer outside the window of its Event-Timestamp is passed on with a warning, or dropped
// with one, as configured.
//
// Rules: RC5
func TestStaleAnswer(t *testing.T) {
	for _, drop := range []bool{false, true} {
		b := newBed(t)
		b.cfg.Timestamps.DropReplies = drop
		b.configure()
		l := b.open("a")
		l.login(session("s"))
		b.ask(1, session("s"))
		out := l.reply(ack(t, l.one(), radius.CodeDisconnectACK, stamp(-time.Hour)))
		want := metrics.FateReverseAnswer
		if drop {
			want = metrics.FateStaleTimestamp
		}
		if out[0].Fate != want || len(b.answers()) != map[bool]int{false: 1, true: 0}[drop] || l.Outstanding() != map[bool]int{false: 0, true: 1}[drop] {
			t.Errorf("drop %t: the outcome is %v", drop, out)
		}
		if !strings.Contains(b.log.String(), "Event-Timestamp") {
			t.Errorf("the log is %s", b.log)
		}
	}
}

// An answer that does not fit with the sender's Proxy-State is lost, and counted.
func TestAnswerTooLong(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	l.login(session("s"))
	p := packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s"))
	answer := attrs{}
	for range 15 {
		p.Add(33, make([]byte, 253))
		answer = append(answer, attr{18, strings.Repeat("x", 253)})
	}
	b.askOctets(p)
	out := l.reply(ack(t, l.one(), radius.CodeDisconnectACK, answer...))
	if out[0].Fate != metrics.FateReverseAnswer || len(b.answers()) > 0 {
		t.Errorf("the outcome is %v", out)
	}
	b.wantFates("disconnect reply_too_long 1")
}
