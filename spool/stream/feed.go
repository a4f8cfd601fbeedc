package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"radsec-gw/locks"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Change is a change of the stream.
type Change struct {
	Kind Kind
	Seq  uint64
	Data []byte   // of what was added; nil: it does not verify
	Left []uint64 // of a change of kind Left: the numbers of what is left, in their order
	Err  error    // of a change of kind Gone
}

// Kind says what a Change is.
type Kind int

const (
	Added   Kind = iota // Data has the number Seq
	Removed             // what had the number Seq is removed
	Left                // of the values up to Seq all but those in Left are removed
	Gone                // the Store must be opened again
)

const (
	maxChanges = 1024    // that wait for whoever receives them
	maxEarly   = 100_000 // removals that are known before the value is
	maxRemoved = 4096    // sequence numbers in one message
	idLength   = 8       // octets of a Store's identifier

	maxRemovedLength = idLength + 8*maxRemoved + tagLength // octets of such a message
)

// feed is what is known of the changes.
type feed struct {
	from chan uint64 // of capacity 1: with what follow begins

	// order is held while a change is noted and passed on, so that a removal comes after its
	// addition: as long as the receiver of Changes takes.
	order locks.Mutex[locks.StreamOrder]

	mu     locks.Mutex[locks.StreamFeed] // guards the fields below
	passed uint64                        // the highest sequence number of a value that was passed on, or loaded
	// early has the sequence numbers above passed that were removed: a server may tell of the
	// removal before another has passed the value on.
	early map[uint64]bool
}

func newFeed() feed { return feed{from: make(chan uint64, 1), early: map[uint64]bool{}} }

// removed notes that a value is removed. If it was not passed on yet, it never is.
func (f *feed) removed(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seq > f.passed && len(f.early) < maxEarly {
		f.early[seq] = true
	}
}

// pass notes that a value arrives. It reports false if that was removed already.
func (f *feed) pass(seq uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = max(f.passed, seq)
	gone := f.early[seq]
	delete(f.early, seq)
	return !gone
}

// begin notes up to what the values were loaded, and starts the rest.
func (f *feed) begin(loaded uint64) {
	f.mu.Lock()
	f.passed = loaded
	for seq := range f.early {
		if seq <= loaded {
			delete(f.early, seq)
		}
	}
	f.mu.Unlock()
	f.from <- loaded + 1
}

// Load calls f with all values, in their order, until it reports false. From then on Changes has
// what is added, by this process too, and what others remove. Load may be called once.
func (s *Store) Load(f func(seq uint64, data []byte) bool) error {
	info, err := s.info()
	if err != nil {
		return err
	}
	s.same.note(info.State.LastSeq)
	loaded := uint64(0)
	if info.State.Msgs > 0 {
		err = s.read(1, info.State.LastSeq, wholeValues, func(seq uint64, data []byte) bool {
			loaded = seq
			s.same.note(seq)
			return f(seq, data)
		})
	}
	if err == nil {
		s.feed.begin(loaded)
	}
	return err
}

// Changes returns the changes after Load. They must be received: nothing else waits for them.
func (s *Store) Changes() <-chan Change { return s.changes }

// follow passes on what is added, until the Store is closed.
func (s *Store) follow() {
	var from uint64
	select {
	case from = <-s.feed.from:
	case <-s.ctx.Done():
		return
	}
	for s.ctx.Err() == nil {
		messages, err := s.subscribe(from, wholeValues)
		if err == nil {
			from, err = s.passOn(messages, from)
			messages.stop()
		}
		if errors.Is(err, ErrGone) {
			s.pass(Change{Kind: Gone, Err: err})
		}
		if err != nil && s.ctx.Err() == nil {
			s.cfg.Log.Debug("the stream of the spool cannot be followed for a moment", "error", err)
		}
		select {
		case <-time.After(followPause):
		case <-s.ctx.Done():
		}
	}
}

// followPause is how long follow waits before it tries again.
const followPause = time.Second

// passOn passes messages on until there is an error, and returns with what to go on.
func (s *Store) passOn(messages *reading, from uint64) (next uint64, err error) {
	defer context.AfterFunc(s.ctx, messages.Stop)() // it may be in the middle of choosing another server
	consumer := ""
	for {
		m, err := messages.Next(jetstream.NextContext(s.ctx))
		if err != nil {
			return from, err
		}
		about, err := m.Metadata()
		if err != nil {
			return from, err
		}
		if about.Consumer != consumer { // another server may send them, or the same with older data
			if err := s.checkSeen(); err != nil {
				return from, err
			}
			consumer = about.Consumer
		}
		seq := about.Sequence.Stream
		from = seq + 1
		s.same.seen.Store(&sighting{seq, about.Timestamp})
		s.passAddition(seq, s.dataOf(m))
	}
}

// passAddition passes on that a value was added, unless it was removed already. data is nil if it
// does not verify.
func (s *Store) passAddition(seq uint64, data []byte) {
	s.feed.order.Lock()
	defer s.feed.order.Unlock()
	s.same.note(seq)
	if s.feed.pass(seq) {
		s.pass(Change{Kind: Added, Seq: seq, Data: data})
	}
}

// passRemoval passes on that a value was removed: also of one that was not passed on, because it
// may be this process's own.
func (s *Store) passRemoval(seq uint64) {
	s.feed.order.Lock()
	defer s.feed.order.Unlock()
	s.feed.removed(seq)
	s.pass(Change{Kind: Removed, Seq: seq})
}

// pass passes a change on.
func (s *Store) pass(c Change) {
	select {
	case s.changes <- c:
	case <-s.ctx.Done():
	}
}

// tellRemoved tells the others that values were removed. What they are not told, findLeft finds.
func (s *Store) tellRemoved(seqs []uint64) {
	for len(seqs) > 0 {
		n := min(len(seqs), maxRemoved)
		b := append(make([]byte, 0, idLength+8*n), s.id[:]...)
		for _, seq := range seqs[:n] {
			b = binary.BigEndian.AppendUint64(b, seq)
		}
		if err := s.conn.Publish(s.removedSubject(), s.removes.sign(b)); err != nil {
			return
		}
		seqs = seqs[n:]
	}
}

// noteRemoved passes on what another process has removed.
func (s *Store) noteRemoved(m *nats.Msg) {
	data, ok := s.removes.verify(m.Data)
	if !ok {
		s.cfg.Log.Debug("a message about the stream of the spool was not signed by a gateway that shares it", "subject", m.Subject)
		return
	}
	seqs, err := parseRemoved(data)
	if err != nil {
		s.cfg.Log.Debug("a message about the stream of the spool cannot be read", "subject", m.Subject, "error", err)
		return
	}
	if [idLength]byte(data) == s.id {
		return
	}
	for ; len(seqs) > 0; seqs = seqs[8:] {
		s.passRemoval(binary.BigEndian.Uint64(seqs))
	}
}

var errRemoved = errors.New("expected an identifier of 8 bytes and up to 4096 sequence numbers of 8 bytes")

// parseRemoved returns the sequence numbers of a message that tells of removals.
func parseRemoved(b []byte) ([]byte, error) {
	if len(b) < idLength || len(b)%8 != 0 || len(b) > idLength+8*maxRemoved {
		return nil, errRemoved
	}
	return b[idLength:], nil
}
