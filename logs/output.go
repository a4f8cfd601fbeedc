package logs

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
)

const (
	// queueBytes and queueLines bound what waits, in each of two batches: the one
	// that is filled and the one that is being written. 20,000 requests a second
	// with lines of 230 bytes are 4.6 MB a second: 2 MiB are 0.45 s of a disk that
	// writes nothing. 64 bytes are about the shortest line, so that the bytes are reached
	// before the number of lines is; a mark has 8 bytes, so all of it
	// is 2 × (2 MiB + 256 KiB) = 4.5 MiB, of which an idle gateway touches one page.
	queueBytes = 2 << 20
	queueLines = queueBytes / 64
	// gatherTime is how long the line of a request waits for others, so that a busy
	// gateway makes 50 writes a second and not one for each line.
	gatherTime = 20 * time.Millisecond
	// closeTime is how long Close waits until everything is written. Then it waits
	// giveUpTime for the goroutine to end, which it does at once unless it hangs in a
	// write.
	closeTime  = 900 * time.Millisecond
	giveUpTime = 100 * time.Millisecond
)

// Output is a bounded queue of lines and the goroutine that writes them. Its
// methods may be called from any goroutine. A nil Output discards lines.
type Output struct {
	// static after construction
	w          io.Writer
	limit      int                 // bytes
	priorities bool                // each line begins with its priority, for the journal
	notice     func(Losses) []byte // makes the line that reports losses; nil: none is written
	losing     func()              // called at the first loss that no notice has reported; must not block
	wake       chan struct{}       // capacity 1: the batch is no longer empty
	hurry      chan struct{}       // capacity 1: the batch is to be written at once
	closing    chan struct{}       // closed by Close
	giveUp     chan struct{}       // closed by Close, closeTime later
	ended      chan struct{}       // closed by run
	once       sync.Once           // for Close

	written     [NumKinds]atomic.Uint64
	lost        [NumKinds][NumReasons]atomic.Uint64
	writeErrors atomic.Uint64
	waiting     atomic.Int64 // bytes
	isLosing    atomic.Bool  // losing was called, and no notice written since

	mu      locks.Mutex[locks.Output] // guards the fields below
	closed  bool
	filling *batch

	writer // owned by run
}

// NewOutput returns an Output that writes to w, whole lines in few calls. Only
// its goroutine calls w. The caller must call Close.
func NewOutput(w io.Writer) *Output {
	o := newOutput(w, queueBytes, queueLines)
	go o.run()
	return o
}

func newOutput(w io.Writer, bytes, lines int) *Output {
	return &Output{
		w:       w,
		limit:   2 * bytes,
		wake:    make(chan struct{}, 1),
		hurry:   make(chan struct{}, 1),
		closing: make(chan struct{}),
		giveUp:  make(chan struct{}),
		ended:   make(chan struct{}),
		filling: newBatch(bytes, lines),
		writer:  writer{batch: newBatch(bytes, lines), pause: firstPause},
	}
}

// Put queues a line, which ends with its newline, or drops and counts it when
// it does not fit. It never waits, and does not keep line.
func (o *Output) Put(kind Kind, line []byte) {
	if o == nil {
		return
	}
	o.mu.Lock()
	b, priority := o.filling, o.priority(line)
	before := b.halfFull()
	if o.closed || !b.add(kind, priority, line) {
		o.mu.Unlock()
		o.lose(kind, QueueFull)
		return
	}
	o.waiting.Add(int64(len(priority) + len(line)))
	first, hurry := len(b.lines) == 1, kind == KindEvent || !before && b.halfFull()
	o.mu.Unlock()
	if hurry {
		raise(o.hurry)
	} else if first {
		raise(o.wake)
	}
}

// priority returns what is written before a line.
func (o *Output) priority(line []byte) string {
	if !o.priorities {
		return ""
	}
	return priorityOf(line)
}

// raise sends to a channel of capacity 1, unless it is full.
func raise(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lose counts a line that was lost.
func (o *Output) lose(kind Kind, why Reason) {
	o.lost[kind][why].Add(1)
	if o.losing != nil && o.isLosing.CompareAndSwap(false, true) {
		o.losing()
	}
}

// Close writes what is queued, within a second, and ends the goroutine. Lines
// that are put from then on are dropped. When the writer hangs in a write, the
// goroutine stays behind: only the end of the process ends it.
func (o *Output) Close() {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.once.Do(func() {
		close(o.closing)
		t := time.NewTimer(closeTime)
		defer t.Stop()
		select {
		case <-o.ended:
			return
		case <-t.C:
		}
		close(o.giveUp)
		t.Reset(giveUpTime)
		select {
		case <-o.ended:
		case <-t.C:
		}
	})
}

// Written returns how many lines of the kind were written so far.
func (o *Output) Written(k Kind) uint64 {
	if o == nil {
		return 0
	}
	return o.written[k].Load()
}

// Lost returns how many lines of the kind were lost so far for this reason.
func (o *Output) Lost(k Kind, why Reason) uint64 {
	if o == nil {
		return 0
	}
	return o.lost[k][why].Load()
}

// losses returns the lines lost so far.
func (o *Output) losses() (l Losses) {
	for k := range l {
		for r := range l[k] {
			l[k][r] = o.lost[k][r].Load()
		}
	}
	return l
}

// WriteErrors returns how many writes have failed so far.
func (o *Output) WriteErrors() uint64 {
	if o == nil {
		return 0
	}
	return o.writeErrors.Load()
}

// Waiting returns how many bytes are not written yet.
func (o *Output) Waiting() int64 {
	if o == nil {
		return 0
	}
	return o.waiting.Load()
}

// Limit returns the most bytes that may wait.
func (o *Output) Limit() int {
	if o == nil {
		return 0
	}
	return o.limit
}
