package rules

import (
	"bytes"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// Program is one compiled rule. It is immutable and may be shared by goroutines.
type Program struct {
	kinds    [wire.NumKinds]bool
	steps    []*step
	userName bool // a step for requests may change User-Name
	warnings []Mistake
}

// Warnings returns what the rule does that is probably not meant.
//
// Rules: ID2, AR4, AR5.
func (p *Program) Warnings() []Mistake { return p.warnings }

// Lines returns what the rule does, in order, a step a line.
func (p *Program) Lines() []string {
	var lines []string
	for _, s := range p.steps {
		lines = append(lines, s.line)
	}
	return lines
}

// Chain is the rules that a packet passes, in order. It is immutable; a nil Chain
// changes nothing.
type Chain struct{ programs []*Program }

// NewChain returns a chain of programs; nil for none.
func NewChain(programs ...*Program) *Chain {
	if len(programs) == 0 {
		return nil
	}
	return &Chain{programs: append([]*Program(nil), programs...)}
}

// Applies reports whether a rule is for requests of this kind, or for the replies to them.
func (c *Chain) Applies(kind wire.Kind) bool {
	if c == nil || kind >= wire.NumKinds {
		return false
	}
	for _, p := range c.programs {
		if p.kinds[kind] {
			return true
		}
	}
	return false
}

// ChangesUserName reports whether a rule may change the User-Name of requests of this
// kind.
//
// Rule: AR5.
func (c *Chain) ChangesUserName(kind wire.Kind) bool {
	if c == nil || kind >= wire.NumKinds {
		return false
	}
	for _, p := range c.programs {
		if p.kinds[kind] && p.userName {
			return true
		}
	}
	return false
}

// Apply returns the packet v after the rules: v itself if nothing changed, otherwise a
// view inside e, which is valid until e's next use but one. v.Packet is not changed. kind
// is that of the request, for a reply too. Nothing allocates unless it fails.
//
// Errors: wire.ErrTooLong; a ValueError; a RejectError, for requests only. What a failed
// reply is worth is for the caller to decide.
//
// Rules: AR1, AR10.
func (c *Chain) Apply(e *Editor, v *wire.View, kind wire.Kind, f *Facts, seal wire.Sealer) (*wire.View, error) {
	if !c.Applies(kind) {
		return v, nil
	}
	code, reply := byte(v.Code()), wire.IsReply(v.Code())
	e.begin(v)
	for _, p := range c.programs {
		if !p.kinds[kind] {
			continue
		}
		for _, s := range p.steps {
			if !s.applies(code, reply) {
				continue
			}
			if err := s.run(e, f, &seal); err != nil {
				return nil, err
			}
		}
	}
	return e.end(v)
}

// StripFacts removes from a reply the attributes whose value is one that the rules give
// the requests from facts. User-Name is for ReplaceUserName, and hidden values differ on
// the two sides: both stay.
//
// Rule: ID4.
func (c *Chain) StripFacts(e *Editor, reply *wire.View, kind wire.Kind, f *Facts) *wire.View {
	if !c.Applies(kind) {
		return reply
	}
	e.begin(reply)
	for _, p := range c.programs {
		if !p.kinds[kind] {
			continue
		}
		for _, s := range p.steps {
			if (s.action == actAppend || s.action == actDefault) && !s.isForReplies() {
				s.strip(e, f)
			}
		}
	}
	v, err := e.end(reply)
	if err != nil {
		return reply
	}
	return v
}

// strip removes the instances of the step's attribute that have one of its values.
func (s *step) strip(e *Editor, f *Facts) {
	a := s.attribute
	if a.vendor == 0 && a.typ == typeUserName || a.entry.Hidden == dict.Salted {
		return
	}
	for _, v := range s.values {
		if !v.usesFact() {
			continue
		}
		made, ok := v.appendTo(e.value[:0], a, f, &e.matcher)
		if !ok {
			continue
		}
		for c := newCursor(); c.find(e.packet, a); {
			if bytes.Equal(e.packet[c.start:c.end], made) {
				c.remove(e, a)
			}
		}
	}
}

// userName is the attribute of ReplaceUserName; read only.
var userName = attribute{name: "User-Name", typ: typeUserName, number: typeUserName}

// ReplaceUserName returns the reply with each User-Name that equals sent, what the server
// was told, replaced by own, what the client said; with own nil it is removed. Another
// User-Name is the server's own, and passes (RFC 2865 §5.1). own has at most 253 octets;
// neither lies inside e.
// Error: wire.ErrTooLong.
//
// Rule: AR5.
func ReplaceUserName(e *Editor, reply *wire.View, sent, own []byte) (*wire.View, error) {
	if sent == nil || own != nil && bytes.Equal(sent, own) {
		return reply, nil
	}
	e.begin(reply)
	for c := newCursor(); c.find(e.packet, &userName); {
		switch {
		case !bytes.Equal(e.packet[c.start:c.end], sent):
		case own == nil:
			c.remove(e, &userName)
		default:
			if err := c.replace(e, &userName, c.start, own); err != nil {
				return nil, err
			}
		}
	}
	return e.end(reply)
}
