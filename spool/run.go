package spool

import (
	"errors"
	"log/slog"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/spool/stream"
	"radsec-gw/wire"
)

// removalPause is how long removals wait for others, or for a record that is to be stored:
// a commit costs the same with one as with a thousand. If it is slow, as on an old disk, or with
// many free pages, they wait for so many times as long as the last one took.
const (
	removalPause  = 50 * time.Millisecond
	removalFactor = 20
)

// write opens the store and stores what is handed over, until the spool is closed. It closes
// opened when the store was opened for the first time, or could not be.
func (s *Spool) write(opened chan struct{}) {
	w := &writer{Spool: s, digests: wire.NewDigests(), packets: make([][wire.MaxLength]byte, wire.MaxDigests), pending: map[uint64]*Entry{}}
	first := true
	for {
		err := w.open()
		w.cfg.Metrics.SetUp(err == nil)
		if err != nil {
			w.setErr(err)
			w.log(slog.LevelError, "the spool cannot be opened: accounting that no server answers is not acknowledged until it can", "error", err)
		}
		if first {
			close(opened)
			first = false
		}
		if err == nil {
			wake(w.due)
			if w.cfg.Opened != nil {
				w.cfg.Opened()
			}
			w.asideFailed, w.sweptFrom = false, 0
			w.follow()
			err = w.serve()
			w.idle()
			if errors.Is(err, stream.ErrGone) {
				w.cfg.Log.Error("the stream of the spool is no longer what it was, and is opened again: records that it does not have then are lost", "records", w.State().Records, "error", err)
			}
			w.closeStore(err)
			if err == nil {
				return // closed
			}
		}
		if !errors.Is(err, errReplaced) && !errors.Is(err, errStale) && !w.pause(reopenPause) {
			return
		}
	}
}

// setErr notes why the store is not open.
func (s *Spool) setErr(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// closeStore closes the store; why is nil if the spool is closed with it.
func (w *writer) closeStore(why error) {
	if why == nil {
		why = ErrClosed
	}
	w.mu.Lock()
	st := w.store
	w.store, w.failure, w.err = nil, nil, why
	w.mu.Unlock()
	w.cfg.Metrics.SetUp(false)
	w.cfg.Metrics.SetLeads(false)
	if err := st.close(); err != nil {
		w.cfg.Log.Error("the spool's database cannot be closed", "directory", w.cfg.Directory, "error", err)
	}
	w.refuseWaiting()
}

// pause waits. It reports false if the spool is closed. Nothing is handed over meanwhile.
func (w *writer) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// refuseWaiting refuses the entries that wait for a store that is no longer open.
func (w *writer) refuseWaiting() {
	for {
		select {
		case e := <-w.queue:
			w.refuse(e)
		default:
			return
		}
	}
}

func (w *writer) refuse(e *Entry) {
	e.Err = ErrClosed
	w.waiting.Add(-1)
	w.cfg.Metrics.Refused(metrics.SpoolClosed)
	w.tell([]*Entry{e})
}

// serve stores what is handed over until the spool is closed. An error means that the store
// is not usable.
func (w *writer) serve() error {
	if err := w.compareAll(); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var removalDue <-chan time.Time
	for {
		var err error
		select {
		case e := <-w.queue:
			w.busy()
			err = w.commit(e)
		case <-w.work:
			if err = w.readingFailed(); err == nil && removalDue == nil {
				removalDue = time.After(w.removalPause())
			}
		case <-removalDue:
			removalDue = nil
			w.busy()
			err = w.commit(nil)
		case c := <-w.follower.changes():
			w.busy()
			err = w.apply(c)
		case <-w.follower.leadChanged():
			w.busy()
			err = w.noteLead()
		case now := <-tick.C:
			w.busy()
			w.releaseWaiting()
			if err = w.compare(now); err == nil {
				err = w.sweep()
			}
		case <-w.ctx.Done():
			return w.finish()
		}
		w.idle()
		if err != nil {
			return err
		}
	}
}

// finish stores what waits, when the spool is closed.
func (w *writer) finish() error {
	for {
		select {
		case e := <-w.queue:
			if err := w.commit(e); err != nil {
				return nil
			}
		default:
			w.finishRemovals()
			return nil
		}
	}
}

// finishRemovals removes what is to be removed, unless that fails.
func (w *writer) finishRemovals() {
	for before := -1; ; {
		w.commit(nil)
		n := w.removalsWait()
		if n == 0 || n == before {
			return
		}
		before = n
	}
}

// removalPause returns how long the next removals wait. Those of a shared store are not written by
// this gateway, and do not cost less together.
func (w *writer) removalPause() time.Duration {
	switch {
	case w.follower.store == nil:
		return max(removalPause, removalFactor*w.took)
	case w.removalsWait() >= maxRemovals:
		return 0
	}
	return removalPause
}

// readingFailed returns why the store cannot be read, if somebody has met that.
func (s *Spool) readingFailed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damage
}

// noteReading has the store opened again if reading it has failed in a way that needs that.
func (s *Spool) noteReading(st store, err error) {
	if !isDamaged(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st == s.store {
		s.damage = err
		wake(s.work)
	}
}
