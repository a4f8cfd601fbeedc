package stream

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"radsec-gw/locks"

	"github.com/nats-io/nats.go/jetstream"
)

// One process leads: it has written its identifier to a key of the bucket, and writes it again
// every renewPause. Who finds that the key has not changed for takeAfter, by its own clock, writes
// its own instead. NATS lets only one of two succeed that write after the same revision. A leader
// that cannot renew stops leading after giveUpAfter, which is before anybody else can begin.
//
// Nobody's clock is compared with another's, so that only a clock that runs much slower than others
// could make two lead at a time.
const (
	leaderKey   = "leader"
	renewPause  = 2 * time.Second
	giveUpAfter = 7 * time.Second

	resignTimeout = 500 * time.Millisecond // the process ends
	takeAfter     = 10 * time.Second
)

// lease is what is known of who leads.
type lease struct {
	mu    locks.Mutex[locks.StreamLease] // guards the fields up to other
	until time.Time                      // this process leads; the zero Time: it does not
	told  bool                           // what LeadChanged was told of last: one that ended by itself is a change, too
	other time.Time                      // until when it is known that another process leads

	// owned by campaign
	revision uint64    // of the key, when it was read last
	holder   string    // likewise; "": nobody
	seen     time.Time // since when the revision has been the same
}

// Leads reports whether this process leads.
func (s *Store) Leads() bool {
	s.lease.mu.Lock()
	defer s.lease.mu.Unlock()
	return time.Now().Before(s.lease.until)
}

// OtherLeads reports whether another process is known to lead.
func (s *Store) OtherLeads() bool {
	s.lease.mu.Lock()
	defer s.lease.mu.Unlock()
	return time.Now().Before(s.lease.other)
}

// LeadChanged returns a channel that receives when Leads may have changed.
func (s *Store) LeadChanged() <-chan struct{} { return s.newLead }

// setUntil sets until when this process leads.
func (s *Store) setUntil(t time.Time) {
	leads := time.Now().Before(t)
	s.lease.mu.Lock()
	changed := leads != s.lease.told
	s.lease.until, s.lease.told = t, leads
	s.lease.mu.Unlock()
	if changed {
		signal(s.newLead)
	}
}

// setOther sets until when another process is known to lead.
func (s *Store) setOther(t time.Time) {
	s.lease.mu.Lock()
	defer s.lease.mu.Unlock()
	s.lease.other = t
}

// campaign leads whenever nobody else does, until the Store is closed.
func (s *Store) campaign() {
	tick := time.NewTicker(renewPause)
	defer tick.Stop()
	for {
		s.tryToLead()
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			s.resign()
			return
		}
	}
}

// ownID returns what the key has while this process leads.
func (s *Store) ownID() string { return hex.EncodeToString(s.id[:]) }

// tryToLead renews the lead, or takes it if nobody has it.
func (s *Store) tryToLead() {
	l, own := &s.lease, s.ownID()
	ctx, cancel := context.WithTimeout(s.ctx, renewPause)
	defer cancel()
	began, full := time.Now(), false
	if l.holder == own { // what it reads may be older than what it has written
		revision, err := s.shared.Update(ctx, leaderKey, []byte(own), l.revision)
		if err == nil {
			l.revision, l.seen = revision, began
			s.setUntil(began.Add(giveUpAfter))
			return
		}
		full = isFull(err)
	}
	entry, err := s.shared.Get(ctx, leaderKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		l.holder, l.revision = "", 0
	case err != nil:
		s.checkLead()
		if err := s.checkBucket(); errors.Is(err, ErrGone) {
			s.pass(Change{Kind: Gone, Err: err})
		}
		return
	case entry.Revision() != l.revision || l.seen.IsZero():
		l.holder, l.revision, l.seen = string(entry.Value()), entry.Revision(), began
	}
	if full && l.holder == own && s.Leads() { // nobody else can write either, and only who leads frees some
		s.setUntil(began.Add(giveUpAfter))
		return
	}
	if l.holder != own && l.holder != "" && began.Sub(l.seen) < takeAfter {
		s.setUntil(time.Time{})
		s.setOther(l.seen.Add(takeAfter))
		return
	}
	s.setOther(time.Time{})
	var revision uint64
	if l.revision == 0 {
		revision, err = s.shared.Create(ctx, leaderKey, []byte(own))
	} else {
		revision, err = s.shared.Update(ctx, leaderKey, []byte(own), l.revision)
	}
	if err != nil { // somebody else was first, or NATS does not answer
		if isFull(err) { // the one that leads may go on
			l.seen = began
		}
		s.checkLead()
		return
	}
	took := l.holder != own
	l.holder, l.revision, l.seen = own, revision, began
	s.setUntil(began.Add(giveUpAfter))
	if took {
		s.cfg.Log.Info("this gateway sends the records of the spool from now on", "stream", s.name())
	}
}

// checkLead ends a lead that could not be renewed in time.
func (s *Store) checkLead() {
	if !s.Leads() {
		s.setUntil(time.Time{})
	}
}

// resign ends the lead, so that another process need not wait.
func (s *Store) resign() {
	leads := s.Leads()
	s.setUntil(time.Time{})
	if !leads || s.shared == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), resignTimeout)
	defer cancel()
	if _, err := s.shared.Update(ctx, leaderKey, nil, s.lease.revision); err == nil {
		return
	}
	// The last renewal may have succeeded without an answer.
	if entry, err := s.shared.Get(ctx, leaderKey); err == nil && string(entry.Value()) == s.ownID() {
		s.shared.Update(ctx, leaderKey, nil, entry.Revision()) // otherwise another process waits for takeAfter
	}
}
