package audit

import (
	"testing"

	"radsec-gw/wire"
)

// Values from which a password can be guessed or by which a login is continued are masked, and those
// of unknown attributes.
//
// Fault S8.
func TestMasked(t *testing.T) {
	for _, row := range []struct {
		what string
		a    wire.Attribute
		want bool
	}{
		{"User-Name", wire.Attribute{Type: 1}, false},
		{"a User-Password that Reveal marks", wire.Attribute{Type: 2, Hidden: true}, true},
		{"User-Password", wire.Attribute{Type: 2}, true},
		{"CHAP-Password", wire.Attribute{Type: 3}, true},
		{"ARAP-Password", wire.Attribute{Type: 70}, true},
		{"Configuration-Token", wire.Attribute{Type: 78}, true},
		{"Digest-Response", wire.Attribute{Type: 103}, true},
		{"Digest-Username", wire.Attribute{Type: 115}, false},
		{"Digest-HA1, as good as the password (RFC 5090 §3.19)", wire.Attribute{Type: 121}, true},
		{"State, by which a login is continued", wire.Attribute{Type: 24}, true},
		{"PKM-Auth-Key", wire.Attribute{Type: 143}, true},
		{"SAML-Assertion", wire.Attribute{Type: 245, Number: 1}, true},
		{"Class", wire.Attribute{Type: 25}, false},
		{"a type that is not assigned", wire.Attribute{Type: 230}, true},
		{"an extended type that is not assigned", wire.Attribute{Type: 245, Number: 200}, true},
		{"a Vendor-Specific without a vendor", wire.Attribute{Type: 26}, true},
		{"a Vendor-Specific of vendor 0", wire.Attribute{Type: 26, Number: 1}, true},
		{"a Vendor-Specific that cannot be read", wire.Attribute{Type: 26, Vendor: 311}, true},
		{"MS-CHAP-Error", wire.Attribute{Type: 26, Vendor: 311, Number: 2}, false},
		{"MS-MPPE-Encryption-Policy", wire.Attribute{Type: 26, Vendor: 311, Number: 7}, false},
		{"MS-MPPE-Encryption-Types", wire.Attribute{Type: 26, Vendor: 311, Number: 8}, false},
		{"MS-CHAP-Domain", wire.Attribute{Type: 26, Vendor: 311, Number: 10}, false},
		{"MS-CHAP2-Response", wire.Attribute{Type: 26, Vendor: 311, Number: 25}, true},
		{"Cisco-AVPair", wire.Attribute{Type: 26, Vendor: 9, Number: 1}, true},
		{"an attribute of a vendor that is not known", wire.Attribute{Type: 26, Vendor: 99999, Number: 1}, true},
		{"Original-Packet-Code", wire.Attribute{Type: 241, Number: 4}, false},
		{"Extended-Vendor-Specific-1", wire.Attribute{Type: 241, Number: 26}, true},
		{"Extended-Vendor-Specific-6", wire.Attribute{Type: 246, Number: 26}, true},
	} {
		if got := masked(&row.a); got != row.want {
			t.Errorf("%s: expected masked to be %t, got %t", row.what, row.want, got)
		}
	}
}

// Values are printed according to their type, or in hex if that is not possible.
func TestValueText(t *testing.T) {
	for _, row := range []struct {
		a    wire.Attribute
		want string
	}{
		{wire.Attribute{Type: 1, Value: []byte("bob")}, `"bob"`},
		{wire.Attribute{Type: 6, Value: []byte{0, 0, 0, 2}}, "2 (Framed-User)"},
		{wire.Attribute{Type: 55, Value: []byte{0, 0, 0, 1}}, "1970-01-01T00:00:01Z"},
		{wire.Attribute{Type: 8, Value: []byte{192, 0, 2, 1}}, "192.0.2.1"},
		{wire.Attribute{Type: 8, Value: []byte{192}}, "0xc0"},
		{wire.Attribute{Type: 64, Value: []byte{1, 0, 0, 13}}, "0x0100000d"}, // a tag and an integer of three octets
		{wire.Attribute{Type: 124, Value: []byte{0, 0, 0, 0, 0, 0, 0, 9}}, "9"},
		{wire.Attribute{Type: 25, Value: make([]byte, 64)}, "0x" + zeros(64)},
		{wire.Attribute{Type: 25, Value: make([]byte, 65)}, "0x" + zeros(64) + "… (65 octets)"},
		{wire.Attribute{Type: 3, Value: make([]byte, 17)}, "[hidden], 17 octets"},
	} {
		if got := valueText(&row.a, false); got != row.want {
			t.Errorf("type %d % x: expected %s, got %s", row.a.Type, row.a.Value, row.want, got)
		}
	}
}

func zeros(octets int) string {
	b := make([]byte, 2*octets)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}
