package dynauth

import (
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
)

// numShards divides the table, so that connections do not wait for each other.
const numShards = 64

// nasShare is the part of the bound of keys that NASes may be.
const nasShare = 8

// maxEvictionTries is how many of the least recently used are looked at for one that may go.
const maxEvictionTries = 16

// learned is what was learned from the requests of clients: which NAS a key belongs to. It is
// bounded: the least recently used goes first, but what a connected NAS has does not go for
// another client, unless its own has more than its share.
type learned struct {
	// static after construction
	hasher
	metrics *metrics.DynAuth
	shards  [numShards]shard

	keys, nases atomic.Int64 // how many there are
}

// shard has the keys and the NASes of some hashes.
type shard struct {
	mu     locks.Mutex[locks.Learned] // guards the fields below
	index  map[key]int32              // of entries
	all    []entry
	free   []int32 // of all
	newest int32   // of all; noEntry: there is none
	oldest int32
	nases  map[key]*NAS
	first  *NAS // used last
	last   *NAS // used least recently
}

// noEntry is the end of a list of entries.
const noEntry int32 = -1

// entry has the NASes that claim a key. Of a session, each of two has the same right to it.
// Of a NAS's name, the first keeps it while it is connected; the second only confirms what
// other keys say.
type entry struct {
	key          key
	kind         keyKind
	newer, older int32   // by last use
	by           *Client // that it counts for
	used         time.Duration
	claims       [2]claim
	many         bool // more than two claim it: it says nothing
}

// claim is one NAS's claim on a key.
type claim struct {
	nas   *NAS // nil: none
	epoch uint32
	seen  time.Duration
}

func newLearned(m *metrics.DynAuth) *learned {
	t := &learned{hasher: newHasher(), metrics: m}
	for i := range t.shards {
		s := &t.shards[i]
		s.index, s.nases, s.newest, s.oldest = map[key]int32{}, map[key]*NAS{}, noEntry, noEntry
	}
	return t
}

func (t *learned) shard(k key) *shard { return &t.shards[k%numShards] }

// limits are the bounds of the table.
type limits struct {
	keys     int           // in all
	clients  int           // that share them
	lifetime time.Duration // of a key, and of a NAS, that is not seen again
}

// share is how many of n a client has before others may take from it.
func (lim *limits) share(n int) int64 { return int64(n / max(1, lim.clients)) }

// refreshEvery is how often the use of a key is noted: the order of use need not be exact.
const refreshEvery = 30 * time.Second

// alive reports whether a claim on a key of a kind still holds. The names of a NAS are its own
// as long as it is connected.
func (c *claim) alive(k keyKind, now time.Duration, lim *limits) bool {
	switch {
	case c.nas == nil || c.nas.gone.Load():
		return false
	case k.namesSession():
		return now-c.seen < lim.lifetime && c.epoch == c.nas.epoch.Load()
	}
	return now-c.seen < lim.lifetime || c.nas.link() != nil
}

// claimHow says what a claim on a session rests on.
type claimHow uint8

const (
	claimInterim  claimHow = iota // accounting of a session that has begun before
	claimStarted                  // accounting of one that begins
	claimAccepted                 // an Access-Accept
)

// moves reports whether a claim ends that of another NAS. A user and his station are at one
// place: a server has just let them in there, or a session has begun at another NAS of the same
// client, as after a fast roaming without a server.
func (h claimHow) moves(kind keyKind, from, to *NAS) bool {
	return kind == kindStation && (h == claimAccepted || h == claimStarted && from.client == to.client)
}

// claimSession records that a session with this key is at the NAS.
func (t *learned) claimSession(k key, kind keyKind, nas *NAS, how claimHow, now time.Duration, lim *limits) {
	mine := claim{nas, nas.epoch.Load(), now}
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, k, kind, nas.client, now, lim)
	if e == nil {
		return
	}
	first := &e.claims[0]
	switch alive := first.alive(kind, now, lim); {
	case alive && how.moves(kind, first.nas, nas):
		e.claims, e.many = [2]claim{mine}, false
	case !alive, first.nas == nas:
		*first = mine
		if e.claims[1].nas == nas || !e.claims[1].alive(kind, now, lim) {
			e.claims[1], e.many = claim{}, false
		}
	case kind == kindStation && how == claimInterim && e.claims[1].nas != nas:
		// He has been there, and may not have been counted out yet: the newer is not doubted.
	default:
		t.second(e, kind, mine, now, lim)
	}
}

// second records another claim on a key whose first claim holds. With the shard's mu held.
func (t *learned) second(e *entry, kind keyKind, mine claim, now time.Duration, lim *limits) {
	switch {
	case e.claims[1].nas == mine.nas, !e.claims[1].alive(kind, now, lim):
		e.claims[1] = mine
	default:
		e.many = true
	}
}

