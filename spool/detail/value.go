package detail

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"radsec-gw/wire/dict"
)

// appendValue appends a value, without a tag, as FreeRADIUS writes it, but a time as seconds since
// 1970: FreeRADIUS reads a date as one of its own time zone. It reports false for a value that is
// not one of the attribute's type, or that parseValue would not return as the same octets.
func appendValue(dst []byte, a *dict.Attribute, value []byte) ([]byte, bool) {
	switch {
	case a.Size != 0 && len(value) != a.Size:
		return dst, false
	case a.Type == dict.Text:
		return appendQuoted(dst, value), true
	case a.Type == dict.Octets || a.Type == dict.Concat:
		return appendHex(dst, value), true
	case a.Type == dict.Integer && len(value) == 4:
		number := binary.BigEndian.Uint32(value)
		if name := valueName(a, number); name != "" {
			return append(dst, name...), true
		}
		return strconv.AppendUint(dst, uint64(number), 10), true
	case a.Type == dict.Time && len(value) == 4:
		return strconv.AppendUint(dst, uint64(binary.BigEndian.Uint32(value)), 10), true
	case a.Type == dict.Integer64 && len(value) == 8:
		return strconv.AppendUint(dst, binary.BigEndian.Uint64(value), 10), true
	case a.Type == dict.IPv4Addr && len(value) == 4, a.Type == dict.IPv6Addr && len(value) == 16:
		ip, _ := netip.AddrFromSlice(value)
		return ip.AppendTo(dst), true
	case a.Type == dict.IfID && len(value) == 8:
		return fmt.Appendf(dst, "%x:%x:%x:%x", binary.BigEndian.Uint16(value), binary.BigEndian.Uint16(value[2:]), binary.BigEndian.Uint16(value[4:]), binary.BigEndian.Uint16(value[6:])), true
	case a.Type == dict.IPv4Prefix || a.Type == dict.IPv6Prefix:
		text, ok := a.Text(value)
		if !ok {
			return dst, false
		}
		back, err := parsePrefix(a, text)
		return append(dst, text...), err == nil && string(back) == string(value)
	}
	return dst, false
}

// errValueName is the error for a value's name that nobody knows.
var errValueName = errors.New("expected a number, or a value's name that is in the dictionary")

// parseValue returns the octets of a value as FreeRADIUS writes it, without a tag. Dates are of
// the zone z.
func parseValue(a *dict.Attribute, text string, z zone) ([]byte, error) {
	switch a.Type {
	case dict.Text:
		if !isQuoted(text) {
			return []byte(text), nil
		}
		return unquote(text)
	case dict.Integer:
		if number, ok := valueNumber(a, text); ok {
			return binary.BigEndian.AppendUint32(nil, number), nil
		}
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, errValueName
		}
		return binary.BigEndian.AppendUint32(nil, uint32(number)), nil
	case dict.Time:
		return parseTime(text, z)
	case dict.Integer64, dict.IPv4Addr, dict.IPv6Addr:
		return a.Parse(text)
	case dict.IPv4Prefix, dict.IPv6Prefix:
		return parsePrefix(a, text)
	case dict.IfID:
		return parseIfID(text)
	}
	if isQuoted(text) { // FreeRADIUS has a text where the RFC has octets
		return unquote(text)
	}
	return parseHex(text)
}

// parseHex reads octets as FreeRADIUS writes them.
func parseHex(text string) ([]byte, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok {
		return nil, errors.New("expected octets such as 0x0a1b")
	}
	octets, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("expected pairs of hexadecimal digits after 0x: %w", err)
	}
	return octets, nil
}

// parsePrefix reads a prefix such as 2001:db8::/32: a reserved octet, the length, and the
// address, of IPv6 only the octets that the prefix reaches (RFC 3162 §2.3, RFC 8044 §3.11).
func parsePrefix(a *dict.Attribute, text string) ([]byte, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Addr().Is4() != (a.Type == dict.IPv4Prefix) {
		return nil, errors.New("expected an address and the length of its prefix, such as 2001:db8::/32, of the attribute's family")
	}
	octets := prefix.Masked().Addr().AsSlice()
	if a.Type == dict.IPv6Prefix {
		octets = octets[:(prefix.Bits()+7)/8]
	}
	return append([]byte{0, byte(prefix.Bits())}, octets...), nil
}

// parseIfID reads four numbers of 16 bits such as 0:0:fe:1.
func parseIfID(text string) (octets []byte, err error) {
	parts := strings.Split(text, ":")
	for _, part := range parts {
		n, bad := strconv.ParseUint(part, 16, 16)
		if bad != nil {
			err = bad
		}
		octets = binary.BigEndian.AppendUint16(octets, uint16(n))
	}
	if err != nil || len(parts) != 4 {
		return nil, errors.New("expected four hexadecimal numbers such as 0:0:fe:1")
	}
	return octets, nil
}
