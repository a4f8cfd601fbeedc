package audit

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"radsec-gw/metrics"
)

const (
	// lineBuffer bounds the lines that wait, in octets: at 200 octets a line some
	// 5,000 requests.
	lineBuffer = 1 << 20
	// gatherLines is how long the first line waits for company, so that a busy
	// gateway makes 50 writes a second and not one for each line.
	gatherLines = 20 * time.Millisecond
)

// lines is a bounded buffer of lines and the goroutine that writes them. Putting
// a line costs a lock, a copy, and now and then a wake-up.
type lines struct {
	// static after construction
	out   io.Writer
	queue *metrics.Queue
	wake  chan struct{}

	mu      sync.Mutex // guards filling
	filling []byte     // whole lines; the array is never grown

	spare []byte // owned by run
}

func newLines(out io.Writer, queue *metrics.Queue) *lines {
	return &lines{out: out, queue: queue, wake: make(chan struct{}, 1),
		filling: make([]byte, 0, lineBuffer), spare: make([]byte, 0, lineBuffer)}
}

// put adds a line, which ends with its newline, or drops it and counts it when
// the buffer is full. It does not keep line.
func (l *lines) put(line []byte) {
	l.mu.Lock()
	before := len(l.filling)
	if before+len(line) > lineBuffer {
		l.mu.Unlock()
		l.queue.Shed(1)
		return
	}
	l.filling = append(l.filling, line...)
	l.mu.Unlock()
	l.queue.Add(len(line))
	if before == 0 || before < lineBuffer/2 && before+len(line) >= lineBuffer/2 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// run writes what was put until ctx is done and nothing is left.
func (l *lines) run(ctx context.Context) {
	gather := time.NewTimer(gatherLines)
	defer gather.Stop()
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			l.write()
			return
		}
		gather.Reset(gatherLines)
		select {
		case <-gather.C:
		case <-l.wake: // half full
		case <-ctx.Done():
		}
		l.write()
	}
}

func (l *lines) write() {
	l.mu.Lock()
	full := l.filling
	l.filling = l.spare[:0]
	l.mu.Unlock()
	if len(full) > 0 {
		if _, err := l.out.Write(full); err != nil { // nobody is left to tell but the count
			l.queue.Shed(bytes.Count(full, []byte{'\n'}))
		}
		l.queue.Add(-len(full))
	}
	l.spare = full
}
