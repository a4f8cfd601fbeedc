package wire

import "encoding/binary"

// format is how a vendor lays out the attributes inside a Vendor-Specific:
// octets of type, octets of length, and for WiMAX a continuation octet.
type format uint8

const (
	formatNone format = iota
	format11          // the layout that RFC 2865 §5.26 recommends
	format21          // Lucent
	format11c         // WiMAX: the third octet's top bit says that the value goes on in the next Vendor-Specific
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

// fills reports whether b is nothing but whole vendor attributes, one or more.
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

// more reports whether the vendor attribute a goes on in the next
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
// b[off:], in place, and returns the offset of the attribute to go on with: the
// next one, or the one after a value's last fragment. An attribute whose inside
// does not follow its vendor's layout is left as it came.
func (h *hider) rehideVendor(b []byte, off int, t *rehiding) (next int, err error) {
	next = off + int(b[off+1])
	vendor, ok := vendorOf(b[off:next])
	if !ok {
		return next, nil
	}
	f := vendorFormat(vendor)
	if f == formatNone || !f.fills(b[off+vendorHead:next]) {
		return next, nil
	}
	for at, end := off+vendorHead, next; at < end; {
		number, n, _ := f.split(b[at:end])
		if r := vendorRule(vendor, number, 0); r != 0 {
			switch attribute := b[at : at+n]; {
			case !f.more(attribute):
				err = h.rehideValue(attribute[f.header():], vendor, number, r, t)
			case at+n == end:
				next, err = h.rehideFragments(b, at, end, vendor, number, r, t)
			}
			if err != nil {
				return next, err
			}
		}
		at += n
	}
	return next, nil
}

// rehideValue rewrites a vendor attribute's whole value: itself hidden, or a
// row of TLVs (type, length, value) of which some are.
func (h *hider) rehideValue(value []byte, vendor uint32, number uint16, r rule, t *rehiding) error {
	if r&ruleTLVs == 0 {
		return h.rehide(value, r, t)
	}
	if !format11.fills(value) {
		return nil
	}
	for len(value) > 0 {
		sub, n, _ := format11.split(value)
		if err := h.rehide(value[2:n], vendorRule(vendor, number, byte(sub)), t); err != nil {
			return err
		}
		value = value[n:]
	}
	return nil
}

// fragment returns the value of a WiMAX fragment at b[off:], whether it is the
// last, and where the next attribute starts. False when there is no
// Vendor-Specific there with nothing in it but the given vendor's attribute.
func fragment(b []byte, off int, vendor uint32, number uint16) (value []byte, last bool, next int, ok bool) {
	if off >= len(b) || b[off] != typeVendorSpecific {
		return nil, false, off, false
	}
	next = off + int(b[off+1])
	if v, ok := vendorOf(b[off:next]); !ok || v != vendor {
		return nil, false, off, false
	}
	attribute := b[off+vendorHead : next]
	got, n, ok := format11c.split(attribute)
	if !ok || got != number || n != len(attribute) {
		return nil, false, off, false
	}
	return attribute[format11c.header():], !format11c.more(attribute), next, true
}

// rehideFragments rewrites a value that is spread over consecutive
// Vendor-Specifics: one cipher text, joined, rewritten and laid back over the
// same borders. The first fragment is the vendor attribute at b[at:end], the
// last of its Vendor-Specific. When the last fragment is missing all are left as
// they came. Returns the offset after the fragments.
//
// b has lost this hop's own attributes already, so fragments that a Proxy-State
// stood between are consecutive, as the next hop will find them.
func (h *hider) rehideFragments(b []byte, at, end int, vendor uint32, number uint16, r rule, t *rehiding) (next int, err error) {
	first := b[at+format11c.header() : end]
	n := copy(h.joined[:], first)
	next = end
	for last := false; !last; {
		var value []byte
		var ok bool
		value, last, next, ok = fragment(b, next, vendor, number)
		if !ok {
			return next, nil
		}
		n += copy(h.joined[n:], value) // fits: a packet is no longer than joined
	}
	if err := h.rehideValue(h.joined[:n], vendor, number, r, t); err != nil {
		return next, err
	}
	if err := h.rekeyAll(t); err != nil {
		return next, err
	}
	left := h.joined[copy(first, h.joined[:n]):n]
	for off := end; off < next; {
		value, _, after, _ := fragment(b, off, vendor, number)
		left = left[copy(value, left):]
		off = after
	}
	return next, nil
}
