package files

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Snapshot is a set of files, each read once: reading a file again returns the same
// bytes, so that what was checked is what is used. It must be used by one goroutine
// only.
//
// After one file has blocked the others are not read: they are likely to be on the
// same disk, and each one would cost another deadline.
type Snapshot struct {
	// static after construction
	reader *Reader
	ctx    context.Context
	end    time.Time // for all files together

	files map[string]content // by path
	stuck string             // the first file that blocked; "": none
}

type content struct {
	bytes []byte
	err   error

	limit   int64
	regular bool
}

// Snapshot returns an empty set. When ctx is done nothing more is read.
func (r *Reader) Snapshot(ctx context.Context) *Snapshot {
	return &Snapshot{reader: r, ctx: ctx, end: time.Now().Add(setTimeout), files: map[string]content{}}
}

// Read returns the content of a regular file, which the caller must not change.
// limit is the largest size in bytes; that of the first call for path counts.
func (s *Snapshot) Read(path string, limit int64) ([]byte, error) {
	return s.get(path, limit, true)
}

// ReadStream is like Read, but path may also be a pipe, such as /dev/stdin.
func (s *Snapshot) ReadStream(path string, limit int64) ([]byte, error) {
	return s.get(path, limit, false)
}

func (s *Snapshot) get(path string, limit int64, regular bool) ([]byte, error) {
	c, ok := s.files[path]
	if !ok {
		c.limit, c.regular = limit, regular
		c.bytes, c.err = s.load(path, limit, regular)
		s.files[path] = c
	}
	return c.bytes, c.err
}

func (s *Snapshot) load(path string, limit int64, regular bool) ([]byte, error) {
	if s.stuck != "" {
		return nil, fmt.Errorf("%s was not read, because %s blocks", path, s.stuck)
	}
	if time.Now().After(s.end) {
		s.stuck = path
		return nil, fmt.Errorf("%s was not read: reading the files before it took %v; expected a faster disk", path, setTimeout)
	}
	result := make(chan []byte, 1) // f may outlive the call
	err := s.reader.Call(s.ctx, path, func() error {
		b, err := s.reader.read(path, limit, regular)
		result <- b
		return err
	})
	var stuck *StuckError
	if errors.As(err, &stuck) {
		s.stuck = path
	}
	if err != nil {
		return nil, err
	}
	return <-result, nil
}

// Stuck reports whether a file could not be read because it blocked. That is a fault
// of a disk, not of the content of the file, and may be temporary.
func (s *Snapshot) Stuck() bool { return s.stuck != "" }
