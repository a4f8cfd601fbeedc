package spool

import (
	"log/slog"
	"slices"
	"time"

	"radsec-gw/spool/stream"
	"radsec-gw/wire"
)

// This file is what the gateways that share a store learn of each other's records. Each has all of
// them in its index, so that no request overtakes a record of its session, whichever gateway has
// that. Who leads sends them.

// othersPause is how long a record of another gateway waits that was sent to a server already, in
// vain so far: the server may answer yet, and that gateway removes it then. After that time, the
// longest that a request waits by default, it is sent again.
const othersPause = 30 * time.Second

// comparePause is how often the number of records is compared with that of the store. While that
// changes, a difference may be what is on its way: then what is left is found out at most after
// twice that, and a while that is longer the more records there are.
const (
	comparePause  = 30 * time.Second
	findPerRecord = time.Millisecond
)

// clockSlack is how far the spool's clock may be off from that of the store.
const clockSlack = 5 * time.Second

// follower is what the writer knows of a sharedStore.
type follower struct {
	store   sharedStore         // nil: the store is this gateway's alone
	own     map[uint64]struct{} // numbers of what this gateway has added, and that changes have yet to bring
	waiting []waiting           // those that are held for othersPause, in the order in which that ends
	led     bool
	seen    uint64 // the highest number of a record that was loaded, or that a change has told of
	applied int    // changes since the last comparison, and own commits
	at      time.Time
	differs int       // how many comparisons in a row have found a difference
	found   time.Time // when the store was last asked what is left
}

// waiting is a record of another gateway that is held until a time on the spool's clock.
type waiting struct {
	seq   uint64
	until int64
}

// follow begins to follow a store, unless that is this gateway's alone.
func (w *writer) follow() {
	w.follower = follower{own: map[uint64]struct{}{}, seen: w.loaded}
	w.follower.store, _ = w.store.(sharedStore)
	if w.follower.store != nil {
		w.follower.led, w.follower.at = w.follower.store.leads(), time.Now()
		w.cfg.Metrics.SetLeads(w.follower.led)
	}
}

// changes returns the changes of a shared store; nil: there are none.
func (f *follower) changes() <-chan stream.Change {
	if f.store == nil {
		return nil
	}
	return f.store.changes()
}

// leadChanged returns the channel of a shared store; nil: there is none.
func (f *follower) leadChanged() <-chan struct{} {
	if f.store == nil {
		return nil
	}
	return f.store.leadChanged()
}

// noteLead notes that this gateway leads, or no longer does.
func (w *writer) noteLead() error {
	leads := w.follower.store.leads()
	if leads == w.follower.led {
		return nil
	}
	w.follower.led = leads
	w.cfg.Metrics.SetLeads(leads)
	w.mu.Lock()
	w.ledSince = w.clock.now()
	w.mu.Unlock()
	wake(w.due)
	return w.compareAll()
}

// mayHaveBeenSent reports whether another gateway may have sent a record: it happened before this
// one led. Called with mu held.
func (s *Spool) mayHaveBeenSent(it *item) bool { return it.order < s.ledSince }

// sends reports whether this gateway sends records. Called with mu held, while the store is open.
func (s *Spool) sends() bool {
	st, shared := s.store.(sharedStore)
	return !shared || st.leads()
}

// apply applies a change, and those that wait behind it.
func (w *writer) apply(c stream.Change) error {
	for n := 1; ; n++ {
		if c.Kind != stream.Left {
			w.follower.applied++
		}
		switch c.Kind {
		case stream.Added:
			if err := w.applyAddition(c.Seq, c.Data); err != nil {
				return err
			}
		case stream.Removed:
			w.applyRemoval(c.Seq)
		case stream.Left:
			if err := w.applyLeft(&c); err != nil {
				return err
			}
		case stream.Gone:
			return c.Err
		}
		if n == maxCommit {
			return nil
		}
		select {
		case c = <-w.follower.changes():
		default:
			return nil
		}
	}
}

