package dynauth

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"radsec-gw/wire"
)

// maxKept bounds the answers that are kept for duplicates. Beyond it the oldest go first: one
// that arrives after so many others, and within the window, is taken for a new request.
const (
	maxKept       = 500_000
	maxKeptOctets = 64 << 20
)

// chunk is how many octets of answers are allocated at a time.
const chunk = 64 << 10

// dupKey identifies a request: its sender's address and port, its Identifier and its
// Authenticator (RFC 5080 §2.2.2). It is a hash under a secret seed: see key.
type dupKey uint64

// duplicates has the requests of the last minutes, so that none is sent down twice (RC6).
// Guarded by Server.mu.
type duplicates struct {
	octets int               // of the answers
	last   map[dupKey]uint64 // sequence number of its answer in kept; 0: it is pending, or has none
	// kept are the answers in the order in which they expire, those of the requests that
	// have none included. The first has the sequence number first.
	kept  ring[keptAnswer]
	first uint64
	space []byte // of the chunk for the next answers
}

// keptAnswer is an answer that may be sent again.
type keptAnswer struct {
	dup    dupKey
	until  time.Duration
	answer []byte // empty: none
	lost   bool   // its connection has ended: it may be sent down another, but is not refused
}

// dupKeyOf returns the key of a request.
func (s *Server) dupKeyOf(v *wire.View, from *origin) dupKey {
	var b [16 + 2 + 1 + 16]byte
	a := from.address
	ip := a.Addr().As16()
	copy(b[:], ip[:])
	binary.BigEndian.PutUint16(b[16:], a.Port())
	b[18] = v.Identifier()
	copy(b[19:], v.Authenticator()[:])
	return dupKey(maphash.Bytes(s.seed, b[:]))
}

// admission says what is done with a request.
type admission uint8

const (
	admitDuplicate admission = iota // it gets the answer that it got before, or none
	admitPending                    // it is a duplicate of one that has no answer yet
	admitNew
	// admitRetry: its first transmission may have reached the NAS, whose connection ended
	// before the answer. It is sent down again if there is a connection (RFC 6614bis §4.2); a
	// NAK would claim that nothing has happened.
	admitRetry
)

// admit returns what is done with a request, and has it pending, if take is set and it is not a
// duplicate. Of a duplicate, answer is what it got before, appended to to: nothing if it got none.
func (s *Server) admit(dup dupKey, now time.Duration, take bool, to []byte) (answer []byte, how admission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dups.expire(now)
	n, ok := s.dups.last[dup]
	how = admitNew
	switch {
	case ok && n == 0:
		return to, admitPending
	case ok:
		k := s.dups.kept.at(int(n - s.dups.first))
		if !k.lost {
			return append(to, k.answer...), admitDuplicate
		}
		how = admitRetry
	}
	if take {
		s.dups.last[dup] = 0
	}
	return nil, how
}

// answered keeps the answer of a request for its duplicates.
func (s *Server) answered(req *request, answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeDeadline(req)
	s.keep(req.dup, answer, false, req.early())
}

// unanswered keeps that a request got no answer; lost says that its connection has ended.
func (s *Server) unanswered(req *request, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeDeadline(req)
	s.keep(req.dup, nil, lost, req.early())
}

// early returns how far the Event-Timestamp of a request is in the future: its duplicates are
// fresh for so much longer.
func (req *request) early() time.Duration {
	age, ok := req.view.EventAge(time.Now())
	if !ok {
		return 0
	}
	return max(0, -age+time.Second) // the stamp has whole seconds
}

// keep adds an answer to those that are kept, for the duplicate window and a time more. With mu
// held.
func (s *Server) keep(dup dupKey, answer []byte, lost bool, more time.Duration) {
	d := &s.dups
	for d.kept.len() >= maxKept || d.kept.len() > 0 && d.octets+len(answer) > maxKeptOctets {
		d.forgetOldest()
		s.metrics.Forgotten()
	}
	d.octets += len(answer)
	if len(answer) > cap(d.space)-len(d.space) {
		d.space = make([]byte, 0, max(chunk, len(answer)))
	}
	begin := len(d.space)
	d.space = append(d.space, answer...)
	if d.first == 0 {
		d.first = 1
	}
	d.last[dup] = d.first + uint64(d.kept.len())
	t := &s.config.Load().Timestamps
	until := s.now() + t.duplicates() + min(more, t.duplicates())
	d.kept.push(keptAnswer{dup, until, d.space[begin:len(d.space):len(d.space)], lost})
	s.wakeAt(until)
}

// defaultWindow is how long answers are kept when Event-Timestamps are not checked: as long
// as by default (RFC 5176 §6.3).
const defaultWindow = 300 * time.Second

// duplicates returns how long answers are kept for duplicates (RC5).
func (t *Timestamps) duplicates() time.Duration {
	if t.Window == 0 {
		return defaultWindow
	}
	return t.Window
}

// expire forgets the answers whose time is over.
func (d *duplicates) expire(now time.Duration) {
	for d.kept.len() > 0 && d.kept.at(0).until <= now {
		d.forgetOldest()
	}
	if d.kept.len() == 0 && len(d.kept.all) > 0 { // after a burst its memory is returned
		d.kept, d.space = ring[keptAnswer]{}, nil
	}
}

func (d *duplicates) forgetOldest() {
	if dup := d.kept.at(0).dup; d.last[dup] == d.first { // otherwise it was sent again since
		delete(d.last, dup)
	}
	d.octets -= len(d.kept.at(0).answer)
	d.kept.pop()
	d.first++
}

// ring is a queue that reuses its memory.
type ring[T any] struct {
	all         []T
	begin, used int
}

func (r *ring[T]) len() int { return r.used }

// at returns the i-th element, from 0.
func (r *ring[T]) at(i int) *T { return &r.all[(r.begin+i)%len(r.all)] }

func (r *ring[T]) push(v T) {
	if r.used == len(r.all) {
		next := make([]T, max(64, 2*len(r.all)))
		for i := range r.used {
			next[i] = *r.at(i)
		}
		r.all, r.begin = next, 0
	}
	r.used++
	*r.at(r.used - 1) = v
}

func (r *ring[T]) pop() {
	*r.at(0) = *new(T)
	r.begin, r.used = (r.begin+1)%len(r.all), r.used-1
}
