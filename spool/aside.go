package spool

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/spool/detail"
	"radsec-gw/wire"
)

// setAside writes the records that no server answers into a file that people can read and
// send again, and lists them for removal.
//
// Rules: SP12.
func (w *writer) setAside() error {
	if w.asideFailed {
		return nil
	}
	w.mu.Lock()
	asides := w.asides
	w.asides = nil
	seqs := make([]uint64, len(asides))
	for i, h := range asides {
		seqs[i] = w.index.items.at(h).seq
	}
	w.mu.Unlock()
	if len(asides) == 0 {
		return nil
	}
	var text []byte
	err := w.store.get(seqs, func(_ uint64, value []byte) {
		if r, err := decodeRecord(value); err == nil {
			text = r.detail().Append(text)
		}
	})
	if err == nil {
		err = w.appendAside(text)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.asides = append(w.asides, asides...)
		w.asideFailed = true
		w.asideErrors.Log(func() logs.Line {
			return logs.Line{Log: w.cfg.Log, Level: slog.LevelError, Text: "records that no server answers cannot be set aside: they hold up their sessions until they can", Fields: []any{"records", len(asides), "error", err}}
		})
		return err
	}
	for _, h := range asides {
		it := w.index.items.at(h)
		w.remove = append(w.remove, removal{it.seq, it.content})
		w.index.remove(h)
		w.cfg.Metrics.SetAside()
	}
	w.cfg.Log.Warn("records were set aside that no server answers although it answers others; see what is wrong with them, then send them again with radsec-gw spool retry", "records", len(asides), "file", filepath.Join(w.cfg.Directory, asideName))
	return nil
}

// errAsideFull is the error of a file that has grown as large as the spool may be.
var errAsideFull = errors.New("the file of records that were set aside is as large as max_octets: send them again, or remove it")

// appendAside appends text to the file of records that are set aside, durably.
func (s *Spool) appendAside(text []byte) error {
	s.asideFile.Lock()
	defer s.asideFile.Unlock()
	path := filepath.Join(s.cfg.Directory, asideName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size+int64(len(text)) > s.limits.Load().MaxOctets {
		return errAsideFull
	}
	end := make([]byte, min(size, 2))
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil {
		return err
	}
	if size > 0 && string(end) != "\n\n" { // it must neither go on in the next record, nor be taken for a whole one
		text = append([]byte("\nthe record above was cut off\n\n"), text...)
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(size)) // they are written again
	}
	if size == 0 {
		return syncDirectory(s.cfg.Directory)
	}
	return nil
}

// detail returns the record in the form in which people read it.
func (r *Record) detail() *detail.Record {
	return &detail.Record{Arrived: r.Arrived, Client: r.Client, Address: r.Address, Packet: r.Packet}
}

// maxSwept bounds the records that one sweep reads.
const maxSwept = 1000

// sweep drops records that are too old, and finds out how old the oldest is.
//
// Rules: SP11.
func (w *writer) sweep() error {
	w.lookAside()
	if err := w.keepInPlace(); errors.Is(err, errReplaced) {
		return err
	}
	old, err := w.findOld()
	if isDamaged(err) {
		return err
	}
	if w.noteSweep(err); err != nil {
		return nil
	}
	w.mu.Lock()
	if !w.sends() {
		old = nil
	}
	dropped := 0
	for _, o := range old {
		if w.drop(o) {
			dropped++
		}
	}
	pending := len(w.removals) + len(w.asides)
	w.asideFailed = false
	w.mu.Unlock()
	if dropped > 0 {
		w.cfg.Metrics.Dropped(metrics.SpoolTooOld, dropped)
		w.cfg.Log.Error("records were dropped that no server has answered within max_age", "records", dropped, "max_age", w.limits.Load().MaxAge)
	}
	if pending > 0 {
		return w.commit(nil)
	}
	return nil
}