// applyAddition adds a record to the index that is in the store, unless it is there.
func (w *writer) applyAddition(seq uint64, value []byte) error {
	w.follower.seen = seq
	r, err := decodeRecord(value)
	if isLeftAlone(err) {
		w.leaveAlone(seq, err)
		return nil
	}
	if err != nil {
		return nil // the next who opens the store tells of it
	}
	if w.isOwn(seq) {
		return w.compareOwn(seq)
	}
	// Another gateway can store: the next sweep tells of it.
	w.refused = false
	r.at = min(r.at, w.follower.store.now().UnixNano()) // the clock may have been put back
	var v wire.View
	v.Parse(r.Packet) // decodeRecord has parsed it
	m := w.marker.Of(r.Client, &v)
	w.mu.Lock()
	known := w.index.find(m.content, seq) != 0
	w.copies = w.index.copies(w.copies[:0], m.content)
	w.mu.Unlock()
	if known {
		return nil
	}
	same := uint64(0)
	if len(w.copies) > 0 && w.follower.store.leads() {
		if same, err = w.findSame(r.Client, &v); isDamaged(err) {
			return err
		}
		if same != 0 && same < seq {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.removals = append(w.removals, removal{seq, m.content})
			w.cfg.Metrics.Duplicate()
			wake(w.work)
			return nil
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.index.add(&m, r.at, w.index.laneFor(r.Route), len(value))
	it := w.index.items.at(h)
	it.seq, it.resent = seq, r.Sent
	w.index.number(h)
	if r.Sent {
		it.held, it.foreign = true, true
		w.follower.waiting = append(w.follower.waiting, waiting{seq, w.clock.now() + int64(othersPause)})
	}
	w.index.stored(h)
	if w.oldest == 0 {
		w.oldest = r.at
	}
	wake(w.due)
	if same != 0 {
		w.keepEarlier(twoCopies{m.content, seq, same})
	}
	return nil
}

// leaveAlone notes a record that was added and is left alone.
func (w *writer) leaveAlone(seq uint64, err error) {
	w.mu.Lock()
	w.left++
	w.mu.Unlock()
	w.log(slog.LevelError, "the spool leaves records alone that it cannot read", "records", 1, "record", seq, "last_error", err)
}

// maxOwn bounds the numbers of which it is remembered that they are this gateway's own.
const maxOwn = 4 * maxCommit

// isOwn reports whether this gateway has added the record with a number, which may be gone by now.
func (w *writer) isOwn(seq uint64) bool {
	own := w.follower.own
	_, ok := own[seq]
	delete(own, seq)
	if len(own) > maxOwn {
		for one := range own {
			if one < seq { // changes come in order
				delete(own, one)
			}
		}
	}
	return ok
}

// applyRemoval removes a record from the index that another gateway has removed from the store.
func (w *writer) applyRemoval(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.index.bySeq[seq]; h != 0 {
		w.removed(h)
	}
}

// removed removes a record from the index that is no longer in the store, unless this gateway is
// using it: it finds out then. Called with mu held.
func (w *writer) removed(h handle) {
	switch it := w.index.items.at(h); {
	case it.state == itemStored && it.held && !it.foreign:
		it.state = itemRemoved // until its live request ends
	case it.state == itemStored:
		w.index.remove(h)
	}
}

// applyLeft removes the records from the index of whose removal this gateway was not told. The error
// is an errStale if there are some that the index does not have.
func (w *writer) applyLeft(c *stream.Change) error {
	for first := handle(1); w.applyLeftTo(c, first); first += slabChunk {
	}
	w.copies = w.copies[:0]
	for some := range slices.Chunk(c.Left, slabChunk) {
		w.addUnknown(some)
	}
	w.leaveOutRemovals()
	missing := 0
	err := w.store.get(w.copies, func(_ uint64, value []byte) { // what was removed meanwhile is not there
		if _, err := decodeRecord(value); !isLeftAlone(err) {
			missing++
		}
	})
	if isDamaged(err) {
		return err
	}
	if missing > 0 {
		w.cfg.Log.Warn("this gateway was not told of records of the spool, and reads all again", "records", missing)
		return errStale
	}
	return nil
}

// addUnknown adds those numbers to copies that the index does not have.
func (w *writer) addUnknown(seqs []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, seq := range seqs {
		if w.index.bySeq[seq] == 0 {
			w.copies = append(w.copies, seq)
		}
	}
}

// leaveOutRemovals removes those numbers from copies that are about to be removed from the store, and
// all beyond the first maxRemovals.
func (w *writer) leaveOutRemovals() {
	w.mu.Lock()
	removals := appendNumbers(nil, w.removals)
	w.mu.Unlock()
	slices.Sort(removals)
	w.copies = slices.DeleteFunc(w.copies, func(seq uint64) bool {
		_, found := slices.BinarySearch(removals, seq)
		return found
	})
	w.copies = w.copies[:min(len(w.copies), maxRemovals)]
}

// applyLeftTo does so with some of the records, so that requests need not wait for all. It reports
// whether there are more.
func (w *writer) applyLeftTo(c *stream.Change, first handle) (more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	items := &w.index.items
	for h := first; h <= items.used && h < first+slabChunk; h++ {
		it := items.at(h)
		if it.state != itemStored || it.seq > c.Seq {
			continue
		}
		if _, left := slices.BinarySearch(c.Left, it.seq); !left {
			w.removed(h)
		}
	}
	return first+slabChunk <= items.used
}

// releaseWaiting ends the wait of records of other gateways.
func (w *writer) releaseWaiting() {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, now := &w.follower, w.clock.now()
	n := 0
	for ; n < len(f.waiting) && f.waiting[n].until <= now; n++ {
		h := w.index.bySeq[f.waiting[n].seq]
		if h == 0 {
			continue
		}
		if it := w.index.items.at(h); it.held && it.foreign {
			it.foreign = false
			w.index.release(h)
			wake(w.due)
		}
	}
	f.waiting = f.waiting[n:]
	if len(f.waiting) == 0 {
		f.waiting = nil
	}
}

// compare compares the number of records with that of the store. If they differ twice, the store
// finds out what is left. The error is an errStale if that does not help, although nothing changes.
func (w *writer) compare(now time.Time) error {
	f := &w.follower
	if f.store == nil || now.Sub(f.at) < comparePause {
		return nil
	}
	f.at = now
	if ahead := f.store.now().UnixNano() - w.clock.now(); ahead > int64(clockSlack) || ahead < -int64(clockSlack) {
		w.cfg.Log.Warn("the clock of the NATS servers has jumped: the records of the spool are read again", "by", time.Duration(ahead))
		return errStale
	}
	quiet := f.applied == 0 && len(f.changes()) == 0
	f.applied = 0
	n, err := f.store.length()
	if err != nil {
		f.differs = 0
		if isDamaged(err) {
			return err
		}
		return nil // it is tried again
	}
	w.mu.Lock()
	known, removals := w.index.count+w.left, len(w.removals)
	w.mu.Unlock()
	switch {
	case n == known || quiet && removals > 0: // those would be forgotten, and sent again
		f.differs = 0
		return nil
	case f.differs == 0:
	case !quiet && now.Sub(f.found) < 2*comparePause+time.Duration(known)*findPerRecord:
		return nil
	case f.differs > 1 && quiet:
		w.cfg.Log.Debug("the records of the spool are read again", "known", known, "stored", n)
		return errStale
	default:
		f.found = now
		f.store.findLeft()
	}
	f.differs++
	return nil
}
