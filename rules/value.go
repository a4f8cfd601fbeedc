package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"radsec-gw/wire/dict"
)

// value is a value that a rule gives an attribute: fixed octets, a fact that is an
// address or a number, or a template.
type value struct {
	text   string // as in the configuration
	fixed  []byte
	parts  []part
	fact   fact
	native bool // fact, in the attribute's own type
}

// usesFact reports whether the value depends on the connection.
func (v *value) usesFact() bool { return v.native || hasFact(v.parts) }

// parseValue reads a value for an attribute: what dict.Attribute.Parse reads, or a text
// with facts in braces.
//
// Rule: ID1.
func parseValue(a *attribute, text string) (*value, error) {
	parts, err := parseTemplate(text, nil)
	if err != nil {
		return nil, err
	}
	v := &value{text: text}
	if hasFact(parts) {
		return v, v.setFact(a, parts)
	}
	plain := ""
	if len(parts) > 0 {
		plain = parts[0].text
	}
	switch a.entry.Type {
	case dict.IPv4Prefix, dict.IPv6Prefix, dict.IfID:
		if !strings.HasPrefix(plain, "0x") {
			return nil, fmt.Errorf("expected octets as 0x and hexadecimal digits, got %q", text)
		}
	}
	if v.fixed, err = a.entry.Parse(plain); err != nil {
		return nil, fmt.Errorf("%w, got %q", err, text)
	}
	if a.entry.Type == dict.Integer && a.entry.Tagged {
		if v.fixed[0] != 0 {
			return nil, errors.New("expected a number up to 16777215, because a tag precedes it (RFC 2868 §3)")
		}
		v.fixed = v.fixed[1:]
	}
	most := a.mostClear()
	if a.needsTag() {
		most--
	}
	switch n := len(v.fixed); {
	case n == 0 || n > most:
		return nil, fmt.Errorf("expected a value of 1 to %d octets, got %d", most, n)
	case a.entry.Size != 0 && n != a.entry.Size:
		return nil, fmt.Errorf("expected a value of %d octets, got %d", a.entry.Size, n)
	case a.entry.Hidden == dict.LEAP && dict.HasLEAPPrefix(v.fixed):
		return nil, errors.New("a session key of LEAP cannot be set")
	case a.entry.Tagged && !a.needsTag() && v.fixed[0] <= maxTag:
		return nil, errors.New("its first octet would be read as a tag (RFC 2868 §3.3); give the tag after the attribute's name")
	}
	return v, nil
}

// setFact makes v a value with facts.
func (v *value) setFact(a *attribute, parts []part) error {
	only := parts[0].fact
	alone := len(parts) == 1 && parts[0].kind == partFact
	switch t := a.entry.Type; {
	case (t == dict.Text || t == dict.Octets) && a.entry.Size == 0:
		v.parts = parts
		return nil
	case (t == dict.IPv4Addr || t == dict.IPv6Addr) && alone && only.isAddress(),
		t == dict.Integer && !a.entry.Tagged && alone && only.isNumber():
		v.fact, v.native = only, true
		return nil
	}
	return fmt.Errorf("expected text with facts only for an attribute of text, an address alone for one of its type, or a number alone, got %q for %s", v.text, a.entry.Name)
}

// needsTag reports whether a tag is written before the value: the one that the rule
// names, or 0 where the format has none without (RFC 2868 §3).
func (a *attribute) needsTag() bool {
	return a.entry.Tagged && (a.hasTag || a.entry.Type == dict.Integer || a.entry.Hidden == dict.Salted)
}

// appendTo appends the value with its tag, in clear. False when a fact is absent, or an
// address of the other family.
func (v *value) appendTo(b []byte, a *attribute, f *Facts, m *matcher) ([]byte, bool) {
	if a.needsTag() {
		b = append(b, a.tag)
	}
	switch {
	case v.native && a.entry.Type == dict.Integer:
		n, ok := f.number(v.fact)
		return binary.BigEndian.AppendUint32(b, uint32(n)), ok
	case v.native:
		ip := f.address(v.fact)
		switch {
		case a.entry.Type == dict.IPv4Addr && ip.Is4():
			octets := ip.As4()
			return append(b, octets[:]...), true
		case a.entry.Type == dict.IPv6Addr && ip.Is6():
			octets := ip.As16()
			return append(b, octets[:]...), true
		}
		return b, false
	case v.parts != nil:
		return expand(b, v.parts, f, m, nil)
	}
	return append(b, v.fixed...), true
}
