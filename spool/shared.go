package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
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
	// remove removes records. isSame reports whether the one that has a number is that which is
	// meant; if not, nothing is removed, and the error has the store opened again.
	remove(seqs []uint64, isSame func(seq uint64, value []byte) bool) error
	secret() []byte // the same in all gateways
	changes() <-chan stream.Change
	leads() bool
	otherLeads() bool             // another gateway is known to
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
	lock      *os.File    // of the directory
	stop      func() bool // ends the wait for the spool's end
	values    []stream.Value
	succeeded atomic.Uint64 // commits and removals
	closed    chan struct{}
}

// A spool that is closed stores what waits, and removes what was sent. NATS may hang meanwhile, and
// the gateway has little time to end: finishTimeout is how long it waits if nothing succeeds, and
// finishLimit bounds all.
const (
	finishTimeout = 900 * time.Millisecond
	finishLimit   = 3 * time.Second
)

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
	shared := &streamStore{Store: st, lock: lock, closed: make(chan struct{})}
	shared.stop = context.AfterFunc(s.ctx, func() { abortWhenStuck(&shared.succeeded, st.Abort, shared.closed) })
	return shared, nil
}

// abortWhenStuck calls a function when nothing has succeeded for finishTimeout, and after
// finishLimit, unless the store is closed before.
func abortWhenStuck(succeeded *atomic.Uint64, abort func(), closed <-chan struct{}) {
	tick, limit := time.NewTicker(finishTimeout), time.NewTimer(finishLimit)
	defer tick.Stop()
	defer limit.Stop()
	for before := succeeded.Load(); ; {
		select {
		case <-tick.C:
			now := succeeded.Load()
			if now != before {
				before = now
				continue
			}
		case <-limit.C:
		case <-closed:
			return
		}
		abort()
		return
	}
}

func (s *streamStore) load(f func(seq uint64, value []byte) bool) error { return s.Load(f) }
func (s *streamStore) secret() []byte                                   { return s.Secret() }
func (s *streamStore) changes() <-chan stream.Change                    { return s.Changes() }
func (s *streamStore) leads() bool                                      { return s.Leads() }
func (s *streamStore) otherLeads() bool                                 { return s.OtherLeads() }
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

// errRemoval is the error of a removal for which there is no comparison.
var errRemoval = errors.New("records of a shared store are removed by remove")

// commit adds records. After an error, what was added has its number.
func (s *streamStore) commit(add []addition, remove []uint64) error {
	if len(remove) > 0 {
		return errRemoval
	}
	s.values = s.values[:0]
	for i := range add {
		s.values = append(s.values, stream.Value{Data: add[i].value})
	}
	err := s.Add(s.values)
	for i := range add {
		add[i].seq = s.values[i].Seq
	}
	clear(s.values)
	s.noteSuccess(err)
	return err
}

func (s *streamStore) remove(seqs []uint64, isSame func(seq uint64, value []byte) bool) error {
	err := s.Remove(seqs, isSame)
	s.noteSuccess(err)
	return err
}

func (s *streamStore) noteSuccess(err error) {
	if err == nil {
		s.succeeded.Add(1)
	}
}

func (s *streamStore) close() error {
	s.stop()
	close(s.closed)
	return errors.Join(s.Close(), s.lock.Close())
}
