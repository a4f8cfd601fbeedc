package spool

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"radsec-gw/metrics"
	"radsec-gw/spool/detail"
)

// This file is what people do with the records: look at them, send them now, drop them, and
// bring others in.

// Kept is a record that the spool keeps, as people see it.
type Kept struct {
	Number uint64
	Record *Record
	// What is known of its delivery. Of a record that is to be removed, nothing is.
	Held     bool // a server may still answer its live request
	Sending  bool
	Attempts int // that were not answered although the server answered others
}

// Exists reports whether there is a spool in a directory, open or not.
func Exists(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, databaseName))
	return err == nil
}

// Detail returns the record in the form in which people read it, and FreeRADIUS.
func (k *Kept) Detail() *detail.Record { return k.Record.detail() }

// atOnce is how many records are read before somebody is shown them, or wait to be stored by
// an import: few, so that nobody who is slow holds up the records of clients.
const atOnce = 256

// Each calls f with the records whose number is above after, in the order in which they were
// stored, until f reports false.
func (s *Spool) Each(after uint64, f func(*Kept) bool) error {
	st, err := s.opened()
	if err != nil {
		return err
	}
	for read := atOnce; read == atOnce && after != math.MaxUint64; {
		var some []*Kept
		read = 0
		err := st.each(after+1, func(seq uint64, value []byte) bool {
			if r, err := decodeRecord(value); err == nil {
				some = append(some, &Kept{Number: seq, Record: r})
			}
			read, after = read+1, seq
			return read < atOnce
		})
		if err != nil {
			s.noteReading(st, err)
			return err
		}
		for _, k := range some {
			if s.describe(k) && !f(k) {
				return nil
			}
		}
	}
	return nil
}

// opened returns the store.
func (s *Spool) opened() (store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, s.err)
	}
	if s.hanging.Load() {
		return nil, s.hangError()
	}
	return s.store, nil
}

// describe completes what is known of a record. It reports false if the record is to be removed.
func (s *Spool) describe(k *Kept) bool {
	place, ok := s.lookup(k.Number, k.Record)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index.find(place.content, place.seq) != place.item {
		return false
	}
	it := s.index.items.at(place.item)
	k.Held, k.Sending, k.Attempts = it.held, it.state == itemSending, int(it.attempts)
	return true
}

// Drop removes the records for which f reports true, but none that is being sent at this
// moment. It returns how many it has removed.
func (s *Spool) Drop(f func(*Kept) bool) (dropped int, err error) {
	var chosen []found
	err = s.Each(0, func(k *Kept) bool {
		if f(k) {
			if place, ok := s.lookup(k.Number, k.Record); ok {
				chosen = append(chosen, place)
			}
		}
		return true
	})
	for some := range slices.Chunk(chosen, atOnce) {
		dropped += s.dropAll(some)
	}
	s.cfg.Metrics.Dropped(metrics.SpoolByOperator, dropped)
	wake(s.work)
	return dropped, err
}

// dropAll drops some records: few, because requests of clients wait for mu.
func (s *Spool) dropAll(some []found) (dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range some {
		if s.err == nil && s.drop(place) {
			dropped++
		}
	}
	return dropped
}

// SendNow ends all waits after silence: every record may be sent again now, and those that
// waited count as ones that were never tried.
func (s *Spool) SendNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.index.lanes {
		l.begin(s.index)
	}
	wake(s.due)
}
