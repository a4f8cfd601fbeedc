package udpback

import "sync"

// Packets are kept until they are answered, and most are far smaller than 4096
// octets: three sizes keep ten thousand outstanding requests within some
// megabytes. 512 holds a PAP or accounting request, 1536 an EAP fragment.
const (
	smallBuffer  = 512
	mediumBuffer = 1536
	largeBuffer  = 4096
)

// Buffers lends packet buffers of the smallest size that fits. The zero value is ready.
type Buffers struct {
	small, medium, large sync.Pool
}

// Copy returns a copy of p in a buffer of the pool.
func (b *Buffers) Copy(p []byte) []byte {
	pool, size := b.class(len(p))
	if v := pool.Get(); v != nil {
		return append(slice(v, size), p...)
	}
	return append(make([]byte, 0, size), p...)
}

// Return takes back what Copy returned; nil is allowed. The caller must not use it again.
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
// pointer, because a slice header in an interface would be allocated anew.
func slice(v any, size int) []byte {
	switch size {
	case smallBuffer:
		return v.(*[smallBuffer]byte)[:0]
	case mediumBuffer:
		return v.(*[mediumBuffer]byte)[:0]
	}
	return v.(*[largeBuffer]byte)[:0]
}
