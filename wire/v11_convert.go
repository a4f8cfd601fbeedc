package wire

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"radsec-gw/wire/dict"
)

// ErrValueTooLong says that a value of RADIUS/1.1 has no room in its hidden form,
// which has a salt, a length octet and padding besides: at most 239 octets of a
// Tunnel-Password. It is an ErrTooLong.
var ErrValueTooLong = fmt.Errorf("a value in clear is too long for its hidden form: %w", ErrTooLong)

// errUnreadable is a hidden value, or one to hide, whose form cannot be what its
// rule says. It is omitted from the packet, as an invalid attribute may be (RFC 6929
// §2.8): neither may noise be shown as a key, nor a key go to the server in clear.
var errUnreadable = errors.New("unreadable hidden value")

// conversion carries the values of one packet between RADIUS/1.0, where they are
// hidden, and RADIUS/1.1, where they are in clear (RFC 9765 §5.1). Lengths change.
type conversion struct {
	rehiding      // to, towards the server; from, towards the client
	hide     bool // towards the server
	needed   bool // a value hidden by another secret is ErrHidden, not omitted: see there
	strict   bool // a User-Password that cannot be one is ErrUserPassword, not omitted
}

// convert writes the attributes of v for the other side to dst[n:], in order, and
// returns where they end. Only what is written counts as length.
//
// Not carried on are Proxy-State and Response-Length, as in RADIUS/1.0, and what
// RADIUS/1.1 does not have: Message-Authenticator, Original-Packet-Code and the
// signatures of RFC 6218 (RFC 9765 §5.2, §5.3, §5.5).
func (h *hider) convert(dst []byte, n int, v *View, c *conversion) (int, error) {
	var err error
	h.done.clear()
	src := v.Packet
	run := MinLength // what src[run:off] holds is still to be copied
	for off := MinLength; off < len(src); {
		next := off + int(src[off+1])
		how := handlingOf[src[off]]
		switch how {
		case extended:
			how = v.extended(off, next, true)
		case eap:
			how = h.eap(v)
		}
		if how != keep {
			if n, err = appendTo(dst, n, src[run:off]); err != nil {
				return 0, err
			}
			switch how {
			case vendorly:
				n, err = h.convertVendor(dst, n, src, off, c)
			case password, secretly:
				n, err = h.convertStandard(dst, n, src[off], src[off+2:next], c)
			}
			if err != nil {
				return 0, err
			}
			run = next
		}
		off = next
	}
	return appendTo(dst, n, src[run:])
}

// convertStandard writes an attribute of type t, which has a rule.
func (h *hider) convertStandard(dst []byte, n int, t byte, value []byte, c *conversion) (int, error) {
	if t == typeUserPassword && c.hide && len(value) > maxPassword {
		if c.strict {
			return 0, ErrUserPassword
		}
		h.omitted.add(OmittedPassword, t)
		return n, nil
	}
	value, err := h.convertValue(h.made[:0], value, standardRules[t], c)
	switch {
	case c.omits(err):
		h.omitted.add(omissionOf(err), t)
		return n, nil
	case err != nil:
		return 0, err
	case len(value) > maxValue:
		return 0, ErrValueTooLong
	case 2+len(value) > len(dst)-n:
		return 0, ErrTooLong
	}
	dst[n], dst[n+1] = t, byte(2+len(value))
	return n + 2 + copy(dst[n+2:], value), nil
}

// omits reports whether the packet goes on without a value for which err was
// returned.
func (c *conversion) omits(err error) bool {
	return err == errUnreadable || err == ErrHidden && !c.needed
}

// omissionOf returns why a value is omitted for which err was returned.
func omissionOf(err error) Omission {
	if err == ErrHidden {
		return OmittedOtherSecret
	}
	return OmittedUnreadable
}

// convertValue appends to out the other form of a value whose rule is r.
func (h *hider) convertValue(out, value []byte, r rule, c *conversion) ([]byte, error) {
	if c.hide {
		return h.conceal(out, value, r, c)
	}
	return h.uncover(out, value, r, c)
}

// grow returns out with n more octets, zero, and these. ErrTooLong when there is no room.
func grow(out []byte, n int) (all, more []byte, err error) {
	if n > cap(out)-len(out) {
		return nil, nil, ErrTooLong
	}
	all = out[:len(out)+n]
	more = all[len(out):]
	clear(more)
	return all, more, nil
}

// wholeBlocks returns the octets of the blocks that n octets fill, one at least.
func wholeBlocks(n int) int {
	return max(1, (n+hiddenBlock-1)/hiddenBlock) * hiddenBlock
}

