package spool

import "fmt"

// This file is what a commit to a shared store has more.

// commitAll commits what prepare has listed. What is shared is removed only after the rest is
// durable, and tried again if only that fails.
func (w *writer) commitAll() error {
	if w.follower.store == nil || len(w.add) == 0 || len(w.remove) == 0 {
		return w.store.commit(w.add, w.remove)
	}
	if err := w.store.commit(w.add, nil); err != nil {
		return err
	}
	err := w.store.commit(nil, w.remove)
	if err != nil && !isDamaged(err) {
		w.failed(err)
		w.removeAgain()
		return nil
	}
	return err
}

// removeAgain has the removals of a commit tried again.
func (w *writer) removeAgain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removals = append(w.removals, w.remove...)
}

// settle handles a commit to a shared store that has failed: what the store has numbered is
// durable, and others may already have acknowledged copies of it. The rest is refused.
//
// Rules: GW4, SP2.
func (w *writer) settle(err error) {
	w.removeAgain()
	added := w.add
	for _, e := range w.batch {
		if e.Err != nil || e.duplicate {
			continue
		}
		if seq := added[0].seq; seq != 0 && seq < unstoredSeq {
			e.seq = added[0].seq
			w.follower.own[e.seq] = struct{}{}
		} else {
			e.Err = fmt.Errorf("%w: %w", ErrDisk, err)
		}
		added = added[1:]
	}
	w.refuseCopies()
}

// refuseCopies refuses the copies of entries of the batch that are not stored.
func (w *writer) refuseCopies() {
	for _, e := range w.batch {
		if p := w.pending[e.seq]; e.duplicate && e.Err == nil && p != nil {
			e.Err = p.Err
		}
	}
}

// renumber takes over the numbers that the store has given to what was added.
func (w *writer) renumber() {
	added := w.add
	for _, e := range w.batch {
		if e.Err == nil && !e.duplicate {
			e.seq, added = added[0].seq, added[1:]
			if w.follower.store != nil {
				w.follower.own[e.seq] = struct{}{}
			}
		}
	}
	w.follower.applied += len(w.add) + len(w.remove)
}
