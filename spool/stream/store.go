package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxValue bounds a value in bytes: a packet of 4096, and what describes it. NATS servers take 1
// MiB by default.
const maxValue = 512 << 10

// Value is a value of the stream.
type Value struct {
	Seq  uint64 // its sequence number
	Data []byte
}

// ErrGone is the error of a stream that is gone, or of a connection that was closed for good: the
// Store must be opened again.
var ErrGone = errors.New("the stream of the spool is gone")

// gone returns an ErrGone for what says that the stream is not there, or the connection, and says of
// what else NATS has to do with it.
func gone(err error) error {
	for _, e := range []error{jetstream.ErrStreamNotFound, nats.ErrConnectionClosed} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
	}
	switch {
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrDisconnected):
		return fmt.Errorf("there is no connection to NATS: %w", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrAsyncPublishTimeout):
		return fmt.Errorf("NATS has not answered in time: %w", err)
	}
	return err
}

// Refused reports whether an error says that the servers refuse something until somebody changes it;
// otherwise they did not answer, or have said that they cannot at the moment.
func Refused(err error) bool {
	var answer jetstream.JetStreamError
	return isFull(err) || errors.As(err, &answer) && answer.APIError() != nil && answer.APIError().Code < 500
}

// parallel is how many requests about single values wait for NATS at a time.
const parallel = 32

// forAll calls f with each index up to n, in several goroutines, until one fails.
func forAll(n int, f func(i int) error) error {
	var next atomic.Int64
	var mu sync.Mutex
	var first error
	var running sync.WaitGroup
	for range min(parallel, n) {
		running.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					next.Store(int64(n))
					mu.Lock()
					defer mu.Unlock()
					first = errors.Join(first, err)
					return
				}
			}
		})
	}
	running.Wait()
	return first
}

// Get calls f with each of the values that exists, with nil data if it does not verify. After an
// error it may have been called with some of them.
func (s *Store) Get(seqs []uint64, f func(seq uint64, data []byte)) error {
	if err := s.checkConnection(); err != nil {
		return err
	}
	var mu sync.Mutex
	return gone(forAll(len(seqs), func(i int) error {
		ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
		defer cancel()
		m, err := s.stream.GetMsg(ctx, seqs[i])
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		data, _ := s.values.verify(m.Data)
		f(m.Sequence, data)
		return nil
	}))
}

// Remove removes values, and tells the others. It is no error if some are gone already. isSame
// reports whether data, which is nil if it does not verify, is that of the value that the caller
// knows by a number. The error is an ErrGone, and nothing is removed, if the numbers are no longer
// those of the same values.
func (s *Store) Remove(seqs []uint64, isSame func(seq uint64, data []byte) bool) error {
	if len(seqs) == 0 {
		return nil
	}
	if err := s.checkConnection(); err != nil {
		return err
	}
	if err := s.checkSame(seqs, isSame); err != nil {
		return err
	}
	for _, seq := range seqs {
		s.feed.removed(seq)
	}
	if err := forAll(len(seqs), func(i int) error { return s.remove(seqs[i]) }); err != nil {
		return gone(err)
	}
	s.tellRemoved(seqs)
	return nil
}

// remove removes one value.
func (s *Store) remove(seq uint64) error {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	err := s.stream.DeleteMsg(ctx, seq)
	if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) || ctx.Err() != nil {
		return err
	}
	if _, getErr := s.stream.GetMsg(ctx, seq); errors.Is(getErr, jetstream.ErrMsgNotFound) { // an earlier attempt has removed it
		return nil
	}
	return err
}

// Each calls f with the values from a sequence number on that there are when it begins, in their
// order, until it reports false. Of one that does not verify data is nil.
func (s *Store) Each(from uint64, f func(seq uint64, data []byte) bool) error {
	last, err := s.last()
	if err != nil {
		return err
	}
	for from = max(1, from); from <= last; {
		// The server that reads may be behind, and end early; this asks the one that is not.
		first, err := s.next(from)
		if err != nil || first == nil || first.Sequence > last {
			return err
		}
		if data, _ := s.values.verify(first.Data); !f(first.Sequence, data) {
			return nil
		}
		goOn := true
		if from = first.Sequence + 1; from <= last {
			err = s.read(from, last, wholeValues, func(seq uint64, data []byte) bool {
				from, goOn = seq+1, f(seq, data)
				return goOn
			})
		}
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// next returns the first value from a sequence number on; nil: there is none.
func (s *Store) next(from uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	m, err := s.stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(s.subject()))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the next value from %d: %w", from, gone(err))
	}
	return m, nil
}

