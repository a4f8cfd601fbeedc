package detail

import "encoding/binary"

// crashes reports whether FreeRADIUS might crash at the octets of an attribute. 3.2.1, and 3.2.10
// still, cannot decode octets that hold attributes or TLVs of which none has a value: it uses the
// first, which is not there. Any client can send such. Which types hold TLVs only its dictionary
// says, and so all are taken for such.
func crashes(t byte, value []byte) bool {
	switch {
	case t == typeVendorSpecific && len(value) > vendorHead:
		vendor, rest := binary.BigEndian.Uint32(value), value[vendorHead:]
		return layout11.isEmpty(rest) || layoutOf(vendor).isEmpty(rest)
	case t >= firstExtended && t <= lastExtended && len(value) > 0:
		inside := value[1:]
		if t >= firstLongExtended && len(inside) > 0 {
			inside = inside[1:] // the flags
		}
		const vendorAndType = vendorHead + 1 // RFC 6929 §2.4
		return isEmpty(inside) || value[0] == typeVendorSpecific && len(inside) > vendorAndType && isEmpty(inside[vendorAndType:])
	}
	return isEmpty(value)
}

// isEmpty reports whether octets consist of TLVs of which none has a value, or only TLVs without one.
// FreeRADIUS does not take fewer than three octets for TLVs.
func isEmpty(b []byte) bool { return len(b) >= 3 && layout11.isEmpty(b) }

// isEmpty reports whether octets consist of attributes in a layout of which none has a value.
func (l layout) isEmpty(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	head := l.head()
	for len(b) > 0 {
		n := len(b) // without a length there is only one
		if len(b) >= head && l.length > 0 {
			n = int(b[l.number+l.length-1])
		}
		if n < head || n > len(b) || n > head && !isEmpty(b[head:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
