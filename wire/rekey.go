package wire

import "crypto/subtle"

// hiddenValue is a value to be decrypted with one hop's secret and encrypted with the
// other's. Both are chains: a block is XORed with MD5(secret, hidden block before), the
// first with MD5(secret, vector, salt) (RFC 2865 §5.2, RFC 2868 §3.5).
type hiddenValue struct {
	blocks  []byte // in the packet, hidden and a whole number of them
	oldSalt [saltLength]byte
	salt    []byte // the new one, in the packet; nil: the method has none
	in, out int    // in streams: the number of the first block's digest, for either hop
}

// rekeyAll decrypts all waiting values for t.from and encrypts them for t.to, their
// digests side by side. The digests that decrypt a value depend only on the secret and
// the hidden blocks. Those that encrypt it are a chain, one for each value.
//
// In a salted value the first octet is the length of what follows. In an
// Access-Accept one that points past the value is ErrHidden.
func (c *cipher) rekeyAll(t *transfer) error {
	if len(c.values) == 0 {
		return nil
	}
	c.streams.Reset()
	for i := range c.values {
		c.queueStreams(&c.values[i], t)
	}
	c.streams.Run()
	chains := false
	for i := range c.values {
		v := &c.values[i]
		for j := 0; j < len(v.blocks); j += hiddenBlock {
			c.xor(v.blocks[j:], v.in+j/hiddenBlock)
		}
		if v.salt != nil && t.accept && int(v.blocks[0]) > len(v.blocks)-1 {
			return ErrHidden
		}
		c.xor(v.blocks, v.out)
		chains = chains || len(v.blocks) > hiddenBlock
	}
	if chains {
		c.encryptRest(t)
	}
	c.values = c.values[:0]
	return nil
}

// queueStreams queues the digests that decrypt a value, and the one that encrypts its first
// block.
func (c *cipher) queueStreams(v *hiddenValue, t *transfer) {
	var oldSalt []byte
	if v.salt != nil {
		oldSalt = v.oldSalt[:]
	}
	v.in = c.addStream(t.from.key, t.from.vector[:], oldSalt)
	for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
		c.addStream(t.from.key, v.blocks[j-hiddenBlock:j], nil)
	}
	v.out = c.addStream(t.to.key, t.to.vector[:], v.salt)
}

// encryptRest encrypts all blocks of each value but the first, which is already
// encrypted.
func (c *cipher) encryptRest(t *transfer) {
	c.streams.Reset()
	key := t.to.key
	for i := range c.values {
		v := &c.values[i]
		for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
			before := v.blocks[j-hiddenBlock : j]
			if j == hiddenBlock {
				v.out = c.addStream(key, before, nil)
				continue
			}
			// The previous block is still in clear, and is encrypted with the
			// previous digest.
			_, b := c.streams.Then(c.begin, len(key)+hiddenBlock, len(key))
			copy(b[copy(b, key):], before)
		}
	}
	c.streams.Run()
	for i := range c.values {
		v := &c.values[i]
		for j := hiddenBlock; j < len(v.blocks); j += hiddenBlock {
			c.xor(v.blocks[j:], v.out+j/hiddenBlock-1)
		}
	}
}

// addStream queues MD5(key, vector, salt).
func (c *cipher) addStream(key, vector, salt []byte) (number int) {
	number, b := c.streams.Add(c.begin, len(key)+len(vector)+len(salt))
	b = b[copy(b, key):]
	copy(b[copy(b, vector):], salt)
	return number
}

// xor combines the first block of blocks with a digest of streams.
func (c *cipher) xor(blocks []byte, number int) {
	subtle.XORBytes(blocks, blocks, c.streams.Sum(number)[:])
}
