package detail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"radsec-gw/wire/dict"
)

// rawPrefix begins the name of an attribute without a name, before its path: Attr-25,
// Attr-26.9.1, Attr-241.3. Ignoring case, as FreeRADIUS does.
const rawPrefix = "Attr-"

// maxVendor is the highest number of a vendor that FreeRADIUS reads in a path.
const maxVendor = 1<<24 - 1

// maxValue is the length of the longest value of an attribute (RFC 2865 §5).
const maxValue = 255 - 2

// parsePath reads what follows rawPrefix.
func parsePath(text string) (path []uint32, err error) {
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if limit := limitAfter(path); err != nil || n > limit {
			return nil, fmt.Errorf("expected numbers with points between them after %s, here one up to %d, got %.80q", rawPrefix, limit, part)
		}
		path = append(path, uint32(n))
	}
	return path, nil
}

// limitAfter returns the highest number that may follow in a path.
func limitAfter(path []uint32) uint64 {
	switch n := len(path); {
	case n == 2 && path[0] == typeVendorSpecific:
		return layoutOf(path[1]).maxNumber()
	case n == 1 && path[0] == typeVendorSpecific, n == 2 && path[1] == typeVendorSpecific:
		return maxVendor
	}
	return 255
}

// pathOf returns the path of an attribute of the dictionary.
func pathOf(a *dict.Attribute) []uint32 {
	path := []uint32{uint32(a.Number)}
	if a.Vendor != 0 {
		path = []uint32{typeVendorSpecific, a.Vendor, uint32(a.Number)}
	}
	if a.Sub != 0 {
		path = append(path, uint32(a.Sub))
	}
	return path
}

// appendPath appends the attribute with a path and a value as a packet has it. A value that is
// too long for one attribute continues in more if its type allows that: FreeRADIUS writes such a
// value as one.
func appendPath(packet []byte, path []uint32, value []byte) ([]byte, error) {
	t, inside := byte(path[0]), path[1:]
	switch {
	case len(inside) == 0:
		if a := dict.Lookup(0, uint16(t), 0); a != nil && a.Type == dict.Concat {
			for len(value) > maxValue {
				packet = append(append(packet, t, 255), value[:maxValue]...)
				value = value[maxValue:]
			}
		}
	case t == typeVendorSpecific && len(inside) > 1:
		var err error
		if value, err = vendorValue(inside, value); err != nil {
			return nil, err
		}
	case t >= firstExtended && t <= lastExtended:
		extended, err := extendedValue(inside[1:], byte(inside[0]), value)
		if err != nil {
			return nil, err
		}
		if t >= firstLongExtended {
			return appendFragments(packet, t, byte(inside[0]), extended), nil
		}
		value = append([]byte{byte(inside[0])}, extended...)
	default:
		return nil, errPath
	}
	if len(value) > maxValue {
		return nil, errTooLong(len(value))
	}
	return append(append(packet, t, byte(2+len(value))), value...), nil
}

// errPath is the error for a path that leads nowhere.
var errPath = errors.New("expected numbers inside a type only in 26, of a vendor and its attribute, and in 241 to 246")

func errTooLong(n int) error {
	return fmt.Errorf("expected a value of at most %d octets with what precedes it in the attribute, got %d", maxValue, n)
}

// appendFragments appends a value in as many attributes of a long extended type as it needs: all
// but the last have a flag (RFC 6929 §2.2).
func appendFragments(packet []byte, t, extended byte, value []byte) []byte {
	const more, space = 0x80, maxValue - 2
	for len(value) > space {
		packet = append(append(packet, t, 255, extended, more), value[:space]...)
		value = value[space:]
	}
	return append(append(packet, t, byte(4+len(value)), extended, 0), value...)
}

// extendedValue returns what follows the extended type, and the flags, of a value: what a vendor's
// begins with (RFC 6929 §2.4), and the TLVs around the value.
func extendedValue(inside []uint32, extended byte, value []byte) ([]byte, error) {
	if extended != typeVendorSpecific || len(inside) == 0 {
		return wrap(inside, value)
	}
	if len(inside) == 1 {
		return nil, errPath
	}
	value, err := wrap(inside[2:], value)
	if err != nil {
		return nil, err
	}
	return append(append(binary.BigEndian.AppendUint32(nil, inside[0]), byte(inside[1])), value...), nil
}

// vendorValue returns the value of a Vendor-Specific with one attribute: inside is the vendor's
// number, the attribute's, and those of TLVs in it.
func vendorValue(inside []uint32, value []byte) ([]byte, error) {
	value, err := wrap(inside[2:], value)
	if err != nil {
		return nil, err
	}
	head := layoutOf(inside[0]).appendHead(binary.BigEndian.AppendUint32(nil, inside[0]), inside[1], len(value))
	if len(head)+len(value) > maxValue {
		return nil, errTooLong(len(head) + len(value))
	}
	return append(head, value...), nil
}

// wrap puts a value into TLVs of the given types, the last innermost (RFC 6929 §2.3).
func wrap(types []uint32, value []byte) ([]byte, error) {
	for i := len(types) - 1; i >= 0; i-- {
		if len(value) > maxValue {
			return nil, errTooLong(len(value))
		}
		value = append([]byte{byte(types[i]), byte(2 + len(value))}, value...)
	}
	return value, nil
}

// layout is how a vendor lays out the attributes inside a Vendor-Specific: octets of the number,
// octets of the length, and whether a further one says that the value continues.
type layout struct {
	number, length int
	continued      bool
}

// layout11 is what RFC 2865 §5.26 recommends.
var layout11 = layout{number: 1, length: 1}

// otherLayouts are the vendors that package dict does not know, and that FreeRADIUS's dictionary
// gives another layout than layout11; read only.
var otherLayouts = map[uint32]layout{
	54:    {number: 2, length: 1}, // what FreeRADIUS uses for DHCP
	429:   {number: 4},            // USR
	637:   {number: 2, length: 1}, // Alcatel-ESAM
	5323:  {number: 1, length: 1, continued: true},
	8164:  {number: 2, length: 2}, // Starent
	16445: {number: 2, length: 1}, // Kineto
}

func layoutOf(vendor uint32) layout {
	if l, ok := otherLayouts[vendor]; ok {
		return l
	}
	switch dict.LayoutOf(vendor) {
	case dict.Layout21:
		return layout{number: 2, length: 1}
	case dict.Layout11c:
		return layout{number: 1, length: 1, continued: true}
	default:
		return layout11
	}
}

func (l layout) maxNumber() uint64 { return 1<<(8*l.number) - 1 }

// head returns the octets before a value.
func (l layout) head() int {
	if l.continued {
		return l.number + l.length + 1
	}
	return l.number + l.length
}

// appendHead appends what precedes a value of n octets. A value that continues elsewhere is not
// written like this.
func (l layout) appendHead(dst []byte, number uint32, n int) []byte {
	for i := l.number - 1; i >= 0; i-- {
		dst = append(dst, byte(number>>(8*i)))
	}
	n += l.head()
	for i := l.length - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	if l.continued {
		dst = append(dst, 0)
	}
	return dst
}
