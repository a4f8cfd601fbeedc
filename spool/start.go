package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// openTimeout is how long Start waits for the store: long enough for a million records on a
// slow disk, and not so long that a disk which hangs keeps users from logging in.
const openTimeout = 20 * time.Second

// streamOpenTimeout is how long Start waits for NATS: nobody is kept from logging in by it.
const streamOpenTimeout = 2 * time.Second

// reopenPause is how long the spool waits before it opens a store again that could not be
// opened, or failed.
const reopenPause = 5 * time.Second

// secret is the spool's secret in both of its roles: records are written for it as for a
// server, and read as from a client.
type secret struct {
	to   *wire.ServerSecret
	from *wire.ClientSecret
}

func newSecret(key []byte) (*secret, error) {
	to, err := wire.NewServerSecret(key)
	if err != nil {
		return nil, err
	}
	from, err := wire.NewClientSecret(key)
	return &secret{to, from}, err
}

// Start opens the store, and begins to send what it holds. The gateway serves without a spool
// that cannot be opened: Start logs it, and the spool tries again by itself. ctx bounds how
// long it waits.
func (s *Spool) Start(ctx context.Context) {
	s.cfg.Metrics.Use(s.metricsState)
	opened := make(chan struct{})
	s.running.Go(func() { s.write(opened) })
	s.running.Go(s.watch)
	if s.cfg.Owner != nil {
		s.running.Go(s.replay)
	}
	timeout := openTimeout
	if s.cfg.Stream != nil {
		timeout = streamOpenTimeout
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-opened:
	case <-ctx.Done():
	case <-timer.C:
		s.cfg.Log.Warn("the spool is not open yet; the gateway serves without it meanwhile", "directory", s.cfg.Directory, "waited", timeout)
	}
}

// Close stores what waits to be stored, and ends the spool. What is being sent to servers is
// kept, unless it has been answered. ctx bounds how long it waits: a disk may hang.
func (s *Spool) Close(ctx context.Context) error {
	defer s.cfg.Metrics.Remove()
	s.cancel()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: records that were handed over last are not stored, and were not acknowledged", s.hangError())
	}
}

// Secret returns the secret under which hidden attributes of records are encrypted; nil
// while the spool is not open.
func (s *Spool) Secret() *wire.ClientSecret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		return nil
	}
	return s.secret.from
}

// open opens the store and reads what it holds.
func (s *Spool) open() error {
	st, err := s.openStore(s.cfg.Directory, s.cfg.Log)
	if err != nil {
		return err
	}
	key, err := s.secretOf(st)
	if err == nil {
		err = s.load(st, key)
	}
	if err != nil {
		st.close()
	}
	return err
}

// secretOf returns the secret that the records of a store are encrypted under.
func (s *Spool) secretOf(st store) ([]byte, error) {
	if shared, ok := st.(sharedStore); ok {
		s.key = shared.secret()
		return s.key, nil
	}
	return s.openSecret()
}

// openSecret reads the secret. If its file was removed while the spool was open, it is written
// again: the records are encrypted under it.
func (s *Spool) openSecret() ([]byte, error) {
	path := filepath.Join(s.cfg.Directory, keyName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && s.key != nil {
		if err := writeSecret(path, s.key); err != nil {
			return nil, err
		}
	}
	key, err := readSecret(s.cfg.Directory)
	if err == nil {
		s.key = key
	}
	return key, err
}

// load reads the records of a store, and opens the spool with it.
func (s *Spool) load(st store, key []byte) error {
	sec, err := newSecret(key)
	if err != nil {
		return err
	}
	l := loader{spool: s, index: newIndex()}
	shared, isShared := st.(sharedStore)
	if isShared {
		l.index.bySeq, l.now = map[uint64]handle{}, shared.now
		err = shared.load(l.add)
		s.loaded, l.last = l.last, unstoredSeq
	} else {
		err = st.each(0, l.add)
	}
	if err != nil {
		return err
	}
	l.report()
	next := newClock(s.clock, l.at, l.arrived)
	if isShared {
		next = sharedClock(shared.now())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = next
	s.index, s.store, s.secret, s.err, s.damage = l.index, st, sec, nil, nil
	s.lastTime = 0
	s.last, s.oldest, s.removals, s.asides = l.last, l.oldest, l.damaged, nil
	s.left, s.ledSince = l.unknown, 0
	s.epoch++
	s.askedAt = s.clock.now() - int64(reachablePause)
	if n := s.index.count; n > 0 {
		s.cfg.Log.Info("the spool has records that no server has yet", "directory", filepath.Clean(s.cfg.Directory), "records", n, "oldest", s.clock.age(s.oldest).Round(time.Second))
	}
	return nil
}

// loader fills an index with the records of a store.
type loader struct {
	spool   *Spool
	index   *index
	last    uint64
	at      int64     // of the record that arrived last
	arrived time.Time // the same by the machine's clock; the zero Time: there is none
	oldest  int64
	now     func() time.Time // by the clock of a shared store; nil: it is not shared
	damaged []removal
	unknown int // records that are left alone

	unknownSeq uint64 // of the last of them

	damage, reason error // the last of each
}

func (l *loader) add(seq uint64, value []byte) bool {
	l.last = seq
	r, err := decodeRecord(value)
	if isLeftAlone(err) {
		l.unknown, l.unknownSeq, l.reason = l.unknown+1, seq, err
		return true
	}
	if err != nil {
		l.damaged, l.damage = append(l.damaged, removal{seq, l.spool.marker.contentOf(value)}), err
		return true
	}
	if l.now != nil {
		l.notAfter(r, l.now().UnixNano())
	}
	if l.index.count == 0 || r.at >= l.at {
		l.at, l.arrived = r.at, r.Arrived
	}
	if l.index.count == 0 || r.at < l.oldest {
		l.oldest = r.at
	}
	var v wire.View
	v.Parse(r.Packet) // decodeRecord has parsed it
	m := l.spool.marker.Of(r.Client, &v)
	h := l.index.add(&m, r.at, l.index.laneFor(r.Route), len(value))
	it := l.index.items.at(h)
	it.seq, it.resent = seq, true // it may have been sent before the gateway ended
	l.index.number(h)
	l.index.stored(h)
	return true
}

// notAfter puts the time of arrival of a record of a shared store back, if it is in the future: to
// that of the record before, because they are in the order in which they were stored.
func (l *loader) notAfter(r *Record, now int64) {
	if r.at > now && l.index.count > 0 {
		r.at = l.at
	}
	r.at = min(r.at, now)
}

// report logs and counts what could not be read.
func (l *loader) report() {
	cfg := &l.spool.cfg
	if n := len(l.damaged); n > 0 {
		cfg.Metrics.Dropped(metrics.SpoolDamaged, n)
		cfg.Log.Error("the spool drops records that are damaged", "records", n, "last_error", l.damage)
	}
	if l.unknown > 0 {
		cfg.Log.Error("the spool leaves records alone that it cannot read", "records", l.unknown, "record", l.unknownSeq, "last_error", l.reason)
	}
}