// hasAny reports whether a range of sequence numbers has a value.
func (s *Store) hasAny(from, last uint64) (bool, error) {
	m, err := s.next(from)
	return err == nil && m != nil && m.Sequence <= last, err
}

// last returns the sequence number of the last message that the stream has had.
func (s *Store) last() (uint64, error) {
	info, err := s.info()
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// Len returns how many values there are.
func (s *Store) Len() (int, error) {
	info, err := s.info()
	if err != nil {
		return 0, err
	}
	return int(info.State.Msgs), nil
}

// content says what is read of values.
type content bool

const (
	wholeValues content = false
	onlyNumbers content = true
)

// read calls f with the values of a range of sequence numbers, until it reports false. data is nil
// if a value does not verify, or only numbers are read.
func (s *Store) read(from, last uint64, what content, f func(seq uint64, data []byte) bool) error {
	messages, err := s.subscribe(from, what)
	if err != nil {
		return err
	}
	defer messages.stop()
	if messages.consumer.CachedInfo().NumPending == 0 {
		if more, err := s.hasAny(from, last); !more {
			return err
		}
	}
	for waited := time.Duration(0); ; {
		m, err := s.nextOf(messages)
		if errors.Is(err, context.DeadlineExceeded) && waited < nextTimeout {
			waited += nextPause
			if more, err := s.hasAny(from, last); !more { // the others were removed meanwhile
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("reading values %d to %d: %w", from, last, err)
		}
		waited = 0
		about, err := m.Metadata()
		if err != nil {
			return err
		}
		if from = about.Sequence.Stream + 1; from > last+1 || !f(from-1, s.dataOf(m)) || from > last || about.NumPending == 0 {
			return nil
		}
	}
}

// dataOf returns the data of a message; nil if it does not verify.
func (s *Store) dataOf(m jetstream.Msg) []byte {
	data, _ := s.values.verify(m.Data())
	return data
}

// nextOf returns the next message, if there is one within nextPause.
func (s *Store) nextOf(messages *reading) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(s.ctx, nextPause)
	defer cancel()
	return messages.Next(jetstream.NextContext(ctx))
}

// How often messages are asked for, and how often a server that has none must say so: if it is
// killed, package jetstream asks another one after two heartbeats.
const (
	pullExpiry    = 10 * time.Second
	pullHeartbeat = time.Second
)

// nextTimeout bounds how long read waits for one message: some heartbeats, and for servers that
// choose a leader. After each nextPause it finds out whether there is one. That is longer than two
// heartbeats, which package jetstream waits for before it asks again: a server that has just begun
// may have missed the first question.
const (
	nextTimeout = 20 * time.Second
	nextPause   = 3 * pullHeartbeat
)

// subscribe returns the messages from a sequence number on. NATS may give that task to a server
// which it does not know to be lost yet; then it is asked again.
func (s *Store) subscribe(from uint64, what content) (messages *reading, err error) {
	for range subscribeAttempts {
		messages, err = s.trySubscribe(from, what)
		if !errors.Is(err, context.DeadlineExceeded) || s.ctx.Err() != nil {
			break
		}
	}
	return messages, err
}

// subscribeAttempts is how often one of the servers is asked for messages, for
// subscribeTimeout each time.
const (
	subscribeAttempts = 6
	subscribeTimeout  = 2 * time.Second
)

// consumerLife is how long a server remembers that somebody has read messages and no longer does.
const consumerLife = 30 * time.Second

// reading is messages that are read.
type reading struct {
	jetstream.MessagesContext
	of       *Store
	consumer jetstream.Consumer
}

// stop ends reading, and has the servers forget it.
func (r *reading) stop() {
	r.Stop()
	ctx, cancel := context.WithTimeout(r.of.ctx, subscribeTimeout)
	defer cancel()
	r.of.stream.DeleteConsumer(ctx, r.consumer.CachedInfo().Name) // otherwise they do after consumerLife
}

func (s *Store) trySubscribe(from uint64, what content) (*reading, error) {
	ctx, cancel := context.WithTimeout(s.ctx, subscribeTimeout)
	defer cancel()
	c, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{s.subject()}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, MaxResetAttempts: 1, HeadersOnly: what == onlyNumbers, InactiveThreshold: consumerLife})
	if err != nil {
		return nil, fmt.Errorf("subscribing to the values from %d: %w", from, gone(err))
	}
	messages, err := c.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	return &reading{messages, s, c}, err
}
