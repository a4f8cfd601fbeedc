package spool

import (
	"slices"

	"radsec-gw/wire"
)

// This file is about records of which two gateways have stored a copy each, because neither knew
// yet of the other's. Who leads compares those that seem to be copies and removes one of them, when
// it is told of the second, and when it begins to lead. What is being sent by then stays.
//
// Rules: SP7.

// isStored reports whether one of the records with the numbers in copies has the content of a
// packet: two gateways may have stored the same record at the same time.
//
// Rules: SP7.
func (w *writer) isStored(client string, v *wire.View) (same bool, err error) {
	err = w.store.get(w.copies, func(_ uint64, value []byte) {
		if r, err := decodeRecord(value); err == nil && r.Client == client {
			var other wire.View
			other.Parse(r.Packet)
			same = same || sameContent(&other, v)
		}
	})
	return same, err
}

// removeCopy has a record removed from the store that has another one with the same content.
func (w *writer) removeCopy(r removal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removals = append(w.removals, r)
	w.cfg.Metrics.Duplicate()
	wake(w.work)
}

// maxCompared bounds the records that are compared when a gateway begins to lead, which takes a
// second or so; beyond it copies are sent as if they were different.
const maxCompared = 4096

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
		if it := items.at(h); it.state == itemStored && it.same != 0 { // the last with its content is one of the others' copies
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
				w.keepOne(one.content, min(one.seq, other), max(one.seq, other))
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

// keepOne has one of two copies removed from the store: the later, unless that is being sent, or its
// live request has not ended.
func (w *writer) keepOne(content, earlier, later uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, second := w.index.find(content, earlier), w.index.find(content, later)
	if first == 0 || second == 0 { // one has been removed meanwhile
		return
	}
	if !w.index.isFree(second) {
		first, second = second, first
	}
	if !w.index.isFree(second) {
		return
	}
	if it := w.index.items.at(second); it.resent { // a server may have the record
		w.index.items.at(first).resent = true
	}
	w.discard(second)
	w.cfg.Metrics.Duplicate()
	wake(w.due)
}
