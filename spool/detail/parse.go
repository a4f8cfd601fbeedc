package detail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// parser reads one record.
type parser struct {
	names  map[string]*dict.Attribute
	record *Record
	packet []byte
	zone   zone
	source netip.AddrPort // of the packet, as FreeRADIUS writes it
	done   bool
}

// parse reads the lines of a record. The error is a *RecordError.
func (p *parser) parse(lines []line) error {
	if err := p.times(lines); err != nil {
		return err
	}
	for _, l := range lines[1:] {
		if err := p.line(l); err != nil {
			return &RecordError{l.number, err}
		}
		if len(p.packet) > wire.MaxLength {
			return &RecordError{l.number, fmt.Errorf("expected attributes of at most %d octets in all, as many as a packet can have", wire.MaxLength-wire.MinLength)}
		}
	}
	if !p.record.Address.IsValid() && p.source.Addr().IsValid() {
		p.record.Address = p.source
	}
	p.packet[0] = byte(radius.CodeAccountingRequest)
	binary.BigEndian.PutUint16(p.packet[2:], uint16(len(p.packet)))
	p.record.Packet = p.packet
	return nil
}

// times reads the first line and the Timestamp, because dates among the attributes can be
// understood with both only.
func (p *parser) times(lines []line) error {
	header, err := time.Parse(headerLayout, lines[0].text)
	if err != nil {
		return &RecordError{lines[0].number, fmt.Errorf("expected the first line of a record, a date such as Sat Nov 28 07:12:53 2026, got %.80q", lines[0].text)}
	}
	p.record.Arrived = header
	for _, l := range lines[1:] {
		name, text, ok := cutLine(l.text)
		if ok && (strings.EqualFold(name, nameTimestamp) || strings.EqualFold(name, nameDone)) {
			seconds, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				return &RecordError{l.number, fmt.Errorf("%s: expected seconds since 1970, got %.80q", name, text)}
			}
			p.zone = zoneOf(header, int64(seconds))
			p.record.Arrived = time.Unix(int64(seconds), 0).UTC()
			if seconds == 0 {
				p.record.Arrived = time.Time{} // so Append writes a time that is not known
			}
		}
	}
	if !p.record.Arrived.IsZero() && !known(p.record.Arrived) {
		return &RecordError{lines[0].number, fmt.Errorf("expected a date between 1970 and 2106, got %.80q", lines[0].text)}
	}
	return nil
}

// cutLine returns the name and the value of a line.
func cutLine(text string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(text, "=")
	return strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t"), ok
}

// line reads one line after the first.
func (p *parser) line(l line) error {
	if comment, ok := strings.CutPrefix(l.text, notePrefix); ok {
		return p.note(l, comment)
	}
	if l.text == "" || l.text[0] == '#' {
		return nil
	}
	name, text, ok := cutLine(l.text)
	if !ok {
		return fmt.Errorf("expected an attribute such as User-Name = \"bob\", got %.80q: is an empty line missing after the record before it?", l.text)
	}
	attribute, tagText, hasTag := strings.Cut(name, ":")
	tag := -1
	if hasTag {
		n, err := strconv.ParseUint(tagText, 10, 8)
		if err != nil {
			return fmt.Errorf("%.80q: expected a tag after the colon, a number up to %d", name, maxTag)
		}
		tag = int(n)
	}
	err := p.named(l, attribute, tag, text)
	if a := p.names[strings.ToLower(attribute)]; err != nil && a != nil && a.Secret {
		return fmt.Errorf("%.80q: %w", name, err) // errors are logged
	}
	if err != nil {
		return fmt.Errorf("%.80q: %w, got %.80q", name, err, text)
	}
	return nil
}

// named reads an attribute, or what FreeRADIUS writes beside attributes.
func (p *parser) named(l line, name string, tag int, text string) error {
	if a := p.names[strings.ToLower(name)]; a != nil {
		return p.attribute(l, a, tag, text)
	}
	if rest, ok := cutRaw(name); ok {
		path, err := parsePath(rest)
		if err != nil {
			return err
		}
		value, err := parseHex(text)
		if err != nil {
			return err
		}
		return p.add(l, name, path, value)
	}
	if isInternal(name) {
		return p.internal(name, text)
	}
	p.skip(l, name, "not in the dictionary")
	return nil
}

