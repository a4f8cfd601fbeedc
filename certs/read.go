package certs

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// The most bytes that are read of a file, far more than is usual.
const (
	maxCertificates = 16 << 20
	maxKey          = 64 << 10
)

// readFile returns the content of a file, which may be a pipe, of at most limit bytes.
func readFile(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is too large: expected at most %d bytes", file, limit)
	}
	return b, nil
}
