package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// toServer writes a request of RADIUS/1.1 for the server and returns what the
// server gets after its Message-Authenticator.
func toServer(t *testing.T, list ...pair) (got []pair, ra []byte, err error) {
	t.Helper()
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteRequest(dst, parsed11(t, assemble11(1, 9, list...)), radSecSecret(), serverSecret(t, key11), 1)
	if err != nil {
		return nil, nil, err
	}
	oracleChecks(t, dst[:n], nil, key11)
	return pairs(dst[:n])[1:], dst[4:20], nil
}

// toClient writes a server's reply for a client of RADIUS/1.1.
func toClient(t *testing.T, code Code, ra *[16]byte, list ...pair) ([]pair, error) {
	t.Helper()
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, parsed(t, assemble(code, 1, nil, list...)), parsed11(t, assemble11(1, 9)), ra, serverSecret(t, key11), radSecSecret())
	if err != nil {
		return nil, err
	}
	wellMade11(t, dst[:n], code, 9)
	return pairs(dst[:n]), nil
}

func xs(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }

// A request of RADIUS/1.1 is queued like any other, with a ticket of its own.
// Rules: P129
func TestPlacesOf11(t *testing.T) {
	d, client := NewDigests(), radSecSecret()
	wrong := parsed(t, assemble(1, 1, authenticator(1), pair{80, make([]byte, 16)}))
	modern := parsed11(t, assemble11(1, 9, pair{1, []byte("nemo")}))
	tickets := map[Ticket]error{}
	for i := range MaxDigests {
		v, want := wrong, ErrMessageAuthenticator
		if i%2 == 1 {
			v, want = modern, nil
		}
		ticket, err := d.VerifyRequest(v, client, everyCheck)
		if err != nil {
			t.Fatal(err)
		}
		tickets[ticket] = want
	}
	if len(tickets) != MaxDigests {
		t.Errorf("expected %d tickets, got %d", MaxDigests, len(tickets))
	}
	if _, err := d.VerifyRequest(modern, client, everyCheck); err != ErrFull {
		t.Errorf("one more: expected ErrFull, got %v", err)
	}
	d.Run()
	for ticket, want := range tickets {
		if err := d.Result(ticket); err != want {
			t.Errorf("ticket %d: expected %v, got %v", ticket, want, err)
		}
	}
}

// A Message-Authenticator is ignored in RADIUS/1.1; the other attributes are found.
// Rules: P125
func TestParse11SeesTheRest(t *testing.T) {
	list := []pair{{80, make([]byte, 16)}, {1, []byte("u")}, {24, []byte("s")}, {31, []byte("c")}, {32, []byte("n")}, {4, make([]byte, 4)},
		{33, []byte("p")}, {55, []byte{0, 0, 0, 9}}, {79, []byte{2, 7}}, {101, []byte{0, 0, 1, 0xf6}}, {126, []byte("1o")}, {2, []byte("x")}}
	for range list {
		list = append(list[1:], list[0])
		v := parsed11(t, assemble11(1, 9, list...))
		_, hasTime := v.EventTimestamp()
		id, hasID := v.EAPIdentifier()
		switch {
		case v.HasMessageAuthenticator():
			t.Error("a Message-Authenticator was seen")
		case string(v.UserName()) != "u", string(v.State()) != "s", string(v.CallingStationID()) != "c", string(v.NASIdentifier()) != "n",
			len(v.NASIPAddress()) != 4, !v.HasProxyState(), !hasTime, !hasID || id != 7, v.ErrorCause() != 502, string(v.OperatorName()) != "1o", !v.HasUserPassword():
			t.Errorf("something is not seen of % x", v.Packet)
		}
	}
}

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

// Every kind of request is accepted: no field of it is an authenticator,
// a Message-Authenticator of whatever form is not seen, and no policy asks for one.
// Rules: P122, P125, P130
func TestRequests11NeedNoProof(t *testing.T) {
	d, secret := NewDigests(), radSecSecret()
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
		n, err := h.WriteAnswer(dst, parsed11(t, assemble11(c.request, 0xfffffffe, list...)), c.answer, radSecSecret())
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
	d, client, server := NewDigests(), radSecSecret(), serverSecret(t, key11)
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
