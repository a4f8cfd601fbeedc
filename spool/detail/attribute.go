package detail

import (
	"encoding/binary"
	"slices"
	"strconv"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// Types of attributes that hold others.
const (
	typeVendorSpecific = 26
	firstExtended      = 241 // RFC 6929 §3
	firstLongExtended  = 245 // they have an octet of flags (RFC 6929 §2.2)
	lastExtended       = 246
)

// vendorHead is the length of a vendor's number.
const vendorHead = 4

// appendAttribute appends the line of an attribute: by name if FreeRADIUS knows the name and the
// value is of its type; else as Attr-, which FreeRADIUS decodes by its own dictionary. An attribute
// that is hidden is a note: a server would take its ciphertext for a password in clear. So are one
// of type 0, for which FreeRADIUS discards a packet; one of vendor 0, whose attributes it takes for
// those without a vendor; and one whose octets would crash it.
func appendAttribute(dst []byte, t byte, value []byte) []byte {
	if t == 0 || isVendorZero(t, value) || wire.IsHidden(t, value) {
		return appendNote(dst, t, value)
	}
	single, isSingle := singleVendor(t, value)
	var line []byte
	var ok bool
	switch {
	case isSingle:
		line, ok = appendNamed(dst, dict.Lookup(single.vendor, uint16(single.number), 0), single.value)
	case t >= firstExtended && t < firstLongExtended && len(value) > 0:
		line, ok = appendNamed(dst, dict.Lookup(0, uint16(t), value[0]), value[1:])
	default:
		line, ok = appendNamed(dst, dict.Lookup(0, uint16(t), 0), value)
	}
	switch {
	case ok:
		return line
	case crashes(t, value):
		return appendNote(dst, t, value)
	case isSingle:
		return appendRaw(dst, single.value, typeVendorSpecific, single.vendor, uint32(single.number))
	}
	return appendRaw(dst, value, uint32(t))
}

// isVendorZero reports whether an attribute is a Vendor-Specific of no vendor that there is.
func isVendorZero(t byte, value []byte) bool {
	return t == typeVendorSpecific && len(value) > vendorHead && binary.BigEndian.Uint32(value) == 0
}

// appendNote appends a whole attribute as a note.
func appendNote(dst []byte, t byte, value []byte) []byte {
	whole := slices.Concat([]byte{t, byte(len(value) + 2)}, value)
	return append(appendHex(beginNote(dst, noteAttribute), whole), '\n')
}

// vendorAttribute is the one attribute inside a Vendor-Specific.
type vendorAttribute struct {
	vendor uint32
	number byte
	value  []byte
}

// singleVendor returns the attribute inside a Vendor-Specific that consists of exactly one in the
// layout of RFC 2865 §5.26, of a vendor that FreeRADIUS knows with that layout, or not at all.
func singleVendor(t byte, value []byte) (vendorAttribute, bool) {
	const head = vendorHead + 2
	if t != typeVendorSpecific || len(value) < head || int(value[vendorHead+1]) != len(value)-vendorHead {
		return vendorAttribute{}, false
	}
	vendor := binary.BigEndian.Uint32(value)
	return vendorAttribute{vendor, value[vendorHead], value[head:]}, vendor <= maxVendor && layoutOf(vendor) == layout11
}

// appendRaw appends the line of an attribute without a name: its path is the type, and inside it
// vendor, number and so on.
func appendRaw(dst, value []byte, path ...uint32) []byte {
	dst = append(dst, '\t')
	dst = append(dst, rawPrefix...)
	for i, n := range path {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	dst = append(dst, " = "...)
	return append(appendHex(dst, value), '\n')
}

// appendNamed appends the line of an attribute by its name. It reports false, and dst unchanged,
// if the name cannot be used, or the value is not one of the attribute's type.
func appendNamed(dst []byte, a *dict.Attribute, value []byte) ([]byte, bool) {
	if a == nil {
		return dst, false
	}
	if differs, _ := differs(a); differs {
		return dst, false
	}
	line := append(dst, '\t')
	line = append(line, a.Name...)
	if a.Tagged {
		tag, rest, ok := splitTag(a, value)
		if !ok {
			return dst, false
		}
		if value = rest; tag >= 0 {
			line = append(line, ':')
			line = strconv.AppendInt(line, int64(tag), 10)
		}
	}
	line, ok := appendValue(append(line, " = "...), a, value)
	if !ok {
		return dst, false
	}
	return append(line, '\n'), true
}

// maxTag is the highest tag (RFC 2868 §3.1).
const maxTag = 0x1f

// splitTag returns the tag of a value and the value without it. The tag is -1 for a text whose
// first octet is too high for one, so that it belongs to the text (RFC 2868 §3.3). It reports
// false for a value that FreeRADIUS understands in another way.
func splitTag(a *dict.Attribute, value []byte) (tag int, rest []byte, ok bool) {
	switch {
	case a.Type == dict.Integer && len(value) == 4 && value[0] <= maxTag:
		return int(value[0]), append([]byte{0}, value[1:]...), true
	case a.Type == dict.Text && (len(value) == 0 || value[0] > maxTag):
		return -1, value, true
	case a.Type == dict.Text && len(value) > 1 && value[0] != 0:
		return int(value[0]), value[1:], true
	}
	return 0, nil, false
}

// joinTag is the opposite of splitTag. The tag is -1 if the line has none. FreeRADIUS writes 0 for a
// text without one, and for a number whose first octet is too high for one.
func joinTag(a *dict.Attribute, tag int, rest []byte) ([]byte, bool) {
	switch {
	case a.Type == dict.Integer && tag <= 0 && rest[0] > maxTag:
		return rest, true
	case a.Type == dict.Integer && rest[0] == 0:
		return append([]byte{byte(max(tag, 0))}, rest[1:]...), true
	case a.Type == dict.Text && tag > 0:
		return append([]byte{byte(tag)}, rest...), true
	}
	return rest, a.Type == dict.Text
}
