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
	"layeh.com/radius/dictionary"
)

// parseAttribute reads "Name=value" or "type=0x…". How the value is written depends on the attribute's
// type: an integer as a number or as its name in the dictionary, an address, a date as RFC 3339 or in
// seconds, octets as 0x… or as text.
func parseAttribute(names *attributeNames, s string) (radius.Type, radius.Attribute, error) {
	name, text, ok := strings.Cut(s, "=")
	if !ok {
		return 0, nil, fmt.Errorf("-attr %q: want Name=value", s)
	}
	a, known := names.byName[strings.ToLower(name)]
	if !known {
		if number, err := strconv.ParseUint(name, 10, 8); err == nil && number > 0 {
			a, known = attribute{path: name, form: dictionary.AttributeOctets}, true
		}
	}
	typ, err := strconv.Atoi(a.path)
	if !known || a.vendor != 0 || err != nil || a.tagged || a.hidden != inClear {
		return 0, nil, fmt.Errorf("-attr %q: %q is not an attribute that the probe can send by name; give its type as a number and its value as 0x…", s, name)
	}
	value, err := parseValue(names, a, text)
	if err != nil {
		return 0, nil, fmt.Errorf("-attr %q: %w", s, err)
	}
	if len(value) > 253 {
		return 0, nil, fmt.Errorf("-attr %q: %d octets, an attribute holds 253", name, len(value))
	}
	return radius.Type(typ), value, nil
}

// parseValue encodes text as a value of a.
func parseValue(names *attributeNames, a attribute, text string) (radius.Attribute, error) {
	switch a.form {
	case dictionary.AttributeString:
		return radius.Attribute(text), nil
	case dictionary.AttributeInteger:
		number, err := strconv.ParseUint(text, 0, 32)
		if err != nil {
			var ok bool
			if number, ok = names.valueNumber(a.name, text); !ok {
				return nil, errors.New("want a number up to 4294967295 or one of the names in the dictionary")
			}
		}
		return radius.NewInteger(uint32(number)), nil
	case dictionary.AttributeIPAddr, dictionary.AttributeIPv6Addr:
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Is4() != (a.form == dictionary.AttributeIPAddr) {
			return nil, fmt.Errorf("want an address of type %v", a.form)
		}
		return ip.AsSlice(), nil
	case dictionary.AttributeDate:
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
