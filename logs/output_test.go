package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// sink is what an Output writes to. A test changes how it behaves, by the hook.
type sink struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	hook   func(p []byte) (int, error) // nil: takes everything
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	hook := s.hook
	s.writes++
	s.mu.Unlock()
	n, err := len(p), error(nil)
	if hook != nil {
		n, err = hook(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p[:n])
	return n, err
}

func (s *sink) behave(hook func(p []byte) (int, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// calls returns how many writes there were.
func (s *sink) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func failing(err error) func([]byte) (int, error) {
	return func([]byte) (int, error) { return 0, err }
}

// start runs an Output with a small queue, which reports losses as "lost N".
func start(s io.Writer, size, lines int) *Output {
	o := newOutput(s, size, lines)
	o.notice = func(l Losses) []byte {
		return fmt.Appendf(nil, "lost full=%d failed=%d\n", l[KindEvent][QueueFull]+l[KindRequest][QueueFull], l[KindEvent][WriteFailed]+l[KindRequest][WriteFailed])
	}
	go o.run()
	return o
}

// The writer hangs in a write: callers do not wait, lines that do not fit are counted,
// and when the write returns a line reports how many were lost.
func TestCallersDoNotWaitForAWriterThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		s := &sink{hook: func(p []byte) (int, error) { <-hang; return len(p), nil }}
		o := start(s, 1000, 100)
		o.Put(KindEvent, []byte("first\n"))
		synctest.Wait()
		before := time.Now()
		for i := range 100 {
			o.Put(KindEvent, fmt.Appendf(nil, "line %013d\n", i)) // 19 bytes: 52 fit
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("putting lines took %v, expected no time", took)
		}
		if n := o.Lost(KindEvent, QueueFull); n != 48 {
			t.Errorf("%d lines counted as lost, expected 48", n)
		}
		if n := o.Waiting(); n != 6+52*19 {
			t.Errorf("%d bytes wait, expected %d", n, 6+52*19)
		}
		close(hang)
		synctest.Wait()
		o.Put(KindEvent, []byte("after\n"))
		o.Close()
		if got, want := s.String(), "first\nline 0000000000000\n"; !strings.HasPrefix(got, want) {
			t.Errorf("written %q, expected it to begin with %q", got, want)
		}
		if got, want := s.String(), "line 0000000000051\nlost full=48 failed=0\nafter\n"; !strings.HasSuffix(got, want) {
			t.Errorf("written %q, expected it to end with %q", got, want)
		}
		if n := o.Written(KindEvent); n != 1+52+1+1 {
			t.Errorf("%d lines counted as written, expected 55: 54 lines and the notice", n)
		}
		if n := o.Waiting(); n != 0 {
			t.Errorf("%d bytes wait at the end, expected 0", n)
		}
	})
}

// A busy request log leaves a quarter of the queue to what the program has to say.
func TestRequestLinesLeaveAQuarter(t *testing.T) {
	for _, row := range []struct {
		name        string
		size, lines int
	}{{"bytes", 1000, 1 << 20}, {"lines", 1 << 20, 100}} {
		synctest.Test(t, func(t *testing.T) {
			hang := make(chan struct{})
			s := &sink{hook: func(p []byte) (int, error) { <-hang; return len(p), nil }}
			o := start(s, row.size, row.lines)
			o.Put(KindEvent, []byte("first\n"))
			synctest.Wait()
			for range 200 {
				o.Put(KindRequest, []byte("request..\n"))
			}
			if n := o.Lost(KindRequest, QueueFull); n != 125 {
				t.Errorf("%s: %d lines of requests lost, expected 125 of 200", row.name, n)
			}
			for range 25 {
				o.Put(KindEvent, []byte("event....\n"))
			}
			if n := o.Lost(KindEvent, QueueFull); n != 0 {
				t.Errorf("%s: %d events lost, expected none", row.name, n)
			}
			close(hang)
			o.Close()
		})
	}
}

// Lines of requests of one moment go out together; an event goes out at once.
func TestLinesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		o := start(s, 1<<20, 1<<14)
		for range 100 {
			o.Put(KindRequest, []byte("request\n"))
			synctest.Wait()
		}
		if n := s.calls(); n != 0 {
			t.Errorf("%d writes at once, expected the lines to wait for others", n)
		}
		time.Sleep(gatherTime)
		synctest.Wait()
		if n := s.calls(); n != 1 {
			t.Errorf("%d writes for 100 lines of one moment, expected 1", n)
		}
		before := time.Now()
		o.Put(KindEvent, []byte("event\n"))
		synctest.Wait()
		if n := s.calls(); n != 2 || time.Since(before) != 0 {
			t.Errorf("%d writes %v after an event, expected 2 at once", n, time.Since(before))
		}
		o.Close()
	})
}

