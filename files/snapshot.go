package files

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	how   how
}

// how is how a file of a Snapshot is read.
type how struct {
	kind  kind
	limit int64 // bytes; names of a directory
}

// kind is what a path must be.
type kind int

const (
	regular   kind = iota
	stream         // the configuration file, which may be a pipe
	part           // another file of the configuration
	directory      // one in which files of the configuration are looked for
)

// Snapshot returns an empty set. When ctx is done nothing more is read.
func (r *Reader) Snapshot(ctx context.Context) *Snapshot {
	return &Snapshot{reader: r, ctx: ctx, end: time.Now().Add(setTimeout), files: map[string]content{}}
}

// Read returns the content of a regular file, which the caller must not change.
// limit is the largest size in bytes; that of the first call for path counts.
func (s *Snapshot) Read(path string, limit int64) ([]byte, error) {
	return s.get(path, how{regular, limit})
}

// ReadStream is like Read for the configuration file: path may also be a pipe, such as
// /dev/stdin.
func (s *Snapshot) ReadStream(path string, limit int64) ([]byte, error) {
	return s.get(path, how{stream, limit})
}

// ReadPart is like Read for a file that the configuration file includes.
func (s *Snapshot) ReadPart(path string, limit int64) ([]byte, error) {
	return s.get(path, how{part, limit})
}

// List returns the names of what is in a directory but directories, sorted. It is an error
// if there are more than limit names.
func (s *Snapshot) List(path string, limit int) ([]string, error) {
	b, err := s.get(path, how{directory, int64(limit)})
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(string(b), "\x00"), nil // which no name has
}

func (s *Snapshot) get(path string, h how) ([]byte, error) {
	c, ok := s.files[path]
	if !ok {
		c.how = h
		c.bytes, c.err = s.load(path, h)
		s.files[path] = c
	}
	return c.bytes, c.err
}

func (s *Snapshot) load(path string, h how) ([]byte, error) {
	if s.stuck != "" {
		return nil, fmt.Errorf("%s was not read, because %s blocks", path, s.stuck)
	}
	if time.Now().After(s.end) {
		s.stuck = path
		return nil, fmt.Errorf("%s was not read: reading the files before it took %v; expected a faster disk", path, setTimeout)
	}
	result := make(chan []byte, 1) // f may outlive the call
	err := s.reader.Call(s.ctx, path, func() error {
		read := s.reader.read
		if h.kind == directory {
			read = listDirectory
		}
		b, err := read(path, h.limit, h.kind == regular || h.kind == part)
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
