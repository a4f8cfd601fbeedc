package udpback

import (
	"sync"

	"radsec-gw/wire"
)

// Packets are kept until they are answered, and most are far smaller than 4096
// octets: three sizes keep ten thousand outstanding requests within some
// megabytes. 512 holds a PAP or accounting request, 1536 an EAP fragment.
const (
	smallBuffer  = 512
	mediumBuffer = 1536
	largeBuffer  = 4096
)

// Buffers is a set of pools of packet buffers of three sizes. The zero value is ready for
// use.
type Buffers struct {
	small, medium, large sync.Pool
}

// Copy returns a copy of p in the smallest buffer that fits.
func (b *Buffers) Copy(p []byte) []byte {
	pool, size := b.class(len(p))
	if v := pool.Get(); v != nil {
		return append(slice(v, size), p...)
	}
	return append(make([]byte, 0, size), p...)
}

// Return returns a buffer of Copy to its pool; nil is allowed. The caller must not use it
// again.
func (b *Buffers) Return(p []byte) {
	switch cap(p) {
	case smallBuffer:
		b.small.Put((*[smallBuffer]byte)(p[:smallBuffer]))
	case mediumBuffer:
		b.medium.Put((*[mediumBuffer]byte)(p[:mediumBuffer]))
	case largeBuffer:
		b.large.Put((*[largeBuffer]byte)(p[:largeBuffer]))
	}
}

func (b *Buffers) class(n int) (*sync.Pool, int) {
	switch {
	case n <= smallBuffer:
		return &b.small, smallBuffer
	case n <= mediumBuffer:
		return &b.medium, mediumBuffer
	}
	return &b.large, largeBuffer
}

// slice turns a pool's entry back into an empty slice. Arrays are pooled by
// pointer, because a slice header in an interface would be allocated each time.
func slice(v any, size int) []byte {
	switch size {
	case smallBuffer:
		return v.(*[smallBuffer]byte)[:0]
	case mediumBuffer:
		return v.(*[mediumBuffer]byte)[:0]
	}
	return v.(*[largeBuffer]byte)[:0]
}

// arena holds the packets of one batch, one after the other, until they are signed. Close
// together they fit into the processor's caches; packets 4096 octets apart would not.
type arena struct {
	octets [arenaSize]byte
	used   int
}

// arenaSize is enough for a batch of ordinary packets. A batch of the largest packets is
// flushed earlier.
const arenaSize = 16 * wire.MaxLength

const cacheLine = 64

// full reports whether a packet of any length no longer fits.
func (a *arena) full() bool { return a.used+wire.MaxLength > len(a.octets) }

// space returns space for a packet of any length. The caller must report its length to
// use.
func (a *arena) space() []byte {
	return a.octets[a.used : a.used+wire.MaxLength : a.used+wire.MaxLength]
}

func (a *arena) use(n int) { a.used += (n + cacheLine - 1) &^ (cacheLine - 1) }

func (a *arena) reset() { a.used = 0 }
