package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

const key11 = "xyzzy5461"

// assemble11 makes a packet of RADIUS/1.1, its reserved octets filled with what
// nobody must look at.
func assemble11(code Code, token uint32, list ...pair) []byte {
	b := assemble(code, 0xAA, bytes.Repeat([]byte{0xBB}, 16), list...)
	binary.BigEndian.PutUint32(b[4:], token)
	return b
}

func parsed11(t testing.TB, b []byte) *View {
	t.Helper()
	v := new(View)
	if err := v.Parse11(b); err != nil {
		t.Fatalf("expected a well-framed packet, got %v: % x", err, b)
	}
	return v
}

// wellMade11 fails the test unless the packet is one of RADIUS/1.1 as RFC 9765
// §4.1 and §5 have it sent.
func wellMade11(t *testing.T, packet []byte, code Code, token uint32) {
	t.Helper()
	head := make([]byte, 20)
	head[0] = byte(code)
	binary.BigEndian.PutUint16(head[2:], uint16(len(packet)))
	binary.BigEndian.PutUint32(head[4:], token)
	if !bytes.Equal(head, packet[:20]) {
		t.Errorf("header: expected % x, got % x", head, packet[:20])
	}
	if !framed(packet) {
		t.Fatalf("not well framed: % x", packet)
	}
	for _, p := range pairs(packet) {
		if p.t == 80 || p.t == 241 && len(p.value) > 0 && p.value[0] == 4 {
			t.Errorf("attribute %d must not be sent by RADIUS/1.1", p.t)
		}
	}
}

// Every kind of request is taken as it is: no field of it is an authenticator,
// a Message-Authenticator of whatever form is not seen, and no policy asks for one.
// Rules: P122, P125, P130
func TestRequests11NeedNoProof(t *testing.T) {
	d, secret := NewDigests(), RadSecSecret()
	for _, list := range [][]pair{
		nil,
		{{79, []byte{2, 1, 0, 4}}},
		{{80, make([]byte, 16)}},
		{{80, make([]byte, 3)}, {80, nil}},
	} {
		for _, code := range []Code{1, 4, 12, 40, 43} {
			v := parsed11(t, assemble11(code, 0, append([]pair{{1, []byte("nemo")}}, list...)...))
			if !v.Is11() || v.Token() != 0 || v.HasMessageAuthenticator() || string(v.UserName()) != "nemo" {
				t.Errorf("code %d: the view is wrong", code)
			}
			ticket, err := d.VerifyRequest(v, secret, RequestPolicy{RequireMA: true, RequireEAPMA: true, VerifyRA: true})
			if d.Run(); err != nil || d.Result(ticket) != nil {
				t.Errorf("code %d with %v: expected it taken, got %v, %v", code, list, err, d.Result(ticket))
			}
		}
	}
	if _, err := d.VerifyRequest(parsed11(t, assemble11(2, 1)), secret, everyCheck); !errors.Is(err, ErrCode) {
		t.Errorf("a reply: expected ErrCode, got %v", err)
	}
	v := parsed11(t, assemble11(1, 0x01020304))
	if v.Token() != 0x01020304 {
		t.Errorf("Token is %#x", v.Token())
	}
	if err := v.Parse(v.Packet); err != nil || v.Is11() {
		t.Errorf("a view read again by Parse is one of 1.1 still, or %v", err)
	}
	if err := v.Parse11(v.Packet[:19]); !errors.Is(err, ErrLength) {
		t.Errorf("19 octets: expected ErrLength, got %v", err)
	}
}

// Values in clear arrive at the server hidden under its secret and the new Request
// Authenticator; the server's come back in clear, without padding.
// Rules: P126, P127, P129, P131, P38, P39, P42, P46
func TestHiddenValuesThereAndBack11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
	dst := make([]byte, MaxLength)
	around := []pair{{1, []byte("nemo")}, {25, []byte("class")}, {24, []byte("state")}}
	for _, c := range values11() {
		t.Run(c.name, func(t *testing.T) {
			list := []pair{around[0], {80, make([]byte, 16)}, {33, []byte("one")}, c.clear, {241, []byte{4, 0, 0, 0, 1}}, around[1], {33, []byte("two")}, around[2]}
			req := parsed11(t, assemble11(1, 9, list...))
			n, err := h.WriteRequest(dst, req, client, server, 77)
			if err != nil {
				t.Fatal(err)
			}
			oracleChecks(t, dst[:n], nil, key11)
			got := pairs(dst[:n])
			if dst[1] != 77 || got[0].t != 80 || len(got) != 5 {
				t.Fatalf("Identifier %d, attributes %v; expected 77, Message-Authenticator first, and four more", dst[1], got)
			}
			samePairs(t, "the rest", around, []pair{got[1], got[3], got[4]})
			if got := c.read(t, got[2], dst[4:20]); got != c.want {
				t.Errorf("the server reads %q, expected %q", got, c.want)
			}

			ra := [16]byte(authenticator(90))
			reply := parsed(t, oracleSign(assemble(2, 77, nil, ma, around[0], c.hide(t, ra[:]), around[1], around[2], pair{33, []byte("the server's")}), ra[:], key11))
			n, err = h.WriteReply(dst, reply, req, &ra, server, client)
			if err != nil {
				t.Fatal(err)
			}
			wellMade11(t, dst[:n], 2, 9)
			back := c.clear
			if c.back.t != 0 {
				back = c.back
			}
			samePairs(t, "the reply", []pair{around[0], back, around[1], around[2], {33, []byte("one")}, {33, []byte("two")}}, pairs(dst[:n]))
		})
	}
}

