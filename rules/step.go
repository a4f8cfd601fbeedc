package rules

import (
	"bytes"
	"encoding/binary"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// action is what a step does.
type action uint8

const (
	actReject  action = iota // fail the request when a value matches
	actFilter                // remove what is listed, or is not
	actTLV                   // remove a TLV
	actReplace               // replace the match in each value
	actAppend                // write values at the end
	actDefault               // the same, when there is no instance
)

// direction says which packets a step is for.
type direction uint8

const (
	both direction = iota
	requests
	replies
	accessRequests // alone
	accessAccepts
)

// step is one step of a program. It is immutable.
type step struct {
	action    action
	direction direction
	rule      string
	attribute *attribute // unless actFilter
	holder    *attribute // of actTLV
	filter    *filter    // of actFilter and actTLV
	pattern   *pattern
	with      []part
	values    []*value
	line      string
}

// Codes of RFC 2865 §3.
const (
	codeAccessRequest = 1
	codeAccessAccept  = 2
)

// applies reports whether the step is for packets with a code.
func (s *step) applies(code byte, reply bool) bool {
	switch s.direction {
	case requests:
		return !reply
	case replies:
		return reply
	case accessRequests:
		return code == codeAccessRequest
	case accessAccepts:
		return code == codeAccessAccept
	}
	return true
}

// isForReplies reports whether the step is for replies only.
func (s *step) isForReplies() bool { return s.direction == replies || s.direction == accessAccepts }

// run runs the step on the packet in e.
func (s *step) run(e *Editor, f *Facts, seal *wire.Sealer) error {
	switch s.action {
	case actReject:
		return s.reject(e)
	case actFilter:
		s.filter.run(e)
	case actTLV:
		s.removeTLV(e)
	case actReplace:
		return s.replace(e, f)
	case actDefault:
		c := newCursor()
		if c.find(e.packet, s.attribute) {
			return nil
		}
		return s.append(e, f, seal)
	case actAppend:
		return s.append(e, f, seal)
	}
	return nil
}

// reject returns a RejectError when a value matches.
func (s *step) reject(e *Editor) error {
	for c := newCursor(); c.find(e.packet, s.attribute); {
		if e.match(s.pattern, s.attribute.untagged(e.packet[c.start:c.end])) {
			return &RejectError{Rule: s.rule, Attribute: s.attribute.name}
		}
	}
	return nil
}

// replace replaces the match in each value, where the attribute is.
//
// Rule: AR7.
func (s *step) replace(e *Editor, f *Facts) error {
	a := s.attribute
	for c := newCursor(); c.find(e.packet, a); {
		all := e.packet[c.start:c.end]
		old := a.untagged(all)
		if !c.whole() || a.entry.Hidden != dict.Clear && a.entry.IsHidden(all) || !e.match(s.pattern, old) {
			continue
		}
		made := append(e.value[:0], old[:e.groups[0]]...)
		made, ok := expand(made, s.with, f, &e.matcher, old)
		made = append(made, old[e.groups[1]:]...)
		tag := len(all) - len(old)
		if most := c.most(e.packet) - tag; !ok || len(made) == 0 || len(made) > most {
			if !ok {
				made = nil
			}
			return &ValueError{Rule: s.rule, Attribute: a.name, Octets: len(made), Most: most}
		}
		if bytes.Equal(made, old) {
			continue
		}
		if err := c.replace(e, a, c.start+tag, made); err != nil {
			return err
		}
	}
	return nil
}

// append writes the values at the end, and so never among EAP-Messages (RFC 3579 §3.1).
// One with a fact that is absent is not written.
//
// Rules: ID3, AR8.
func (s *step) append(e *Editor, f *Facts, seal *wire.Sealer) error {
	a := s.attribute
	for _, v := range s.values {
		clearText, ok := v.appendTo(e.value[:0], a, f, &e.matcher)
		if !ok {
			continue
		}
		if most := a.mostClear(); len(clearText) == 0 || len(clearText) > most {
			return &ValueError{Rule: s.rule, Attribute: a.name, Octets: len(clearText), Most: most}
		}
		made := clearText
		if a.entry.Hidden == dict.Salted {
			var err error
			if made, err = seal.Seal(e.sealed[:0], clearText, a.vendor, a.number, a.sub); err != nil {
				return err
			}
		}
		if err := a.write(e, made); err != nil {
			return err
		}
	}
	return nil
}

// write writes the attribute at the end of the packet, in a Vendor-Specific of its own
// if it is a vendor's. The caller has checked the value's length.
func (a *attribute) write(e *Editor, value []byte) error {
	var head [vendorHead + 3 + 2]byte
	n := a.head()
	size := n + len(value)
	head[0], head[1] = a.typ, byte(size)
	switch {
	case isExtended(a.typ):
		head[2] = a.sub
	case a.vendor != 0:
		binary.BigEndian.PutUint32(head[2:], a.vendor)
		at := vendorHead
		if a.layout == layout21 {
			binary.BigEndian.PutUint16(head[at:], a.number)
			at++
		} else {
			head[at] = byte(a.number)
		}
		head[at+1] = byte(size - vendorHead)
		if a.sub != 0 {
			head[n-2], head[n-1] = a.sub, byte(2+len(value))
		}
	}
	b := e.own()
	end := len(b)
	if end+size > wire.MaxLength {
		return wire.ErrTooLong
	}
	b = b[:end+size]
	copy(b[end+copy(b[end:], head[:n]):], value)
	e.packet = b
	return nil
}