// conceal hides a value in clear for the server.
func (h *hider) conceal(out, value []byte, r rule, c *conversion) ([]byte, error) {
	switch r & methodMask {
	case methodUserPassword: // RFC 2865 §5.2; an empty value is a block of padding
		out, b, err := grow(out, wholeBlocks(len(value)))
		if err != nil {
			return nil, err
		}
		copy(b, value)
		h.hideBlocks(b, &c.to, nil)
		return out, nil
	case methodSalted: // RFC 2868 §3.5, RFC 2548 §2.4.2
		var lead []byte // what stands before the salt
		switch {
		case r&ruleTagged != 0:
			lead, value = cutTag(value)
		case r&ruleLEAP != 0:
			lead, value = value[:len(dict.LEAPPrefix)], value[len(dict.LEAPPrefix):]
		}
		if len(value) > 255 {
			return nil, ErrValueTooLong
		}
		head := len(lead) + saltLength
		out, b, err := grow(out, head+wholeBlocks(1+len(value)))
		if err != nil {
			return nil, err
		}
		salt := b[copy(b, lead):head]
		binary.BigEndian.PutUint16(salt, c.nextSalt(h))
		b[head] = byte(len(value))
		copy(b[head+1:], value)
		h.hideBlocks(b[head:], &c.to, salt)
		return out, nil
	case methodAscend:
		if len(value) > hiddenBlock {
			return nil, ErrValueTooLong
		}
		out, b, err := grow(out, hiddenBlock)
		if err != nil {
			return nil, err
		}
		copy(b, value)
		stream := h.ascendStream(c.to)
		subtle.XORBytes(b, b, stream[:])
		return out, nil
	}
	return append(out, value...), nil
}

// cutTag takes the tag off a value in clear. A first octet above 0x1F is not a
// tag but the first of the value (RFC 2868 §3.3); then, as when the value is
// empty, the tag is zero: unused.
func cutTag(value []byte) (tag, rest []byte) {
	if len(value) == 0 || value[0] > maxTag {
		return noTag[:], value
	}
	return value[:1], value[1:]
}

// noTag is the tag that says so; read only.
var noTag [1]byte

const maxTag = 0x1f // RFC 2868 §3.1

// uncover opens a hidden value of the server's. What padded it is taken off, but
// for keys in which it cannot be told from the key.
func (h *hider) uncover(out, value []byte, r rule, c *conversion) ([]byte, error) {
	switch r & methodMask {
	case methodUserPassword:
		if len(value) == 0 || len(value)%hiddenBlock != 0 {
			return nil, errUnreadable
		}
		_, b, err := grow(out, len(value))
		if err != nil {
			return nil, err
		}
		h.openBlocks(b, value, &c.from, nil)
		if r&ruleKeys != 0 {
			b = b[:min(len(b), chapKeys)]
		} else {
			b = bytes.TrimRight(b, "\x00")
		}
		return out[:len(out)+len(b)], nil
	case methodSalted:
		head, ok := saltedHead(value, r)
		if !ok {
			return nil, errUnreadable
		}
		lead, salt, blocks := value[:head-saltLength], value[head-saltLength:head], value[head:]
		_, b, err := grow(out, len(lead)+len(blocks))
		if err != nil {
			return nil, err
		}
		plain := b[copy(b, lead):]
		h.openBlocks(plain, blocks, &c.from, salt)
		n := int(plain[0])
		if n > len(plain)-1 {
			return nil, ErrHidden
		}
		if r&ruleTagged != 0 && b[0] > maxTag {
			b[0] = 0
		}
		copy(plain, plain[1:1+n])
		return out[:len(out)+len(lead)+n], nil
	case methodAscend:
		if len(value) != hiddenBlock {
			return nil, errUnreadable
		}
		_, b, err := grow(out, hiddenBlock)
		if err != nil {
			return nil, err
		}
		stream := h.ascendStream(c.from)
		subtle.XORBytes(b, value, stream[:])
		return out[:len(out)+len(bytes.TrimRight(b, "\x00"))], nil
	}
	return append(out, value...), nil
}

// hideBlocks hides whole blocks in place (RFC 2865 §5.2, RFC 2868 §3.5).
func (h *hider) hideBlocks(b []byte, p *hop, salt []byte) {
	before := p.vector[:]
	for i := 0; i < len(b); i += hiddenBlock {
		stream := h.stream(p.key, before, salt)
		before, salt = b[i:i+hiddenBlock], nil
		subtle.XORBytes(before, before, stream[:])
	}
}

// openBlocks writes to dst what whole hidden blocks hold.
func (h *hider) openBlocks(dst, hidden []byte, p *hop, salt []byte) {
	before := p.vector[:]
	for i := 0; i < len(hidden); i += hiddenBlock {
		stream := h.stream(p.key, before, salt)
		before, salt = hidden[i:i+hiddenBlock], nil
		subtle.XORBytes(dst[i:], before, stream[:])
	}
}
