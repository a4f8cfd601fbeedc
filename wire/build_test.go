package wire

import (
	"bytes"
	"strings"
	"testing"

	"layeh.com/radius"
)

// RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3, RFC 5997 §3
// Rules: P18, P35, P76
func TestBuilderSignsEachKind(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "xyzzy5461")
	for _, code := range []Code{1, 4, 12, 40, 43} {
		for _, withMA := range []bool{false, true} {
			b := NewRequest(code, 9)
			if withMA {
				b.AddMessageAuthenticator()
			}
			b.AddText(1, "nemo").AddInteger(5, 3).AddVendor(311, 25, []byte("x")).AddEAP(make([]byte, 300))
			packet, err := b.Sign(h, server)
			if err != nil {
				t.Fatalf("code %d: %v", code, err)
			}
			oracleChecks(t, packet, nil, "xyzzy5461")
			if n := len(only(pairs(packet), 79)); n != 2 {
				t.Errorf("an EAP packet of 300 octets: expected 2 EAP-Messages, got %d", n)
			}
			if err := h.VerifyRequest(parsed(t, packet), clientSecret(t, "xyzzy5461"), everyCheck); err != nil && (withMA || code != 12) {
				t.Errorf("code %d: own request does not verify: %v", code, err)
			}
		}
	}
}

// RFC 2865 §5.2, compared with layeh.com/radius
// Rules: P35
func TestHidePassword(t *testing.T) {
	ra := [16]byte(authenticator(3))
	for _, n := range []int{1, 15, 16, 17, 32, 100, 128} {
		plain := strings.Repeat("p", n)
		hidden, err := HidePassword([]byte(plain), serverSecret(t, "k"), &ra)
		want, layeh := radius.NewUserPassword([]byte(plain), []byte("k"), ra[:])
		if err != nil || layeh != nil || !bytes.Equal(want, hidden) {
			t.Errorf("password of %d octets: expected % x, got % x, %v", n, want, hidden, err)
		}
	}
	if hidden, err := HidePassword(nil, serverSecret(t, "k"), &ra); err != nil || len(hidden) != 16 {
		t.Errorf("an empty password: expected one block, got % x, %v", hidden, err)
	}
	if _, err := HidePassword(make([]byte, 129), serverSecret(t, "k"), &ra); err == nil {
		t.Error("a password of 129 octets was hidden")
	}
}

func TestBuilderMistakes(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	long := NewRequest(1, 1)
	for range 17 {
		long.Add(18, make([]byte, 253))
	}
	for what, b := range map[string]*Builder{
		"a reply's code":             NewRequest(2, 1),
		"a value of 254 octets":      NewRequest(1, 1).Add(18, make([]byte, 254)),
		"a vendor value too long":    NewRequest(1, 1).AddVendor(311, 1, make([]byte, 248)),
		"a password of 129 octets":   NewRequest(1, 1).AddUserPassword(make([]byte, 129), server),
		"two MAs":                    NewRequest(1, 1).AddMessageAuthenticator().AddMessageAuthenticator(),
		"more than 4096 octets":      long,
		"the first mistake is kept":  NewRequest(2, 1).Add(1, []byte("x")),
		"a vendor value after a bad": NewRequest(2, 1).AddVendor(9, 1, nil),
	} {
		if _, err := b.Sign(h, server); err == nil {
			t.Errorf("%s: expected an error", what)
		}
	}
	if err := h.SignRequest([]byte{1}, server); err == nil {
		t.Error("a header that is short was signed")
	}
	if err := h.SignRequest(assemble(2, 1, nil), server); err != ErrCode {
		t.Errorf("signing a reply as a request: expected ErrCode, got %v", err)
	}
}

