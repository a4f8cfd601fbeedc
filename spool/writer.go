package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"radsec-gw/logs"
	"radsec-gw/spool/stream"
	"radsec-gw/wire"
)

// maxCommit is the most records that one commit adds. A larger one gains nothing, and those
// in it wait longer.
const maxCommit = 2048

// writer is the goroutine that changes the store.
type writer struct {
	*Spool
	digests    *wire.Digests
	packets    [][wire.MaxLength]byte // of one run of digests
	batch      []*Entry
	pending    map[uint64]*Entry // of batch that are not duplicates, by number, if there are duplicates
	copies     []uint64
	add        []addition
	encoded    []byte
	remove     []removal
	numbers    []uint64      // of those in remove
	failing    bool          // the last commit has failed
	refused    bool          // because the store has refused it
	unreadable bool          // the last sweep could not read the store
	took       time.Duration // the last commit

	follower follower

	misplaced error // why the store's file is not where it belongs; nil: it is

	asideErrors logs.Limiter
	asideFailed bool   // records could not be set aside: the next sweep tries again
	sweptFrom   uint64 // number of the first record that a sweep reads
}

// commit stores the records that wait, beginning with first unless that is nil, and removes
// those that are to be removed. The error is not nil if the store is not usable.
func (w *writer) commit(first *Entry) error {
	w.gather(first)
	asideErr := w.setAside()
	duplicateErr := w.resolveDuplicates()
	w.prepare()
	err := w.toStore()
	w.conclude(err)
	w.tell(w.batch)
	clear(w.batch)
	var removeErr error
	if w.follower.store != nil && !isDamaged(err) {
		removeErr = w.removeShared()
	}
	for _, err := range []error{asideErr, duplicateErr, err, removeErr} {
		if isDamaged(err) {
			return err
		}
	}
	return nil
}

// tell tells those who wait for entries what became of them.
func (w *writer) tell(entries []*Entry) {
	owned := entries[:0]
	for _, e := range entries {
		if e.done != nil {
			e.done(e.Err)
		} else {
			owned = append(owned, e)
		}
	}
	if len(owned) > 0 {
		w.cfg.Owner.Stored(owned)
	}
}

// toStore commits what prepare has listed. If that fails, the removals are tried by themselves:
// they need next to no space, and free some.
func (w *writer) toStore() error {
	w.numbers = w.numbers[:0]
	if w.follower.store == nil { // otherwise removeShared does
		w.numbers = appendNumbers(w.numbers, w.remove)
	}
	remove := w.numbers
	if len(w.add)+len(remove) == 0 {
		return nil
	}
	if w.misplaced != nil && len(w.add) > 0 {
		w.removeAgain()
		return w.misplaced
	}
	start := time.Now()
	err := w.store.commit(w.add, remove)
	w.took = time.Since(start)
	w.cfg.Metrics.ObserveCommit(w.took)
	w.cfg.Metrics.SetUp(err == nil)
	w.noteFailure(err)
	if err == nil {
		w.renumber()
		if w.failing {
			w.failing = false
			w.cfg.Log.Info("the spool can write again", "directory", w.cfg.Directory)
		}
		return nil
	}
	w.failed(err)
	w.refused = stream.Refused(err)
	if isDamaged(err) {
		return err // what the store holds is found out when it is opened again
	}
	if w.follower.store != nil {
		w.settle(err)
		return nil
	}
	if len(remove) > 0 && len(w.add) > 0 && w.store.commit(nil, remove) == nil {
		w.remove = w.remove[:0]
	}
	// What a failed commit has added must not be sent: it was not acknowledged.
	w.copies = w.copies[:0]
	for _, a := range w.add {
		w.copies = append(w.copies, a.seq)
	}
	w.store.get(w.copies, func(seq uint64, _ []byte) { w.remove = append(w.remove, removal{seq: seq}) })
	w.removeAgain()
	return err
}

// failed counts and logs that something could not be written.
func (w *writer) failed(err error) {
	w.cfg.Metrics.Failed()
	w.failing = true
	w.log(slog.LevelError, "the spool cannot write: records are not acknowledged until it can", "directory", w.cfg.Directory, "error", err)
}

// log writes a line about the disk, unless there was one a moment ago.
func (w *writer) log(level slog.Level, text string, fields ...any) {
	w.diskErrors.Log(func() logs.Line {
		return logs.Line{Log: w.cfg.Log, Level: level, Text: text, Fields: fields}
	})
}

// gather collects the entries that wait, and the removals.
func (w *writer) gather(first *Entry) {
	w.batch = w.batch[:0]
	for e := first; e != nil; {
		w.batch = append(w.batch, e)
		if len(w.batch) == maxCommit {
			break
		}
		select {
		case e = <-w.queue:
		default:
			e = nil
		}
	}
	w.mu.Lock()
	n := len(w.removals)
	if w.follower.store != nil {
		n = min(n, maxRemovals)
	}
	rest := len(w.removals) - n
	w.remove = append(w.remove[:0], w.removals[rest:]...)
	w.removals = w.removals[:rest]
	w.mu.Unlock()
}

// resolveDuplicates compares each entry that seems to be a copy of a record with that. It
// becomes a record of its own if the other is gone, or its hash is equal by chance.
//
// Rules: SP7.
func (w *writer) resolveDuplicates() (err error) {
	clear(w.pending)
	if !slices.ContainsFunc(w.batch, func(e *Entry) bool { return e.duplicate }) {
		return nil
	}
	for _, e := range w.batch {
		if !e.duplicate {
			w.pending[e.seq] = e
		}
	}
	for _, e := range w.batch {
		if e.duplicate {
			err = errors.Join(err, w.resolve(e))
		}
	}
	return err
}

