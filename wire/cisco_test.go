package wire

import (
	"bytes"
	"testing"
)

// A Cisco-AVPair without a key is copied unchanged, whatever its length: it may look
// like one that is hidden.
// Rules: P8, P42
func TestOtherPairsOfCisco(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for n := range 70 {
		p := vsa(9, sub(1, xs(n))...)
		got := without(clientSees(t, assemble(1, 7, authenticator(1)), assemble(2, 200, nil, p)), 80)
		samePairs(t, "in RADIUS/1.0", []pair{p}, got)
		got, err := toClient(t, 2, &ra, p)
		if err != nil {
			t.Fatal(err)
		}
		samePairs(t, "to a client of RADIUS/1.1", []pair{p}, got)
		if got, _, err = toServer(t, p); err != nil {
			t.Fatal(err)
		}
		samePairs(t, "from one", []pair{p}, got)
		shown := Reveal(parsed(t, assemble(2, 200, nil, p)), &ra, serverSecret(t, "server's"))
		if len(shown) != 1 || shown[0].Hidden || !bytes.Equal(shown[0].Value, xs(n)) {
			t.Errorf("a pair of %d octets: revealed as %+v", n, shown)
		}
	}
}

// The session key of LEAP is hidden after its text in a Cisco-AVPair, 51 octets
// in all; other pairs, and one that does not have this form, are not changed.
// Rules: P8, P38, P39, P42
func TestLEAPSessionKey(t *testing.T) {
	ra, request := authenticator(90), assemble(1, 7, authenticator(1))
	key := authenticator(33)
	text := []byte("leap:session-key=")
	hidden := salted(t, key, 0x8001, "server's", ra)
	avpair := func(value ...byte) pair { return vsa(9, sub(1, value)...) }
	list := []pair{
		avpair([]byte("shell:roles=a")...),
		vsa(9, bytes.Join([][]byte{sub(1, []byte("url-redirect=x")), sub(1, append(bytes.Clone(text), hidden...)), sub(1, nil)}, nil)...),
		avpair(append([]byte("LEAP:Session-Key="), hidden...)...),
		avpair(text...), avpair(append(bytes.Clone(text), hidden[:33]...)...), avpair(text[:16]...), vsa(9, append([]byte{2, 53}, append(text, hidden...)...)...),
	}
	got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
	for i, at := range map[int]int{1: 4 + 16 + 2 + 17, 2: 4 + 2 + 17} {
		if !bytes.Equal(got[i].value[:at], list[i].value[:at]) || len(got[i].value) != len(list[i].value) {
			t.Errorf("attribute %d: expected the text and all lengths as before, got %q of %q", i, got[i].value, list[i].value)
		}
		if plain := unsalted(t, got[i].value[at:at+34], "radsec", request[4:20]); !bytes.Equal(plain, key) {
			t.Errorf("attribute %d: the client reads the key % x, expected % x", i, plain, key)
		}
	}
	for _, i := range []int{0, 3, 4, 5, 6} {
		samePairs(t, "a pair that hides nothing", list[i:i+1], got[i:i+1])
	}
	wrong := bytes.Clone(hidden)
	wrong[2] ^= 0xff // the length octet
	sent := [16]byte(ra)
	reply := parsed(t, assemble(2, 200, nil, avpair(append(bytes.Clone(text), wrong...)...)))
	if _, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, parsed(t, request), &sent, serverSecret(t, "server's"), radSecSecret()); err != ErrHidden {
		t.Errorf("a key hidden under another secret: expected ErrHidden, got %v", err)
	}
}

// The attributes of RFC 6218 that sign packets, and Original-Packet-Code, do not
// pass where RADIUS/1.1 is on one side, in either direction; what else is in
// the Vendor-Specific does, and one that is emptied goes. In RADIUS/1.0 they pass.
// Rules: P7, P125
func TestSignaturesOfRFC6218(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst, ra := make([]byte, MaxLength), [16]byte(authenticator(90))
	mac, nonce, material := sub(18, make([]byte, 20)), sub(17, make([]byte, 32)), sub(16, make([]byte, 40))
	list := []pair{
		{1, []byte("nemo")},
		vsa(9, mac...),
		vsa(9, append(bytes.Clone(nonce), mac...)...),
		vsa(9, bytes.Join([][]byte{nonce, material, mac, sub(1, []byte("shell:x"))}, nil)...),
		vsa(9, 18, 99, 1), // with a length that does not fit
		vsa(9, 2, 99, 1),
		vsa(9),
		vsa(311, mac...), // another vendor's 18
		{241, []byte{4, 0, 0, 0, 1}}, {241, []byte{4}}, {241, []byte{8, 'n'}}, {241, nil}, {245, []byte{4, 0, 1}},
		{80, make([]byte, 16)},
	}
	want := []pair{
		list[0], vsa(9, append(bytes.Clone(material), sub(1, []byte("shell:x"))...)...), list[5], list[6], list[7], list[10], list[11], list[12],
	}
	for _, code := range []Code{1, 4, 40, 43} {
		n, err := h.WriteRequest(dst, parsed11(t, assemble11(code, 9, list...)), client, server, 1)
		if err != nil {
			t.Fatal(err)
		}
		samePairs(t, "from RADIUS/1.1", want, without(pairs(dst[:n]), 80))
	}
	for _, code := range []Code{2, 3, 5, 11, 42, 44} {
		n, err := h.WriteReply(dst, parsed(t, assemble(code, 9, nil, list...)), parsed11(t, assemble11(1, 9)), &ra, server, client)
		if err != nil {
			t.Fatal(err)
		}
		wellMade11(t, dst[:n], code, 9)
		samePairs(t, "to RADIUS/1.1", want, pairs(dst[:n]))
	}
	samePairs(t, "RADIUS/1.0 to the server", without(list, 80), without(serverSees(t, assemble(1, 7, authenticator(1), list...)), 0, 80))
	samePairs(t, "RADIUS/1.0 to the client", without(list, 80), without(clientSees(t, assemble(1, 7, authenticator(1)), assemble(2, 9, nil, list...)), 80))
}
