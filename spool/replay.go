package spool

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/spool/stream"
)

// Result is what became of a record that was sent.
type Result uint8

const (
	Answered Result = iota // a server has it
	Silent                 // no server answered it, nor, as far as is known, anything else
	Ignored                // no server answered it, although one is up
	NotSent                // it could not be sent now: no Identifier, no socket, no server in use
	NoRoute                // no route matches it, or its client is gone
)

// Outgoing is a record that is sent to a server.
type Outgoing struct {
	*Record // its Packet as it is to be sent; the authenticator is not valid

	spool  *Spool
	epoch  uint32
	item   handle
	seq    uint64
	lane   uint16
	sentAt int64

	content uint64
	other   bool // another record has its number
}

// The pauses after silence: the first, and the longest.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// noRoutePause is how long a record waits that no route matches: a reload may change that.
const noRoutePause = time.Minute

// maxTurn is the most records that one turn sends: more would hold up the goroutines of their
// sockets.
const maxTurn = 64

// replay sends the records, until the spool is closed.
//
// Rules: SP5.
func (s *Spool) replay() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []*Outgoing
	for {
		var wait time.Duration
		s.checkReachable()
		batch, wait = s.choose(batch[:0])
		if len(batch) > 0 {
			if batch = s.stillSent(s.fetch(batch)); len(batch) > 0 {
				s.cfg.Owner.Send(batch)
			}
			clear(batch)
			if wait == 0 && s.ctx.Err() == nil {
				continue
			}
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.due:
		case <-s.ctx.Done():
			return
		}
	}
}

// stillSent returns the records that were read, unless another gateway sends them by now.
func (s *Spool) stillSent(batch []*Outgoing) []*Outgoing {
	s.mu.Lock()
	sends := s.err != nil || s.sends()
	s.mu.Unlock()
	if sends {
		return batch
	}
	for _, o := range batch {
		o.Done(NotSent)
	}
	return nil
}

// choose returns the records that can be sent now, and how long to wait for the next.
func (s *Spool) choose(batch []*Outgoing) ([]*Outgoing, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return batch, time.Hour
	}
	if !s.sends() {
		return batch, reachablePause
	}
	l, now := s.limits.Load(), s.clock.now()
	wait := int64(time.Hour)
	for n, lane := range s.index.lanes {
		if next := lane.wake(s.index, now); next != 0 {
			wait = min(wait, next-now)
		}
		lane.fill(l.Rate, now)
		for len(batch) < maxTurn && lane.mayServe(l, now) {
			h := lane.next(s.index)
			if h == 0 {
				break
			}
			lane.budget--
			it := s.index.items.at(h)
			batch = append(batch, &Outgoing{spool: s, epoch: s.epoch, item: h, seq: it.seq, lane: uint16(n), sentAt: now, content: it.content})
		}
		if lane.pause > 0 {
			wait = min(wait, int64(reachablePause))
		}
		if len(lane.ready)+len(lane.silent) > 0 {
			wait = min(wait, lane.waits(l, now))
		}
	}
	return batch, time.Duration(max(0, wait))
}

// fill adds to the budget what the time since the last call allows, up to a tenth of a second
// at once.
func (l *lane) fill(rate int, now int64) {
	most := max(1, float64(rate)/10)
	l.budget = min(most, l.budget+float64(rate)*float64(now-l.filledAt)/float64(time.Second))
	l.filledAt = now
}

// mayServe reports whether another record may be sent.
func (l *lane) mayServe(lim *Limits, now int64) bool {
	return l.budget >= 1 && now >= l.resumeAt && l.inFlight < min(l.allowed, lim.Window)
}

// waits returns how long it is until mayServe can report true without another event.
func (l *lane) waits(lim *Limits, now int64) int64 {
	if l.inFlight >= min(l.allowed, lim.Window) {
		return int64(time.Hour) // an answer is the event
	}
	budget := int64((1 - l.budget) / float64(lim.Rate) * float64(time.Second))
	return max(1, l.resumeAt-now, budget)
}

// errOther has a shared store opened again in which another record has a number.
func errOther(seq uint64) error {
	return fmt.Errorf("%w: number %d is another record by now", stream.ErrGone, seq)
}

// fetch reads the records from the store. Those that cannot be read are not sent.
func (s *Spool) fetch(batch []*Outgoing) []*Outgoing {
	seqs := make([]uint64, len(batch))
	bySeq := make(map[uint64]*Outgoing, len(batch))
	for i, o := range batch {
		seqs[i], bySeq[o.seq] = o.seq, o
	}
	s.mu.Lock()
	st := s.store
	s.mu.Unlock()
	_, isShared := st.(sharedStore)
	var err error
	if st != nil {
		err = st.get(seqs, func(seq uint64, value []byte) {
			o := bySeq[seq]
			if r, err := decodeRecord(value); err == nil && o != nil {
				o.Record, o.other = r, isShared && s.marker.contentOfRecord(r) != o.content
			}
		})
		s.noteReading(st, err)
	}
	whole := batch[:0]
	for _, o := range batch {
		switch {
		case o.other:
			o.Record = nil
			s.noteReading(st, errOther(o.seq))
			o.Done(NotSent)
		case o.Record != nil:
			o.Packet = o.renew(time.Duration(max(0, o.sentAt-o.at)))
			whole = append(whole, o)
		case err != nil || st == nil:
			o.Done(NotSent)
		default:
			s.dropUnreadable(o)
		}
	}
	return whole
}

