package spool

import (
	"slices"

	"radsec-gw/wire"
)

// This file is about records of which two gateways have stored a copy each, because neither knew
// yet of the other's. Who leads compares those that seem to be copies, when it is told of the second
// and when it begins to lead. Of two it removes the later, not the earlier while no server has either:
// another gateway that leads next, before it is told of the removal, must not remove the other one.
//
// Rules: SP7.

// twoCopies is two records with the same content, of which the later is in use.
type twoCopies struct{ content, earlier, later uint64 }

// findSame returns the lowest of the numbers in copies whose record has the content of a packet; 0:
// none has.
func (w *writer) findSame(client string, v *wire.View) (found uint64, err error) {
	err = w.store.get(w.copies, func(seq uint64, value []byte) {
		if r, err := decodeRecord(value); err == nil && r.Client == client && (found == 0 || seq < found) {
			var other wire.View
			other.Parse(r.Packet)
			if sameContent(&other, v) {
				found = seq
			}
		}
	})
	return found, err
}

// maxCompared bounds the records that are compared when a gateway begins to lead, which takes a
// second or so; beyond it copies are sent as if they were different.
const maxCompared = 4096

// maxInUse bounds the copies that are remembered because the later of two is in use.
const maxInUse = 1024

// comparedAtOnce is how many records are compared with their copies at a time.
const comparedAtOnce = 256

// suspect is a record that seems to be a copy of others.
type suspect struct{ seq, content uint64 }

// compareOwn compares a record of this gateway's own, of which it was told, with those of others
// that came while it was being stored.
func (w *writer) compareOwn(seq uint64) error {
	if !w.follower.store.leads() {
		return nil
	}
	w.mu.Lock()
	var list []suspect
	if h := w.index.bySeq[seq]; h != 0 {
		if content := w.index.items.at(h).content; w.index.items.at(w.index.byContent[content]).same != 0 {
			list = []suspect{{seq, content}}
		}
	}
	w.mu.Unlock()
	return w.compareSome(list)
}

// compareAll compares all records that seem to be copies, up to maxCompared, if this gateway leads.
func (w *writer) compareAll() error {
	if !w.follower.led {
		return nil
	}
	var list []suspect
	for first, more := handle(1), true; more && len(list) < maxCompared; first += slabChunk {
		list, more = w.addSuspects(list, first)
	}
	for some := range slices.Chunk(list, comparedAtOnce) {
		if err := w.compareSome(some); err != nil {
			return err
		}
	}
	return nil
}

// addSuspects adds those of some records that seem to be copies, so that requests need not wait for
// all. It reports whether there are more records.
func (w *writer) addSuspects(list []suspect, first handle) ([]suspect, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	items := &w.index.items
	for h := first; h <= items.used && h < first+slabChunk; h++ {
		if it := items.at(h); (it.state == itemStored || it.state == itemSending) && it.same != 0 { // the last with its content is one of the others' copies
			list = append(list, suspect{it.seq, it.content})
		}
	}
	return list, first+slabChunk <= items.used
}

// compareSome compares suspects with their copies, and has all but one removed of those that are the
// same.
func (w *writer) compareSome(list []suspect) error {
	if len(list) == 0 {
		return nil
	}
	records, err := w.copiesOf(list)
	if err != nil {
		if isDamaged(err) {
			return err
		}
		return nil // they are sent as if they were different
	}
	for _, one := range list {
		w.mu.Lock()
		w.copies = w.index.copies(w.copies[:0], one.content)
		w.mu.Unlock()
		for _, other := range w.copies {
			if other != one.seq && isSameRecord(records[one.seq], records[other]) {
				w.mu.Lock()
				w.keepEarlier(twoCopies{one.content, min(one.seq, other), max(one.seq, other)})
				w.mu.Unlock()
			}
		}
	}
	return nil
}

// copiesOf reads suspects and their copies from the store.
func (w *writer) copiesOf(list []suspect) (map[uint64]*Record, error) {
	w.copies = w.copies[:0]
	w.mu.Lock()
	for _, one := range list {
		w.copies = w.index.copies(w.copies, one.content)
	}
	w.mu.Unlock()
	slices.Sort(w.copies)
	w.copies = slices.Compact(w.copies)
	records := make(map[uint64]*Record, len(w.copies))
	err := w.store.get(w.copies, func(seq uint64, value []byte) {
		if r, err := decodeRecord(slices.Clone(value)); err == nil {
			records[seq] = r
		}
	})
	return records, err
}

// isSameRecord reports whether two records are copies of one; nil: it could not be read.
func isSameRecord(a, b *Record) bool {
	if a == nil || b == nil || a.Client != b.Client {
		return false
	}
	var one, other wire.View
	one.Parse(a.Packet)
	other.Parse(b.Packet)
	return sameContent(&one, &other)
}

// keepEarlier has the later of two copies removed from the store. If that is in use, both are kept
// until a server has answered one. Called with mu held.
func (s *Spool) keepEarlier(c twoCopies) {
	first, second := s.index.find(c.content, c.earlier), s.index.find(c.content, c.later)
	if first == 0 || second == 0 { // one has been removed meanwhile
		return
	}
	later := s.index.items.at(second)
	if later.resent { // a server may have the record
		s.index.items.at(first).resent = true
	}
	if s.removeCopy(second) {
		return
	}
	if len(s.inUse) >= maxInUse {
		s.inUse = slices.DeleteFunc(s.inUse, func(c twoCopies) bool {
			return s.index.find(c.content, c.earlier) == 0 || s.index.find(c.content, c.later) == 0
		})
	}
	if len(s.inUse) < maxInUse {
		s.inUse = append(s.inUse, c)
	}
}

// removeCopy has a record removed from the store that has a copy. It reports false if the record is
// in use. Called with mu held.
func (s *Spool) removeCopy(h handle) bool {
	it := s.index.items.at(h)
	if it.state != itemStored || it.held && !it.foreign {
		return false
	}
	s.discard(h)
	s.cfg.Metrics.Duplicate()
	wake(s.due)
	return true
}

// deliveredCopy has the other of two copies removed that were kept: a server has the one with a
// number. Called with mu held.
func (s *Spool) deliveredCopy(seq uint64) {
	if len(s.inUse) == 0 {
		return
	}
	s.inUse = slices.DeleteFunc(s.inUse, func(c twoCopies) bool {
		if c.earlier != seq && c.later != seq {
			return false
		}
		if h := s.index.find(c.content, c.earlier+c.later-seq); h != 0 {
			s.removeCopy(h)
		}
		return true
	})
}
