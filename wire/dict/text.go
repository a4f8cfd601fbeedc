package dict

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Text returns a value of the attribute, in clear and without a tag, as people write
// it: a text quoted, an integer followed by its name if it has one, a time as RFC
// 3339. It returns false for a value that cannot be of the attribute's type, and for
// types that are only octets to people.
func (a *Attribute) Text(value []byte) (string, bool) {
	switch {
	case a.Type == Text:
		return strconv.Quote(string(value)), utf8.Valid(value)
	case a.Type == Integer && len(value) == 4:
		number := binary.BigEndian.Uint32(value)
		text := strconv.FormatUint(uint64(number), 10)
		if name := a.ValueName(number); name != "" {
			text += " (" + name + ")"
		}
		return text, true
	case a.Type == Integer64 && len(value) == 8:
		return strconv.FormatUint(binary.BigEndian.Uint64(value), 10), true
	case a.Type == Time && len(value) == 4:
		return time.Unix(int64(binary.BigEndian.Uint32(value)), 0).UTC().Format(time.RFC3339), true
	case a.Type == IPv4Addr || a.Type == IPv6Addr:
		ip, ok := netip.AddrFromSlice(value)
		return ip.String(), ok
	case a.Type == IPv4Prefix && len(value) == 6: // RFC 8044 §3.11
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte(value[2:])), int(value[1]))
		return prefix.String(), prefix.IsValid()
	case a.Type == IPv6Prefix && len(value) >= 2 && len(value) <= 18: // RFC 3162 §2.3
		var ip [16]byte
		copy(ip[:], value[2:])
		prefix := netip.PrefixFrom(netip.AddrFrom16(ip), int(value[1]))
		return prefix.String(), prefix.IsValid()
	}
	return "", false
}

// Parse returns the value of the attribute that text represents, in clear and without a
// tag: an integer as a number or as one of the attribute's names, a time as RFC 3339 or
// in seconds since 1970, anything that is only octets as 0x and hexadecimal digits, or as
// it is.
func (a *Attribute) Parse(text string) ([]byte, error) {
	switch a.Type {
	case Text:
		return []byte(text), nil
	case Integer:
		number, err := strconv.ParseUint(text, 0, 32)
		if err != nil {
			named, ok := a.ValueNumber(text)
			if !ok {
				return nil, errors.New("expected a number up to 4294967295 or one of the names in the dictionary")
			}
			number = uint64(named)
		}
		return binary.BigEndian.AppendUint32(nil, uint32(number)), nil
	case Integer64:
		number, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			return nil, errors.New("expected a number up to 18446744073709551615")
		}
		return binary.BigEndian.AppendUint64(nil, number), nil
	case IPv4Addr, IPv6Addr:
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Is4() != (a.Type == IPv4Addr) || ip.Zone() != "" {
			return nil, fmt.Errorf("expected an %s address", map[bool]string{true: "IPv4", false: "IPv6"}[a.Type == IPv4Addr])
		}
		return ip.AsSlice(), nil
	case Time:
		return parseTime(text)
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("expected pairs of hexadecimal digits after 0x: %w", err)
		}
		return b, nil
	}
	return []byte(text), nil
}

func parseTime(text string) ([]byte, error) {
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Unix() != int64(uint32(t.Unix())) {
			return nil, errors.New("expected seconds since 1970, up to 4294967295, or a time like 2006-01-02T15:04:05Z")
		}
		seconds = uint64(t.Unix())
	}
	return binary.BigEndian.AppendUint32(nil, uint32(seconds)), nil
}
