package tlsfront

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
)

// keyLogLines bounds the lines that wait for the disk: five for each handshake of TLS 1.3.
const keyLogLines = 4096

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
	lost    atomic.Int64
	log     *slog.Logger
	limit   logs.Limiter

	mu     locks.Mutex[locks.KeyLog] // guards closed; held for sending to lines
	closed bool                      // Close was called: nothing more goes to lines
}

// OpenKeyLogFile opens a file to append keys to, which it creates for this user alone. A
// file that others may read, or that is not a regular file, is refused. It may wait for the
// disk.
func OpenKeyLogFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = refuseKeyLog(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// CheckKeyLogFile returns why OpenKeyLogFile would refuse a path, as far as that can be seen
// without making the file. It may wait for the disk.
func CheckKeyLogFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return err
	}
	if err != nil {
		return err
	}
	return refuseKeyLog(path, info)
}

func refuseKeyLog(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("expected a file that only its owner can read and write, got %s with mode %#o: whoever reads it can decrypt every connection; run chmod 600 on it", path, info.Mode().Perm())
	}
	return nil
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
	return len(line), nil
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
	w := k.to
	defer w.Close()
	for {
		select {
		case line := <-k.lines:
			if _, err := w.Write(line); err != nil {
				k.lose(err)
			}
		case <-k.closing:
			for len(k.lines) > 0 {
				if _, err := w.Write(<-k.lines); err != nil {
					k.lose(err)
				}
			}
			return
		}
	}
}

// Close ends the writing, and waits a moment for what is queued. What is written later, by
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
	}
}
