package files

import (
	"crypto/sha256"
	"maps"
	"slices"
)

// Sums are the SHA-256 of what the files of a Snapshot held, by path; of one that
// could not be read, of the reason. maps.Equal tells whether anything has changed.
type Sums map[string]Sum

// Sum is that of one file, and how it was read.
type Sum struct {
	sum     [32]byte
	limit   int64
	regular bool
}

// Sums returns those of the files that were read so far.
func (s *Snapshot) Sums() Sums {
	all := Sums{}
	for path, c := range s.held {
		all[path] = c.sum()
	}
	return all
}

func (c content) sum() Sum {
	held := c.bytes
	if c.err != nil {
		held = []byte(c.err.Error())
	}
	return Sum{sha256.Sum256(held), c.limit, c.regular}
}

// Again returns the sums of the same files as they are in another Snapshot, which
// reads them.
func (all Sums) Again(from *Snapshot) Sums {
	again := Sums{}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		sum := all[path]
		_, _ = from.get(path, sum.limit, sum.regular) // an error has a sum, too
		again[path] = from.held[path].sum()
	}
	return again
}
