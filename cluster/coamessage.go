package cluster

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"
)

// The messages about CoA. Each begins with an octet that says what it is and of which version.
const (
	messageAsk  = 0x11 // a request
	messageBeat = 0x21 // a gateway is there
	messageBye  = 0x22 // it is not any longer

	replyNotHere    = 0x31 // the connection is not here
	replyHere       = 0x32 // it is here: the name of the gateway
	replyTaken      = 0x33 // the request is sent down, and the answer follows
	replyAnswer     = 0x34 // the answer for the sender
	replyUnanswered = 0x35 // there was no answer in time
	replyLost       = 0x36 // the connection has ended without an answer
)

// The bounds of messages.
const (
	minPacket  = 20 // RFC 2865 §3
	maxPacket  = 4096
	maxName    = 32  // octets of a gateway's name
	maxSubject = 256 // octets of a subject for replies
)

var errCoAMessage = errors.New("a message that is not of this form")

// coaMessage is a request as one gateway sends it to another.
type coaMessage struct {
	asker      string        // the name of the gateway that asks
	clock      time.Duration // its clock
	configured bool          // a connection counts that only the configuration leads to
	from       netip.AddrPort
	local      netip.Addr // the zero Addr: not known
	packet     []byte     // as its sender has sent it
}

// Flags of a request.
const (
	flagConfigured = 1 << iota
	flagLocal      // the local address is known
)

// askHeader is the length of what is before the name: type, flags, clock, two addresses, a port.
const askHeader = 1 + 1 + 8 + 16 + 2 + 16

// encode returns the message.
func (m *coaMessage) encode() []byte {
	b := make([]byte, askHeader, askHeader+1+len(m.asker)+len(m.packet))
	b[0] = messageAsk
	if m.configured {
		b[1] |= flagConfigured
	}
	binary.BigEndian.PutUint64(b[2:], uint64(m.clock))
	from := m.from.Addr().As16()
	copy(b[10:26], from[:])
	binary.BigEndian.PutUint16(b[26:], m.from.Port())
	if m.local.IsValid() {
		b[1] |= flagLocal
		local := m.local.As16()
		copy(b[28:44], local[:])
	}
	b = append(b, byte(len(m.asker)))
	b = append(b, m.asker...)
	return append(b, m.packet...)
}

// decodeAsk reads a request. The packet is in b.
func decodeAsk(b []byte) (m coaMessage, err error) {
	if len(b) <= askHeader || b[0] != messageAsk || b[1]&^(flagConfigured|flagLocal) != 0 {
		return m, errCoAMessage
	}
	m.configured = b[1]&flagConfigured != 0
	m.clock = time.Duration(binary.BigEndian.Uint64(b[2:]))
	m.from = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[10:26])).Unmap(), binary.BigEndian.Uint16(b[26:]))
	if b[1]&flagLocal != 0 {
		m.local = netip.AddrFrom16([16]byte(b[28:44])).Unmap()
	}
	rest := b[askHeader:]
	n := int(rest[0])
	if len(rest) < 1+n || !validName(string(rest[1:1+n])) {
		return m, errCoAMessage
	}
	m.asker, m.packet = string(rest[1:1+n]), rest[1+n:]
	if len(m.packet) < minPacket || len(m.packet) > maxPacket {
		return m, errCoAMessage
	}
	return m, nil
}

// validName reports whether a gateway may have this name: it becomes a part of subjects.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "0123456789abcdef") == ""
}

// encodeBeat returns the message that a gateway is there, or messageBye.
func encodeBeat(kind byte, name string, clock time.Duration) []byte {
	b := make([]byte, 9, 9+len(name))
	b[0] = kind
	binary.BigEndian.PutUint64(b[1:], uint64(clock))
	return append(b, name...)
}

func decodeBeat(b []byte) (kind byte, name string, clock time.Duration, err error) {
	if len(b) < 9 || b[0] != messageBeat && b[0] != messageBye || !validName(string(b[9:])) {
		return 0, "", 0, errCoAMessage
	}
	return b[0], string(b[9:]), time.Duration(binary.BigEndian.Uint64(b[1:])), nil
}

// coaReply is what a gateway says to a request.
type coaReply struct {
	kind   byte
	name   string // of replyHere and replyNotHere: the gateway that says so; "": no gateway got the request
	packet []byte // of replyAnswer
}

func (r *coaReply) encode() []byte {
	b := append(make([]byte, 0, 1+len(r.name)+len(r.packet)), r.kind)
	return append(append(b, r.name...), r.packet...)
}

// decodeReply reads a reply. The packet is in b.
func decodeReply(b []byte) (r coaReply, err error) {
	if len(b) == 0 {
		return r, errCoAMessage
	}
	r.kind = b[0]
	switch rest := b[1:]; r.kind {
	case replyHere, replyNotHere:
		if r.name = string(rest); !validName(r.name) {
			return r, errCoAMessage
		}
	case replyAnswer:
		if r.packet = rest; len(rest) < minPacket || len(rest) > maxPacket {
			return r, errCoAMessage
		}
	case replyTaken, replyUnanswered, replyLost:
		if len(rest) > 0 {
			return r, errCoAMessage
		}
	default:
		return r, errCoAMessage
	}
	return r, nil
}

// validReplySubject reports whether a reply may be published to a subject. Otherwise whoever may
// publish a request could have this gateway publish anywhere.
func (c *CoA) validReplySubject(subject string) bool {
	rest, ok := strings.CutPrefix(subject, c.prefix+"reply.")
	name, id, found := strings.Cut(rest, ".")
	return ok && found && len(subject) <= maxSubject && validName(name) && validName(id)
}
