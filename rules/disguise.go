package rules

import "encoding/binary"

// What a rule removes or sets is removed in every form that a server may read as it: a
// client must not get a fact past the gateway in a form that only the server understands.
//
// Rule: ID2.

const (
	typeEVS   = 26        // Extended-Vendor-Specific, within each of the extended types (RFC 6929 §2.4)
	evsHead   = 3 + 4     // octets of one before the vendor's type
	maxVendor = 1<<24 - 1 // RFC 2865 §5.26: the high-order octet is 0
)

// isNobodys reports whether a Vendor-Specific with this Vendor-Id, or without one, is of no
// vendor. A server that keeps the vendor and the number of an attribute in one integer takes
// what is in it for an attribute without a vendor, or for another's.
func isNobodys(vendor uint32) bool { return vendor == 0 || vendor > maxVendor }

// watchDisguises has fateOf look at the types that may hold what is listed.
func (f *filter) watchDisguises() {
	f.fates[typeVendorSpecific] = depends
	for _, a := range f.items {
		for typ := typeExtended1; a.vendor != 0 && typ <= typeLongExtended6; typ++ {
			f.fates[typ] = depends
		}
	}
}

// isDisguise reports whether an attribute is the Extended-Vendor-Specific of a vendor's
// attribute that is listed. A long one may be, if a vendor's attribute is listed: its vendor
// may be in another fragment.
func (f *filter) isDisguise(b []byte) bool {
	if !isExtended(b[0]) || len(b) < 3 || b[2] != typeEVS {
		return false
	}
	for _, a := range f.items {
		switch {
		case a.vendor == 0:
		case b[0] >= typeLongExtended5:
			return true
		case len(b) <= evsHead:
		case binary.BigEndian.Uint32(b[3:]) == a.vendor && (a.allNumbers || uint16(b[evsHead]) == a.number):
			return true
		}
	}
	return false
}

// removeTLV removes the instances of a TLV, and the vendor's attributes in which a server
// may find one that cannot be found here: those of a value that is spread over several, and
// those that are no row of TLVs.
func (s *step) removeTLV(e *Editor) {
	for c := newCursor(); c.find(e.packet, s.attribute); {
		c.remove(e, s.attribute)
	}
	for c := newCursor(); c.find(e.packet, s.holder); {
		if !c.whole() || !fills(layout11, e.packet[c.start:c.end]) {
			c.remove(e, s.holder)
		}
	}
	s.filter.run(e)
}

// holderOf returns the vendor's attribute that holds a TLV.
func holderOf(a *attribute) *attribute {
	holder := *a
	holder.sub, holder.hasTag = 0, false
	return &holder
}

// withEachTag returns an attribute without the tag that a rule names.
func withEachTag(a *attribute) *attribute {
	each := *a
	each.hasTag = false
	return &each
}
