package tlsfront

import (
	"sync"

	"radsec-gw/wire"
)

// cutter cuts a connection's plaintext into packets. Only the Length field counts (RFC
// 6614 §3.4 (1), RFC 6614bis §4.1): how the peer distributed its packets over TLS
// records or writes is irrelevant.
//
// A packet that was read completely is cut in place. Only an incomplete packet is
// copied, to a buffer that is held until it is complete.
type cutter struct {
	// static after construction
	pool *sync.Pool // of *[wire.MaxLength]byte

	// owned by the read loop
	part *[wire.MaxLength]byte // nil: no packet is incomplete
	have int                   // octets in part
}

// next returns the first packet in what earlier calls left and b, and the rest of b. If
// the packet is nil, more octets are needed, and all of b was used. The packet is valid
// until the next call. The error is that of wire for a Length outside 20..4096.
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
		// First the four octets up to the Length, then as many as it says.
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

// incomplete reports whether a packet is incomplete.
func (c *cutter) incomplete() bool { return c.have > 0 }

// release returns the buffer to the pool if no packet is incomplete.
func (c *cutter) release() {
	if c.part != nil && c.have == 0 {
		c.pool.Put(c.part)
		c.part = nil
	}
}
