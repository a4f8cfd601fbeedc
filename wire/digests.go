package wire

import (
	"crypto/md5"
	"errors"

	"radsec-gw/wire/lanes"
)

// MaxDigests is how many packets a Digests takes before it must Run. More than
// sixteen gain nothing any more: that many are hashed at once.
const MaxDigests = 32

// Why a Digests has nothing to say; both are mistakes of the caller.
var (
	ErrFull   = errors.New("digests: all places are taken; Run comes first")
	ErrNotRun = errors.New("digests: no result yet; Run comes first")
)

// Ticket stands for a packet whose result Digests.Result has after Run.
type Ticket uint8

// Digests verifies, rewrites and signs up to MaxDigests packets, and computes
// their digests all at once, several times as fast as one after the other. It
// belongs to one goroutine.
//
// Packets are queued in any order and mixture by VerifyRequest, WriteRequest,
// VerifyReply, WriteReply and WriteAnswer, each of which decides at once what
// needs no digest, and takes a place unless it returns an error. Then Run
// computes the digests: results are known, and packets written are complete.
// The next packet queued begins a new batch, and old tickets are void.
//
// The octets of a queued packet, the View.Packet of one to verify and the dst of
// one written, stay where they are and as they are until Run. Everything else
// that is passed, View and authenticators included, is free again when the call
// returns. The authenticator of a request other than Access-Request is known
// only after Run: until then its field holds zeros.
//
// Nothing allocates, but that the memory for copies grows with the batches: 40
// KiB at first, 300 KiB when MaxDigests packets of MaxLength have been there.
type Digests struct {
	cipher
	lanes *lanes.Hasher

	queue []queued
	ran   bool // Run has been called: the next packet begins a new batch
}

// queued is one packet in the queue.
type queued struct {
	packet  []byte
	sign    bool    // the digests go into packet; else they are compared with it
	ra, mac int     // the numbers of its digests in lanes, or none
	off     int     // of its Message-Authenticator
	wrongRA error   // the result when the authenticator differs
	zeros   *secret // for the second reading: see VerifyReply
	result  error
}

const none = -1

// NewDigests returns a Digests for the calling goroutine to keep, or to hand on
// to the next owner.
func NewDigests() *Digests { return newDigests(MaxDigests) }

// newDigests makes room for so many packets, and at first for copies of packets of 512
// octets on the average, and for the digests of a few hidden values.
func newDigests(packets int) *Digests {
	const (
		most    = 3       // digests a packet: HMAC has two
		octets  = 2 * 512 // copied for a packet, twice
		streams = 16
	)
	return &Digests{
		cipher: cipher{streams: lanes.New(streams, streams*md5.BlockSize), begin: lanes.Initial(), values: make([]hiddenValue, 0, 4)},
		lanes:  lanes.New(most*packets, octets*packets),
		queue:  make([]queued, 0, packets),
	}
}

// Full reports whether Run must come before another packet.
func (d *Digests) Full() bool { return !d.ran && len(d.queue) == cap(d.queue) }

// room returns ErrFull when there is no place for another packet.
func (d *Digests) room() error {
	if d.ran {
		d.queue, d.ran = d.queue[:0], false
	}
	if len(d.queue) == cap(d.queue) {
		return ErrFull
	}
	return nil
}

// Run computes the digests of all queued packets.
func (d *Digests) Run() {
	if d.ran {
		return
	}
	d.ran = true
	d.lanes.Run()
	overZeros := false
	for i := range d.queue {
		q := &d.queue[i]
		if q.sign {
			d.write(q)
		} else if d.compare(q); q.result == ErrMessageAuthenticator && q.zeros != nil {
			overZeros = true
		}
	}
	d.lanes.Reset()
	if overZeros {
		d.verifyOverZeros()
	}
}

// Result returns what the packet's digests say, nil when they hold: one of the
// errors that the method which gave the ticket lists. ErrNotRun before Run.
func (d *Digests) Result(t Ticket) error {
	if !d.ran || int(t) >= len(d.queue) {
		return ErrNotRun
	}
	return d.queue[t].result
}

// Reset forgets what is queued: nothing is written to, and no result known.
func (d *Digests) Reset() {
	d.lanes.Reset()
	d.queue, d.ran = d.queue[:0], false
}
