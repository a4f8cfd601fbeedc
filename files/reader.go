// Package files reads the files that a configuration names, and never waits
// longer than a deadline for a disk that does not answer.
//
// A read from a network disk that is unreachable blocks until the disk is back, and
// cannot be interrupted. So each read has a goroutine of its own: the caller waits
// until a deadline, and the goroutine ends when the read does.
//
//	reader.go    Reader: calls that may block, at most one for each path
//	open.go      opening by such a call
//	snapshot.go  Snapshot: a set of files, each read once
//	parse.go     parsing what was read: a panic is an error
//	sums.go      Sums: the hashes of a snapshot, to detect changes
//	public.go    whether every user of the machine can read a file, or write to it
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"radsec-gw/locks"
)

const (
	fileTimeout = 5 * time.Second  // for one file: a healthy network disk needs milliseconds
	setTimeout  = 30 * time.Second // for all files of a Snapshot together

	// maxStuck bounds the calls that have not returned: each one occupies a thread of
	// the operating system.
	maxStuck = 64
)

// Reader reads files. A process should have one: it remembers which calls have not
// returned, so that a retry does not add to them.
type Reader struct {
	// static after construction
	read func(path string, limit int64, regular bool) ([]byte, error)
	// Parsing is called before a file is parsed (Snapshot.Parse); nil: nothing is. A test may
	// panic in it. It must be set before the Reader is used.
	Parsing func(path string)

	mu      locks.Mutex[locks.Reader] // guards running
	running map[string]chan struct{}  // by path; each is closed when its call returns
}

// NewReader returns a Reader.
func NewReader() *Reader {
	return &Reader{read: readFile, running: map[string]chan struct{}{}}
}

// StuckError reports that a call that accesses Path has not returned in time.
type StuckError struct{ Path string }

// Error implements error. The text is the same each time, so that Sums do not change
// while the file blocks.
func (e *StuckError) Error() string {
	return fmt.Sprintf("%s blocks: expected an answer within %v, got none; it is on a disk that does not answer, or is a pipe without a writer", e.Path, fileTimeout)
}

// Call runs f, which accesses path, in a goroutine of its own and returns its
// error, or a *StuckError when f has not returned within 5 seconds, or the error
// of ctx when that ends first. While a call for the same path has not returned,
// another one waits for it.
//
// f may still run after Call has returned.
func (r *Reader) Call(ctx context.Context, path string, f func() error) error {
	deadline := time.NewTimer(fileTimeout)
	defer deadline.Stop()
	for {
		result, busy, err := r.begin(path, f)
		if err != nil {
			return err
		}
		select {
		case err := <-result:
			return err
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return &StuckError{Path: path}
		}
	}
}

// begin starts f, and returns a channel that receives its error. If a call for the same
// path has not returned, it does not start f, and returns a channel that is closed when
// that call returns.
func (r *Reader) begin(path string, f func() error) (result chan error, busy chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if busy := r.running[path]; busy != nil {
		return nil, busy, nil
	}
	if len(r.running) >= maxStuck {
		return nil, nil, fmt.Errorf("%s was not opened: %d calls for other files have not returned; do the disks answer?", path, maxStuck)
	}
	result, ended := make(chan error, 1), make(chan struct{})
	r.running[path] = ended
	go func() {
		result <- f()
		r.mu.Lock()
		delete(r.running, path)
		r.mu.Unlock()
		close(ended)
	}()
	return result, nil, nil
}

// listDirectory returns the names in a directory, but those of directories, sorted, with a
// NUL byte between two.
func listDirectory(path string, limit int64, _ bool) ([]byte, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	entries, err := d.ReadDir(int(limit) + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	if int64(len(entries)) > limit {
		return nil, fmt.Errorf("%s is too large: expected at most %d files", path, limit)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return []byte(strings.Join(names, "\x00")), nil
}

// readFile reads a file of at most limit bytes. If regular, it refuses
// directories, devices and pipes without reading from them.
func readFile(path string, limit int64, regular bool) ([]byte, error) {
	if regular {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file", path)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is too large: expected at most %d bytes", path, limit)
	}
	return b, nil
}