// resolve finds the record that an entry is a copy of. The error is the store's.
func (w *writer) resolve(e *Entry) error {
	w.mu.Lock()
	w.copies = w.index.copies(append(w.copies[:0], e.seq), e.Marks.content)
	w.mu.Unlock()
	for _, seq := range w.copies {
		if slices.ContainsFunc(w.remove, func(r removal) bool { return r.seq == seq }) { // it is about to go: an earlier commit that failed has written it
			continue
		}
		same, err := w.isCopy(e, seq)
		if err != nil {
			e.Err = fmt.Errorf("%w: %w", ErrDisk, err)
			return err
		}
		if same {
			e.seq = seq
			return nil
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Err = w.insert(e); e.Err == nil {
		w.pending[e.seq] = e
	}
	return nil
}

// isCopy reports whether an entry is a copy of the record with a number.
func (w *writer) isCopy(e *Entry, seq uint64) (same bool, err error) {
	if p := w.pending[seq]; p != nil {
		return p.Record.Client == e.Record.Client && sameContent(&p.Packet, &e.Packet), nil
	}
	err = w.store.get([]uint64{seq}, func(_ uint64, value []byte) {
		if r, err := decodeRecord(value); err == nil {
			var v wire.View
			v.Parse(r.Packet)
			same = r.Client == e.Record.Client && sameContent(&v, &e.Packet)
		}
	})
	return same, err
}

// prepare encrypts and encodes the entries.
func (w *writer) prepare() {
	w.add, w.encoded = w.add[:0], w.encoded[:0]
	for rest := w.batch; len(rest) > 0; {
		n := min(len(rest), wire.MaxDigests)
		w.seal(rest[:n])
		rest = rest[n:]
	}
	start := 0
	for i := range w.add { // now that the memory of encoded stays where it is
		n := encodedLength(w.encoded[start:])
		w.add[i].value = w.encoded[start : start+n : start+n]
		start += n
	}
	w.refuseCopies()
}

// seal writes the packets of up to MaxDigests entries under the spool's secret, and encodes
// the records.
//
// Rules: SP4.
func (w *writer) seal(entries []*Entry) {
	for i, e := range entries {
		if e.duplicate || e.Err != nil {
			continue
		}
		n, err := w.digests.WriteRequest(w.packets[i][:], &e.Packet, e.From, w.secret.to, 0)
		if err == nil && omitsHidden(w.digests.Omitted()) {
			err = errors.New("a hidden attribute is not readable")
		}
		if err != nil {
			e.Err = fmt.Errorf("%w: %w", ErrUnreadable, err)
			continue
		}
		e.Record.Packet = w.packets[i][:n]
	}
	w.digests.Run()
	for _, e := range entries {
		if e.Err == nil && !e.duplicate {
			w.encoded = e.Record.appendTo(w.encoded)
			w.add = append(w.add, addition{seq: e.seq})
		}
		e.Record.Packet = nil // its memory is used again
	}
}

// omitsHidden reports whether a hidden attribute was omitted. What else is omitted no server
// gets either.
func omitsHidden(o *[wire.NumOmissions]wire.Omitted) bool {
	return o != nil && o[wire.OmittedUnreadable].Count+o[wire.OmittedOtherSecret].Count+o[wire.OmittedPassword].Count > 0
}

// conclude notes what became of the entries.
func (w *writer) conclude(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting.Add(-int64(len(w.batch)))
	for _, e := range w.batch {
		w.concludeEntry(e, err)
	}
	if err == nil && w.limits.Load().ReplaceInterims {
		w.replaceInterims()
	}
	wake(w.due)
}

// replaceInterims removes the records that those which were just stored make superfluous: with
// the next commit, because this one may have failed. Called with mu held.
//
// Rules: SP8.
func (w *writer) replaceInterims() {
	for _, e := range w.batch {
		if e.duplicate || e.Err != nil || w.index.find(e.Marks.content, e.seq) != e.item {
			continue // another one of the batch may have replaced it already
		}
		for _, h := range w.index.replacedBy(e.item) {
			w.discard(h)
			w.cfg.Metrics.Replaced()
		}
	}
}

// concludeEntry notes what became of an entry. Called with mu held.
func (w *writer) concludeEntry(e *Entry, err error) {
	if err != nil && e.Err == nil {
		e.Err = fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if e.Err != nil {
		w.cfg.Metrics.Refused(refusal(e.Err))
	}
	if e.duplicate {
		if e.Err == nil {
			w.cfg.Metrics.Duplicate()
		}
		return
	}
	it := w.index.items.at(e.item)
	switch {
	case it.state == itemGone && e.Err == nil:
		w.removals = append(w.removals, removal{e.seq, it.content})
		w.index.remove(e.item)
		wake(w.work)
	case e.Err != nil:
		w.forgetLive(e)
		w.index.remove(e.item)
	default:
		it.seq = e.seq
		w.index.number(e.item)
		w.index.stored(e.item)
		w.cfg.Metrics.Stored()
		if w.oldest == 0 {
			w.oldest = e.Record.at
		}
	}
}

// forgetLive has the live request of an entry that was not stored forget its record. Called
// with mu held.
func (s *Spool) forgetLive(e *Entry) {
	if e.Live != nil && e.Live.item == e.item && e.Live.epoch == e.epoch {
		e.Live.item = 0
	}
}
