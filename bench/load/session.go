package load

import (
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/packets"
)

// slot is one identifier's request.
type slot struct {
	since  time.Time // when sent, or in the open loop meant to be sent
	sentAt time.Time // when sent: what the timeout counts from
	ra     [16]byte
	kind   packets.Kind
	state  slotState

	// over DTLS
	packet []byte        // to send again
	again  time.Time     // when
	wait   time.Duration // until then, since it was sent last
	resent bool
}

type slotState uint8

const (
	slotFree slotState = iota
	slotWaiting
	// slotLost is not used again for a while, so that a late reply cannot be mistaken for one
	// to a newer request with the same identifier. A request that was resent ends so, too,
	// though it is answered: another answer may follow.
	slotLost
)

// quarantine is how long an identifier is not used after its request was lost; a
// relay has given up on it by then (RFC 5080 §2.2.1: MRD 30 s).
const quarantine = 30 * time.Second

// session is the state of one connection's requests. In the closed loop one
// goroutine owns all of it; in the open loop a mutex (in open.go) guards it.
type session struct {
	// static after construction
	cfg   *Config
	conn  connection
	when  schedule
	index int

	tally
	maker    *packets.Maker
	shared   *packets.Shared
	used     [identifiers]uint32 // how often each identifier was used
	buf      []byte
	slots    [identifiers]slot
	free     [identifiers]byte // queue of free identifiers: the longest unused first
	freeAt   int
	freeLen  int
	waiting  int
	received int
	swept    time.Time
}

func newSession(cfg *Config, shared *packets.Shared, conn connection, when schedule, index int) *session {
	s := &session{cfg: cfg, conn: conn, when: when, index: index, maker: packets.NewMaker(cfg.Secret), shared: shared, buf: make([]byte, packets.MaxLength)}
	for i := range identifiers {
		s.free[i] = byte(i + index) // connections start at different places of the mix
	}
	s.freeLen = identifiers
	return s
}

// send makes the next request of the mix and gathers it; since is what its
// latency counts from. There must be a free identifier.
func (s *session) send(since, now time.Time) error {
	id := s.free[s.freeAt]
	s.freeAt = (s.freeAt + 1) % identifiers
	s.freeLen--
	p, kind := s.shared.Write(s.buf, s.maker, id, &s.used[id])
	o := &s.slots[id]
	o.since, o.sentAt, o.kind, o.state = since, now, kind, slotWaiting
	o.ra = [16]byte(p[4:20])
	if s.cfg.DTLS {
		o.packet, o.resent = append(o.packet[:0], p...), false
		o.schedule(now, s.cfg.Resend)
	}
	s.waiting++
	s.sent++
	return s.conn.put(p)
}

// schedule sets when to send again, a tenth sooner or later: what was lost together is not sent
// together (RFC 5080 §2.2.1).
func (o *slot) schedule(now time.Time, wait time.Duration) {
	o.wait = time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64()))
	o.again = now.Add(o.wait)
}

func (s *session) release(id byte) {
	s.slots[id].state = slotFree
	s.free[(s.freeAt+s.freeLen)%identifiers] = id
	s.freeLen++
}

// receive handles one packet from the relay, and reports whether it ended a request.
func (s *session) receive(p []byte, now time.Time) (matched bool) {
	if s.cfg.Reverse != nil && (radius.Code(p[0]) == radius.CodeCoARequest || radius.Code(p[0]) == radius.CodeDisconnectRequest) {
		s.asked++
		s.cfg.Reverse.handle(s.conn, p)
		return false
	}
	id := p[1]
	o := &s.slots[id]
	switch o.state {
	case slotFree:
		s.unmatched++
		return false
	case slotLost:
		s.unmatched++
		s.release(id)
		return false
	}
	s.received++
	if err := s.verify(p, o); err != nil {
		s.bad++
		if s.firstBad == nil {
			s.firstBad = err
		}
	} else {
		s.answered++
		if !now.Before(s.when.measure) && now.Before(s.when.end) {
			s.latencies.Record(now.Sub(o.since))
		}
	}
	s.waiting--
	if o.resent {
		o.state = slotLost
	} else {
		s.release(id)
	}
	return true
}

// verify checks the code of a reply, and of every SampleEvery-th its signatures.
func (s *session) verify(p []byte, o *slot) error {
	if !packets.Answers(o.kind, p[0]) {
		return &wrongCode{o.kind, p[0]}
	}
	if s.received%s.cfg.SampleEvery != 0 {
		return nil
	}
	s.verified++
	return s.maker.Verify(p, o.kind, &o.ra)
}

// sweep gives up requests that have waited too long, sends again over DTLS what may have been
// lost, and frees identifiers whose quarantine
// has ended, at most ten times a second. It returns how many were lost.
func (s *session) sweep(now time.Time) (lost int) {
	if now.Sub(s.swept) < 100*time.Millisecond {
		return 0
	}
	s.swept = now
	for id := range s.slots {
		o := &s.slots[id]
		switch {
		case o.state == slotWaiting && now.Sub(o.sentAt) > s.cfg.Timeout:
			o.state = slotLost
			s.waiting--
			s.lost++
			lost++
		case o.state == slotWaiting && s.cfg.DTLS && now.After(o.again):
			o.schedule(now, 2*o.wait)
			o.resent = true
			s.resent++
			_ = s.conn.put(o.packet) // an error comes back from the next call, too
		case o.state == slotLost && now.Sub(o.sentAt) > s.cfg.Timeout+quarantine:
			s.release(byte(id))
		}
	}
	return lost
}

// arm makes a read that finds nothing return after 200 ms, so that lost
// requests are noticed.
func (s *session) arm(now time.Time) {
	_ = s.conn.wake(now.Add(200 * time.Millisecond))
}

// closedLoop keeps Outstanding requests in flight until the end, then waits
// for those that are still in flight.
func (s *session) closedLoop() {
	if wait := time.Until(s.when.start); wait > 0 {
		time.Sleep(wait)
	}
	now := time.Now()
	credit := s.cfg.Outstanding
	for {
		for ; credit > 0 && s.freeLen > 0 && now.Before(s.when.end); credit-- {
			if s.broken = s.send(now, now); s.broken != nil {
				break
			}
		}
		if s.broken != nil || now.After(s.when.giveUp) || s.waiting == 0 && !now.Before(s.when.end) {
			break
		}
		if now.Sub(s.swept) >= 100*time.Millisecond {
			credit += s.sweep(now)
			s.arm(now)
		}
		p, err := s.conn.next()
		now = time.Now()
		if err == nil {
			if s.receive(p, now) {
				credit++
			}
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			s.broken = err
			break
		}
	}
	s.lost += uint64(s.waiting)
}
