package relay

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// This file makes and checks packets with layeh.com/radius and the standard library's digests
// only, and with nothing of package wire except its constants.

// attr is one attribute.
type attr struct {
	t byte
	v []byte
}

// mac is an attribute that becomes a Message-Authenticator.
var mac = attr{80, make([]byte, 16)}

// nemo is the user of most requests, whose realm has a route.
var nemo = user("nemo@example.org")

func text(t byte, s string) attr    { return attr{t, []byte(s)} }
func integer(t byte, n uint32) attr { return attr{t, binary.BigEndian.AppendUint32(nil, n)} }
func user(name string) attr         { return text(1, name) }
func proxyState(s string) attr      { return text(33, s) }
func eap(octets ...byte) attr       { return attr{79, octets} }
func vendor(id uint32, body ...byte) attr {
	return attr{26, append(binary.BigEndian.AppendUint32(nil, id), body...)}
}

// assemble makes a packet, unsigned.
func assemble(code radius.Code, id byte, authenticator []byte, attrs []attr) []byte {
	b := make([]byte, 20)
	b[0], b[1] = byte(code), id
	copy(b[4:], authenticator)
	for _, a := range attrs {
		b = append(append(b, a.t, byte(2+len(a.v))), a.v...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// fillMAC puts the HMAC-MD5 over the packet with vector in its Authenticator
// field into each Message-Authenticator.
func fillMAC(b, vector []byte, secret string) {
	c := bytes.Clone(b)
	copy(c[4:20], vector)
	for i := 20; i < len(c); i += int(c[i+1]) {
		if c[i] == 80 {
			clear(c[i+2 : i+int(c[i+1])])
		}
	}
	h := hmac.New(md5.New, []byte(secret))
	h.Write(c)
	sum := h.Sum(nil)
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == 80 {
			copy(b[i+2:i+int(b[i+1])], sum)
		}
	}
}

// request makes a client's request. ra stands for a random Request
// Authenticator, see challenge; it matters to codes 1 and 12 only.
func makeRequest(code radius.Code, id byte, ra int, attrs ...attr) []byte {
	return makeRequestUnder(clientText, code, id, ra, attrs...)
}

func makeRequestUnder(secret string, code radius.Code, id byte, ra int, attrs ...attr) []byte {
	vector := make([]byte, 16)
	if wire.KindOf(code) == wire.KindAccess || wire.KindOf(code) == wire.KindStatus {
		vector = challenge(ra)
	}
	b := assemble(code, id, vector, attrs)
	fillMAC(b, vector, secret)
	if wire.KindOf(code) != wire.KindAccess && wire.KindOf(code) != wire.KindStatus {
		sum := md5.Sum(append(bytes.Clone(b), secret...))
		copy(b[4:20], sum[:])
	}
	return b
}

// challenge is the Request Authenticator number n.
func challenge(n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(n))
	return binary.BigEndian.AppendUint64(b, ^uint64(n))
}

// password hides a User-Password by layeh.com/radius.
func password(plain, secret string, ra []byte) attr {
	return attr{2, must(radius.NewUserPassword([]byte(plain), []byte(secret), ra))}
}

// respond makes the server's reply to what it saw.
func respond(q []byte, code radius.Code, attrs ...attr) []byte {
	return respondUnder(serverText, q, code, attrs...)
}

func respondUnder(secret string, q []byte, code radius.Code, attrs ...attr) []byte {
	b := assemble(code, q[1], q[4:20], attrs)
	fillMAC(b, q[4:20], secret)
	sum := md5.Sum(append(bytes.Clone(b), secret...))
	copy(b[4:20], sum[:])
	return b
}

// values returns the values of a type, in order.
func values(b []byte, t byte) (all [][]byte) {
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == t {
			all = append(all, b[i+2:i+int(b[i+1])])
		}
	}
	return all
}

func joined(b []byte, t byte) string { return string(bytes.Join(values(b, t), []byte("|"))) }

