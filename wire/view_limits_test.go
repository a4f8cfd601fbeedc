package wire

import (
	"testing"
	"time"
)

// An EAP packet has its Identifier in the second octet, if it has one.
func TestEAPIdentifierOfShortPackets(t *testing.T) {
	for _, c := range []struct {
		eap  []byte
		want byte
		ok   bool
	}{{nil, 0, false}, {[]byte{2}, 0, false}, {[]byte{2, 7}, 7, true}, {[]byte{2, 7, 0}, 7, true}} {
		if got, ok := parsed(t, assemble(1, 1, nil, pair{79, c.eap})).EAPIdentifier(); got != c.want || ok != c.ok {
			t.Errorf("EAP packet % x: expected %d, %t, got %d, %t", c.eap, c.want, c.ok, got, ok)
		}
	}
}

// Each of these is told by its own attribute, and by no other.
func TestHasIsOfOneAttribute(t *testing.T) {
	has := map[byte]func(*View) bool{
		2: (*View).HasUserPassword, 24: (*View).HasState, 33: (*View).HasProxyState, 79: (*View).HasEAP, 80: (*View).HasMessageAuthenticator,
	}
	for typ := byte(1); typ != 0; typ++ {
		v := parsed(t, assemble(1, 1, nil, pair{typ, []byte("x")}))
		for of, f := range has {
			if f(v) != (of == typ) {
				t.Errorf("packet with attribute %d: expected to have attribute %d %t", typ, of, of == typ)
			}
		}
	}
}

// Errors say what is wrong with which octet.
// Rules: P1, P5
func TestFramingErrors(t *testing.T) {
	var v View
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{make([]byte, 19), "packet length: expected 20 to 4096 octets in the Length field, got -1"},
		{[]byte{1, 1, 16, 0, 19: 0}, "packet length: the Length field says 4096 octets, the packet has 20"},
		{[]byte{1, 1, 16, 1, 19: 0}, "packet length: expected 20 to 4096 octets in the Length field, got 4097"},
		{[]byte{1, 1, 0, 21, 19: 0}, "packet length: the Length field says 21 octets, the packet has 20"},
		{[]byte{1, 1, 0, 19, 19: 0}, "packet length: expected 20 to 4096 octets in the Length field, got 19"},
		{[]byte{1, 1, 0, 21, 20: 9}, "attribute framing: attribute 9 at octet 20 ends before its length octet"},
		{[]byte{1, 1, 0, 22, 20: 9, 21: 0}, "attribute framing: attribute 9 at octet 20 has length 0, expected 2 to 2"},
		{[]byte{1, 1, 0, 22, 20: 9, 21: 3}, "attribute framing: attribute 9 at octet 20 has length 3, expected 2 to 2"},
	} {
		if err := v.Parse(c.packet); err == nil || err.Error() != c.want {
			t.Errorf("% x: expected the error %q, got %v", c.packet, c.want, err)
		}
	}
}

// An age is to the second, of both signs.
// Rules: P91
func TestEventAge(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for seconds, want := range map[byte]time.Duration{0x3f: time.Second, 0x40: 0, 0x41: -time.Second} {
		v := parsed(t, assemble(43, 1, nil, pair{55, []byte{0, 0x0f, 0x42, seconds}}))
		if age, ok := v.EventAge(now); !ok || age != want {
			t.Errorf("expected the age %v, got %v, %t", want, age, ok)
		}
	}
}
