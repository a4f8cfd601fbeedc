package probe

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/dictionary"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// attributePrinter turns a packet's attributes into lines "Name = value".
type attributePrinter struct {
	names         *attributeNames
	secret        []byte
	authenticator [16]byte          // the Request Authenticator, which hidden attributes depend on
	secrets       bool              // print revealed values (replies), or only that there are some (requests)
	clear         bool              // nothing is hidden: RADIUS/1.1 (RFC 9765 §5.1)
	parts         map[string][]byte // WiMAX values whose continuation is still to come, by place
}

// lines prints every attribute but Message-Authenticator, which is judged elsewhere.
func (p *attributePrinter) lines(attributes radius.Attributes) []string {
	var lines []string
	p.parts = map[string][]byte{}
	for _, a := range attributes {
		switch {
		case a.Type == rfc2869.MessageAuthenticator_Type:
		case a.Type == rfc2865.VendorSpecific_Type && len(a.Attribute) > 4:
			vendor := int(binary.BigEndian.Uint32(a.Attribute))
			lines = append(lines, p.vendorLines(vendor, a.Attribute[4:])...)
		case a.Type >= 241 && a.Type <= 244 && len(a.Attribute) > 1: // RFC 6929 §2.1
			path := fmt.Sprintf("%d.%d", a.Type, a.Attribute[0])
			lines = append(lines, p.line(0, path, a.Attribute[1:]))
		default:
			lines = append(lines, p.line(0, strconv.Itoa(int(a.Type)), a.Attribute))
		}
	}
	return lines
}

// vendorLines prints the attributes inside one Vendor-Specific (RFC 2865 §5.26).
func (p *attributePrinter) vendorLines(vendor int, b []byte) []string {
	head := 2 // type, length
	if vendor == vendorLucent || vendor == vendorWiMAX {
		head = 3
	}
	var lines []string
	for len(b) > 0 {
		if len(b) < head {
			return append(lines, fmt.Sprintf("Vendor-Specific %d = 0x%x (no attribute)", vendor, b))
		}
		typ, length := int(b[0]), int(b[1])
		if vendor == vendorLucent {
			typ, length = int(binary.BigEndian.Uint16(b)), int(b[2])
		}
		if length < head || length > len(b) {
			return append(lines, fmt.Sprintf("Vendor-Specific %d = 0x%x (a length that is not inside)", vendor, b))
		}
		path, value := strconv.Itoa(typ), b[head:length]
		if vendor == vendorWiMAX {
			place := placeOf(vendor, path)
			value = append(p.parts[place], value...)
			delete(p.parts, place)
			if b[2]&0x80 != 0 { // more to come in the next attribute of this type
				p.parts[place] = value
				b = b[length:]
				continue
			}
		}
		lines = append(lines, p.nestedLines(vendor, path, value)...)
		b = b[length:]
	}
	return lines
}

// nestedLines prints a value, or what is inside it when it is known to hold attributes.
func (p *attributePrinter) nestedLines(vendor int, path string, value []byte) []string {
	if !p.names.parents[placeOf(vendor, path)] {
		return []string{p.line(vendor, path, value)}
	}
	var lines []string
	for b := value; len(b) > 0; {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return []string{p.line(vendor, path, value)}
		}
		lines = append(lines, p.line(vendor, fmt.Sprintf("%s.%d", path, b[0]), b[2:b[1]]))
		b = b[b[1]:]
	}
	return lines
}

// line prints one attribute.
func (p *attributePrinter) line(vendor int, path string, value []byte) string {
	a, known := p.names.byPlace[placeOf(vendor, path)]
	if !known {
		if vendor != 0 {
			return fmt.Sprintf("Vendor-Specific %d.%s = %s", vendor, path, octetsText(value))
		}
		return fmt.Sprintf("Attribute %s = %s", path, octetsText(value))
	}
	name := a.name
	if a.tagged && len(value) > 0 && (value[0] <= 0x1f || a.form == dictionary.AttributeInteger || a.hidden == withSalt && !p.clear) {
		// RFC 2868 §3.1: a text whose first octet is above 0x1F has no tag
		if value[0] != 0 {
			name += ":" + strconv.Itoa(int(value[0]))
		}
		if a.form == dictionary.AttributeInteger {
			value = append([]byte{0}, value[1:]...)
		} else {
			value = value[1:]
		}
	}
	if a.hidden != inClear {
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
	if vendor == 0 && a.path == strconv.Itoa(int(rfc3576.ErrorCause_Type)) && len(value) == 4 {
		cause := binary.BigEndian.Uint32(value)
		return fmt.Sprintf("%s = %d (%s)", name, cause, errorCauseMeaning(cause))
	}
	return name + " = " + p.valueText(a, value)
}

// valueText prints a value in clear as its type asks; a value of a length that its type cannot have
// is printed as octets.
func (p *attributePrinter) valueText(a attribute, value []byte) string {
	switch a.form {
	case dictionary.AttributeString:
		if utf8.Valid(value) {
			return strconv.Quote(string(value))
		}
	case dictionary.AttributeInteger:
		if len(value) == 4 {
			number := uint64(binary.BigEndian.Uint32(value))
			if name := p.names.valueName(a.name, number); name != "" {
				return fmt.Sprintf("%d (%s)", number, name)
			}
			return strconv.FormatUint(number, 10)
		}
	case dictionary.AttributeIPAddr, dictionary.AttributeIPv6Addr:
		if ip, ok := netip.AddrFromSlice(value); ok {
			return ip.String()
		}
	case dictionary.AttributeIPv6Prefix: // RFC 3162 §2.3: a reserved octet, the length, the octets needed
		if len(value) >= 2 && len(value) <= 18 {
			var ip [16]byte
			copy(ip[:], value[2:])
			return netip.PrefixFrom(netip.AddrFrom16(ip), int(value[1])).String()
		}
	case dictionary.AttributeDate:
		if len(value) == 4 {
			return time.Unix(int64(binary.BigEndian.Uint32(value)), 0).UTC().Format(time.RFC3339)
		}
	}
	return octetsText(value)
}

// octetsText prints octets in hex, and as text behind it when all of them are printable ASCII.
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
