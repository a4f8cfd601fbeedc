package wire

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"errors"

	"radsec-gw/wire/dict"
)

// ErrHidden is returned for an Access-Accept with a hidden attribute whose length
// octet, once decrypted, points past the value. The reply itself was verified with the
// secret, so the value was hidden under another secret or for another request. An
// Access-Accept must not reach the client without its keys.
var ErrHidden = errors.New("hidden attribute: its decrypted length exceeds its value, so it was hidden under another secret or for another request; does a proxy behind the server forward it unchanged?")

// rule is how an attribute's value is hidden: one of the methods, and flags.
type rule uint8

const (
	methodUserPassword rule = 1 // RFC 2865 §5.2, RFC 2548 §2.4.1
	methodSalted       rule = 2 // RFC 2868 §3.5, RFC 2548 §2.4.2
	methodAscend       rule = 3 // value XOR MD5(authenticator, secret)
	methodMask         rule = 3

	ruleTagged rule = 4 // a tag octet precedes the salt
	ruleTLVs   rule = 8 // the value is a row of TLVs, some of them hidden

	ruleKeys rule = 16 // keys of fixed length that may end in zeros: MS-CHAP-MPPE-Keys
	ruleLEAP rule = 32 // hidden only when it begins with dict.LEAPPrefix, and only after that
)

const (
	hiddenBlock = 16 // values are hidden block by block, the size of an MD5

	saltLength  = 2
	maxPassword = 128 // octets of a User-Password (RFC 2865 §5.2)
)

// passwordLength reports whether a hidden User-Password can have n octets: 16 to 128
// in whole blocks (RFC 2865 §5.2).
func passwordLength(n int) bool {
	return n >= hiddenBlock && n <= maxPassword && n%hiddenBlock == 0
}

// hop is what a value is hidden with between two neighbours: the secret they share and
// the authenticator of the request, or zeros where a request's authenticator is
// itself computed over the hidden value (RFC 5176 §3.6).
type hop struct {
	key    []byte
	vector *[16]byte
}

// transfer is how the hidden values of one packet are converted from one hop to the next.
type transfer struct {
	mode     mode
	from, to hop  // the one of RADIUS/1.1 is not used
	access   bool // the packet is an Access-Request
	accept   bool // it is an Access-Accept: see ErrHidden

	salted bool   // salt has its random start
	salt   uint16 // the next salt, without its top bit
}

// mode is what is done with a hidden value.
type mode uint8

const (
	modeRehide mode = iota // hidden on both sides
	modeHide               // in clear at a client of RADIUS/1.1, hidden for the server
	modeReveal             // hidden at the server, in clear for a client of RADIUS/1.1
)

// nextSalt returns a salt that no other value of the packet has, with its top bit set
// (RFC 2868 §3.5): it counts from a random start.
func (t *transfer) nextSalt(c *cipher) uint16 {
	if !t.salted {
		t.salted, t.salt = true, c.salts()
	}
	t.salt++
	return t.salt | 0x8000
}

// rehideAll rewrites every hidden value among the attributes b[off:], in place.
// Lengths do not change: padding is carried through as it is. A malformed
// value is left unchanged (RFC 6929 §2.8).
func (c *cipher) rehideAll(b []byte, off int, t *transfer) error {
	c.values = c.values[:0]
	for off < len(b) {
		end := off + int(b[off+1])
		if b[off] == typeVendorSpecific {
			if err := c.rehideVendor(b, off, t); err != nil {
				return err
			}
		} else if value := b[off+2 : end]; b[off] != typeUserPassword || passwordLength(len(value)) {
			c.rehide(value, standardRules[b[off]], t)
		}
		off = end
	}
	return c.rekeyAll(t)
}

// rehide rewrites one hidden value in place, by the method of its rule: at once,
// or when rekeyAll is called.
func (c *cipher) rehide(value []byte, r rule, t *transfer) {
	switch r & methodMask {
	case methodUserPassword:
		if len(value) != 0 && len(value)%hiddenBlock == 0 {
			c.values = append(c.values, hiddenValue{blocks: value})
		}
	case methodSalted:
		head, ok := saltedHead(value, r)
		if !ok {
			return
		}
		salt := value[head-saltLength : head]
		old := [saltLength]byte(salt)
		binary.BigEndian.PutUint16(salt, t.nextSalt(c))
		c.values = append(c.values, hiddenValue{blocks: value[head:], oldSalt: old, salt: salt})
	case methodAscend:
		if len(value) != hiddenBlock {
			return
		}
		in := c.ascendStream(t.from)
		out := c.ascendStream(t.to)
		subtle.XORBytes(value, value, in[:])
		subtle.XORBytes(value, value, out[:])
	}
}

// saltedHead returns how many octets of a salted value precede its hidden blocks: the
// tag or the text where there is one, and the salt. It returns false when the rest is
// not one or more whole blocks.
func saltedHead(value []byte, r rule) (head int, ok bool) {
	head = saltLength
	switch {
	case r&ruleTagged != 0:
		head++
	case r&ruleLEAP != 0:
		head += len(dict.LEAPPrefix)
	}
	blocks := len(value) - head
	return head, blocks >= hiddenBlock && blocks%hiddenBlock == 0
}

// stream returns MD5(key, vector, salt), the key stream of one block.
func (c *cipher) stream(key, vector, salt []byte) [hiddenBlock]byte {
	c.block = append(c.block[:0], key...)
	c.block = append(c.block, vector...)
	c.block = append(c.block, salt...)
	return md5.Sum(c.block)
}

// ascendStream returns MD5(vector, key), which an Ascend secret is XORed with.
func (c *cipher) ascendStream(p hop) [hiddenBlock]byte {
	c.block = append(c.block[:0], p.vector[:]...)
	c.block = append(c.block, p.key...)
	return md5.Sum(c.block)
}