// dropUnreadable removes a record that the store no longer has, or has damaged.
func (s *Spool) dropUnreadable(o *Outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.epoch != s.epoch || s.err != nil {
		return
	}
	s.ended(o)
	if s.index.bySeq != nil { // another gateway has removed it, or the next comparison finds it
		s.index.remove(o.item)
		wake(s.due)
		return
	}
	s.discard(o.item)
	s.cfg.Metrics.Dropped(metrics.SpoolDamaged, 1)
	s.diskErrors.Log(func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Text: "the spool drops a record that is damaged", Fields: []any{"record", o.seq}}
	})
}

// ended notes that a record is no longer in flight. Called with mu held.
func (s *Spool) ended(o *Outgoing) *lane {
	lane := s.index.lanes[o.lane]
	lane.inFlight--
	s.index.replay--
	return lane
}

// Done tells what became of the record. It may be called by any goroutine.
func (o *Outgoing) Done(r Result) {
	s := o.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.epoch != s.epoch || s.err != nil { // the store was opened again meanwhile
		return
	}
	now := s.clock.now()
	lane := s.ended(o)
	it := s.index.items.at(o.item)
	switch r {
	case Answered:
		s.cfg.Metrics.Sent(metrics.SpoolAnswered)
		if it.resent || s.mayHaveBeenSent(it) {
			s.cfg.Metrics.Repeated()
		}
		lane.noteAnswer(now)
		s.deliveredCopy(it.seq)
		s.discard(o.item)
	case Silent, Ignored:
		s.cfg.Metrics.Sent(metrics.SpoolSilent)
		it.state, it.resent = itemStored, true
		if r == Silent && lane.answered < o.sentAt {
			lane.notePause(now)
			it.silences += min(1, 255-it.silences)
			// By chance, so that one which ends the servers is not the next each time they are back.
			lane.delay(s.index, it.session, waitsForOthers, now+lane.pause+rand.Int64N(int64(retryPause(int(it.silences)))))
		} else {
			s.countAttempt(o, lane, now)
		}
	case NotSent:
		s.cfg.Metrics.Sent(metrics.SpoolNotSent)
		it.state = itemStored
		lane.notePause(now)
		s.index.update(it.session)
	case NoRoute:
		s.cfg.Metrics.Sent(metrics.SpoolNotSent)
		it.state = itemStored
		lane.delay(s.index, it.session, waitsForTime, now+int64(noRoutePause))
	}
	wake(s.due)
}

// noteAnswer allows more records in flight.
func (l *lane) noteAnswer(now int64) {
	l.answered, l.heard, l.pause, l.resumeAt = now, now, 0, 0
	l.allowed++
}

// notePause has nothing sent for a while, and then one record.
func (l *lane) notePause(now int64) {
	l.allowed = 1
	if now < l.resumeAt {
		return // those that were in flight together count once
	}
	l.pause = min(max(int64(firstPause), 2*l.pause), int64(longestPause))
	l.resumeAt = now + l.pause
}

// countAttempt notes that a record was not answered although others were. After too many
// attempts it is set aside. Called with mu held.
//
// Rules: SP12.
func (s *Spool) countAttempt(o *Outgoing, l *lane, now int64) {
	it := s.index.items.at(o.item)
	it.attempts++
	if int(it.attempts) >= s.limits.Load().Attempts {
		it.state = itemAside
		s.asides = append(s.asides, o.item)
		wake(s.work)
		return
	}
	l.delay(s.index, it.session, waitsForTime, now+int64(retryPause(int(it.attempts))))
}

// longestRetryPause bounds the time until a record is sent again that was not answered.
const longestRetryPause = 10 * time.Minute

// retryPause is how long a record waits that was not answered, while others are sent.
func retryPause(times int) time.Duration {
	return min(time.Duration(times)*longestPause, longestRetryPause)
}

// reachablePause is how often the owner is asked whether the servers of a route that were
// silent can be reached again.
const reachablePause = time.Second

// checkReachable ends the pause of the routes whose servers can be reached again.
func (s *Spool) checkReachable() {
	type paused struct {
		lane      *lane
		reachable bool
	}
	var all []paused
	s.mu.Lock()
	now := s.clock.now()
	if s.err == nil && now-s.askedAt >= int64(reachablePause) {
		s.askedAt = now
		for _, l := range s.index.lanes {
			if len(l.ready)+len(l.delayed)+len(l.silent)+l.inFlight > 0 {
				all = append(all, paused{lane: l})
			}
		}
	}
	s.mu.Unlock()
	for i := range all {
		all[i].reachable = s.cfg.Owner.Reachable(all[i].lane.route)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range all {
		if p.reachable && !p.lane.reachable {
			p.lane.resumeAt = 0 // if they are silent all the same, the next pause is longer yet
		}
		p.lane.reachable = p.reachable
	}
}
