package logs

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	// After a write that failed the next is tried after firstPause, then after
	// twice the pause before, at most longestPause: a full disk or a pipe without a
	// reader costs two system calls a second, and writing resumes within half a second.
	firstPause   = 10 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// writer has the fields that only the writing goroutine uses.
type writer struct {
	batch    *batch        // being written
	reported Losses        // by notices
	pause    time.Duration // after the next failure
	over     bool          // Close has given up
}

// run writes lines until Close is called and all are written, or until Close gives up.
func (o *Output) run() {
	defer close(o.ended)
	gather := time.NewTimer(gatherTime)
	defer gather.Stop()
	for last := false; !last && !o.over; {
		select {
		case <-o.hurry:
		case <-o.wake:
			gather.Reset(gatherTime)
			select {
			case <-gather.C:
			case <-o.hurry:
			case <-o.closing:
			}
		case <-o.closing:
			last = true
		}
		o.flush()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.discard(o.filling)
}

// flush writes the lines that wait, then a notice of lines that were lost.
func (o *Output) flush() {
	o.mu.Lock()
	o.batch, o.filling = o.filling, o.batch
	o.mu.Unlock()
	lost := o.losses()
	ok := o.write(o.batch)
	o.batch.reset()
	if unreported := lost.minus(&o.reported); ok && o.notice != nil && unreported.total() > 0 {
		line := o.notice(unreported)
		o.writeNotice(append([]byte(o.priority(line)), line...), lost)
	}
}

// writeNotice writes the line that reports losses.
func (o *Output) writeNotice(line []byte, lost Losses) {
	o.waiting.Add(int64(len(line)))
	if o.write(&batch{text: line, lines: []mark{{end: int32(len(line)), kind: KindEvent}}}) {
		o.reported = lost
		o.isLosing.Store(false)
	}
}

// write writes the batch, and retries after errors, unless the reader has gone or Close
// gives up: then the rest is lost, and it returns false.
func (o *Output) write(b *batch) bool {
	for len(b.rest()) > 0 {
		n, err := o.w.Write(b.rest())
		n = min(max(n, 0), len(b.rest()))
		o.waiting.Add(-int64(n))
		b.advance(n, func(k Kind) { o.written[k].Add(1) })
		if n > 0 {
			o.pause = firstPause
		} else if err == nil {
			err = io.ErrNoProgress
		}
		if err == nil {
			continue
		}
		o.writeErrors.Add(1)
		gone := nobodyReads(err)
		if gone {
			o.discard(b)
		}
		o.sleep()
		if gone || o.over {
			o.discard(b)
			return false
		}
	}
	return true
}

// nobodyReads reports whether an error means that the rest can never be read: the reader
// of the pipe or socket has gone, or the file is closed. After any other error (a full
// disk; a pipe that is full and does not block) the rest is written later, from where the
// last write ended.
func nobodyReads(err error) bool {
	for _, one := range []error{syscall.EPIPE, syscall.ECONNRESET, syscall.EBADF, os.ErrClosed, net.ErrClosed, io.ErrClosedPipe} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// discard counts the rest of the batch as lost, including a line of which only a part was
// written.
func (o *Output) discard(b *batch) {
	o.waiting.Add(-int64(len(b.rest())))
	b.advance(len(b.rest()), func(k Kind) { o.lose(k, WriteFailed) })
}

// sleep waits before the next try.
func (o *Output) sleep() {
	pause, closing := o.pause, o.closing
	o.pause = min(2*o.pause, longestPause)
	select {
	case <-o.closing:
		pause, closing = firstPause, nil
	default:
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-closing:
	case <-o.giveUp:
		o.over = true
	}
}
