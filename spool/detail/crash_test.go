package detail

import (
	"strings"
	"testing"
)

// Octets that would crash FreeRADIUS, or that it takes for other attributes, are notes; others that
// look alike are not.
// Rules: SP12, SP14
func TestForFreeRADIUS(t *testing.T) {
	for _, c := range []struct {
		name  string
		whole []byte
		note  bool
	}{
		{"a vendor's empty attributes", attr(26, "\x00\x00\x01\x37\x34\x02\x25\x02"), true},
		{"one of them with a value", attr(26, "\x00\x00\x01\x37\x34\x02\x25\x03x"), false},
		{"an empty attribute without a length", attr(26, "\x00\x00\x01\xad\x00\x00\x98\x76"), true},
		{"an empty attribute with a longer head", attr(26, "\x00\x00\x12\xee\x00\x01\x03"), true},
		{"WiMAX's TLV with empty ones", attr(26, "\x00\x00\x60\xb5\x01\x07\x00\x01\x02\x02\x02"), true},
		{"a vendor's TLV with empty ones", vendorAttr(99999, 1, "\x01\x02\x03\x02"), true},
		{"a vendor's two octets", vendorAttr(99999, 1, "\x01\x02"), false},
		{"Cisco-AVPair that is empty", vendorAttr(9, 1, ""), false},
		{"TLVs", attr(173, "\x01\x02\x03\x02"), true},
		{"TLVs in a TLV", attr(173, "\x01\x06\x01\x02\x03\x02"), true},
		{"TLVs with a value", attr(173, "\x01\x06\x01\x02\x03\x02\x01\x03x"), false},
		{"an extended type's TLVs", attr(241, "\x05\x01\x02\x03\x02"), true},
		{"a long extended type's TLVs", attr(245, "\x05\x00\x01\x02\x03\x02"), true},
		{"an extended vendor's TLVs", attr(241, "\x1a\x00\x00\x00\x09\x01\x01\x02\x03\x02"), true},
		{"vendor 0", vendorAttr(0, 69, "\x01\x80\x01"), true},
		{"vendor 0 and no more", attr(26, "\x00\x00\x00\x00"), false},
	} {
		text := string((&Record{Packet: packetOf(c.whole)}).Append(nil))
		if note := strings.Contains(text, "\n# Radsec-Gw-Attribute = 0x"); note != c.note {
			t.Errorf("%s: expected a note %t, got\n%s", c.name, c.note, text)
		}
	}
}