// noteSweep notes whether a sweep could read the store: a gateway that has nothing to store knows
// by that alone that it could not.
//
// Rules: SP14.
func (w *writer) noteSweep(err error) {
	silent := w.failing && w.follower.store != nil && !w.refused // what answers again can also write
	if err == nil && !w.unreadable && !silent {
		return
	}
	if w.unreadable = err != nil; err == nil && silent {
		w.failing = false
	}
	if err != nil {
		w.cfg.Metrics.Failed()
		w.log(slog.LevelError, "the spool cannot read its store", "directory", w.cfg.Directory, "error", err)
	} else {
		w.cfg.Log.Info("the spool's store answers again", "directory", w.cfg.Directory)
	}
	if !w.failing { // a commit tells when that ends
		w.noteFailure(err)
		w.cfg.Metrics.SetUp(err == nil)
	}
}

// keepInPlace looks after the file of the store. While it is not where it belongs nothing is
// acknowledged.
func (w *writer) keepInPlace() error {
	st, ok := w.store.(*fileStore)
	if !ok {
		return nil
	}
	before := w.misplaced
	w.misplaced = st.keepInPlace(w.cfg.Log)
	switch {
	case errors.Is(w.misplaced, errReplaced):
		w.cfg.Log.Error("the spool's database was removed while it was in use; it was written again with all its records", "directory", w.cfg.Directory)
		err := w.misplaced
		w.misplaced = nil
		return err
	case w.misplaced != nil:
		w.cfg.Metrics.SetUp(false)
		w.noteFailure(w.misplaced)
		w.failed(w.misplaced)
	case before != nil:
		w.noteFailure(nil)
		w.cfg.Metrics.SetUp(true)
	}
	return w.misplaced
}

// drop removes a record, unless it is gone, or somebody uses it at this moment. Called with mu
// held.
func (s *Spool) drop(f found) bool {
	h := s.index.find(f.content, f.seq) // the store may have been opened again since it was found
	if h == 0 {
		return false
	}
	it := s.index.items.at(h)
	if it.state != itemStored || it.held {
		return false
	}
	s.discard(h)
	return true
}

// found is a record of the store and its place in the index, as they were found.
type found struct {
	item         handle
	seq, content uint64
}

// lookup finds the place of a record of the store; false if it has none: it is to be removed.
func (s *Spool) lookup(seq uint64, r *Record) (found, bool) {
	var v wire.View
	v.Parse(r.Packet)
	m := s.marker.Of(r.Client, &v)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.index.find(m.content, seq)
	return found{h, seq, m.content}, h != 0
}

// ageOf returns how old a record is. Whether one of a shared store is to be dropped no single clock
// decides: that of the NATS servers may be wrong, or have been, and so may those of the gateways.
func (w *writer) ageOf(r *Record) time.Duration {
	age := w.clock.age(r.at)
	if w.follower.store != nil {
		age = min(age, time.Since(r.Arrived))
	}
	return age
}

// findOld returns the records that are too old, and sets oldest. It passes over those that the
// spool leaves alone, or is about to remove, and need not meet them again.
func (w *writer) findOld() (old []found, err error) {
	maxAge := w.limits.Load().MaxAge
	read, oldest, from := 0, int64(0), w.sweptFrom
	err = w.store.each(w.sweptFrom, func(seq uint64, value []byte) bool {
		read++
		r, err := decodeRecord(value)
		f, ok := found{}, false
		if err == nil {
			f, ok = w.lookup(seq, r)
		}
		if !ok {
			if oldest == 0 && (w.follower.store == nil || seq <= w.follower.seen) { // what was added just now may be known in a moment
				from = seq + 1
			}
			return read < maxSwept
		}
		if oldest == 0 {
			oldest = r.at
		}
		if w.ageOf(r) <= maxAge {
			return false
		}
		old = append(old, f)
		return read < maxSwept
	})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.oldest, w.sweptFrom = oldest, from
	return old, nil
}
