package stream

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Servers that come back with older data, after a loss of power or from a backup, give numbers
// again that other values had. Whoever removes a value by its number must know that it is still
// the same one: he reads it before. After each new connection, and again and again, a process also
// finds out whether the stream is the one that it knows: with what it has given to this process, and
// with the epoch that is in the bucket. Who finds numbers missing begins another epoch before he
// adds anything, so that all others find out, too, and open the stream again.

// epochKey is the key of the epoch in the bucket, which is a random number of epochLength octets.
const (
	epochKey    = "epoch"
	epochLength = 16
)

// identity is what a process knows the stream by.
type identity struct {
	created time.Time                // static after Open
	epoch   []byte                   // likewise
	last    atomic.Uint64            // the highest number that a value is known to have
	seen    atomic.Pointer[sighting] // of the last value that was passed on; nil: of none
	checked atomic.Uint64            // how often the connection was made again when that was found out
}

// sighting is a value's number, and when the servers say that it was stored.
type sighting struct {
	seq  uint64
	time time.Time
}

// note notes that a value has a number.
func (i *identity) note(seq uint64) {
	for known := i.last.Load(); seq > known && !i.last.CompareAndSwap(known, seq); {
		known = i.last.Load()
	}
}

// openEpoch returns the epoch; the first process begins it.
func (s *Store) openEpoch(ctx context.Context) ([]byte, error) {
	return s.openKey(ctx, epochKey, epochLength, nil)
}

// beginEpoch begins another epoch, as far as NATS answers.
func (s *Store) beginEpoch() {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	epoch := make([]byte, epochLength)
	rand.Read(epoch)
	if _, err := s.shared.Put(ctx, epochKey, epoch); err != nil {
		s.cfg.Log.Debug("the others cannot be told that the stream of the spool has lost records", "error", err)
	}
}

// checkConnection finds out whether the stream is the same, if the connection was made again since.
func (s *Store) checkConnection() error {
	made := s.conn.Stats().Reconnects
	if made == s.same.checked.Load() {
		return nil
	}
	if _, err := s.info(); err != nil {
		return err
	}
	if err := s.checkSeen(); err != nil {
		return err
	}
	if err := s.checkBucket(); err != nil {
		return err
	}
	s.same.checked.Store(made)
	return nil
}

// checkSeen returns an ErrGone if another value has the number of the last one that was passed on: who
// has just begun may have added as many as were lost.
func (s *Store) checkSeen() error {
	seen := s.same.seen.Load()
	if seen == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	m, err := s.stream.GetMsg(ctx, seen.seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) { // it was removed
		return nil
	}
	if err != nil {
		return gone(err)
	}
	if !m.Time.Equal(seen.time) {
		s.beginEpoch()
		return errOther(seen.seq)
	}
	return nil
}

// checkSame returns an ErrGone unless the values that are there are those that a process knows by
// their numbers. The last alone says nothing about those before: what others have added since the
// servers came back may have reached this process before it noticed.
func (s *Store) checkSame(seqs []uint64, isSame func(seq uint64, data []byte) bool) error {
	other := uint64(0)
	err := s.Get(seqs, func(seq uint64, data []byte) {
		if !isSame(seq, data) {
			other = seq
		}
	})
	if err != nil || other == 0 {
		return err
	}
	s.beginEpoch()
	return errOther(other)
}

// errOther returns an ErrGone for a number that another value has.
func errOther(seq uint64) error {
	return fmt.Errorf("%w: the NATS servers came back with older data, and number %d is another record by now", ErrGone, seq)
}

// behindAttempts is how often servers are asked that do not know the last value: one that was just
// elected may have to apply it yet.
const behindAttempts = 4

// info returns the state of the stream. The error is an ErrGone if it is not the one that was
// opened, has lost values, or is no longer what they need.
func (s *Store) info() (info *jetstream.StreamInfo, err error) {
	known := s.same.last.Load()
	for range behindAttempts {
		if info, err = s.askInfo(); err != nil {
			return nil, err
		}
		if info.State.LastSeq >= known {
			return info, nil
		}
		select {
		case <-time.After(followPause):
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
	}
	return nil, s.lostValues(info.State.LastSeq, known)
}

// lostValues begins another epoch, and returns an ErrGone.
func (s *Store) lostValues(last, known uint64) error {
	s.beginEpoch()
	return fmt.Errorf("%w: the NATS servers came back with older data: expected a last number of %d or more, got %d", ErrGone, known, last)
}

func (s *Store) askInfo() (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	info, err := s.stream.Info(ctx)
	if err != nil {
		return nil, gone(err)
	}
	s.setTime(info)
	if !info.Created.Equal(s.same.created) {
		return nil, fmt.Errorf("%w: there is another one of its name", ErrGone)
	}
	if err := s.checkSettings(&info.Config); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return info, nil
}

// checkBucket returns an ErrGone if the bucket has another epoch, or no longer has the secret:
// other processes would make another one, under which nothing verifies.
func (s *Store) checkBucket() error {
	for key, want := range map[string][]byte{secretKey: s.secret, epochKey: s.same.epoch} {
		if err := s.checkKey(key, want); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) checkKey(key string, want []byte) error {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	entry, err := s.shared.Get(ctx, key)
	if errors.Is(err, nats.ErrNoResponders) { // there is none, or the servers elect who writes to it
		_, err = s.js.KeyValue(ctx, s.name())
	}
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) || entry != nil && !bytes.Equal(entry.Value(), want) {
		return fmt.Errorf("%w: key %s of bucket %s is another one, or missing", ErrGone, key, s.name())
	}
	return err
}
