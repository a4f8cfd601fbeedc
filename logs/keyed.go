package logs

import (
	"container/list"
	"sync"
	"time"
)

// rate is how many lines are let through: burst at once, then perSecond.
type rate struct {
	burst     float64
	perSecond float64
}

// bucket is a bucket of tokens, one for each line. Its zero value is full.
type bucket struct {
	used float64 // tokens taken and not returned
	last time.Time
}

// has reports whether a token is left.
func (b *bucket) has(r rate, now time.Time) bool {
	b.used = max(0, b.used-now.Sub(b.last).Seconds()*r.perSecond)
	b.last = now
	return b.used+1 <= r.burst
}

// limits is what a keyed limiter lets through.
type limits struct {
	each    rate // for one key
	all     rate // for all keys together; the zero rate: any number
	reserve rate // beside all, for keys that have asked for at most few lines of late
	few     float64
	keys    int           // as many are remembered, those used last
	tell    time.Duration // what was suppressed is told so long after the first, if no later line has told it
}

// keyed limits lines by a key: a bucket for each, one for all, and a reserve for
// keys that have had few lines, so that a flood for some keys does not hide the
// others. Beyond limits.keys the one that was used longest ago is forgotten; as
// it then begins anew, the reserve is what bounds a flood of ever new keys.
type keyed[K comparable] struct {
	// static after construction
	limits limits
	told   func(suppressed[K])

	mu           sync.Mutex // guards what follows
	entries      map[K]*list.Element
	order        list.List // of *entry[K], the one used last in front
	all, reserve bucket
	forgotten    int  // lines suppressed for keys that are not remembered
	timer        bool // runs, to tell
}

// entry is one key.
type entry[K comparable] struct {
	key        K
	bucket     bucket
	asked      bucket // as bucket, but lines that were suppressed count as well
	suppressed int    // since it was last told
}

// suppressed is what a keyed limiter tells.
type suppressed[K comparable] struct {
	lines int
	keys  []K // that were suppressed and are remembered
	most  K   // the key with the most lines; the zero K when none is remembered
}

func newKeyed[K comparable](l limits, told func(suppressed[K])) *keyed[K] {
	return &keyed[K]{limits: l, told: told, entries: map[K]*list.Element{}}
}

// allow reports whether a line for key may be written now, and how many were
// suppressed since the last.
func (k *keyed[K]) allow(key K) (suppressed int, ok bool) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entry(key)
	if e.asked.has(k.limits.each, now) {
		e.asked.used++
	}
	if !e.bucket.has(k.limits.each, now) || !k.takeShared(e, now) {
		e.suppressed++
		if !k.timer {
			k.timer = true
			time.AfterFunc(k.limits.tell, k.catchUp)
		}
		return 0, false
	}
	e.bucket.used++
	suppressed, e.suppressed = e.suppressed, 0
	return suppressed, true
}

// takeShared takes a token of the bucket for all keys, or of the reserve.
func (k *keyed[K]) takeShared(e *entry[K], now time.Time) bool {
	switch {
	case k.limits.all == rate{}:
		return true
	case k.all.has(k.limits.all, now):
		k.all.used++
		return true
	case e.asked.used <= k.limits.few && k.reserve.has(k.limits.reserve, now):
		k.reserve.used++
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

// catchUp tells what was suppressed and no line has told.
func (k *keyed[K]) catchUp() {
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
		k.told(s)
	}
}
