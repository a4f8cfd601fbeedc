package wire

import (
	"encoding/binary"

	"radsec-gw/wire/dict"
)

// format is how a vendor lays out the attributes inside a Vendor-Specific:
// octets of type, octets of length, and for WiMAX a continuation octet.
type format uint8

const (
	formatNone format = iota
	format11          // the layout that RFC 2865 §5.26 recommends
	format21          // Lucent
	format11c         // WiMAX: the third octet's top bit says that the value continues in the next Vendor-Specific
)

const (
	vendorHead = 2 + 4 // type, length and vendor number of a Vendor-Specific
	moreBit    = 0x80  // of the WiMAX continuation octet
)

// header returns the octets of a vendor attribute before its value.
func (f format) header() int {
	if f == format11 {
		return 2
	}
	return 3
}

// split reads the vendor attribute that b begins with: its number, and its
// length n with header. False when b does not begin with a whole one.
func (f format) split(b []byte) (number uint16, n int, ok bool) {
	head := f.header()
	if len(b) < head {
		return 0, 0, false
	}
	if f == format21 {
		number, n = binary.BigEndian.Uint16(b), int(b[2])
	} else {
		number, n = uint16(b[0]), int(b[1])
	}
	return number, n, n >= head && n <= len(b)
}

// fills reports whether b consists of whole vendor attributes, one or more.
func (f format) fills(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		_, n, ok := f.split(b)
		if !ok {
			return false
		}
		b = b[n:]
	}
	return true
}

// more reports whether the value of the vendor attribute a continues in the next
// Vendor-Specific.
func (f format) more(a []byte) bool { return f == format11c && a[2]&moreBit != 0 }

// vendorOf returns the vendor number of the Vendor-Specific attribute a, header
// included; false when it is too short to have one.
func vendorOf(a []byte) (uint32, bool) {
	if len(a) < vendorHead {
		return 0, false
	}
	return binary.BigEndian.Uint32(a[2:]), true
}

// rehideVendor rewrites the hidden values in the Vendor-Specific attribute at
// b[off:], in place. One that does not follow its vendor's layout is left
// unchanged.
func (c *cipher) rehideVendor(b []byte, off int, t *transfer) error {
	end := off + int(b[off+1])
	vendor, ok := vendorOf(b[off:end])
	if !ok {
		return nil
	}
	f := vendorFormat(vendor)
	if f == formatNone || !f.fills(b[off+vendorHead:end]) {
		return nil
	}
	for at := off + vendorHead; at < end; {
		number, n, _ := f.split(b[at:end])
		value := b[at+f.header() : at+n]
		if r := ruleOf(vendor, number, value); r != 0 && !(f == format11c && c.done.has(number, at)) {
			if !f.more(b[at : at+n]) {
				c.rehideValue(value, vendor, number, r, t)
			} else if err := c.rehideParts(parts{b: b, vendor: vendor, number: number, at: at, end: end, next: end}, r, t); err != nil {
				return err
			}
		}
		at += n
	}
	return nil
}

// ruleOf returns the rule of a vendor's attribute with this value; 0 when it is
// not hidden.
func ruleOf(vendor uint32, number uint16, value []byte) rule {
	r := vendorRule(vendor, number, 0)
	if r&ruleLEAP != 0 && !dict.HasLEAPPrefix(value) {
		return 0
	}
	return r
}

// rehideValue rewrites a vendor attribute's whole value: itself hidden, or a
// row of TLVs (type, length, value) of which some are.
func (c *cipher) rehideValue(value []byte, vendor uint32, number uint16, r rule, t *transfer) {
	if r&ruleTLVs == 0 {
		c.rehide(value, r, t)
		return
	}
	if !format11.fills(value) {
		return
	}
	for len(value) > 0 {
		sub, n, _ := format11.split(value)
		c.rehide(value[2:n], vendorRule(vendor, number, byte(sub)), t)
		value = value[n:]
	}
}
