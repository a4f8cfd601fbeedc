package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"radsec-gw/config/nearest"
	"radsec-gw/wire/dict"
)

const (
	typeUserName            = 1
	typeUserPassword        = 2
	typeVendorSpecific      = 26
	typeExtended1           = 241 // RFC 6929 §3: 241 to 244 are extended, 245 and 246 long
	typeLongExtended5       = 245
	typeLongExtended6       = 246
	vendorMicrosoft         = 311
	maxTag             byte = 0x1f // RFC 2868 §3.1
)

// attribute is an attribute that a rule names.
type attribute struct {
	name       string // as the rule names it
	typ        byte   // in the packet
	vendor     uint32 // 0: none
	layout     dict.Layout
	number     uint16 // of the vendor's attribute
	sub        byte   // TLV of a vendor's attribute, or extended type
	allVendors bool   // Vendor-Specific
	allNumbers bool   // every attribute of the vendor
	hasTag     bool
	tag        byte
	entry      dict.Attribute // Octets for one that is not in the dictionary
}

// parseAttribute reads an attribute as a rule names it: by name, with a tag after a
// colon; or as number, number.extended, vendor:number, vendor:number.TLV, vendor:*, and
// vendor:number:tag.
//
// Rule: AR3.
func parseAttribute(text string) (*attribute, error) {
	parts := strings.Split(text, ":")
	if _, err := strconv.ParseUint(strings.Split(parts[0], ".")[0], 10, 64); err == nil {
		return parseNumbers(text, parts)
	}
	entry := dict.ByName(parts[0])
	if entry == nil {
		return nil, unknownName(parts[0])
	}
	a := newAttribute(text, entry.Vendor, entry.Number, entry.Sub)
	if len(parts) > 2 {
		return nil, fmt.Errorf("expected a name and a tag such as \"Tunnel-Type:1\", got %q", text)
	}
	if len(parts) == 2 {
		return a, a.setTag(parts[1])
	}
	return a, nil
}

// unknownName returns the mistake for a name that the dictionary does not have.
func unknownName(name string) error {
	var names []string
	for a := range dict.All() {
		names = append(names, a.Name)
	}
	if near := nearest.Of(name, names); near != "" {
		return fmt.Errorf("unknown attribute %q; is %q meant?", name, near)
	}
	return fmt.Errorf("unknown attribute %q; give its number, such as \"88\" or \"9:1\" with a vendor", name)
}

// parseNumbers reads an attribute that is given by numbers.
func parseNumbers(text string, parts []string) (*attribute, error) {
	bad := fmt.Errorf("expected a number such as \"88\", \"241.8\", \"9:1\", \"24757:1.2\" or \"9:*\", got %q", text)
	vendor := uint64(0)
	var err error
	if len(parts) > 1 {
		if vendor, err = strconv.ParseUint(parts[0], 10, 32); err != nil || vendor == 0 {
			return nil, bad
		}
		parts = parts[1:]
		if parts[0] == "*" && len(parts) == 1 {
			a := newAttribute(text, uint32(vendor), 0, 0)
			a.allNumbers = true
			return a, nil
		}
	}
	first, second, dotted := strings.Cut(parts[0], ".")
	most := uint64(255)
	if vendor != 0 && dict.LayoutOf(uint32(vendor)) == dict.Layout21 {
		most = 65535
	}
	number, err := strconv.ParseUint(first, 10, 16)
	if err != nil || number == 0 || number > most {
		return nil, bad
	}
	sub := uint64(0)
	if dotted {
		if sub, err = strconv.ParseUint(second, 10, 8); err != nil || sub == 0 {
			return nil, bad
		}
	}
	if vendor == 0 && dotted != (number >= typeExtended1 && number <= typeLongExtended6) {
		return nil, errors.New("expected an extended type after 241 to 246, such as \"241.8\", and none after other numbers, got " + strconv.Quote(text))
	}
	a := newAttribute(text, uint32(vendor), uint16(number), byte(sub))
	if len(parts) > 2 {
		return nil, bad
	}
	if len(parts) == 2 {
		return a, a.setTag(parts[1])
	}
	return a, nil
}

// newAttribute returns the attribute with these numbers.
func newAttribute(name string, vendor uint32, number uint16, sub byte) *attribute {
	a := &attribute{name: name, vendor: vendor, number: number, sub: sub}
	a.entry = dict.Attribute{Vendor: vendor, Number: number, Sub: sub, Name: name}
	if known := dict.Lookup(vendor, number, sub); known != nil {
		a.entry = *known
	}
	if vendor != 0 {
		a.typ, a.layout = typeVendorSpecific, dict.LayoutOf(vendor)
		return a
	}
	a.typ = byte(number)
	a.allVendors = a.typ == typeVendorSpecific
	return a
}

// setTag reads a tag (RFC 2868 §3.1).
func (a *attribute) setTag(text string) error {
	tag, err := strconv.ParseUint(text, 10, 8)
	switch {
	case !a.entry.Tagged:
		return fmt.Errorf("%s has no tag; leave out \":%s\"", a.entry.Name, text)
	case err != nil || byte(tag) > maxTag:
		return fmt.Errorf("expected a tag from 0 to 31, got %q", text)
	}
	a.hasTag, a.tag = true, byte(tag)
	return nil
}

// isExtended reports whether an extended type precedes the values of this type (RFC 6929
// §2.1).
func isExtended(typ byte) bool { return typ >= typeExtended1 && typ <= typeLongExtended6 }

// head returns how many octets precede the value, in an attribute that holds only it.
func (a *attribute) head() int {
	switch {
	case a.vendor != 0 && a.sub != 0:
		return 6 + headerOf(a.layout) + 2
	case a.vendor != 0:
		return 6 + headerOf(a.layout)
	case a.typ >= typeLongExtended5 && isExtended(a.typ):
		return 4
	case isExtended(a.typ):
		return 3
	}
	return 2
}

// most returns how many octets a value can have, its tag included.
func (a *attribute) most() int { return 255 - a.head() }

// mostClear is most for a value that is not encrypted yet: what encrypts it adds two octets
// of salt and one of length, and fills blocks of 16 (RFC 2868 §3.5). It is the same where a
// value stays in clear, because the server's copy is encrypted.
func (a *attribute) mostClear() int {
	if a.entry.Hidden != dict.Salted {
		return a.most()
	}
	tag := 0
	if a.needsTag() {
		tag = 1
	}
	return tag + (a.most()-tag-2)/16*16 - 1
}

// tagMatches reports whether a value has the tag that the rule names, if it names one.
func (a *attribute) tagMatches(value []byte) bool {
	return !a.hasTag || len(value) > 0 && value[0] == a.tag
}

// untagged returns a value without its tag (RFC 2868 §3.3: an octet above 0x1f is text).
func (a *attribute) untagged(value []byte) []byte {
	if a.entry.Tagged && len(value) > 0 && (value[0] <= maxTag || a.entry.Type == dict.Integer) {
		return value[1:]
	}
	return value
}
