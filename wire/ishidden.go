package wire

import (
	"encoding/binary"

	"radsec-gw/wire/dict"
)

// IsHidden reports whether an attribute's value, or a part of it, is hidden under the shared
// secret: copies of the same value then differ, and it says nothing to those without the
// secret. For a Vendor-Specific it is what any of the vendor's attributes in it is.
func IsHidden(t byte, value []byte) bool {
	if t != typeVendorSpecific {
		return standardRules[t] != 0
	}
	if len(value) < vendorHead-2 {
		return false
	}
	vendor := binary.BigEndian.Uint32(value)
	f := vendorFormat(vendor)
	if f == formatNone {
		return false
	}
	for rest := value[vendorHead-2:]; ; {
		number, n, ok := f.split(rest)
		if !ok {
			return false
		}
		if r := vendorRule(vendor, number, 0); r&ruleLEAP == 0 && r != 0 || r&ruleLEAP != 0 && dict.HasLEAPPrefix(rest[f.header():n]) {
			return true
		}
		rest = rest[n:]
	}
}
