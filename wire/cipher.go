package wire

import (
	"crypto/rand"
	"encoding/binary"

	"radsec-gw/wire/lanes"
)

// cipher hides, reveals and rewrites the hidden values of packets. It owns the scratch
// space and the random octets that it needs.
type cipher struct {
	streams *lanes.Hasher // the digests that values are hidden with
	begin   *lanes.State  // of every digest that has no prepared one
	values  []hiddenValue // waiting for rekeyAll

	salt   [saltLength]byte // random, see salts
	block  []byte           // secret and what follows it, for the key stream of a hidden value
	zero   [16]byte
	joined [MaxLength]byte // a hidden value that is spread over several attributes
	done   doneParts       // which parts of such values are done
	made   [MaxLength]byte // a value in its other form

	omitted omissions // from the packet written last

	last     *[MaxLength]byte // of lastHop: a request without what is not for a NAS; nil until the first
	lastView View             // of it

	random    [512]byte // octets from crypto/rand
	remaining int       // how many of them are not used yet, at the end
}

// Random fills b with octets from crypto/rand. They are drawn in blocks, used
// once and wiped from the buffer.
func (c *cipher) Random(b []byte) {
	if len(b) > c.remaining {
		if len(b) > len(c.random) {
			rand.Read(b) // never fails: crypto/rand ends the program instead
			return
		}
		rand.Read(c.random[:])
		c.remaining = len(c.random)
	}
	taken := c.random[len(c.random)-c.remaining:][:len(b)]
	copy(b, taken)
	clear(taken)
	c.remaining -= len(b)
}

// salts returns a random start for the salts of one packet.
func (c *cipher) salts() uint16 {
	c.Random(c.salt[:])
	return binary.BigEndian.Uint16(c.salt[:])
}
