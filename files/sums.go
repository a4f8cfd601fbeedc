package files

import (
	"crypto/sha256"
	"maps"
	"slices"
)

// Sums holds the SHA-256 of each file of a Snapshot by its path, or that of the error
// if the file could not be read. Two Sums are compared with maps.Equal.
type Sums map[string]Sum

// Sum is the SHA-256 of one file, and how it was read.
type Sum struct {
	sum [32]byte
	how how
}

// Sums returns the sums of the files that were read so far.
func (s *Snapshot) Sums() Sums {
	all := Sums{}
	for path, c := range s.files {
		all[path] = c.sum()
	}
	return all
}

func (c content) sum() Sum {
	b := c.bytes
	if c.err != nil {
		b = []byte(c.err.Error())
	}
	return Sum{sha256.Sum256(b), c.how}
}

// SameConfiguration reports whether the configuration file, the files that it includes, and
// the directories in which those are looked for, are the same in two Sums.
func (all Sums) SameConfiguration(other Sums) bool {
	for path, sum := range all {
		if sum.how.kind != regular && other[path] != sum {
			return false
		}
	}
	return true
}

// Again reads the same files in another Snapshot, and returns their sums.
func (all Sums) Again(from *Snapshot) Sums {
	again := Sums{}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		sum := all[path]
		_, _ = from.get(path, sum.how) // an error has a sum, too
		again[path] = from.files[path].sum()
	}
	return again
}
