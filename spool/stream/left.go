package stream

import (
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// A process that was cut off for a while was not told what others have removed meanwhile, and one
// that is told more than it can take loses some. So it finds out what is left: every number when
// it is connected again, or was told too much, or is asked to; and the first number again and
// again, which costs next to nothing, and tells all once the oldest values are removed.

// firstPause is how often the number of the first value is asked for.
const firstPause = time.Minute

// FindLeft has a change of kind Left follow soon.
func (s *Store) FindLeft() { signal(s.recheck) }

// signal has the receiver of a channel of capacity 1 look what there is to do.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// findLeft passes on what is left, until the Store is closed.
func (s *Store) findLeft() {
	connected := s.conn.StatusChanged(nats.CONNECTED)
	defer s.conn.RemoveStatusListener(connected)
	overrun := s.removed.StatusChanged(nats.SubscriptionSlowConsumer)
	tick := time.NewTicker(firstPause)
	defer tick.Stop()
	for {
		select {
		case _, open := <-connected:
			if !open { // the connection is closed for good, which every request finds out
				connected = nil
				continue
			}
			s.passUntilDone(s.passLeft)
		case _, open := <-overrun:
			if !open {
				overrun = nil
				continue
			}
			s.passUntilDone(s.passLeft)
		case <-s.recheck:
			s.passUntilDone(s.passLeft)
		case <-tick.C:
			s.passUntilDone(s.passFirst)
		case <-s.ctx.Done():
			return
		}
	}
}

// passUntilDone calls a function until it succeeds.
func (s *Store) passUntilDone(f func() error) {
	for s.ctx.Err() == nil {
		err := f()
		if err == nil {
			return
		}
		if errors.Is(err, ErrGone) {
			s.pass(Change{Kind: Gone, Err: err})
		}
		select {
		case <-time.After(followPause):
		case <-s.ctx.Done():
		}
	}
}

// passFirst passes on that nothing is left before the first value. It also finds out whether
// the stream and the bucket are the same.
func (s *Store) passFirst() error {
	info, err := s.info()
	if err != nil {
		return err
	}
	if info.State.FirstSeq > 0 {
		s.passLeftUpTo(info.State.FirstSeq-1, nil)
	}
	if err := s.checkSeen(); err != nil {
		return err
	}
	return s.checkBucket()
}

// passLeft passes on which values are left.
func (s *Store) passLeft() error {
	info, err := s.info()
	if err != nil {
		return err
	}
	var left []uint64
	upTo := max(info.State.FirstSeq, 1) - 1
	if info.State.Msgs > 0 {
		err := s.read(info.State.FirstSeq, info.State.LastSeq, onlyNumbers, func(seq uint64, _ []byte) bool {
			left, upTo = append(left, seq), seq
			return true
		})
		if err != nil {
			return err
		}
	}
	// The server that has read may be behind; this asks the one that is not.
	switch next, err := s.next(upTo + 1); {
	case err != nil:
		return err
	case next == nil:
		upTo = max(upTo, info.State.LastSeq)
	default:
		upTo = next.Sequence - 1
	}
	s.passLeftUpTo(upTo, left)
	return s.checkBucket()
}

// passLeftUpTo passes on which values are left up to a number, but nothing about those that were
// not passed on themselves yet.
func (s *Store) passLeftUpTo(upTo uint64, left []uint64) {
	s.feed.order.Lock()
	defer s.feed.order.Unlock()
	s.feed.mu.Lock()
	upTo = min(upTo, s.feed.passed)
	s.feed.mu.Unlock()
	if upTo > 0 {
		n, _ := slices.BinarySearch(left, upTo+1)
		s.pass(Change{Kind: Left, Seq: upTo, Left: left[:n]})
	}
}
