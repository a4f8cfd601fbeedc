package rules

import (
	"encoding/binary"

	"radsec-gw/wire/dict"
)

const (
	vendorHead = 6    // octets of a Vendor-Specific before the vendor's attributes
	moreBit    = 0x80 // of WiMAX's continuation octet
)

// headerOf returns the octets of a vendor's attribute before its value.
func headerOf(l dict.Layout) int {
	if l == dict.Layout11 {
		return 2
	}
	return 3
}

// split reads the vendor's attribute that b begins with: its number and its length with
// header. False when b does not begin with a whole one.
func split(l dict.Layout, b []byte) (number uint16, n int, ok bool) {
	head := headerOf(l)
	if len(b) < head {
		return 0, 0, false
	}
	if l == dict.Layout21 {
		number, n = binary.BigEndian.Uint16(b), int(b[2])
	} else {
		number, n = uint16(b[0]), int(b[1])
	}
	return number, n, n >= head && n <= len(b)
}

// fills reports whether b consists of whole vendor's attributes, one or more.
func fills(l dict.Layout, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		_, n, ok := split(l, b)
		if !ok {
			return false
		}
		b = b[n:]
	}
	return true
}

// vendorOf returns the vendor of a Vendor-Specific, 0 for one that is too short.
func vendorOf(a []byte) uint32 {
	if len(a) < vendorHead {
		return 0
	}
	return binary.BigEndian.Uint32(a[2:])
}

const (
	layout11 = dict.Layout11
	layout21 = dict.Layout21
)
