package gateway

import (
	"fmt"

	"radsec-gw/files"
)

// parseFile reads the file at path, of at most limit bytes, and parses it. what says what it
// is for errors of the reading.
func parseFile[T any](from *files.Snapshot, what, path string, limit int64, parse func(file string, data []byte) (T, error)) (out T, err error) {
	b, err := from.Read(path, limit)
	if err != nil {
		return out, fmt.Errorf("cannot read the %s: %w", what, err)
	}
	err = from.Parse(path, func() (err error) {
		out, err = parse(path, b)
		return err
	})
	return out, err
}
