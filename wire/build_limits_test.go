package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// Rules: P1, P15
func TestBuilderLimits(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	for _, c := range []struct {
		what  string
		fits  *Builder
		value pair
	}{
		{"a value of 253 octets", NewRequest(1, 1).Add(18, make([]byte, 253)), pair{18, make([]byte, 253)}},
		{"a vendor value of 247 octets", NewRequest(1, 1).AddVendor(311, 7, make([]byte, 247)), vsa(311, sub(7, make([]byte, 247))...)},
		{"a vendor value of one octet", NewRequest(1, 1).AddVendor(9, 1, []byte{5}), vsa(9, 1, 3, 5)},
		{"an EAP packet of 253 octets", NewRequest(1, 1).AddEAP(make([]byte, 253)), pair{79, make([]byte, 253)}},
	} {
		packet, err := c.fits.Sign(h, server)
		if err != nil {
			t.Errorf("%s: expected a packet, got %v", c.what, err)
			continue
		}
		samePairs(t, c.what, []pair{c.value}, pairs(packet))
	}
	whole := NewRequest(1, 1)
	for _, p := range filling(18, 4096-20) {
		whole.Add(p.t, p.value)
	}
	if packet, err := whole.Sign(h, server); err != nil || len(packet) != 4096 {
		t.Errorf("4096 octets: expected a packet of them, got %d, %v", len(packet), err)
	}
	whole = NewRequest(1, 1)
	for _, p := range filling(18, 4097-20) {
		whole.Add(p.t, p.value)
	}
	if _, err := whole.Sign(h, server); err != ErrTooLong {
		t.Errorf("4097 octets: expected ErrTooLong, got %v", err)
	}
}

// The error is the first mistake's, and names it.
func TestBuilderKeepsTheFirstMistake(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	for want, b := range map[string]*Builder{
		"build: expected the code of a request, got 2":                      NewRequest(2, 1).Add(1, make([]byte, 254)).AddVendor(9, 1, make([]byte, 248)),
		"build: attribute 18: expected at most 253 octets, got 254":         NewRequest(1, 1).Add(18, make([]byte, 254)).AddVendor(9, 1, make([]byte, 248)).Add(19, make([]byte, 255)),
		"build: vendor attribute 9.1: expected at most 247 octets, got 248": NewRequest(1, 1).AddVendor(9, 1, make([]byte, 248)).Add(18, make([]byte, 254)),
		"User-Password: expected at most 128 octets, got 129":               NewRequest(1, 1).AddUserPassword(make([]byte, 129), server).Add(18, make([]byte, 254)),
		"build: attribute 1: expected at most 253 octets, got 300":          NewRequest(1, 1).AddText(1, strings.Repeat("x", 300)).AddUserPassword(make([]byte, 129), server),
	} {
		if _, err := b.Sign(h, server); err == nil || err.Error() != want {
			t.Errorf("expected the error %q, got %v", want, err)
		}
	}
}

// Every octet of the Request Authenticator is drawn, and it hides the password.
// Rules: P23, P35
func TestBuilderAuthenticator(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	var seen [16]byte
	for range 64 {
		packet, err := NewRequest(1, 7).AddUserPassword([]byte("secret"), server).Sign(h, server)
		if err != nil {
			t.Fatal(err)
		}
		if packet[1] != 7 || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
			t.Fatalf("header: % x", packet[:4])
		}
		for i, b := range packet[4:20] {
			seen[i] |= b
		}
		plain := revealPassword(pairs(packet)[0].value, "k", packet[4:20])
		if want := append([]byte("secret"), make([]byte, 10)...); !bytes.Equal(plain, want) {
			t.Fatalf("expected the password %q, got %q", want, plain)
		}
	}
	if i := bytes.IndexByte(seen[:], 0); i >= 0 {
		t.Errorf("octet %d of 64 Request Authenticators is 0", i)
	}
}
