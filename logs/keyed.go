package logs

import (
	"container/list"
	"time"

	"radsec-gw/locks"
)

// limits are how many lines a keyed limiter allows.
type limits struct {
	each    rate // for one key
	all     rate // for all keys together; the zero rate: any number
	reserve rate // in addition to all, for keys that have asked for at most few lines recently
	few     int
	keys    int           // how many keys are remembered, those used last
	report  time.Duration // how long after the first suppressed line they are reported, if no later line has done so
}

// keyed limits lines by a key: it has a bucket for each, one for all, and a reserve for
// keys that have had few lines, so that a flood for some keys does not hide the others.
// When there are more than limits.keys, the one used longest ago is forgotten, and has a
// full bucket when it is used again; so the reserve bounds a flood of new keys.
type keyed[K comparable] struct {
	// static after construction
	limits limits
	report func(suppressed[K])

	mu           locks.Mutex[locks.KeyedLimiter] // guards the fields below
	entries      map[K]*list.Element
	order        list.List // of *entry[K], the one used last in front
	all, reserve bucket
	forgotten    int  // lines suppressed for keys that are not remembered
	timer        bool // is set, to report
}

// entry is one key.
type entry[K comparable] struct {
	key        K
	bucket     bucket
	asked      bucket // as bucket, but lines that were suppressed count as well
	suppressed int    // since the last report
}

// suppressed is what a keyed limiter reports.
type suppressed[K comparable] struct {
	lines int
	keys  []K // that were suppressed and are remembered
	most  K   // the key with the most lines; the zero K when none is remembered
}

func newKeyed[K comparable](l limits, report func(suppressed[K])) *keyed[K] {
	return &keyed[K]{limits: l, report: report, entries: map[K]*list.Element{}}
}

// allow reports whether a line for key may be written now, and how many were
// suppressed since the last.
func (k *keyed[K]) allow(key K) (suppressed int, ok bool) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entry(key)
	if e.asked.has(k.limits.each, now) {
		e.asked.take(k.limits.each, now)
	}
	if !e.bucket.has(k.limits.each, now) || !k.takeShared(e, now) {
		e.suppressed++
		if !k.timer {
			k.timer = true
			time.AfterFunc(k.limits.report, k.reportSuppressed)
		}
		return 0, false
	}
	e.bucket.take(k.limits.each, now)
	suppressed, e.suppressed = e.suppressed, 0
	return suppressed, true
}

// takeShared takes a token of the bucket for all keys, or of the reserve.
func (k *keyed[K]) takeShared(e *entry[K], now time.Time) bool {
	switch {
	case k.limits.all == rate{}:
		return true
	case k.all.has(k.limits.all, now):
		k.all.take(k.limits.all, now)
		return true
	case e.asked.taken(k.limits.each, now, k.limits.few) && k.reserve.has(k.limits.reserve, now):
		k.reserve.take(k.limits.reserve, now)
		return true
	}
	return false
}

// entry returns the key's entry, which may be a new one.
func (k *keyed[K]) entry(key K) *entry[K] {
	if at := k.entries[key]; at != nil {
		k.order.MoveToFront(at)
		return at.Value.(*entry[K])
	}
	if len(k.entries) >= k.limits.keys {
		oldest := k.order.Remove(k.order.Back()).(*entry[K])
		k.forgotten += oldest.suppressed
		delete(k.entries, oldest.key)
	}
	e := &entry[K]{key: key}
	k.entries[key] = k.order.PushFront(e)
	return e
}

// reportSuppressed reports what was suppressed and no line has reported.
func (k *keyed[K]) reportSuppressed() {
	k.mu.Lock()
	s := suppressed[K]{lines: k.forgotten}
	most := 0
	for at := k.order.Front(); at != nil; at = at.Next() {
		e := at.Value.(*entry[K])
		if e.suppressed == 0 {
			continue
		}
		s.lines += e.suppressed
		s.keys = append(s.keys, e.key)
		if e.suppressed > most {
			most, s.most = e.suppressed, e.key
		}
		e.suppressed = 0
	}
	k.forgotten, k.timer = 0, false
	k.mu.Unlock()
	if s.lines > 0 {
		k.report(s)
	}
}
