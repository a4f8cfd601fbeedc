package wire

import (
	"bytes"
	"testing"
)

const wimax = 24757

// wimaxPart makes a Vendor-Specific with one WiMAX attribute: type, length,
// continuation octet, value.
func wimaxPart(number byte, more bool, value []byte) pair {
	flags := byte(0)
	if more {
		flags = 0x80
	}
	return vsa(wimax, append([]byte{number, byte(3 + len(value)), flags}, value...)...)
}

// splitWiMAX spreads a value over Vendor-Specifics of the given sizes, the last
// taking the rest.
func splitWiMAX(number byte, value []byte, sizes ...int) (list []pair) {
	for _, n := range sizes {
		list = append(list, wimaxPart(number, true, value[:n]))
		value = value[n:]
	}
	return append(list, wimaxPart(number, false, value))
}

func joinWiMAX(list []pair) (value []byte) {
	for _, p := range list {
		value = append(value, p.value[7:]...)
	}
	return value
}

// A value over several Vendor-Specifics is one cipher text: joined, rewritten
// and split at the same places.
// Rules: P12, P38, P42
func TestWiMAXFragments(t *testing.T) {
	ra := authenticator(90)
	request := assemble(1, 7, authenticator(1))
	key := bytes.Repeat([]byte("0123456789abcdef"), 14)[:220]
	hidden := salted(t, key, 0x8001, "server's", ra)
	short := salted(t, []byte("short"), 0x8002, "server's", ra)
	before, after := pair{1, []byte("nemo")}, pair{18, []byte("text")}
	for what, sizes := range map[string][]int{
		"one": {}, "two": {100}, "split inside a block": {1, 17, 33}, "an empty fragment": {50, 0, 50}, "salt alone": {2},
	} {
		list := append([]pair{before}, splitWiMAX(5, hidden, sizes...)...)
		list = append(list, wimaxPart(10, false, short), after)
		got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
		if len(got) != len(list) {
			t.Fatalf("%s: expected %d attributes, got %d", what, len(list), len(got))
		}
		for i := range list {
			same := min(7, len(list[i].value)) // the head of a part, or less
			if list[i].t != 26 {
				same = len(list[i].value)
			}
			if len(got[i].value) != len(list[i].value) || !bytes.Equal(got[i].value[:same], list[i].value[:same]) {
				t.Errorf("%s: attribute %d: split elsewhere: % x became % x", what, i, list[i].value, got[i].value)
			}
		}
		n := 1 + len(sizes) + 1
		if plain := unsalted(t, joinWiMAX(got[1:n]), "radsec", request[4:20]); !bytes.Equal(plain, key) {
			t.Errorf("%s: the client reads % x", what, plain)
		}
		if plain := unsalted(t, joinWiMAX(got[n:n+1]), "radsec", request[4:20]); string(plain) != "short" {
			t.Errorf("%s: the client reads %q after it", what, plain)
		}
	}
}

// TLVs inside a vendor attribute, in one part and spread over two.
// Rules: P38, P42
func TestWiMAXNestedTLVs(t *testing.T) {
	ra := authenticator(90)
	request := assemble(1, 7, authenticator(1))
	tlvs := bytes.Join([][]byte{
		sub(1, []byte("open")),
		sub(3, salted(t, []byte("dhcp key"), 0x8001, "server's", ra)),
		sub(4, make([]byte, 18)),
	}, nil)
	for what, sizes := range map[string][]int{"one part": {}, "two parts": {20}} {
		for _, number := range []byte{86, 87} {
			list := splitWiMAX(number, tlvs, sizes...)
			got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
			joined := joinWiMAX(got)
			if !bytes.Equal(joined[:8], tlvs[:8]) || !bytes.Equal(joined[len(joined)-20:], tlvs[len(tlvs)-20:]) {
				t.Errorf("%s: TLVs that are not hidden were altered: % x", what, joined)
			}
			if plain := unsalted(t, joined[8:len(joined)-20], "radsec", request[4:20]); string(plain) != "dhcp key" {
				t.Errorf("%s: the client reads %q", what, plain)
			}
		}
	}
}

// Fragments that do not make a whole are invalid, and copied unchanged.
// Rules: P8, P12
func TestWiMAXBrokenFragments(t *testing.T) {
	request := assemble(1, 7, authenticator(1))
	block := make([]byte, 18) // would pass for a salted value
	for what, list := range map[string][]pair{
		"the last is missing":           {wimaxPart(5, true, block)},
		"another attribute in between":  {wimaxPart(5, true, block), {1, []byte("nemo")}, {18, []byte("x")}},
		"another type follows":          {wimaxPart(5, true, block), wimaxPart(6, false, block)},
		"another vendor follows":        {wimaxPart(5, true, block), vsa(9, 5, 3, 0)},
		"a second, the last is missing": {wimaxPart(5, true, block), wimaxPart(5, true, block), {1, []byte("nemo")}},
		"more, but not last in its VSA": {vsa(wimax, append(append([]byte{5, 21, 0x80}, block...), 6, 3, 0)...)},
		"not whole blocks when joined":  {wimaxPart(5, true, block), wimaxPart(5, false, block)},
		"a part too short for a header": {vsa(wimax, 5, 2)},
		"octets after a part":           {wimaxPart(5, true, block), vsa(wimax, 5, 4, 0, 1, 2)},
	} {
		got := clientSees(t, request, assemble(2, 200, nil, list...))
		samePairs(t, what, list, without(got, 80))
	}
}

// Several attributes in one Vendor-Specific, hidden ones at either end, and two
// octets of type with Lucent.
// Rules: P42
func TestVendorSpecificWithManyAttributes(t *testing.T) {
	ra := authenticator(90)
	request := assemble(1, 7, authenticator(1))
	list := []pair{vsa(14823, bytes.Join([][]byte{
		sub(44, salted(t, []byte("passphrase"), 0x8001, "server's", ra)),
		sub(1, []byte("role")),
		sub(66, hidePassword(make([]byte, 48), "server's", ra)),
	}, nil)...)}
	got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)[0].value[4:]
	if plain := unsalted(t, got[2:got[1]], "radsec", request[4:20]); string(plain) != "passphrase" {
		t.Errorf("Aruba-MPSK-Passphrase: the client reads %q", plain)
	}
	got = got[got[1]:]
	if string(got[2:got[1]]) != "role" {
		t.Errorf("Aruba-User-Role was altered: %q", got[2:got[1]])
	}
	got = got[got[1]:]
	if plain := revealPassword(got[2:], "radsec", request[4:20]); !bytes.Equal(plain, make([]byte, 48)) {
		t.Errorf("Aruba-MPSK-Lookup-Info: the client reads % x", plain)
	}
}
