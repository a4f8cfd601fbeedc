package wire

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"radsec-gw/wire/dict"
)

// ErrValueTooLong is returned for a value of RADIUS/1.1 that is too long to hide:
// the hidden form adds a salt, a length octet and padding, which leaves 239 octets
// for a Tunnel-Password. It is an ErrTooLong.
var ErrValueTooLong = fmt.Errorf("a value in clear is too long for its hidden form: %w", ErrTooLong)

// errUnreadable is returned for a value that cannot be revealed or hidden, because it
// is malformed. It is omitted from the packet, as an invalid attribute may be (RFC
// 6929 §2.8): random octets must not be used as a key, and a key must not go to the
// server in clear.
var errUnreadable = errors.New("unreadable hidden value")

// convert writes the attribute at src[off:], whose value RADIUS/1.0 hides and
// RADIUS/1.1 has in clear (RFC 9765 §5.1), to dst[n:] as the other side has it, and
// returns where it ends. Its length changes.
func (c *cipher) convert(dst []byte, n int, src []byte, off int, t *transfer) (end int, err error) {
	typ := src[off]
	if typ == typeVendorSpecific {
		return c.convertVendor(dst, n, src, off, t)
	}
	value, err := c.convertValue(c.made[:0], src[off+2:off+int(src[off+1])], standardRules[typ], t)
	switch {
	case t.omits(err):
		c.omitted.add(omissionOf(err), typ)
		return n, nil
	case err != nil:
		return 0, err
	case len(value) > maxValue:
		return 0, ErrValueTooLong
	}
	return appendAttribute(dst, n, typ, value)
}

// omits reports whether the packet is written without a value for which err was
// returned.
func (t *transfer) omits(err error) bool {
	return err == errUnreadable || err == ErrHidden && !t.accept
}

// omissionOf returns why a value is omitted for which err was returned.
func omissionOf(err error) Omission {
	if err == ErrHidden {
		return OmittedOtherSecret
	}
	return OmittedUnreadable
}

// convertValue appends to out the other form of a value whose rule is r.
func (c *cipher) convertValue(out, value []byte, r rule, t *transfer) ([]byte, error) {
	if t.mode == modeHide {
		return c.hide(out, value, r, t)
	}
	return c.reveal(out, value, r, t)
}

// grow returns out with n zero octets appended, and these octets alone. The error is
// ErrTooLong when out lacks the capacity.
func grow(out []byte, n int) (all, more []byte, err error) {
	if n > cap(out)-len(out) {
		return nil, nil, ErrTooLong
	}
	all = out[:len(out)+n]
	more = all[len(out):]
	clear(more)
	return all, more, nil
}

// wholeBlocks returns the length of the blocks that n octets need, at least one.
func wholeBlocks(n int) int {
	return max(1, (n+hiddenBlock-1)/hiddenBlock) * hiddenBlock
}

// hide appends to out a value in clear, hidden for the server.
func (c *cipher) hide(out, value []byte, r rule, t *transfer) ([]byte, error) {
	switch r & methodMask {
	case methodUserPassword: // RFC 2865 §5.2; an empty value is a block of padding
		out, b, err := grow(out, wholeBlocks(len(value)))
		if err != nil {
			return nil, err
		}
		copy(b, value)
		c.hideBlocks(b, &t.to, nil)
		return out, nil
	case methodSalted: // RFC 2868 §3.5, RFC 2548 §2.4.2
		var lead []byte // before the salt
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
		binary.BigEndian.PutUint16(salt, t.nextSalt(c))
		b[head] = byte(len(value))
		copy(b[head+1:], value)
		c.hideBlocks(b[head:], &t.to, salt)
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
		stream := c.ascendStream(t.to)
		subtle.XORBytes(b, b, stream[:])
		return out, nil
	}
	return append(out, value...), nil
}

// cutTag separates the tag from a value in clear. A first octet above 0x1F is not a
// tag but part of the value (RFC 2868 §3.3); then, as for an empty value, the tag is
// zero: unused.
func cutTag(value []byte) (tag, rest []byte) {
	if len(value) == 0 || value[0] > maxTag {
		return noTag[:], value
	}
	return value[:1], value[1:]
}

// noTag is the tag of a value that has none; read only.
var noTag [1]byte

const maxTag = 0x1f // RFC 2868 §3.1

// reveal appends to out a value that the server has hidden, in clear and without padding;
// except in keys, where padding cannot be told from the key.
func (c *cipher) reveal(out, value []byte, r rule, t *transfer) ([]byte, error) {
	switch r & methodMask {
	case methodUserPassword:
		if len(value) == 0 || len(value)%hiddenBlock != 0 {
			return nil, errUnreadable
		}
		_, b, err := grow(out, len(value))
		if err != nil {
			return nil, err
		}
		c.revealBlocks(b, value, &t.from, nil)
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
		c.revealBlocks(plain, blocks, &t.from, salt)
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
		stream := c.ascendStream(t.from)
		subtle.XORBytes(b, value, stream[:])
		return out[:len(out)+len(bytes.TrimRight(b, "\x00"))], nil
	}
	return append(out, value...), nil
}

// hideBlocks hides whole blocks in place (RFC 2865 §5.2, RFC 2868 §3.5).
func (c *cipher) hideBlocks(b []byte, p *hop, salt []byte) {
	before := p.vector[:]
	for i := 0; i < len(b); i += hiddenBlock {
		stream := c.stream(p.key, before, salt)
		before, salt = b[i:i+hiddenBlock], nil
		subtle.XORBytes(before, before, stream[:])
	}
}

// revealBlocks writes to dst what whole hidden blocks hold.
func (c *cipher) revealBlocks(dst, hidden []byte, p *hop, salt []byte) {
	before := p.vector[:]
	for i := 0; i < len(hidden); i += hiddenBlock {
		stream := c.stream(p.key, before, salt)
		before, salt = hidden[i:i+hiddenBlock], nil
		subtle.XORBytes(dst[i:], before, stream[:])
	}
}
