package detail

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// packetOf returns an Accounting-Request with attributes, each whole.
func packetOf(attributes ...[]byte) []byte {
	p := append(make([]byte, wire.MinLength), bytes.Join(attributes, nil)...)
	p[0] = 4
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	return p
}

// attr returns an attribute with its type and length.
func attr[T string | []byte](t byte, value T) []byte {
	return append([]byte{t, byte(2 + len(value))}, value...)
}

// vendorAttr returns a Vendor-Specific with one attribute.
func vendorAttr[T string | []byte](vendor uint32, number byte, value T) []byte {
	return attr(26, append(binary.BigEndian.AppendUint32(nil, vendor), attr(number, value)...))
}

// attributesOf returns the attributes of a packet, each whole, in order. FreeRADIUS adds what has
// passed to Acct-Delay-Time, and so it is not among them.
func attributesOf(packet []byte) (all [][]byte) {
	var v wire.View
	if v.Parse(packet) != nil {
		return nil
	}
	const acctDelayTime = 41
	for t, value := range v.All() {
		if t != acctDelayTime {
			all = append(all, attr(t, value))
		}
	}
	return all
}

// sample returns a value of the attribute's type, with a tag if it has one; false for types that
// have others inside.
func sample(a *dict.Attribute) ([]byte, bool) {
	size := a.Size
	if size == 0 {
		size = 3
	}
	switch a.Type {
	case dict.Text:
		return []byte(":1:\"é\" \\ \t%{User-Name}\x00\xff."), true
	case dict.Octets, dict.Concat:
		return bytes.Repeat([]byte{0, 'a', 255}, size)[:size], true
	case dict.Integer:
		if a.Tagged {
			return []byte{1, 0, 0, 3}, true
		}
		return []byte{0, 0, 0, 3}, true
	case dict.Time:
		return []byte{0x6b, 0x09, 0x31, 0x45}, true
	case dict.Integer64:
		return []byte{255, 255, 255, 255, 0, 0, 0, 1}, true
	case dict.IfID:
		return []byte{0, 0, 0, 1, 0, 0xfe, 255, 255}, true
	case dict.IPv4Addr:
		return []byte{192, 0, 2, 1}, true
	case dict.IPv6Addr:
		return []byte{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true
	case dict.IPv4Prefix:
		return []byte{0, 9, 10, 128, 0, 0}, true
	case dict.IPv6Prefix:
		return []byte{0, 33, 0x20, 1, 0x0d, 0xb8, 0x80}, true
	}
	return nil, false
}

// whole returns an attribute of the dictionary with a value.
func whole(a *dict.Attribute, value []byte) []byte {
	switch {
	case a.Vendor != 0:
		return vendorAttr(a.Vendor, byte(a.Number), value)
	case a.Sub == 0:
		return attr(byte(a.Number), value)
	case a.Number >= 245: // with an octet of flags (RFC 6929 §2.2)
		return attr(byte(a.Number), append([]byte{a.Sub, 0}, value...))
	default:
		return attr(byte(a.Number), append([]byte{a.Sub}, value...))
	}
}

// awkward are octets that mean something in one place or another.
const awkward = "\x00\x01\x1f \"\\%{:#=,\t\r\né"

// randomPacket returns an Accounting-Request with attributes of all types and vendors, of which
// most have a value that is not one of the type.
func randomPacket(r *rand.Rand, known []*dict.Attribute) []byte {
	octets := func(n int) []byte {
		b := make([]byte, r.IntN(n+1))
		for i := range b {
			if b[i] = byte(r.Uint32()); r.IntN(3) > 0 {
				b[i] = awkward[r.IntN(len(awkward))]
			}
		}
		return b
	}
	vendors := []uint32{0, 9, 54, 311, 429, 637, 4846, 5323, 8164, 11344, 16445, 24757, 25053, 99999, 1<<24 - 1, 1 << 24, r.Uint32()}
	vendor := func() []byte { return binary.BigEndian.AppendUint32(nil, vendors[r.IntN(len(vendors))]) }
	var attributes [][]byte
	for range 1 + r.IntN(20) {
		a := known[r.IntN(len(known))]
		value, ok := sample(a)
		switch n := r.IntN(8); {
		case n == 0:
			attributes = append(attributes, attr(byte(r.Uint32()), octets(253)))
		case n == 1:
			attributes = append(attributes, attr(26, slices.Concat(vendor(), attr(byte(r.Uint32()), octets(100)))))
		case n == 2:
			attributes = append(attributes, attr(26, slices.Concat(vendor(), attr(byte(r.Uint32()), octets(3)), attr(byte(r.Uint32()), octets(4)))))
		case n == 3:
			attributes = append(attributes, attr(26, append(vendor(), octets(30)...)))
		case n == 4: // TLVs, most of them empty
			head := [][]byte{nil, vendor(), {byte(r.IntN(30)), 0}, {26, 0, 0, 0, 9, 1}, {26, 0, 0, 0, 0, 9, 1}, {byte(r.IntN(30))}}[r.IntN(6)]
			tlvs := bytes.Repeat([]byte{1, byte(2 + r.IntN(2)), 0, 2, 3, 2}[r.IntN(4):], 1+r.IntN(3))
			types := []byte{26, 26, 26, 173, 241, 242, 245, 246, byte(r.Uint32())}
			attributes = append(attributes, attr(types[r.IntN(len(types))], append(head, tlvs...)))
		case n == 5 || !ok || a.Sub != 0 && a.Vendor != 0:
			attributes = append(attributes, whole(a, octets(30)))
		default:
			attributes = append(attributes, whole(a, value))
		}
	}
	return packetOf(attributes...)
}