// A full queue does not wait for the gathering to end.
func TestAHalfFullQueueIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		o := start(s, 1000, 1000)
		before := time.Now()
		for range 1000 {
			o.Put(KindRequest, []byte("request..\n"))
			synctest.Wait()
		}
		if took := time.Since(before); took != 0 || o.Lost(KindRequest, QueueFull) != 0 {
			t.Errorf("1000 lines took %v and %d were lost, expected no time and none", took, o.Lost(KindRequest, QueueFull))
		}
		o.Close()
	})
}

// Close waits for what is queued, but no longer than a second, whatever the
// writer does.
func TestCloseTakesASecondAtMost(t *testing.T) {
	for _, row := range []struct {
		name string
		hook func(release chan struct{}) func([]byte) (int, error)
		want time.Duration
	}{
		{"a writer that works", func(chan struct{}) func([]byte) (int, error) { return nil }, 0},
		{"a writer that hangs", func(release chan struct{}) func([]byte) (int, error) {
			return func(p []byte) (int, error) { <-release; return 0, io.ErrClosedPipe }
		}, closeTime + giveUpTime},
		{"a full disk", func(chan struct{}) func([]byte) (int, error) { return failing(syscall.ENOSPC) }, closeTime},
		{"a slow writer", func(chan struct{}) func([]byte) (int, error) {
			return func(p []byte) (int, error) { time.Sleep(300 * time.Millisecond); return len(p), nil }
		}, 600 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			s := &sink{hook: row.hook(release)}
			o := start(s, 1000, 100)
			o.Put(KindEvent, []byte("one\n"))
			synctest.Wait()
			o.Put(KindEvent, []byte("two\n"))
			before := time.Now()
			o.Close()
			if took := time.Since(before); took != row.want {
				t.Errorf("%s: Close took %v, expected %v", row.name, took, row.want)
			}
			if got := s.String(); row.want < closeTime && got != "one\ntwo\n" {
				t.Errorf("%s: written %q, expected both lines", row.name, got)
			}
			o.Put(KindEvent, []byte("too late\n"))
			if n := o.Lost(KindEvent, QueueFull); n != 1 {
				t.Errorf("%s: %d lines put after the end are counted as lost, expected 1", row.name, n)
			}
			close(release)
			synctest.Wait()
			if n := o.Written(KindEvent) + o.Lost(KindEvent, WriteFailed); n != 2 {
				t.Errorf("%s: %d lines counted as written or lost, expected 2", row.name, n)
			}
		})
	}
}

// The disk is full: lines wait, what the queue does not hold is lost, and all
// that waited is written when there is space, from where the last write ended.
func TestAFullDiskIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{hook: func(p []byte) (int, error) { return 3, syscall.ENOSPC }} // "one" of "one\n", once
		o := start(s, 1000, 4)
		o.Put(KindEvent, []byte("one\n"))
		synctest.Wait()
		s.behave(failing(syscall.ENOSPC))
		for i := range 6 {
			o.Put(KindEvent, fmt.Appendf(nil, "more %d\n", i))
		}
		time.Sleep(time.Minute)
		if n := o.WriteErrors(); n < 100 || n > 130 {
			t.Errorf("%d writes tried in a minute, expected about 120", n)
		}
		s.behave(nil)
		time.Sleep(longestPause)
		synctest.Wait()
		if got, want := s.String(), "one\nmore 0\nmore 1\nmore 2\nmore 3\nlost full=2 failed=0\n"; got != want {
			t.Errorf("written %q, expected %q", got, want)
		}
		o.Close()
	})
}

// The reader of the pipe has gone: lines that were written there are lost and counted,
// the process goes on, and another reader gets whole lines.
func TestAPipeWithoutReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{hook: failing(syscall.EPIPE)}
		o := start(s, 1000, 100)
		told := 0
		o.losing = func() { told++ }
		for i := range 10 {
			o.Put(KindEvent, fmt.Appendf(nil, "line %d\n", i))
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := o.Lost(KindEvent, WriteFailed); n != 10 || o.Waiting() != 0 {
			t.Errorf("%d lines counted as lost and %d bytes wait, expected 10 and 0", n, o.Waiting())
		}
		if told != 1 {
			t.Errorf("the loss was told %d times, expected once", told)
		}
		s.behave(nil)
		o.Put(KindEvent, []byte("line 10\n"))
		time.Sleep(longestPause)
		synctest.Wait()
		if got, want := s.String(), "line 10\nlost full=0 failed=10\n"; got != want {
			t.Errorf("written %q, expected %q", got, want)
		}
		o.Close()
	})
}

