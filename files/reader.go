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

	mu      locks.Mutex[locks.Reader] // guards the rest, and the fields of calls
	running map[string]*call          // by path: the latest call, until it has returned
	pending int                       // goroutines that have not returned
}

// call is a call that has not returned.
type call struct {
	// static after construction
	begun time.Time
	over  chan struct{} // closed when it has returned, or is forgotten

	// guarded by Reader.mu
	looking bool        // at what its path has now
	seen    bool        // was is known
	was     os.FileInfo // what its path had when it began; nil: nothing
}

// NewReader returns a Reader.
func NewReader() *Reader {
	return &Reader{read: readFile, running: map[string]*call{}}
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
// another one waits for it, unless the path has something else by then.
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
// that call returns, or is forgotten.
func (r *Reader) begin(path string, f func() error) (result chan error, busy chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if busy := r.running[path]; busy != nil {
		r.look(path, busy)
		return nil, busy.over, nil
	}
	if r.pending >= maxStuck {
		return nil, nil, fmt.Errorf("%s was not opened: %d calls for other files have not returned; do the disks answer?", path, maxStuck)
	}
	c := &call{begun: time.Now(), over: make(chan struct{})}
	r.running[path] = c
	result = make(chan error, 1)
	r.start(func() {
		info, _ := os.Stat(path)
		r.mu.Lock()
		c.seen, c.was = true, info
		r.mu.Unlock()
		result <- f()
	}, func() { r.forget(path, c) })
	return result, nil, nil
}

// start runs f in a goroutine of its own, and then ended, with mu held. Called with mu held.
func (r *Reader) start(f, ended func()) {
	r.pending++
	go func() {
		f()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pending--
		ended()
	}()
}

// look forgets a call that is overdue if its path has something else now. Such a call may
// never return: that of a pipe that was removed, or of a network disk that was unmounted by
// force. What has replaced the file must not wait for it. Called with mu held.
func (r *Reader) look(path string, c *call) {
	if c.looking || time.Since(c.begun) < fileTimeout || r.pending >= maxStuck {
		return
	}
	c.looking = true
	var now os.FileInfo
	r.start(func() { now, _ = os.Stat(path) }, func() {
		c.looking = false
		if !c.seen || c.was != nil && (now == nil || !os.SameFile(c.was, now)) {
			r.forget(path, c)
		}
	})
}

// forget removes a call that has returned, or that nobody is to wait for. Called with mu held.
func (r *Reader) forget(path string, c *call) {
	if r.running[path] == c {
		delete(r.running, path)
		close(c.over)
	}
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
	b, large, err := readUpTo(f, limit)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if large {
		return nil, fmt.Errorf("%s is too large: expected at most %d bytes", path, limit)
	}
	return b, nil
}

// readUpTo reads what f has, and reports whether that is more than limit bytes: of a regular file
// without reading it.
func readUpTo(f *os.File, limit int64) (b []byte, large bool, err error) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > limit {
		return nil, true, nil
	}
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	return b, int64(len(b)) > limit, err
}
