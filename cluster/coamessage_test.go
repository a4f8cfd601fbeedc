package cluster

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A request, a reply and the message that a gateway is there are read as they were written.
//
// Rules: GW3
func TestCoAMessages(t *testing.T) {
	packet := bytes.Repeat([]byte{7}, 20)
	for _, m := range []coaMessage{
		{asker: "0123456789abcdef", clock: time.Hour, from: netip.MustParseAddrPort("192.0.2.1:4000"), packet: packet},
		{asker: "a", configured: true, from: netip.MustParseAddrPort("[2001:db8::1]:1"), local: netip.MustParseAddr("198.51.100.1"), packet: bytes.Repeat(packet, 204)},
		{asker: "b", from: netip.MustParseAddrPort("[::1]:0"), local: netip.MustParseAddr("2001:db8::2"), packet: packet},
	} {
		if got, err := decodeAsk(m.encode()); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("read as %+v, %v, expected %+v", got, err, m)
		}
	}
	for _, r := range []coaReply{{kind: replyNotHere, name: "ab"}, {kind: replyHere, name: "0"}, {kind: replyTaken}, {kind: replyUnanswered}, {kind: replyLost}, {kind: replyAnswer, packet: packet}} {
		if got, err := decodeReply(r.encode()); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("read as %+v, %v, expected %+v", got, err, r)
		}
	}
	for _, kind := range []byte{messageBeat, messageBye} {
		if got, name, clock, err := decodeBeat(encodeBeat(kind, "ab", -5)); got != kind || name != "ab" || clock != -5 || err != nil {
			t.Errorf("read as %d, %q, %v, %v", got, name, clock, err)
		}
	}
}

// Messages of another form are not read.
//
// Rules: GW6
func TestWrongCoAMessages(t *testing.T) {
	m := coaMessage{asker: "ab", from: netip.MustParseAddrPort("192.0.2.1:4000"), packet: make([]byte, 20)}
	good := m.encode()
	changed := func(at int, to byte) []byte { b := bytes.Clone(good); b[at] = to; return b }
	for name, b := range map[string][]byte{
		"empty": nil, "only its header": good[:askHeader], "another kind": changed(0, messageBeat), "an unknown flag": changed(1, 4), "no name": changed(askHeader, 0),
		"a name that is longer than the message": changed(askHeader, 200), "a name with a wildcard": changed(askHeader+1, '*'), "a name with a dot": changed(askHeader+1, '.'),
		"a packet of 19": good[:len(good)-1], "a packet of 4097": append(bytes.Clone(good), make([]byte, 4077)...),
	} {
		if got, err := decodeAsk(b); err == nil {
			t.Errorf("a request, %s: read as %+v", name, got)
		}
	}
	for name, b := range map[string][]byte{
		"empty": nil, "another kind": {1}, "no name": {replyHere}, "a name with a dot": {replyHere, '.'}, "a name that is too long": append([]byte{replyNotHere}, strings.Repeat("a", maxName+1)...),
		"taken, and more": {replyTaken, 0}, "a short packet": append([]byte{replyAnswer}, make([]byte, 19)...), "a long packet": append([]byte{replyAnswer}, make([]byte, 4097)...),
	} {
		if got, err := decodeReply(b); err == nil {
			t.Errorf("a reply, %s: read as %+v", name, got)
		}
	}
	for name, b := range map[string][]byte{"empty": nil, "no name": encodeBeat(messageBeat, "", 0), "a bad name": encodeBeat(messageBeat, "A", 0), "another kind": encodeBeat(messageAsk, "a", 0)} {
		if _, got, _, err := decodeBeat(b); err == nil {
			t.Errorf("a gateway, %s: read as %q", name, got)
		}
	}
	if r, err := replyIn(&nats.Msg{Header: nats.Header{"Status": {"503"}}}); err != nil || r.kind != replyNotHere || r.name != "" {
		t.Errorf("that nobody subscribes is read as %+v, %v", r, err)
	}
	if r, err := replyIn(&nats.Msg{Header: nats.Header{"Status": {"100"}}}); err == nil {
		t.Errorf("another status is read as %+v", r)
	}
}

// Whatever arrives as a request is refused, or has a packet and a name within their bounds, and
// is written as it was read.
//
// Rules: GW6
func FuzzCoARequest(f *testing.F) {
	m := coaMessage{asker: "ab", clock: 5, configured: true, from: netip.MustParseAddrPort("192.0.2.1:4000"), local: netip.MustParseAddr("::1"), packet: make([]byte, 20)}
	f.Add(m.encode())
	f.Add([]byte{messageAsk})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeAsk(b)
		if err != nil {
			return
		}
		if !validName(m.asker) || len(m.packet) < minPacket || len(m.packet) > maxPacket || !m.from.IsValid() {
			t.Fatalf("read as %+v", m)
		}
		if again, err := decodeAsk(m.encode()); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v is written as %+v, %v", m, again, err)
		}
	})
}

// Whatever arrives as a reply is refused, or is written as it was read.
//
// Rules: GW6
func FuzzCoAReply(f *testing.F) {
	f.Add(append([]byte{replyAnswer}, make([]byte, 20)...))
	f.Add([]byte{replyHere, 'a'})
	f.Add([]byte{replyTaken})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeReply(b)
		if err != nil {
			return
		}
		if !bytes.Equal(r.encode(), b) || r.name != "" && !validName(r.name) || len(r.packet) > maxPacket {
			t.Fatalf("% x is read as %+v", b, r)
		}
	})
}

// Whatever arrives as the message that a gateway is there is refused, or has a name that may be
// in a subject.
//
// Rules: GW6
func FuzzCoABeat(f *testing.F) {
	f.Add(encodeBeat(messageBeat, "ab", 7))
	f.Add([]byte{messageBye})
	f.Fuzz(func(t *testing.T, b []byte) {
		if kind, name, clock, err := decodeBeat(b); err == nil && (!validName(name) || !bytes.Equal(encodeBeat(kind, name, clock), b)) {
			t.Fatalf("% x is read as %q", b, name)
		}
	})
}
