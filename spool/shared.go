package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"radsec-gw/spool/stream"
)

// StreamConfig says which stream of NATS several gateways share as their store.
type StreamConfig = stream.Config

// sharedStore is a store that several gateways use at the same time. It numbers the records
// itself. One of the gateways leads: it alone sends the records of all.
//
// Rules: GW4.
type sharedStore interface {
	store
	// load calls f with all records, in order. Afterwards changes has what is added, by this
	// gateway too, and what others remove.
	load(f func(seq uint64, value []byte) bool) error
	secret() []byte // the same in all gateways
	changes() <-chan stream.Change
	leads() bool
	leadChanged() <-chan struct{} // receives when leads may have changed
	length() (int, error)         // of all records
	findLeft()                    // has changes tell which records are left
	now() time.Time               // by a clock that all gateways have in common
}

// unstoredSeq is the lowest number of a record that a sharedStore has not numbered yet.
const unstoredSeq = 1 << 63

// errStale has a sharedStore opened again: what the index has is not what the store has.
var errStale = errors.New("what is known of the records is out of date")

// streamStore is a store in a JetStream stream.
type streamStore struct {
	*stream.Store
	lock   *os.File    // of the directory
	stop   func() bool // ends the wait for the spool's end
	values []stream.Value
}

// finishTimeout is how long a spool that is closed may take to store what waits, and to remove what
// was sent: NATS may hang, and the gateway has little time to end.
const finishTimeout = 900 * time.Millisecond

// openStream opens the store in a stream. The directory has records that are set aside, and is
// for one process.
func (s *Spool) openStream() (store, error) {
	if err := makeDirectory(s.cfg.Directory); err != nil {
		return nil, fmt.Errorf("directory of the spool: %w", err)
	}
	lock, err := lockDirectory(s.cfg.Directory)
	if err != nil {
		return nil, err
	}
	cfg := *s.cfg.Stream
	cfg.Secret = s.key
	st, err := stream.Open(s.ctx, cfg)
	if err != nil {
		lock.Close()
		return nil, err
	}
	stop := context.AfterFunc(s.ctx, func() { time.AfterFunc(finishTimeout, st.Abort) })
	return &streamStore{Store: st, lock: lock, stop: stop}, nil
}

func (s *streamStore) load(f func(seq uint64, value []byte) bool) error { return s.Load(f) }
func (s *streamStore) secret() []byte                                   { return s.Secret() }
func (s *streamStore) changes() <-chan stream.Change                    { return s.Changes() }
func (s *streamStore) leads() bool                                      { return s.Leads() }
func (s *streamStore) leadChanged() <-chan struct{}                     { return s.LeadChanged() }
func (s *streamStore) length() (int, error)                             { return s.Len() }
func (s *streamStore) findLeft()                                        { s.FindLeft() }
func (s *streamStore) now() time.Time                                   { return s.Now() }

func (s *streamStore) each(from uint64, f func(seq uint64, value []byte) bool) error {
	return s.Each(from, f)
}

func (s *streamStore) get(seqs []uint64, f func(seq uint64, value []byte)) error {
	return s.Get(seqs, f)
}

// commit adds records, and then removes others. After an error, what was added has its number.
func (s *streamStore) commit(add []addition, remove []uint64) error {
	if len(add) > 0 {
		s.values = s.values[:0]
		for i := range add {
			s.values = append(s.values, stream.Value{Data: add[i].value})
		}
		err := s.Add(s.values)
		for i := range add {
			add[i].seq = s.values[i].Seq
		}
		clear(s.values)
		if err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	return s.Remove(remove)
}

func (s *streamStore) close() error {
	s.stop()
	return errors.Join(s.Close(), s.lock.Close())
}
