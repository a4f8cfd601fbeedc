package udpback

import (
	"log/slog"
	"sync"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Back holds what the servers share: the clock, the buffers, the batches on loan.
type Back struct {
	// static after construction
	log     *slog.Logger
	metrics *metrics.Metrics
	dial    dialer
	base    time.Time // the clock counts from here
	states  states

	Buffers   Buffers
	batches   sync.Pool // *Batch
	receivers sync.Pool // *receiver
	sweepings sync.Pool // *sweepings
}

// New returns a Back that opens real UDP sockets.
func New(m *metrics.Metrics, log *slog.Logger) *Back {
	return NewDialing(m, log, dialUDP)
}

// NewDialing returns a Back whose sockets come from dial: a test's network, say.
func NewDialing(m *metrics.Metrics, log *slog.Logger, dial Dial) *Back {
	return newBack(m, log, batching(dial))
}

func newBack(m *metrics.Metrics, log *slog.Logger, dial dialer) *Back {
	b := &Back{log: log, metrics: m, dial: dial, base: time.Now()}
	b.batches.New = func() any {
		return &Batch{Hasher: wire.NewHasher(), back: b, digests: wire.NewDigests(), items: make([]item, 0, wire.MaxDigests)}
	}
	b.receivers.New = func() any { return &receiver{verify: wire.NewDigests(), sign: wire.NewDigests()} }
	b.sweepings.New = func() any { return &sweepings{hasher: wire.NewHasher()} }
	return b
}

// Borrow lends a batch; the borrower must Flush it and give it back.
func (b *Back) Borrow() *Batch { return b.batches.Get().(*Batch) }

// GiveBack takes a flushed batch back.
func (b *Back) GiveBack(batch *Batch) { b.batches.Put(batch) }

// Now is a monotonic clock that starts near zero: durations are cheaper to keep
// and to compare than times. It is never 0, which means 'not set'.
func (b *Back) Now() time.Duration { return time.Since(b.base) + 1 }
