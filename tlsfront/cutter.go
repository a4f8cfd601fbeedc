package tlsfront

import (
	"sync"

	"radsec-gw/wire"
)

// cutter finds the packets in a connection's plaintext. Borders come from the
// Length field alone (RFC 6614 §3.4 (1), RFC 6614bis §4.1): how the peer
// spread its packets over TLS records or writes means nothing.
//
// A packet that lies whole in what was read is cut in place. Only a packet of
// which a part is there is copied, to a buffer that is held until it is whole.
type cutter struct {
	// static after construction
	pool *sync.Pool // of *[wire.MaxLength]byte

	// owned by the read loop
	part *[wire.MaxLength]byte // nil: no packet is started
	have int                   // octets in part
}

// next returns the first packet in b, preceded by what an earlier call left,
// and what follows it. A nil packet means that more octets are needed; b is
// used up then. The packet is valid until the next call. The error is wire's
// for a Length outside 20..4096.
func (c *cutter) next(b []byte) (packet, rest []byte, err error) {
	if c.have == 0 {
		n, err := wire.Cut(b)
		if err != nil || n > 0 {
			return b[:n], b[n:], err
		}
	}
	for len(b) > 0 {
		if c.part == nil {
			c.part = c.pool.Get().(*[wire.MaxLength]byte)
		}
		// First the four octets that tell the Length, then as many as it says.
		want := 4
		if c.have >= want {
			want = int(c.part[2])<<8 | int(c.part[3])
		}
		n := copy(c.part[c.have:want], b)
		c.have += n
		b = b[n:]
		n, err := wire.Cut(c.part[:c.have])
		if err != nil {
			return nil, b, err
		}
		if n > 0 {
			c.have = 0
			return c.part[:n], b, nil
		}
	}
	return nil, nil, nil
}

// started reports whether a part of a packet is held.
func (c *cutter) started() bool { return c.have > 0 }

// release gives the buffer back when no packet is started.
func (c *cutter) release() {
	if c.part != nil && c.have == 0 {
		c.pool.Put(c.part)
		c.part = nil
	}
}
