package wire

import (
	"crypto/md5"
	"errors"

	"radsec-gw/wire/lanes"
)

// MaxDigests is how many packets can be queued in a Digests before Run. More than sixteen
// gain nothing: that many are hashed at once.
const MaxDigests = 32

// Errors in the use of a Digests.
var (
	ErrFull   = errors.New("digests: the queue is full; call Run first")
	ErrNotRun = errors.New("digests: no result yet; call Run first")
)

// Ticket identifies a queued packet. After Run, Digests.Result returns its result.
type Ticket uint8

// Digests verifies, rewrites and signs up to MaxDigests packets, and computes
// their digests all at once, several times as fast as one after another. It
// belongs to one goroutine.
//
// Packets are queued in any order and mixture by VerifyRequest, WriteRequest,
// VerifyReply, WriteReply and WriteAnswer, each of which checks at once what
// needs no digest, and queues the packet unless it returns an error. Then Run
// computes the digests: results are known, and packets written are complete.
// The next packet queued begins a new batch and invalidates old tickets.
//
// The octets of a queued packet, the View.Packet of one to verify and the dst of
// one written, must stay where they are and unchanged until Run. Everything
// else that is passed, View and authenticators included, may be reused when the call
// returns. The authenticator of a request other than Access-Request is known
// only after Run: until then its field holds zeros.
//
// Nothing allocates, except that the memory for copies grows with the batches: 40
// KiB at first, 300 KiB after MaxDigests packets of MaxLength.
type Digests struct {
	cipher
	lanes *lanes.Hasher

	queue []queued
	ran   bool // Run has been called: the next packet begins a new batch
}

// queued is one packet in the queue.
type queued struct {
	packet  []byte
	sign    bool    // the digests are written to packet; otherwise compared with it
	ra, mac int     // the numbers of its digests in lanes, or none
	off     int     // of its Message-Authenticator
	wrongRA error   // the result when the Authenticator field differs
	zeros   *secret // for verifyOverZeros; nil: not verified over zeros
	result  error
}

const none = -1

// NewDigests returns a Digests that belongs to the calling goroutine, until it hands
// it to another.
func NewDigests() *Digests { return newDigests(MaxDigests) }

// newDigests returns a Digests for up to packets packets. At first it has memory for
// copies of packets of 512 octets on average, and for the digests of a few hidden values.
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

// space returns ErrFull when another packet does not fit.
func (d *Digests) space() error {
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

// Result returns nil when the packet's digests are valid, otherwise one of the errors
// that the method which returned the ticket lists. ErrNotRun before Run.
func (d *Digests) Result(t Ticket) error {
	if !d.ran || int(t) >= len(d.queue) {
		return ErrNotRun
	}
	return d.queue[t].result
}

// Reset empties the queue without computing anything.
func (d *Digests) Reset() {
	d.lanes.Reset()
	d.queue, d.ran = d.queue[:0], false
}
