package wire

import (
	"bytes"
	"testing"

	"layeh.com/radius"
)

// Behind the last part of a value in the same Vendor-Specific another value of the
// same number may stand, and before it another attribute.
// Rules: P12, P42
func TestValueBehindTheLastPart(t *testing.T) {
	ra := authenticator(90)
	one := splitWiMAX(5, salted(t, xs(40), 0x8001, "server's", ra), 20)
	two := salted(t, []byte("two"), 0x8002, "server's", ra)
	three := salted(t, []byte("three"), 0x8003, "server's", ra)
	open := []byte{1, 4, 0, 'o'}
	list := []pair{one[0], vsa(wimax, bytes.Join([][]byte{open, one[1].value[4:], wimaxPart(5, false, two).value[4:], wimaxPart(5, false, three).value[4:]}, nil)...)}
	request := assemble(1, 7, authenticator(1))
	got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
	last := got[1].value
	first := append(bytes.Clone(got[0].value[7:]), last[8+3:][:len(one[1].value)-7]...)
	if plain := unsalted(t, first, "radsec", request[4:20]); !bytes.Equal(plain, xs(40)) {
		t.Errorf("the value in parts: the client reads %q", plain)
	}
	for i, text := range []string{"three", "two"} {
		end := len(last) - i*(3+18)
		if plain := unsalted(t, last[end-18:end], "radsec", request[4:20]); string(plain) != text {
			t.Errorf("behind it: the client reads %q, expected %q", plain, text)
		}
	}
	sent, dst := [16]byte(ra), make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), RadSecSecret())
	if err != nil {
		t.Fatal(err)
	}
	want := []pair{wimaxPart(5, false, xs(40)), vsa(wimax, bytes.Join([][]byte{open, wimaxPart(5, false, []byte("two")).value[4:], wimaxPart(5, false, []byte("three")).value[4:]}, nil)...)}
	samePairs(t, "in RADIUS/1.1", want, pairs(dst[:n]))
	shown := Reveal(parsed(t, assemble(2, 200, nil, list...)), &sent, serverSecret(t, "server's"))
	if len(shown) != 4 || !bytes.Equal(shown[0].Value, xs(40)) || string(shown[2].Value) != "two" || string(shown[3].Value) != "three" {
		t.Errorf("revealed: got %+v", shown)
	}
}

// A value in parts that another secret has hidden costs an Access-Accept, whatever
// it opens to.
// Rules: P40
func TestPartsOfAnotherSecret(t *testing.T) {
	request, sent := parsed(t, assemble(1, 7, authenticator(1))), [16]byte(authenticator(90))
	h, dst, server := NewHasher(), make([]byte, MaxLength), serverSecret(t, "server's")
	for salt := range uint16(300) {
		plain := append([]byte{255}, make([]byte, 15)...)
		octets := []byte{0x80 | byte(salt>>8), byte(salt)}
		value := append(octets, hidePassword(plain, "server's", append(bytes.Clone(sent[:]), octets...))...)
		reply := parsed(t, assemble(2, 200, nil, append(splitWiMAX(5, value, 9), pair{1, []byte("nemo")})...))
		if _, err := h.WriteReply(dst, reply, request, &sent, server, RadSecSecret()); err != ErrHidden {
			t.Fatalf("salt %d: expected ErrHidden, got %v", salt, err)
		}
	}
}

// To sign is to change the authenticators, and nothing else.
// Rules: P18, P20
func TestSignChangesNothingElse(t *testing.T) {
	h := NewHasher()
	for _, code := range []Code{1, 4, 12, 40, 43} {
		packet := assemble(code, 1, authenticator(3), pair{1, []byte("nemo")}, pair{80, make([]byte, 16)})
		before := bytes.Clone(packet)
		if err := h.SignRequest(packet, serverSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packet[:4], before[:4]) || !bytes.Equal(packet[20:28], before[20:28]) {
			t.Errorf("code %d: more than the authenticators changed: % x, before % x", code, packet, before)
		}
		oracleChecks(t, packet, nil, "k")
	}
}

// A Cisco-AVPair without a key passes as it is, whatever its length: it may look
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

// At the last hop there is a Message-Authenticator where a client of RADIUS/1.0 sent
// one, and always for one of RADIUS/1.1, whatever it sent; an extended attribute that
// has no extended type goes on.
// Rules: P89, P125, P129
func TestLastHopOfBothVersions(t *testing.T) {
	mac := pair{80, make([]byte, 16)}
	list := []pair{{241, nil}, {8, []byte{'x'}}, {241, []byte{9}}, mac, {126, []byte("1x")}, {241, []byte{8}}, {44, []byte("s")}}
	want := append(without(list, 80, 126, 44)[:3:3], pair{44, []byte("s")}, pair{32, []byte("ap")})
	for _, code := range []Code{radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		for _, v11 := range []bool{false, true} {
			for _, sent := range []bool{false, true} {
				list := list
				if !sent {
					list = without(list, 80)
				}
				v := parsed(t, assemble(code, 7, nil, list...))
				if v11 {
					v = parsed11(t, assemble11(code, 7, list...))
				}
				d, dst := NewDigests(), make([]byte, MaxLength)
				n, err := d.WriteRequestWith(dst, v, RadSecSecret(), serverSecret(t, key11), 7, &RequestOptions{NAS: &NAS{Identifier: "ap"}})
				if err != nil {
					t.Fatal(err)
				}
				d.Run()
				oracleChecks(t, dst[:n], nil, key11)
				got := pairs(dst[:n])
				samePairs(t, "what the NAS gets", want, without(got, 80))
				if has := len(only(got, 80)) == 1; has != (sent || v11) {
					t.Errorf("code %d, RADIUS/1.1 %t, sent %t: has a Message-Authenticator: %t", code, v11, sent, has)
				}
			}
		}
	}
	if got := parsed(t, assemble(43, 7, nil, pair{241, []byte{8}})).OperatorNASIdentifier(); got == nil {
		t.Error("an empty Operator-NAS-Identifier is there, and was not found")
	}
}

// An attribute that ends before its length octet has the length -1.
// Rules: P5
func TestAttributeWithoutLength(t *testing.T) {
	packet := append(assemble(1, 1, nil, pair{1, []byte("u")}), 44)
	packet[3]++
	err := new(View).Parse(packet)
	want := AttributeError{Offset: 23, Type: 44, Length: -1, Available: 1}
	if got, ok := err.(*AttributeError); !ok || *got != want {
		t.Errorf("expected %+v, got %+v", want, err)
	}
}
