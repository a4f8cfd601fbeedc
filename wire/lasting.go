package wire

import "encoding/binary"

// MaxLasting bounds what AppendLasting appends for one attribute, in octets: a Vendor-Specific may
// have 124 attributes of 2 octets, each of which takes 5 more.
const MaxLasting = 1024

// AppendLasting appends what of an attribute is the same in all copies of a request, under whatever
// secret and in whichever version of RADIUS they are: nothing of what is about a hop, of what is
// hidden, and of signatures (RFC 9765 §5.3). The attributes in a Vendor-Specific are appended one by
// one, because a copy may have them in several.
func AppendLasting(b []byte, t byte, value []byte) []byte {
	switch {
	case isHopByHop(t, value):
		return b
	case t == typeVendorSpecific && len(value) >= vendorHead-2:
		vendor := binary.BigEndian.Uint32(value)
		if f := vendorFormat(vendor); f != formatNone {
			return appendLastingVendor(b, f, vendor, value)
		}
	case standardRules[t] != 0:
		return b
	}
	return append(append(b, t, byte(len(value))), value...)
}

func appendLastingVendor(b []byte, f format, vendor uint32, value []byte) []byte {
	inside := value[vendorHead-2:]
	if !f.fills(inside) {
		if _, may := f.mayHold(inside, vendor); may {
			return b
		}
		return append(append(b, typeVendorSpecific, byte(len(value))), value...)
	}
	for len(inside) > 0 {
		number, n, _ := f.split(inside)
		if !signs11(vendor, number) && ruleOf(vendor, number, inside[f.header():n]) == 0 {
			b = append(binary.BigEndian.AppendUint32(append(b, 0), vendor), inside[:n]...)
		}
		inside = inside[n:]
	}
	return b
}
