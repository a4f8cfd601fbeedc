package lanes

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"slices"
)

// Hasher queues messages and hashes them together. It belongs to one goroutine.
//
// Its memory grows to what the largest batch so far has needed, then stays:
// nothing allocates from there on.
type Hasher struct {
	// static after construction
	variant variant

	messages []message
	arena    []byte              // the messages, each with its padding, in whole blocks
	chains   []chain             // in the order of Run once it has begun
	sums     [][md5.Size]byte    // of messages, by their numbers
	digest   digest              // for the scalar variant
	encoded  [encodedLength]byte // scratch of the scalar variant

	run lanesRun
}

// message is one message in the queue.
type message struct {
	start  *State
	offset uint32 // in arena
	length uint32 // without padding
	blocks uint32 // with padding
	into   uint32 // where in the arena its digest goes too, if it is followed
	more   bool   // the next message follows this one
}

// chain is a row of messages of which each needs the digest of the one before,
// and so stays in one lane.
type chain struct {
	first  uint32 // its first message
	blocks uint32 // of all its messages
}

// New returns a Hasher with memory for so many messages of so many octets in all. It
// allocates more when it needs it.
func New(messages, octets int) *Hasher { return newVariant(variants()[0], messages, octets) }

func newVariant(v variant, messages, octets int) *Hasher {
	return &Hasher{
		variant:  v,
		messages: make([]message, 0, messages),
		arena:    make([]byte, 0, octets+messages*2*md5.BlockSize),
		chains:   make([]chain, 0, messages),
		sums:     make([][md5.Size]byte, 0, messages),
		digest:   newDigest(),
	}
}

// Reset empties the queue.
func (h *Hasher) Reset() {
	h.messages, h.arena, h.chains = h.messages[:0], h.arena[:0], h.chains[:0]
}

// Add queues a message of length octets, to be hashed from start, and returns
// its number and the octets for the caller to fill, all of them, before the next
// call. start is kept until Reset.
func (h *Hasher) Add(start *State, length int) (number int, octets []byte) {
	number, octets = h.add(start, length)
	h.chains = append(h.chains, chain{uint32(number), h.messages[number].blocks})
	return number, octets
}

// Then queues a message of length octets that follows the one queued last: the
// digest of that one is combined with its octets [at, at+16) by XOR before it is
// hashed. Otherwise it is as Add.
func (h *Hasher) Then(start *State, length, at int) (number int, octets []byte) {
	number, octets = h.add(start, length)
	_ = octets[at : at+md5.Size]
	before := &h.messages[number-1]
	before.more, before.into = true, h.messages[number].offset+uint32(at)
	h.chains[len(h.chains)-1].blocks += h.messages[number].blocks
	return number, octets
}

// add appends a message with its padding: one bit, zeros, and the count of bits
// (RFC 1321 §3.1, §3.2).
func (h *Hasher) add(start *State, length int) (number int, octets []byte) {
	const least = 1 + 8 // octets of padding
	offset, blocks := len(h.arena), (length+least+md5.BlockSize-1)/md5.BlockSize
	end := offset + blocks*md5.BlockSize
	h.arena = slices.Grow(h.arena, end-offset)[:end]
	m := h.arena[offset:end]
	clear(m[length:])
	m[length] = 0x80
	binary.LittleEndian.PutUint64(m[len(m)-8:], 8*(start.octets+uint64(length)))
	// Field by field: a struct put together elsewhere and copied is several
	// times as slow, because wide loads have to wait for narrow stores.
	number = len(h.messages)
	h.messages = slices.Grow(h.messages, 1)[:number+1]
	next := &h.messages[number]
	next.start, next.offset, next.length, next.blocks = start, uint32(offset), uint32(length), uint32(blocks)
	next.more = false
	return number, m[:length:length]
}

// Run hashes all messages of the queue.
func (h *Hasher) Run() {
	h.sums = slices.Grow(h.sums[:0], len(h.messages))[:len(h.messages)]
	if h.variant == scalar || len(h.chains) == 1 && h.variant == avx2 {
		h.runScalar()
		return
	}
	h.runLanes()
}

// Sum returns the digest of a message after Run, until the next Run.
func (h *Hasher) Sum(number int) *[md5.Size]byte { return &h.sums[number] }

// runScalar hashes one message after the other with crypto/md5. A message comes
// after the one whose digest it needs.
func (h *Hasher) runScalar() {
	for i := range h.messages {
		m := &h.messages[i]
		if m.start.octets == 0 {
			h.digest.Reset()
		} else {
			m.start.restore(h.digest, h.encoded[:])
		}
		h.digest.Write(h.arena[m.offset : m.offset+m.length])
		h.digest.Sum(h.sums[i][:0])
		if m.more {
			combine(h.arena[m.into:], &h.sums[i])
		}
	}
}

// combine puts a digest into the message that follows, at its first octets.
func combine(octets []byte, sum *[md5.Size]byte) {
	subtle.XORBytes(octets, octets, sum[:])
}
