package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// errReplaced has the store opened again: its file was removed from the directory, and was
// written again.
var errReplaced = errors.New("the database was removed while it was in use, and was written again")

// keepInPlace finds out whether the database is still the file of its name. Somebody may have
// removed it, or its directory, or put another file there, such as a backup: then the records
// would be lost when the gateway ends, although the open file has them all. It is written again,
// and the other file gets another name. The error is an errReplaced then.
//
// Rules: SP9.
func (s *fileStore) keepInPlace(log *slog.Logger) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil // it will be opened again
	}
	path := s.file.Name()
	ours, err := s.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(path)
	switch {
	case err == nil && os.SameFile(ours, there):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	unlock, lockErr := s.lockAgain(filepath.Dir(path))
	if lockErr != nil {
		return lockErr
	}
	defer unlock()
	if err == nil {
		kept, err := keepAs(path, "other")
		if err != nil {
			return err
		}
		log.Error("another file was put in the place of the spool's database while that was in use; it is kept under another name", "file", path, "kept_as", kept)
	}
	if err := guarded(func() error { return s.writeAgain(path) }); err != nil {
		return fmt.Errorf("%s was removed while it was in use, and cannot be written again: %w", path, err)
	}
	return errReplaced
}

// lockAgain locks the directory if it is not the one that this process has locked. The error says
// that another process has it.
func (s *fileStore) lockAgain(directory string) (unlock func(), err error) {
	unlock = func() {}
	if s.lock == nil {
		return unlock, nil
	}
	ours, err := s.lock.Stat()
	if err != nil {
		return unlock, err
	}
	if there, err := os.Stat(s.lock.Name()); err == nil && os.SameFile(ours, there) {
		return unlock, nil
	}
	if err := makeDirectory(directory); err != nil {
		return unlock, err
	}
	lock, err := lockDirectory(directory)
	if err != nil {
		return unlock, err
	}
	return func() { lock.Close() }, nil
}

// writeAgain writes the open database to a new file of a name. Called with mu held.
func (s *fileStore) writeAgain(path string) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.db.View(func(tx *bolt.Tx) error { _, err := tx.WriteTo(f); return err }); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}
