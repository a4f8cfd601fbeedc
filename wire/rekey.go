package wire

import "crypto/subtle"

// hiddenValue is a value to be taken from one hop's cipher to the other's. Both
// are a chain: a block is XORed with MD5(secret, hidden block before), the first
// with MD5(secret, vector, salt) (RFC 2865 §5.2, RFC 2868 §3.5).
type hiddenValue struct {
	blocks  []byte // in the packet, hidden and a whole number of them
	oldSalt [saltLength]byte
	salt    []byte // the new one, in the packet; nil: the method has none
	in, out int    // in streams: the number of the first block's digest, for either hop
}

// rekeyAll takes all waiting values from the cipher of t.from to that of t.to,
// their digests side by side. What opens a value is known from the start: the
// secret and the hidden blocks. What closes it is a chain, but that of each value
// is its own.
//
// In a salted value the first octet is the length of what follows. In an
// Access-Accept one that cannot be is ErrHidden.
func (h *hider) rekeyAll(t *rehiding) error {
	if len(h.values) == 0 {
		return nil
	}
	h.streams.Reset()
	for i := range h.values {
		h.open(&h.values[i], t)
	}
	h.streams.Run()
	chains := false
	for i := range h.values {
		v := &h.values[i]
		for j := 0; j < len(v.blocks); j += hiddenBlock {
			h.xor(v.blocks[j:], v.in+j/hiddenBlock)
		}
		if v.salt != nil && t.accept && int(v.blocks[0]) > len(v.blocks)-1 {
			return ErrHidden
		}
		h.xor(v.blocks, v.out)
		chains = chains || len(v.blocks) > hiddenBlock
	}
	if chains {
		h.closeAll(t)
	}
	h.values = h.values[:0]
	return nil
}

// open queues what a value is hidden with, and what its first block will be.
func (h *hider) open(v *hiddenValue, t *rehiding) {
	var oldSalt []byte
	if v.salt != nil {
		oldSalt = v.oldSalt[:]
	}
	v.in = h.addStream(t.from.key, t.from.vector[:], oldSalt)
	for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
		h.addStream(t.from.key, v.blocks[j-hiddenBlock:j], nil)
	}
	v.out = h.addStream(t.to.key, t.to.vector[:], v.salt)
}

// closeAll hides all blocks but the first of each value, which is done.
func (h *hider) closeAll(t *rehiding) {
	h.streams.Reset()
	key := t.to.key
	for i := range h.values {
		v := &h.values[i]
		for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
			before := v.blocks[j-hiddenBlock : j]
			if j == hiddenBlock {
				v.out = h.addStream(key, before, nil)
				continue
			}
			// The block before is in clear still, and hidden with the
			// digest before.
			_, b := h.streams.Then(h.begin, len(key)+hiddenBlock, len(key))
			copy(b[copy(b, key):], before)
		}
	}
	h.streams.Run()
	for i := range h.values {
		v := &h.values[i]
		for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
			h.xor(v.blocks[j:], v.out+j/hiddenBlock-1)
		}
	}
}

// addStream queues MD5(key, vector, salt).
func (h *hider) addStream(key, vector, salt []byte) (number int) {
	number, b := h.streams.Add(h.begin, len(key)+len(vector)+len(salt))
	b = b[copy(b, key):]
	copy(b[copy(b, vector):], salt)
	return number
}

// xor combines the first block of blocks with a digest of streams.
func (h *hider) xor(blocks []byte, number int) {
	subtle.XORBytes(blocks, blocks, h.streams.Sum(number)[:])
}
