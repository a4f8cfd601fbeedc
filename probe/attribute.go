package probe

import (
	"fmt"
	"strconv"
	"strings"

	"layeh.com/radius"

	"radsec-gw/wire/dict"
)

// parseAttribute parses "Name=value" or "type=0x…". How the value is written depends on the attribute's
// type: an integer as a number or as its name in the dictionary, an address, a date as RFC 3339 or in
// seconds, octets as 0x… or as text.
func parseAttribute(s string) (radius.Type, radius.Attribute, error) {
	name, text, ok := strings.Cut(s, "=")
	if !ok {
		return 0, nil, fmt.Errorf("-attr %q: expected Name=value", s)
	}
	a := dict.ByName(name)
	if a == nil {
		if number, err := strconv.ParseUint(name, 10, 8); err == nil && number > 0 {
			a = &dict.Attribute{Number: uint16(number), Type: dict.Octets}
		}
	}
	if a == nil || a.Vendor != 0 || a.Sub != 0 || a.Tagged || a.Hidden != dict.Clear {
		return 0, nil, fmt.Errorf("-attr %q is not an attribute that the probe can send by name; give its type as a number and its value as 0x…", name)
	}
	value, err := a.Parse(text)
	if err != nil {
		return 0, nil, fmt.Errorf("-attr %q: %w", name, err)
	}
	if len(value) > 253 {
		return 0, nil, fmt.Errorf("-attr %q: expected at most 253 octets, got %d", name, len(value))
	}
	return radius.Type(a.Number), value, nil
}
