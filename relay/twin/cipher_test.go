package twin

import (
	"bytes"
	"crypto/md5"
)

// Hop is what a value is hidden with between two neighbours.
type Hop struct {
	Secret string
	Vector [16]byte // Request Authenticator, or zeros where that is computed (P43)
}

// xorChain hides or reveals whole blocks: each is XORed with MD5(secret, hidden
// block before), the first with MD5(secret, vector, salt) (RFC 2865 §5.2).
func xorChain(h Hop, salt, in []byte, opening bool) []byte {
	out := make([]byte, len(in))
	before := append(bytes.Clone(h.Vector[:]), salt...)
	for i := 0; i < len(in); i += 16 {
		key := md5.Sum(append([]byte(h.Secret), before...))
		for j := range 16 {
			out[i+j] = in[i+j] ^ key[j]
		}
		before = out[i : i+16]
		if opening {
			before = in[i : i+16]
		}
	}
	return out
}

// xorAscend hides or reveals one block.
func xorAscend(h Hop, in []byte) []byte {
	key := md5.Sum(append(bytes.Clone(h.Vector[:]), h.Secret...))
	out := make([]byte, 16)
	for i := range out {
		out[i] = in[i] ^ key[i]
	}
	return out
}

// pad returns b with zeros up to whole blocks, at least one.
func pad(b []byte) []byte {
	return append(bytes.Clone(b), make([]byte, max(16, (len(b)+15)/16*16)-len(b))...)
}

// head returns how many octets precede the hidden blocks.
func (m Method) head() int {
	switch m {
	case Tagged:
		return 3
	case Salted:
		return 2
	}
	return 0
}

// fits reports whether a value can be one hidden by the method.
func (m Method) fits(value []byte) bool {
	n := len(value) - m.head()
	if m == Ascend {
		return n == 16
	}
	return n >= 16 && n%16 == 0
}

// open returns the decrypted blocks of a hidden value, padding and length octet included.
func (m Method) open(value []byte, h Hop) []byte {
	k := m.head()
	switch m {
	case Ascend:
		return xorAscend(h, value)
	case Password:
		return xorChain(h, nil, value, true)
	}
	return xorChain(h, value[k-2:k], value[k:], true)
}

// Hide returns a value hidden: plain without a length octet, which salted
// methods put before it.
func (m Method) Hide(plain []byte, tag byte, salt [2]byte, h Hop) []byte {
	switch m {
	case Ascend:
		return xorAscend(h, pad(plain))
	case Password:
		return xorChain(h, nil, pad(plain), false)
	case Plain:
		return plain
	}
	blocks := pad(append([]byte{byte(len(plain))}, plain...))
	out := append([]byte{}, salt[:]...)
	if m == Tagged {
		out = []byte{tag, salt[0], salt[1]}
	}
	return append(out, xorChain(h, salt[:], blocks, false)...)
}

// HideBlocks is Hide for whole blocks, length octet and padding included.
func (m Method) HideBlocks(blocks []byte, tag byte, salt [2]byte, h Hop) []byte {
	switch m {
	case Ascend:
		return xorAscend(h, blocks[:16])
	case Password:
		return xorChain(h, nil, blocks, false)
	case Tagged:
		return append([]byte{tag, salt[0], salt[1]}, xorChain(h, salt[:], blocks, false)...)
	}
	return append(salt[:], xorChain(h, salt[:], blocks, false)...)
}