// Rules: P18
func TestSignReply(t *testing.T) {
	h := NewHasher()
	ra := [16]byte(authenticator(7))
	for _, list := range [][]pair{nil, {ma}, {{1, []byte("nemo")}, ma}} {
		reply := assemble(2, 1, nil, list...)
		if err := h.SignReply(reply, &ra, clientSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		oracleChecks(t, reply, ra[:], "k")
	}
	if err := h.SignReply(assemble(1, 1, nil), &ra, clientSecret(t, "k")); err != ErrCode {
		t.Errorf("signing a request as a reply: expected ErrCode, got %v", err)
	}
	if err := h.SignReply(assemble(2, 1, nil, ma, ma), &ra, clientSecret(t, "k")); err != ErrMessageAuthenticatorForm {
		t.Errorf("two MAs: expected ErrMessageAuthenticatorForm, got %v", err)
	}
	if err := h.SignReply([]byte{2}, &ra, clientSecret(t, "k")); err == nil {
		t.Error("a header that is short was signed")
	}
}

// Rules: P35, P38, P41, P42, P43
func TestReveal(t *testing.T) {
	ra := [16]byte(authenticator(7))
	key, r := "k", ra[:]
	long := bytes.Repeat([]byte("z"), 200)
	list := []pair{
		{1, []byte("nemo")},
		{69, append([]byte{3}, salted(t, []byte("tunnel"), 0x8001, key, r)...)},
		vsa(311, append(sub(16, salted(t, []byte("send"), 0x8002, key, r)), sub(26, []byte("S="))...)...),
		vsa(311, sub(12, hidePassword(make([]byte, 32), key, r))...),
		vsa(9, sub(1, []byte("shell:x"))...),
		vsa(529, sub(214, xor(append([]byte("ascend"), make([]byte, 10)...), md5Of(r, []byte(key))))...),
		vsa(41112, sub(5, append(sub(1, []byte{0}), sub(2, salted(t, []byte("ppsk"), 0x8003, key, r))...))...),
		vsa(9, sub(1, append([]byte("Leap:Session-Key="), salted(t, make([]byte, 16), 0x8005, key, r)...))...),
		vsa(9, 1), {26, []byte{1}}, {241, []byte{4, 0, 0, 0, 1}}, {245, []byte{1, 0, 9}}, {241, nil},
		{69, []byte("broken")}, {17, nil},
	}
	list = append(list, splitWiMAX(5, salted(t, long, 0x8004, key, r), 90)...)
	want := []Attribute{
		{Type: 1, Name: "User-Name", Value: []byte("nemo")},
		{Type: 69, Name: "Tunnel-Password", Value: []byte("tunnel"), Tag: 3, Hidden: true},
		{Type: 26, Vendor: 311, Number: 16, Name: "MS-MPPE-Send-Key", Value: []byte("send"), Hidden: true},
		{Type: 26, Vendor: 311, Number: 26, Name: "MS-CHAP2-Success", Value: []byte("S=")},
		{Type: 26, Vendor: 311, Number: 12, Name: "MS-CHAP-MPPE-Keys", Value: make([]byte, 32), Hidden: true},
		{Type: 26, Vendor: 9, Number: 1, Name: "Cisco-AVPair", Value: []byte("shell:x")},
		{Type: 26, Vendor: 529, Number: 214, Name: "Ascend-Send-Secret", Value: []byte("ascend"), Hidden: true},
		{Type: 26, Vendor: 41112, Number: 5, Sub: 1, Name: "Vendor-41112-Attr-5.1", Value: []byte{0}},
		{Type: 26, Vendor: 41112, Number: 5, Sub: 2, Name: "UBNT-Tunnel-Password", Value: []byte("ppsk"), Hidden: true},
		{Type: 26, Vendor: 9, Number: 1, Name: "Cisco-AVPair", Value: append([]byte("Leap:Session-Key="), make([]byte, 16)...), Hidden: true},
		{Type: 26, Vendor: 9, Name: "Vendor-9", Value: []byte{1}},
		{Type: 26, Name: "Vendor-Specific", Value: []byte{1}},
		{Type: 241, Number: 4, Name: "Original-Packet-Code", Value: []byte{0, 0, 0, 1}},
		{Type: 245, Number: 1, Name: "Attr-245.1", Value: []byte{9}},
		{Type: 241, Name: "Extended-Attribute-1"},
		{Type: 69, Name: "Tunnel-Password", Value: []byte("broken"), Hidden: true, Sealed: true},
		{Type: 17, Name: "Attr-17"},
		{Type: 26, Vendor: wimax, Number: 5, Name: "WiMAX-MSK", Value: long, Hidden: true},
	}
	got := Reveal(parsed(t, assemble(2, 1, nil, list...)), &ra, serverSecret(t, key))
	if len(got) != len(want) {
		t.Fatalf("expected %d attributes, got %d: %+v", len(want), len(got), got)
	}
	for i := range want {
		w, g := want[i], got[i]
		same := bytes.Equal(w.Value, g.Value)
		w.Value, g.Value = nil, nil
		if !same || w.Name != g.Name || w.Vendor != g.Vendor || w.Number != g.Number || w.Sub != g.Sub || w.Tag != g.Tag || w.Hidden != g.Hidden || w.Sealed != g.Sealed || w.Type != g.Type {
			t.Errorf("attribute %d: expected %+v, got %+v", i, want[i], got[i])
		}
	}
	for _, a := range Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil) {
		if a.Sealed != a.Hidden {
			t.Errorf("without a secret %s is open", a.Name)
		}
	}
	// In a CoA-Request zeros stand for the authenticator.
	coa := parsed(t, assemble(43, 1, r, pair{69, append([]byte{0}, salted(t, []byte("x"), 0x8001, key, make([]byte, 16))...)}))
	if a := Reveal(coa, &ra, serverSecret(t, key))[0]; string(a.Value) != "x" {
		t.Errorf("CoA-Request: expected Tunnel-Password x, got %+v", a)
	}
}