// Short writes, and a pipe that does not block and is full now and then.
func TestShortWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{nil, io.ErrShortWrite, syscall.EAGAIN} {
			s := &sink{hook: func(p []byte) (int, error) { return min(2, len(p)), err }}
			o := start(s, 1000, 100)
			o.Put(KindEvent, []byte("one\n"))
			o.Put(KindRequest, []byte("two\n"))
			time.Sleep(time.Minute)
			o.Close()
			if got := s.String(); got != "one\ntwo\n" {
				t.Errorf("%v: written %q, expected both lines whole", err, got)
			}
			if o.Written(KindEvent) != 1 || o.Written(KindRequest) != 1 {
				t.Errorf("%v: %d events and %d requests counted, expected one each", err, o.Written(KindEvent), o.Written(KindRequest))
			}
		}
		// A writer that takes nothing and reports no error is not called in a loop.
		s := &sink{hook: func([]byte) (int, error) { return 0, nil }}
		o := start(s, 1000, 100)
		o.Put(KindEvent, []byte("one\n"))
		time.Sleep(10 * time.Second)
		if n := o.WriteErrors(); n > 30 {
			t.Errorf("%d writes in 10 s, expected about 25", n)
		}
		o.Close()
	})
}

// Lines of many goroutines are whole, each once, those of one goroutine in order.
func TestLinesOfManyGoroutinesAreWhole(t *testing.T) {
	const goroutines, each = 8, 500
	s := &sink{}
	o := NewOutput(s)
	var running sync.WaitGroup
	for g := range goroutines {
		running.Go(func() {
			for i := range each {
				o.Put(Kind(g%NumKinds), fmt.Appendf(nil, "%d %d %s\n", g, i, strings.Repeat("x", (g*31+i)%100)))
			}
		})
	}
	running.Wait()
	o.Close()
	next := [goroutines]int{}
	for line := range strings.Lines(s.String()) {
		var g, i int
		if _, err := fmt.Sscanf(line, "%d %d ", &g, &i); err != nil || i != next[g] {
			t.Fatalf("got the line %q (%v), expected number %d of its goroutine", line, err, next[g])
		}
		if want := fmt.Sprintf("%d %d %s\n", g, i, strings.Repeat("x", (g*31+i)%100)); line != want {
			t.Fatalf("got the line %q, expected %q", line, want)
		}
		next[g]++
	}
	for g, n := range next {
		if n != each {
			t.Errorf("%d lines of goroutine %d, expected %d", n, g, each)
		}
	}
}

func TestANilOutputTakesLines(t *testing.T) {
	var o *Output
	o.Put(KindEvent, []byte("line\n"))
	o.Close()
	if o.Written(KindEvent)+o.Lost(KindEvent, QueueFull)+o.WriteErrors()+uint64(o.Waiting())+uint64(o.Limit()) != 0 {
		t.Error("a nil Output counts something")
	}
}

func TestWhichErrorsMeanThatNobodyReads(t *testing.T) {
	for err, want := range map[error]bool{
		fmt.Errorf("write /dev/stderr: %w", syscall.EPIPE): true, syscall.EBADF: true, io.ErrClosedPipe: true,
		syscall.ENOSPC: false, syscall.EAGAIN: false, syscall.EIO: false, errors.New("anything else"): false,
	} {
		if got := nobodyReads(err); got != want {
			t.Errorf("nobodyReads(%v) = %v, expected %v", err, got, want)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	line := []byte(strings.Repeat("x", 229) + "\n")
	for _, row := range []struct {
		name string
		kind Kind
		hang bool
	}{{"request", KindRequest, false}, {"event", KindEvent, false}, {"full", KindRequest, true}} {
		b.Run(row.name, func(b *testing.B) {
			release := make(chan struct{})
			s := writerFunc(func(p []byte) (int, error) {
				if row.hang {
					<-release
				}
				return len(p), nil
			})
			o := NewOutput(s)
			b.ReportAllocs()
			for b.Loop() {
				o.Put(row.kind, line)
			}
			close(release)
			o.Close()
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