// cutRaw returns what follows rawPrefix in a name.
func cutRaw(name string) (rest string, ok bool) {
	if len(name) <= len(rawPrefix) || !strings.EqualFold(name[:len(rawPrefix)], rawPrefix) {
		return "", false
	}
	return name[len(rawPrefix):], true
}

// attribute reads an attribute of the dictionary.
func (p *parser) attribute(l line, a *dict.Attribute, tag int, text string) error {
	value, err := parseValue(a, text, p.zone)
	if errors.Is(err, errValueName) && text != "" {
		why := errValueName.Error()
		if !a.Secret {
			why += fmt.Sprintf(", got %.80q", text)
		}
		p.skip(l, a.Name, why)
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case a.Tagged && tag > maxTag && a.Hidden == dict.Clear: // hidden ones have any octet for a tag
		return fmt.Errorf("expected a tag up to %d", maxTag)
	case a.Tagged:
		var ok bool
		if value, ok = joinTag(a, tag, value); !ok {
			return errors.New("expected a number of 24 bits, because of the tag")
		}
	case tag >= 0:
		return errors.New("expected no tag: the attribute has none")
	}
	return p.add(l, a.Name, pathOf(a), value)
}

// add adds an attribute to the packet, unless it is one that is hidden: FreeRADIUS writes it in
// clear, and the packet has it encrypted.
func (p *parser) add(l line, name string, path []uint32, value []byte) error {
	attributes, err := appendPath(nil, path, value)
	if err != nil {
		return err
	}
	if wire.IsHidden(attributes[0], attributes[2:]) {
		p.skip(l, name, "hidden in packets, and in clear here")
		return nil
	}
	p.packet = append(p.packet, attributes...)
	return nil
}

func (p *parser) skip(l line, name, why string) {
	p.record.Skipped = append(p.record.Skipped, fmt.Sprintf("line %d: %.80q: %s", l.number, name, why))
}

// internal reads what FreeRADIUS writes beside the attributes.
func (p *parser) internal(name, text string) error {
	switch {
	case strings.EqualFold(name, nameDone):
		p.done = true
	case strings.EqualFold(name, namePacket):
		if !strings.EqualFold(text, wire.CodeName(wire.Code(radius.CodeAccountingRequest))) && text != strconv.Itoa(int(radius.CodeAccountingRequest)) {
			return errors.New("expected an Accounting-Request")
		}
	case strings.EqualFold(name, nameSource4), strings.EqualFold(name, nameSource6):
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return errors.New("expected an IP address")
		}
		p.source = netip.AddrPortFrom(ip, p.source.Port())
	case strings.EqualFold(name, nameSource):
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return errors.New("expected a port")
		}
		p.source = netip.AddrPortFrom(p.source.Addr(), uint16(port))
	}
	return nil
}

// note reads a note, after notePrefix.
func (p *parser) note(l line, comment string) (err error) {
	name, text, _ := cutLine(comment)
	switch name {
	case noteArrived:
		p.record.Arrived, err = time.Parse(time.RFC3339Nano, text)
		if err != nil || !known(p.record.Arrived) {
			err = errors.New("expected a time between 1970 and 2106 such as 2026-11-28T07:12:53.5Z")
		}
	case noteClient:
		var client []byte
		client, err = unquote(text)
		if p.record.Client = string(client); len(client) > maxClient {
			err = fmt.Errorf("expected at most %d bytes", maxClient)
		}
	case noteAddress:
		var address []byte
		address, err = unquote(text)
		p.record.Address, _ = netip.ParseAddrPort(string(address))
		if err == nil && !readsAs(p.record.Address.String(), p.record.Address) {
			err = errors.New("expected an IP address and a port")
		}
	case noteAuthenticator:
		var octets []byte
		if octets, err = parseHex(text); err == nil && len(octets) != 16 {
			err = errors.New("expected 16 octets")
		}
		copy(p.packet[4:wire.MinLength], octets)
	case noteAttribute:
		var octets []byte
		if octets, err = parseHex(text); err == nil && (len(octets) < 2 || int(octets[1]) != len(octets)) {
			err = errors.New("expected a whole attribute, whose second octet is its length")
		}
		p.packet = append(p.packet, octets...)
	default:
		p.skip(l, notePrefix[2:]+name, "of another version of radsec-gw")
	}
	if err != nil {
		return fmt.Errorf("%s: %w, got %.80q", notePrefix[2:]+name, err, text)
	}
	return nil
}
