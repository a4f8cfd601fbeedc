package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// checkDatabase finds out whether a database is damaged. err is why that cannot be found out.
func checkDatabase(path string) (damage, err error) {
	im, err := openImage(path, nil)
	if err != nil {
		return nil, err
	}
	defer im.f.Close()
	im.read()
	return im.damage, nil
}

// replaceDatabase replaces a damaged database by one with the records that can be read. The old
// one is kept under another name. At any moment one of the two has the name.
//
// Rules: SP9.
func replaceDatabase(path string, damage error, log *slog.Logger) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	to, err := openBolt(temporary)
	if err != nil {
		return err
	}
	saved, err := salvage(path, to)
	if err := errors.Join(err, to.close()); err != nil {
		os.Remove(temporary)
		return err
	}
	kept, err := keepAs(path, "damaged")
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	log.Error("the spool's database is damaged; a new one has begun with the records that could be read", "damage", damage, "kept_as", kept, "records_read", saved)
	return syncDirectory(filepath.Dir(path))
}

// keepAs gives a file another name, which it returns, beside its own if the file system can do
// that.
func keepAs(path, what string) (string, error) {
	for i := 1; ; i++ {
		to := fmt.Sprintf("%s.%s-%d", path, what, i)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if os.Link(path, to) == nil {
			return to, nil
		}
		return to, os.Rename(path, to)
	}
}

// salvage copies the records that can be read of a damaged database.
func salvage(path string, to store) (saved int, err error) {
	s := salvager{to: to, have: map[uint64]bool{}}
	im, err := openImage(path, s.found)
	if err != nil {
		return 0, err
	}
	defer im.f.Close()
	im.read()
	im.readLost()
	for _, value := range s.misplaced {
		s.last++
		s.put(s.last, value)
	}
	s.flush()
	return len(s.have), s.err
}

// salvager copies records to a store.
type salvager struct {
	// static after construction
	to store

	have      map[uint64]bool // numbers that were copied
	last      uint64          // the highest of them
	add       []addition      // are copied next
	misplaced [][]byte        // records whose number another has
	err       error
}

// found copies what is a record.
func (s *salvager) found(seq uint64, value []byte, listed bool) {
	_, err := decodeRecord(value)
	switch {
	case err == nil, listed && errors.Is(err, errVersion):
	default:
		return
	}
	if !s.have[seq] {
		s.put(seq, slices.Clone(value))
	} else if listed { // otherwise it is an old copy
		s.misplaced = append(s.misplaced, slices.Clone(value))
	}
}

func (s *salvager) put(seq uint64, value []byte) {
	s.have[seq], s.last = true, max(s.last, seq)
	if s.add = append(s.add, addition{seq, value}); len(s.add) == maxCommit {
		s.flush()
	}
}

func (s *salvager) flush() {
	if s.err == nil && len(s.add) > 0 {
		s.err = s.to.commit(s.add, nil)
	}
	s.add = s.add[:0]
}
