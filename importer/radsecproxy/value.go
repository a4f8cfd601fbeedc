package radsecproxy

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"radsec-gw/rules"
	"radsec-gw/wire/dict"
)

// number is the number of an attribute, with that of a vendor; 0: none.
type number struct {
	vendor uint32
	of     uint16
}

// numberOf reads ATTRIBUTE, or VENDOR:ATTRIBUTE.
func numberOf(text string, ofVendor bool) (n number, err error) {
	bad := errors.New("expected the number of an attribute, from 1 to 255")
	if ofVendor {
		bad = errors.New("expected the numbers of a vendor and of its attribute, such as 9:1")
		vendor, rest, found := strings.Cut(text, ":")
		wide, err := strconv.ParseUint(vendor, 10, 32)
		if err != nil || wide == 0 || !found {
			return n, bad
		}
		n.vendor, text = uint32(wide), rest
	}
	wide, err := strconv.ParseUint(text, 10, 8)
	if err != nil || wide == 0 {
		return n, bad
	}
	n.of = uint16(wide)
	switch {
	case n.vendor == 0 && n.of >= 241 && n.of <= 246:
		return n, errors.New("the gateway's rules name extended attributes one by one, such as \"241.8\"")
	case n.vendor != 0 && dict.LayoutOf(n.vendor) != dict.Layout11:
		return n, errors.New("the attributes of this vendor have another form than radsecproxy takes them for")
	}
	return n, nil
}

// name returns how a rule names the attribute.
func (n number) name() string {
	switch entry := dict.Lookup(n.vendor, n.of, 0); {
	case entry != nil:
		return entry.Name
	case n.vendor != 0:
		return fmt.Sprintf("%d:%d", n.vendor, n.of)
	}
	return strconv.Itoa(int(n.of))
}

// octetsOf returns the octets that radsecproxy writes for a value: a number in 32 bits when
// it begins with a digit, or text, in which %xx are octets.
func octetsOf(text string) ([]byte, error) {
	if text == "" || text[0] < '0' || text[0] > '9' {
		return []byte(unhex(strings.TrimPrefix(text, "'"), true)), nil
	}
	wide, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, errors.New("radsecproxy takes a value that begins with a digit for a number, and this is none; with ' before it, it would be text")
	}
	return binary.BigEndian.AppendUint32(nil, uint32(wide)), nil
}

// assignmentOf returns how a rule gives an attribute a value. The error does not quote it.
func assignmentOf(n number, value []byte) (a rules.Assignment, err error) {
	a.Attribute = n.name()
	entry := dict.Attribute{}
	if known := dict.Lookup(n.vendor, n.of, 0); known != nil {
		entry = *known
	}
	if entry.Hidden != dict.Clear && entry.Hidden != dict.LEAP {
		return a, errors.New("radsecproxy does not encrypt the value. Give it under add of a [[rule]], and the gateway does")
	}
	bad := fmt.Errorf("the gateway does not write such a value of %s", a.Attribute)
	if entry.Tagged && len(value) > 0 && (value[0] <= 0x1f || entry.Type == dict.Integer) { // RFC 2868 §3
		if entry.Type == dict.Integer && len(value) != 4 {
			return a, bad
		}
		if value[0] != 0 || entry.Type != dict.Integer {
			a.Attribute += ":" + strconv.Itoa(int(value[0]))
			value = value[1:]
		}
		if entry.Type == dict.Integer {
			value = append(make([]byte, 4-len(value)), value...)
		}
	}
	text := textOf(&entry, value)
	if octets, err := entry.Parse(text); err != nil || !bytes.Equal(octets, value) {
		return a, bad
	}
	a.Values = []string{strings.NewReplacer("{", "{{", "}", "}}").Replace(text)}
	if _, mistakes := rules.Compile(&rules.Rule{Add: []rules.Assignment{a}}); len(mistakes) > 0 {
		return a, bad
	}
	return a, nil
}

// textOf returns a value as a rule has it.
func textOf(entry *dict.Attribute, value []byte) string {
	switch entry.Type {
	case dict.Text:
		if utf8.Valid(value) {
			return string(value)
		}
	case dict.Integer:
		if len(value) == 4 {
			return strconv.FormatUint(uint64(binary.BigEndian.Uint32(value)), 10)
		}
	case dict.Integer64, dict.IPv4Addr, dict.IPv6Addr, dict.Time:
		text, _ := entry.Text(value)
		return text
	case dict.Octets:
		if isPlain(value) {
			return string(value)
		}
	}
	return "0x" + hex.EncodeToString(value)
}

// isPlain reports whether octets are printable characters of ASCII, and not in the form of
// hexadecimal digits.
func isPlain(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return !bytes.HasPrefix(value, []byte("0x"))
}
