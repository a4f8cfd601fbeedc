package files

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Snapshot is a set of files, each read once: whoever asks for a file again gets
// the same bytes, so that what was checked is what is used. It belongs to one
// goroutine.
//
// After one file has blocked the others are not tried any more: they are likely
// to be on the same disk, and each one would cost another deadline.
type Snapshot struct {
	// static after construction
	reader *Reader
	ctx    context.Context
	end    time.Time // for all files together

	held  map[string]content // by path
	stuck string             // the first file that blocked; "": none has
}

type content struct {
	bytes []byte
	err   error

	limit   int64
	regular bool
}

// Snapshot returns a set that has no files yet. When ctx ends nothing more is
// read.
func (r *Reader) Snapshot(ctx context.Context) *Snapshot {
	return &Snapshot{reader: r, ctx: ctx, end: time.Now().Add(setTimeout), held: map[string]content{}}
}

// Read returns the content of a regular file, which the caller must not change.
// limit bounds what is read in bytes, the first time that path is asked for.
func (s *Snapshot) Read(path string, limit int64) ([]byte, error) {
	return s.get(path, limit, true)
}

// ReadStream is Read for what may also be a pipe, such as /dev/stdin.
func (s *Snapshot) ReadStream(path string, limit int64) ([]byte, error) {
	return s.get(path, limit, false)
}

func (s *Snapshot) get(path string, limit int64, regular bool) ([]byte, error) {
	c, known := s.held[path]
	if !known {
		c.limit, c.regular = limit, regular
		c.bytes, c.err = s.load(path, limit, regular)
		s.held[path] = c
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

// Stuck reports whether a file could not be read because it blocked. That is a
// fault of a disk and not of what the file holds: it may pass.
func (s *Snapshot) Stuck() bool { return s.stuck != "" }
