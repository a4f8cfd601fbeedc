package spool

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
)

// This file is what a commit to a shared store has more.

// maxRemovals is the most records that one commit to a shared store removes: each is a request of
// its own, and what is to be stored waits for all.
const maxRemovals = 512

// removeShared removes from a shared store what the batch is to remove, after those have been told
// whose records it has stored. What fails is tried again with the next commit.
func (w *writer) removeShared() error {
	if len(w.remove) == 0 {
		return nil
	}
	slices.SortFunc(w.remove, func(a, b removal) int { return cmp.Compare(a.seq, b.seq) })
	w.numbers = appendNumbers(w.numbers[:0], w.remove)
	err := w.follower.store.remove(w.numbers, w.isRemoval)
	if err == nil {
		w.follower.applied += len(w.remove)
		if w.removalsWait() > 0 {
			wake(w.work)
		}
		return nil
	}
	w.removeAgain()
	if isDamaged(err) {
		return err
	}
	w.log(slog.LevelError, "the spool cannot remove records that servers have from its store, and tries again: they are sent twice if the gateway ends before", "records", len(w.remove), "error", err)
	return nil
}

// isRemoval reports whether a record that is in the store is one that the batch is to remove, which
// is sorted.
func (w *writer) isRemoval(seq uint64, value []byte) bool {
	i, found := slices.BinarySearchFunc(w.remove, seq, func(r removal, seq uint64) int { return cmp.Compare(r.seq, seq) })
	return found && w.remove[i].content == w.marker.contentOf(value)
}

// removalsWait returns how many removals wait.
func (s *Spool) removalsWait() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.removals)
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
	added, refused := w.add, fmt.Errorf("%w: %w", ErrDisk, err)
	for _, e := range w.batch {
		if e.Err != nil || e.duplicate {
			continue
		}
		if seq := added[0].seq; seq != 0 && seq < unstoredSeq {
			e.seq = added[0].seq
			w.follower.own[e.seq] = struct{}{}
		} else {
			e.Err = refused
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
	w.follower.applied += len(w.add)
}
