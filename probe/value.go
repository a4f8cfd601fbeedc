package probe

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire/dict"
)

// parseAttribute reads "Name=value" or "type=0x…". How the value is written depends on the attribute's
// type: an integer as a number or as its name in the dictionary, an address, a date as RFC 3339 or in
// seconds, octets as 0x… or as text.
func parseAttribute(s string) (radius.Type, radius.Attribute, error) {
	name, text, ok := strings.Cut(s, "=")
	if !ok {
		return 0, nil, fmt.Errorf("-attr %q: want Name=value", s)
	}
	a := dict.ByName(name)
	if a == nil {
		if number, err := strconv.ParseUint(name, 10, 8); err == nil && number > 0 {
			a = &dict.Attribute{Number: uint16(number), Type: dict.Octets}
		}
	}
	if a == nil || a.Vendor != 0 || a.Sub != 0 || a.Tagged || a.Hidden != dict.Clear {
		return 0, nil, fmt.Errorf("-attr %q: %q is not an attribute that the probe can send by name; give its type as a number and its value as 0x…", s, name)
	}
	value, err := parseValue(a, text)
	if err != nil {
		return 0, nil, fmt.Errorf("-attr %q: %w", s, err)
	}
	if len(value) > 253 {
		return 0, nil, fmt.Errorf("-attr %q: %d octets, an attribute holds 253", name, len(value))
	}
	return radius.Type(a.Number), value, nil
}

// parseValue encodes text as a value of a.
func parseValue(a *dict.Attribute, text string) (radius.Attribute, error) {
	switch a.Type {
	case dict.Text:
		return radius.Attribute(text), nil
	case dict.Integer:
		if number, err := strconv.ParseUint(text, 0, 32); err == nil {
			return radius.NewInteger(uint32(number)), nil
		}
		number, ok := a.ValueNumber(text)
		if !ok {
			return nil, errors.New("want a number up to 4294967295 or one of the names in the dictionary")
		}
		return radius.NewInteger(number), nil
	case dict.IPv4Addr:
		ip, err := netip.ParseAddr(text)
		if err != nil || !ip.Is4() {
			return nil, errors.New("want an IPv4 address")
		}
		return ip.AsSlice(), nil
	case dict.IPv6Addr:
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Is4() {
			return nil, errors.New("want an IPv6 address")
		}
		return ip.AsSlice(), nil
	case dict.Time:
		if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
			return radius.NewInteger(uint32(seconds)), nil
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, errors.New("want seconds since 1970 or a time like 2006-01-02T15:04:05Z")
		}
		return radius.NewDate(t)
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("want pairs of hexadecimal digits after 0x: %w", err)
		}
		return b, nil
	}
	return radius.Attribute(text), nil
}