// claimIdentity records that the NAS is called by a name with this key. It reports false if
// the name is that of a NAS which is connected through another client, and stays so (RC9).
func (t *learned) claimIdentity(k key, kind keyKind, nas *NAS, now time.Duration, lim *limits) (other *NAS, ok bool) {
	mine := claim{nas, 0, now}
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, k, kind, nas.client, now, lim)
	if e == nil {
		return nil, true
	}
	first := e.claims[0].nas
	if first == nas || !e.claims[0].alive(kind, now, lim) || first.link() == nil {
		e.claims[0] = mine
		if e.claims[1].nas == nas || !e.claims[1].alive(kind, now, lim) || e.claims[1].nas.link() == nil {
			e.claims[1], e.many = claim{}, false
		}
		return nil, true
	}
	t.second(e, kind, mine, now, lim)
	if first.client != nas.client {
		return first, false
	}
	return nil, true
}

// release ends the claim of a NAS on a session.
func (t *learned) release(k key, nas *NAS) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[k]
	if !ok {
		return
	}
	e := &s.all[i]
	for j := range e.claims {
		if e.claims[j].nas == nas {
			e.claims[j] = claim{}
		}
	}
	if e.claims[0].nas == nil {
		e.claims[0], e.claims[1] = e.claims[1], claim{}
	}
	if e.claims[0].nas == nil {
		t.remove(s, i)
	}
}

// lookup returns the NASes that claim a key: none, one, or two, the first first. many says
// that there are more.
func (t *learned) lookup(k key, kind keyKind, now time.Duration, lim *limits) (found [2]*NAS, many bool) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[k]
	if !ok {
		return found, false
	}
	e := &s.all[i]
	n := 0
	for j := range e.claims {
		if e.claims[j].alive(kind, now, lim) {
			found[n] = e.claims[j].nas
			n++
		}
	}
	switch {
	case n != 2:
	case found[0].replacedBy(found[1]):
		found[0], found[1] = found[1], nil
	case found[1].replacedBy(found[0]):
		found[1] = nil
	case !kind.namesSession() && found[0].link() == nil: // the first keeps its name only while it is connected
		found[0], found[1] = found[1], nil
	}
	return found, e.many
}

// entry returns the entry of a key, as the one used last. It makes one for a client if there is
// none, or returns nil if there is no space for it. With the shard's mu held.
func (t *learned) entry(s *shard, k key, kind keyKind, by *Client, now time.Duration, lim *limits) *entry {
	if i, ok := s.index[k]; ok {
		e := &s.all[i]
		if now-e.used >= refreshEvery {
			s.unlink(i)
			s.pushNewest(i)
			e.used = now
		}
		return e
	}
	if !t.makeSpace(s, by, now, lim) {
		t.metrics.Evicted()
		return nil
	}
	var i int32
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		i = int32(len(s.all))
		s.all = append(s.all, entry{})
	}
	s.all[i] = entry{key: k, kind: kind, by: by, used: now}
	s.index[k] = i
	s.pushNewest(i)
	t.keys.Add(1)
	by.keys.Add(1)
	t.metrics.AddKeys(1)
	return &s.all[i]
}

// makeSpace removes what has expired, a little at a time, and at the bound something else. It
// reports false if there is nothing that may go. With the shard's mu held.
func (t *learned) makeSpace(s *shard, by *Client, now time.Duration, lim *limits) bool {
	for n := 0; s.oldest != noEntry && n < 2 && s.all[s.oldest].expired(now, lim); n++ {
		t.remove(s, s.oldest)
	}
	if t.keys.Load() < int64(lim.keys) || s.oldest == noEntry {
		return true
	}
	i := s.oldest
	for range maxEvictionTries {
		if i == noEntry {
			break
		}
		e := &s.all[i]
		nas := e.claims[0].nas
		if e.by == by || e.by.keys.Load() > lim.share(lim.keys) || nas == nil || nas.link() == nil || e.expired(now, lim) {
			t.remove(s, i)
			t.metrics.Evicted()
			return true
		}
		i = e.newer
	}
	return false
}

// expired reports whether nothing has used an entry for so long that it may go.
func (e *entry) expired(now time.Duration, lim *limits) bool {
	return now-e.used >= lim.lifetime && (e.kind.namesSession() || e.claims[0].nas == nil || e.claims[0].nas.link() == nil)
}

// remove removes an entry. With the shard's mu held.
func (t *learned) remove(s *shard, i int32) {
	s.unlink(i)
	delete(s.index, s.all[i].key)
	s.all[i].by.keys.Add(-1)
	s.all[i] = entry{}
	s.free = append(s.free, i)
	t.keys.Add(-1)
	t.metrics.AddKeys(-1)
}

// unlink removes an entry from the order of use. With mu held.
func (s *shard) unlink(i int32) {
	e := &s.all[i]
	if e.newer != noEntry {
		s.all[e.newer].older = e.older
	} else {
		s.newest = e.older
	}
	if e.older != noEntry {
		s.all[e.older].newer = e.newer
	} else {
		s.oldest = e.newer
	}
}

// pushNewest adds an entry as the one used last. With mu held.
func (s *shard) pushNewest(i int32) {
	e := &s.all[i]
	e.newer, e.older = noEntry, s.newest
	if s.newest != noEntry {
		s.all[s.newest].newer = i
	} else {
		s.oldest = i
	}
	s.newest = i
}
