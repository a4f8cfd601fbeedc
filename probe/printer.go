package probe

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"

	"radsec-gw/wire/dict"
)

// place identifies an attribute: its vendor or 0, its type, and the type inside it or 0.
type place struct {
	vendor uint32
	number uint16
	sub    byte
}

// String returns p as the types from the outside in: "200", "241.4", and "9.1" of a vendor.
func (p place) String() string {
	s := strconv.Itoa(int(p.number))
	if p.sub != 0 {
		s += "." + strconv.Itoa(int(p.sub))
	}
	if p.vendor != 0 {
		s = strconv.Itoa(int(p.vendor)) + "." + s
	}
	return s
}

// attributePrinter formats the attributes of a packet as lines "Name = value".
type attributePrinter struct {
	secret        []byte
	authenticator [16]byte         // the Request Authenticator, which hidden attributes depend on
	secrets       bool             // show hidden values (replies), or only that there are some (requests)
	clear         bool             // nothing is hidden: RADIUS/1.1 (RFC 9765 §5.1)
	parts         map[place][]byte // values that are continued in an attribute still to come
}

// lines returns a line for each attribute except Message-Authenticator, which verification reports.
func (p *attributePrinter) lines(attributes radius.Attributes) []string {
	var lines []string
	p.parts = map[place][]byte{}
	for _, a := range attributes {
		switch {
		case a.Type == rfc2869.MessageAuthenticator_Type:
		case a.Type == rfc2865.VendorSpecific_Type && len(a.Attribute) > 4:
			vendor := binary.BigEndian.Uint32(a.Attribute)
			lines = append(lines, p.vendorLines(vendor, a.Attribute[4:])...)
		case a.Type >= 241 && a.Type <= 244 && len(a.Attribute) > 1: // RFC 6929 §2.1
			lines = append(lines, p.line(place{number: uint16(a.Type), sub: a.Attribute[0]}, a.Attribute[1:]))
		default:
			lines = append(lines, p.line(place{number: uint16(a.Type)}, a.Attribute))
		}
	}
	return lines
}

// vendorLines returns the lines of the attributes inside one Vendor-Specific (RFC 2865 §5.26).
func (p *attributePrinter) vendorLines(vendor uint32, b []byte) []string {
	layout := dict.LayoutOf(vendor)
	head := 2 // type, length
	if layout != dict.Layout11 {
		head = 3
	}
	var lines []string
	for len(b) > 0 {
		if len(b) < head {
			return append(lines, fmt.Sprintf("Vendor-Specific %d = 0x%x (not an attribute)", vendor, b))
		}
		at, length := place{vendor: vendor, number: uint16(b[0])}, int(b[1])
		if layout == dict.Layout21 {
			at.number, length = binary.BigEndian.Uint16(b), int(b[2])
		}
		if length < head || length > len(b) {
			return append(lines, fmt.Sprintf("Vendor-Specific %d = 0x%x (its length is out of range)", vendor, b))
		}
		value, rest := b[head:length], b[length:]
		if layout == dict.Layout11c {
			value = append(p.parts[at], value...)
			delete(p.parts, at)
			if b[2]&0x80 != 0 { // continued in the next attribute of this type
				p.parts[at] = value
				b = rest
				continue
			}
		}
		lines = append(lines, p.nestedLines(at, value)...)
		b = rest
	}
	return lines
}

// nestedLines returns the lines of the TLVs inside a value, or the line of the value if it has none.
func (p *attributePrinter) nestedLines(at place, value []byte) []string {
	if !dict.HasTLVs(at.vendor, at.number) {
		return []string{p.line(at, value)}
	}
	var lines []string
	for b := value; len(b) > 0; {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return []string{p.line(at, value)}
		}
		inside := at
		inside.sub = b[0]
		lines = append(lines, p.line(inside, b[2:b[1]]))
		b = b[b[1]:]
	}
	return lines
}

// line returns the line of one attribute.
func (p *attributePrinter) line(at place, value []byte) string {
	a := dict.Lookup(at.vendor, at.number, at.sub)
	if a == nil {
		kind := "Attribute"
		if at.vendor != 0 {
			kind = "Vendor-Specific"
		}
		return fmt.Sprintf("%s %v = %s", kind, at, octetsText(value))
	}
	name, value := p.cutTag(a, value)
	if a.IsHidden(value) {
		if !p.secrets {
			return name + " = (hidden)"
		}
		if !p.clear {
			clear, err := reveal(a, value, p.secret, p.authenticator)
			if err != nil {
				return fmt.Sprintf("%s = %s (cannot be revealed: %v)", name, octetsText(value), err)
			}
			value = clear
		}
	}
	if at == (place{number: uint16(rfc3576.ErrorCause_Type)}) && len(value) == 4 {
		return name + " = " + errorCauseText(a, binary.BigEndian.Uint32(value))
	}
	return name + " = " + valueText(a, value)
}

// cutTag returns the name of a with the tag of value, and value without it. A text whose first
// octet is above 0x1F has no tag (RFC 2868 §3.1).
func (p *attributePrinter) cutTag(a *dict.Attribute, value []byte) (name string, rest []byte) {
	salted := a.Hidden == dict.Salted && !p.clear
	if !a.Tagged || len(value) == 0 || value[0] > 0x1f && a.Type != dict.Integer && !salted {
		return a.Name, value
	}
	name = a.Name
	if value[0] != 0 {
		name += ":" + strconv.Itoa(int(value[0]))
	}
	if a.Type == dict.Integer {
		return name, append([]byte{0}, value[1:]...)
	}
	return name, value[1:]
}

// valueText returns the text of a value that is not hidden; its octets if it is not valid for the type.
func valueText(a *dict.Attribute, value []byte) string {
	if text, ok := a.Text(value); ok {
		return text
	}
	return octetsText(value)
}

// octetsText returns octets in hex, followed by their text if all of them are printable ASCII.
func octetsText(value []byte) string {
	s := "0x" + hex.EncodeToString(value)
	for _, c := range value {
		if c > unicode.MaxASCII || !unicode.IsPrint(rune(c)) {
			return s
		}
	}
	if len(value) == 0 {
		return s
	}
	return fmt.Sprintf("%s %q", s, value)
}
