package tlsfront

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
)

// keyLogLines bounds the lines that wait for the disk: five for each handshake of TLS 1.3.
const keyLogLines = 4096

// keyLogSlow is how long the disk may take for one line before that is logged.
const keyLogSlow = 3 * time.Second

// keyLogCloseTime bounds how long Close waits for a disk that hangs.
const keyLogCloseTime = 500 * time.Millisecond

// KeyLog writes the secrets of TLS connections to a file, in the format that Wireshark
// reads (NSS key log). A handshake never waits for the file: lines that it does not take in
// time are dropped.
type KeyLog struct {
	to      io.WriteCloser
	lines   chan []byte
	closing chan struct{}
	ended   chan struct{}
	begun   atomic.Int64 // when the disk got the line that it has not taken yet, in ns of Unix time; 0: it has taken all
	lost    atomic.Int64
	log     *slog.Logger
	limit   logs.Limiter // of lines about what was lost
	slow    logs.Limiter // of lines about a disk that does not answer

	mu     locks.Mutex[locks.KeyLog] // guards closed; held for sending to lines
	closed bool                      // Close was called: nothing more goes to lines
}

// NewKeyLog returns a KeyLog that writes to w until Close, which also closes w.
func NewKeyLog(w io.WriteCloser, log *slog.Logger) *KeyLog {
	k := &KeyLog{to: w, lines: make(chan []byte, keyLogLines), closing: make(chan struct{}), ended: make(chan struct{}), log: log}
	go k.run()
	return k
}

// WritesTo reports whether the KeyLog writes to that file, which may have been opened again.
func (k *KeyLog) WritesTo(f *os.File) bool {
	to, ok := k.to.(*os.File)
	if !ok {
		return false
	}
	old, err := to.Stat()
	if err != nil {
		return false
	}
	now, err := f.Stat()
	return err == nil && os.SameFile(old, now)
}

// Write queues a line, or drops it. crypto/tls calls it during handshakes, which an error
// would end: there is none.
func (k *KeyLog) Write(line []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		k.lose(errors.New("a reload replaced the file while the handshake ran"))
		return len(line), nil
	}
	select {
	case k.lines <- bytes.Clone(line):
	default:
		k.lose(errors.New("lines arrive faster than the disk takes them"))
	}
	k.reportSlow()
	return len(line), nil
}

// reportSlow logs that the disk has not taken a line for long. Write calls it: no timer is
// needed for each line, and the first handshake after keyLogSlow says so.
func (k *KeyLog) reportSlow() {
	begun := k.begun.Load()
	if begun == 0 {
		return
	}
	took := time.Since(time.Unix(0, begun))
	if took < keyLogSlow {
		return
	}
	k.slow.Log(func() logs.Line {
		return logs.Line{Log: k.log, Level: slog.LevelError, Text: "key_log_file is on a disk that does not answer; keys of TLS connections wait in memory, and are lost when the queue is full",
			Fields: []any{"unanswered", took.Round(time.Second), "lines_waiting", k.waiting(), "queue", keyLogLines}}
	})
}

// waiting returns how many lines the disk has not taken.
func (k *KeyLog) waiting() int {
	n := len(k.lines)
	if k.begun.Load() != 0 {
		n++
	}
	return n
}

// Lost returns how many lines were dropped.
func (k *KeyLog) Lost() int64 { return k.lost.Load() }

func (k *KeyLog) lose(err error) {
	k.lost.Add(1)
	k.limit.Log(func() logs.Line {
		return logs.Line{Log: k.log, Level: slog.LevelError, Text: "keys of TLS connections could not be written to key_log_file; these connections cannot be decrypted",
			Fields: []any{"error", err, "lines_lost", k.lost.Load()}}
	})
}

// run writes the lines. What waits at Close is still written.
func (k *KeyLog) run() {
	defer close(k.ended)
	defer k.to.Close()
	for {
		select {
		case line := <-k.lines:
			k.writeLine(line)
		case <-k.closing:
			for len(k.lines) > 0 {
				k.writeLine(<-k.lines)
			}
			return
		}
	}
}

func (k *KeyLog) writeLine(line []byte) {
	k.begun.Store(time.Now().UnixNano())
	_, err := k.to.Write(line)
	k.begun.Store(0)
	if err != nil {
		k.lose(err)
	}
}

// Close ends the writing, and waits a moment for what is queued. If the disk does not take
// that in time, it logs how many lines are not written yet. What is written later, by
// handshakes that began before, is lost. It must be called once.
func (k *KeyLog) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	close(k.closing)
	t := time.NewTimer(keyLogCloseTime)
	defer t.Stop()
	select {
	case <-k.ended:
	case <-t.C:
		k.log.Error("key_log_file is on a disk that does not answer; keys of TLS connections are not written yet, and are lost if the gateway ends first", "lines_not_written", k.waiting())
	}
}