// checkRequest fails the test unless the authenticators of what the server got verify, and
// returns the packet.
func checkRequest(t *testing.T, q []byte) *radius.Packet {
	t.Helper()
	p, err := radius.Parse(q, []byte(serverText))
	if err != nil {
		t.Fatalf("the server cannot read what it was sent: %v", err)
	}
	if !radius.IsAuthenticRequest(q, []byte(serverText)) {
		t.Fatalf("the server finds a wrong Request Authenticator in %v", p.Code)
	}
	vector := make([]byte, 16)
	if p.Code == radius.CodeAccessRequest {
		vector = p.Authenticator[:]
		if q[20] != 80 {
			t.Errorf("the server's Access-Request begins with attribute %d, expected Message-Authenticator", q[20])
		}
	}
	checkMAC(t, "the server", q, vector, serverText)
	if n := len(values(q, 33)); n != 0 {
		t.Errorf("the server sees %d Proxy-State, expected them withheld", n)
	}
	return p
}

// checkAnswer fails the test unless the answer to q has the right Identifier, Response
// Authenticator and Message-Authenticator, and exactly the client's own Proxy-State.
func checkAnswer(t *testing.T, q, answer []byte, code radius.Code) {
	t.Helper()
	if _, err := radius.Parse(answer, []byte(clientText)); err != nil {
		t.Fatalf("the client cannot read its answer: %v", err)
	}
	if radius.Code(answer[0]) != code {
		t.Fatalf("the client got %v, expected %v", radius.Code(answer[0]), code)
	}
	if answer[1] != q[1] {
		t.Errorf("the answer has Identifier %d, expected the client's own %d", answer[1], q[1])
	}
	if !radius.IsAuthenticResponse(answer, q, []byte(clientText)) {
		t.Errorf("the answer's Response Authenticator is wrong")
	}
	checkMAC(t, "the client", answer, q[4:20], clientText)
	if wire.KindOf(radius.Code(q[0])) == wire.KindAccess && answer[20] != 80 {
		t.Errorf("the answer begins with attribute %d, expected Message-Authenticator", answer[20])
	}
	if got, want := joined(answer, 33), joined(q, 33); got != want {
		t.Errorf("the answer has Proxy-State %q, expected %q", got, want)
	}
}

// checkMAC fails the test when a Message-Authenticator is there and wrong.
func checkMAC(t *testing.T, who string, b, vector []byte, secret string) {
	t.Helper()
	found := values(b, 80)
	if len(found) == 0 {
		return
	}
	if len(found) > 1 {
		t.Fatalf("%s sees %d Message-Authenticators, expected one", who, len(found))
	}
	c := bytes.Clone(b)
	fillMAC(c, vector, secret)
	if !bytes.Equal(b, c) {
		t.Errorf("%s finds a wrong Message-Authenticator", who)
	}
}

// one fails the test unless the list holds one packet, and returns it.
func one(t *testing.T, what string, list [][]byte) []byte {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("%s: %d packets, expected one", what, len(list))
	}
	return list[0]
}

// oneSeen does the same for what the servers got.
func (b *bed) oneSeen() []byte {
	b.t.Helper()
	list := b.net.seen()
	if len(list) != 1 {
		b.t.Fatalf("the servers got %d datagrams, expected one", len(list))
	}
	return list[0].octets
}

// none fails the test when there is anything.
func none(t *testing.T, what string, list [][]byte) {
	t.Helper()
	if len(list) != 0 {
		t.Fatalf("%s: %d packets, expected none; the first is %v", what, len(list), radius.Code(list[0][0]))
	}
}

// causeOf returns the Error-Cause of an answer, 0 when it has none.
func causeOf(b []byte) uint32 {
	if v := values(b, 101); len(v) == 1 && len(v[0]) == 4 {
		return binary.BigEndian.Uint32(v[0])
	}
	return 0
}
