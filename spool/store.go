package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"radsec-gw/locks"
	"radsec-gw/spool/stream"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// store keeps encoded records by number. Its methods may be called by several goroutines, and
// may be slow.
type store interface {
	// each calls f with every record whose number is at least from, in order, until f
	// reports false. The value is valid during the call only. f must not use the store.
	each(from uint64, f func(seq uint64, value []byte) bool) error
	// get calls f with each of the records that exists. The value is valid during the
	// call only. f must not use the store.
	get(seqs []uint64, f func(seq uint64, value []byte)) error
	// commit adds and removes records, all or none of them. They are durable when it returns
	// nil. After an error they may be there all the same: a sync may fail after the write. A
	// sharedStore only adds, and gives what it adds other numbers; after an error, what it has
	// not numbered is not known to be there.
	commit(add []addition, remove []uint64) error
	close() error
}

// addition is an encoded record that is to be stored.
type addition struct {
	seq   uint64
	value []byte
}

// removal is a record that is to be removed. By its content it is known that it still has that
// number in a shared store.
type removal struct{ seq, content uint64 }

// appendNumbers appends the numbers of records that are to be removed.
func appendNumbers(seqs []uint64, list []removal) []uint64 {
	for _, r := range list {
		seqs = append(seqs, r.seq)
	}
	return seqs
}

// The files in the spool's directory.
const (
	databaseName = "spool.db"
	lockName     = "lock"
	keyName      = "key"
	asideName    = "set-aside.detail"
)

var recordsBucket = []byte("records")

// fileStore is a store in a local file.
//
// Rules: SP2, SP9, SP13.
type fileStore struct {
	// One goroutine at a time uses the database. What a transaction holds is not given back
	// when it ends with a fault, and another that waits for it would wait forever.
	mu   locks.Mutex[locks.SpoolFile] // guards the fields below
	db   *bolt.DB                     // nil: it is closed
	file *os.File                     // of db
	lock *os.File                     // of the directory; nil: it is not locked
}

// openFileStore opens the database in a directory, and makes both where they are missing. A
// database that is damaged is replaced by one with the records that can be read.
func openFileStore(directory string, log *slog.Logger) (store, error) {
	if err := makeDirectory(directory); err != nil {
		return nil, fmt.Errorf("directory of the spool: %w", err)
	}
	lock, err := lockDirectory(directory)
	if err != nil {
		return nil, err
	}
	s, err := openDatabase(filepath.Join(directory, databaseName), log)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

// makeDirectory makes a directory that only this user can read, unless it exists.
func makeDirectory(directory string) error {
	if _, err := os.Stat(directory); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(directory))
}

// openDatabase opens a database, or makes it. One that is damaged is replaced first: package
// bbolt would end the process when it finds the damage, in a goroutine of its own.
func openDatabase(path string, log *slog.Logger) (*fileStore, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Size() == 0:
		log.Warn("the spool's database is empty: if it was cut off, its records are lost", "file", path)
	default:
		damage, err := checkDatabase(path)
		if err == nil && damage != nil {
			err = replaceDatabase(path, damage, log)
		}
		if err != nil {
			return nil, errors.Join(damage, err)
		}
	}
	s, openErr := openBolt(path)
	if openErr == nil && errors.Is(err, fs.ErrNotExist) {
		openErr = syncDirectory(filepath.Dir(path))
	}
	if openErr != nil {
		if s != nil {
			s.close()
		}
		return nil, fmt.Errorf("%s: %w", path, openErr)
	}
	return s, nil
}

// openBolt opens a database that is not damaged, or makes it.
func openBolt(path string) (*fileStore, error) {
	s := &fileStore{}
	open := func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		s.file, err = os.OpenFile(name, flag, mode)
		return s.file, err
	}
	err := guarded(func() error {
		// The list of free pages is stored with each commit. Without it, package bbolt reads
		// the whole database after each commit that fails, and does so in a goroutine in
		// which a fault, as of a disk that is gone, would end the process.
		db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, NoStatistics: true, OpenFile: open})
		if err != nil {
			return err
		}
		s.db = db
		return db.Update(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucketIfNotExists(recordsBucket)
			return err
		})
	})
	if errors.Is(err, errFault) {
		s.abandon()
	}
	return s, err
}

// errFault is the error of an access to the file that failed in a way that would otherwise
// end the process: a file that was cut off while it is mapped into memory, a disk that is
// gone, or pages that contradict each other.
var errFault = errors.New("the file is damaged, or cannot be read")

// guarded calls f, and returns a panic of it as an error.
func guarded(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", errFault, v)
		}
	}()
	return f()
}

// isDamaged reports whether an error of the store says that it must be opened again.
func isDamaged(err error) bool {
	for _, e := range []error{errFault, stream.ErrGone, errStale, berrors.ErrInvalidMapping, berrors.ErrDatabaseNotOpen} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// use calls f with the database. After a fault nobody uses it again.
func (s *fileStore) use(f func(db *bolt.DB) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return berrors.ErrDatabaseNotOpen
	}
	err := guarded(func() error { return f(s.db) })
	if errors.Is(err, errFault) {
		s.abandon()
	}
	return err
}

// abandon gives up a database after a fault. Its Close would wait for a lock that the
// transaction which ended with the fault still holds. The file remains mapped into memory, and so
// it is not enough to close it for others to be able to lock it. Called with mu held.
func (s *fileStore) abandon() {
	s.db = nil
	if s.file != nil {
		unlock(s.file)
		s.file.Close()
	}
}

func (s *fileStore) each(from uint64, f func(seq uint64, value []byte) bool) error {
	return s.use(func(db *bolt.DB) error {
		return db.View(func(tx *bolt.Tx) error {
			c := tx.Bucket(recordsBucket).Cursor()
			for k, v := c.Seek(key(from)); k != nil; k, v = c.Next() {
				if len(k) == 8 && !f(binary.BigEndian.Uint64(k), v) {
					return nil
				}
			}
			return nil
		})
	})
}

func (s *fileStore) get(seqs []uint64, f func(seq uint64, value []byte)) error {
	return s.use(func(db *bolt.DB) error {
		return db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(recordsBucket)
			for _, seq := range seqs {
				if v := b.Get(key(seq)); v != nil {
					f(seq, v)
				}
			}
			return nil
		})
	})
}

func (s *fileStore) commit(add []addition, remove []uint64) error {
	return s.use(func(db *bolt.DB) error {
		return db.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket(recordsBucket)
			b.FillPercent = 0.95 // numbers only grow: pages are not filled later
			for _, a := range add {
				if err := b.Put(key(a.seq), a.value); err != nil {
					return err
				}
			}
			for _, seq := range remove {
				if err := b.Delete(key(seq)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (s *fileStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if db := s.db; db != nil {
		s.db = nil
		err = guarded(db.Close)
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return err
}

// key is the key of a record: numbers in the order of their octets.
func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