// The salts of one packet differ and have their top bit set, however many values
// are hidden anew.
// Rules: P39, P127
func TestSaltsOfOneRequest11(t *testing.T) {
	h := NewHasher()
	dst := make([]byte, MaxLength)
	var list []pair
	for range 20 {
		list = append(list, pair{69, []byte("\x01x")}, vsa(311, append(sub(16, []byte("a")), sub(17, []byte("b"))...)...))
	}
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(43, 1, list...)), RadSecSecret(), serverSecret(t, key11), 1)
	if err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, dst[:n], nil, key11)
	seen := map[string]bool{}
	for _, p := range without(pairs(dst[:n]), 80) {
		salts := []string{string(p.value[1:3])}
		if p.t == 26 {
			salts = []string{string(p.value[6:8]), string(p.value[26:28])}
			if plain := unsalted(t, p.value[26:], key11, make([]byte, 16)); string(plain) != "b" {
				t.Errorf("the second key of one Vendor-Specific reads %q over zeros, as CoA hides", plain)
			}
		}
		for _, s := range salts {
			if seen[s] || s[0] < 0x80 {
				t.Errorf("salt % x is used twice, or has no top bit", s)
			}
			seen[s] = true
		}
	}
	if len(seen) != 60 {
		t.Errorf("%d salts, expected 60", len(seen))
	}
}

// The gateway's own answers: the Token, Error-Cause, Proxy-State, and nothing that
// RADIUS/1.1 does not have.
// Rules: P96, P122, P123, P125
func TestWriteAnswer11(t *testing.T) {
	h, dst := NewHasher(), make([]byte, MaxLength)
	cause := pair{101, []byte{0, 0, 1, 0xf6}}
	ps := []pair{{33, []byte("one")}, {33, []byte("two")}}
	for _, c := range []struct {
		request Code
		answer  Answer
		want    []pair
	}{
		{1, Answer{Code: CodeProtocolError, ErrorCause: 502, OriginalCode: true}, []pair{cause}},
		{4, Answer{Code: CodeProtocolError, ErrorCause: 502, OriginalCode: true, ReplyMessage: "no"}, []pair{cause, {18, []byte("no")}}},
		{1, Answer{Code: 3, EAPFailure: true}, []pair{{79, []byte{4, 5, 0, 4}}}},
		{12, Answer{Code: 2}, nil},
		{43, Answer{Code: 45, ErrorCause: 502}, []pair{cause}},
	} {
		list := append([]pair{{80, make([]byte, 16)}, {79, []byte{2, 5, 0, 4}}}, ps...)
		n, err := h.WriteAnswer(dst, parsed11(t, assemble11(c.request, 0xfffffffe, list...)), c.answer, RadSecSecret())
		if err != nil {
			t.Fatal(err)
		}
		wellMade11(t, dst[:n], c.answer.Code, 0xfffffffe)
		samePairs(t, "the answer", append(c.want, ps...), pairs(dst[:n]))
	}
}

// Requests and replies of both versions in one batch do not disturb each other,
// and nothing allocates.
// Rules: P122, P129
func TestBatchOfBothVersions(t *testing.T) {
	d, client, server := NewDigests(), RadSecSecret(), serverSecret(t, key11)
	ra := [16]byte(authenticator(90))
	password := pair{2, hidePassword(append([]byte("hello"), make([]byte, 11)...), "radsec", authenticator(1))}
	old := parsed(t, oracleSign(assemble(1, 7, authenticator(1), ma, password), nil, "radsec"))
	modern := parsed11(t, assemble11(1, 7, pair{2, []byte("hello")}, vsa(311, sub(16, []byte("key"))...)))
	accept := parsed(t, oracleSign(assemble(2, 1, nil, ma, vsa(311, sub(16, salted(t, []byte("key"), 0x8001, key11, ra[:]))...)), ra[:], key11))
	var dst [4][MaxLength]byte
	var n [4]int
	run := func() {
		var errs [8]error
		var tickets [2]Ticket
		tickets[0], errs[0] = d.VerifyRequest(old, client, everyCheck)
		tickets[1], errs[1] = d.VerifyRequest(modern, client, everyCheck)
		n[0], errs[2] = d.WriteRequest(dst[0][:], modern, client, server, 1)
		n[1], errs[3] = d.WriteReply(dst[1][:], accept, modern, &ra, server, client)
		n[2], errs[4] = d.WriteRequest(dst[2][:], old, client, server, 2)
		n[3], errs[5] = d.WriteReply(dst[3][:], accept, old, &ra, server, client)
		d.Run()
		errs[6], errs[7] = d.Result(tickets[0]), d.Result(tickets[1])
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	oracleChecks(t, dst[0][:n[0]], nil, key11)
	wellMade11(t, dst[1][:n[1]], 2, 7)
	oracleChecks(t, dst[2][:n[2]], nil, key11)
	oracleChecks(t, dst[3][:n[3]], authenticator(1), "radsec")
	answer := func() {
		run()
		if _, err := d.WriteAnswer(dst[0][:], modern, Answer{Code: CodeProtocolError, ErrorCause: 505, OriginalCode: true}, client); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(50, answer); n > 0 {
		t.Errorf("%v allocations, expected none", n)
	}
}
