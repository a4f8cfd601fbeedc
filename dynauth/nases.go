package dynauth

import (
	"cmp"
	"slices"
	"time"
)

// nas returns the NAS of a client that a packet with these names is of. It makes one if it has
// not been seen, or returns nil if there is no space for it. hash is that of the names and the
// client.
func (t *learned) nas(client *Client, hash key, n *names, now time.Duration, lim *limits) *NAS {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if nas := s.nases[hash]; nas != nil {
		if nas.client == client {
			s.unlinkNAS(nas)
			s.pushNAS(nas)
			return nas
		}
		t.removeNAS(s, nas) // of a client that was removed from the configuration, and added again
	}
	if !t.makeSpaceForNAS(s, client, now, lim) {
		t.metrics.Evicted()
		return nil
	}
	nas := newNAS(client, hash, n)
	nas.seen.Store(int64(now))
	s.nases[hash] = nas
	s.pushNAS(nas)
	t.nases.Add(1)
	client.nases.Add(1)
	t.metrics.AddNASes(1)
	return nas
}

// makeSpaceForNAS is makeSpace for NASes.
func (t *learned) makeSpaceForNAS(s *shard, by *Client, now time.Duration, lim *limits) bool {
	bound := max(1, lim.keys/nasShare)
	old := func(nas *NAS) bool {
		return now-time.Duration(nas.seen.Load()) >= lim.lifetime && nas.link() == nil
	}
	for i := 0; s.last != nil && i < 2 && old(s.last); i++ {
		t.removeNAS(s, s.last)
	}
	if t.nases.Load() < int64(bound) || s.last == nil {
		return true
	}
	nas := s.last
	for range maxEvictionTries {
		if nas == nil {
			break
		}
		if nas.client == by || nas.client.nases.Load() > lim.share(bound) || nas.link() == nil {
			t.removeNAS(s, nas)
			t.metrics.Evicted()
			return true
		}
		nas = nas.newer
	}
	return false
}

// removeNAS removes a NAS: the claims of it end. With the shard's mu held.
func (t *learned) removeNAS(s *shard, nas *NAS) {
	nas.gone.Store(true)
	s.unlinkNAS(nas)
	delete(s.nases, nas.hash)
	nas.client.nases.Add(-1)
	t.nases.Add(-1)
	t.metrics.AddNASes(-1)
}

// unlinkNAS removes a NAS from the order of use. With mu held.
func (s *shard) unlinkNAS(nas *NAS) {
	if nas.newer != nil {
		nas.newer.older = nas.older
	} else {
		s.first = nas.older
	}
	if nas.older != nil {
		nas.older.newer = nas.newer
	} else {
		s.last = nas.newer
	}
	nas.newer, nas.older = nil, nil
}

// pushNAS adds a NAS as the one used last. With mu held.
func (s *shard) pushNAS(nas *NAS) {
	nas.older = s.first
	if s.first != nil {
		s.first.newer = nas
	} else {
		s.last = nas
	}
	s.first = nas
}

// Row is a learned NAS as the status page shows it.
type Row struct {
	NAS        string // its NAS-Identifier and addresses
	Client     string
	Connection string        // the address of the peer of the connection that carried it last; "": it is closed
	Age        time.Duration // since it was seen
}

// rows returns at most n NASes, those seen last first, and how many there are.
func (t *learned) rows(now time.Duration, n int) (rows []Row, total int) {
	var all []*NAS
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		total += len(s.nases)
		for nas, k := s.first, 0; nas != nil && k < n; nas, k = nas.older, k+1 {
			all = append(all, nas)
		}
		s.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b *NAS) int { return cmp.Compare(b.seen.Load(), a.seen.Load()) })
	for _, nas := range all[:min(n, len(all))] {
		rows = append(rows, nas.row(now))
	}
	return rows, total
}

// row returns what the status page shows of a NAS.
func (s *NAS) row(now time.Duration) Row {
	r := Row{NAS: s.name, Client: s.client.name, Age: now - time.Duration(s.seen.Load())}
	if s.address.IsValid() {
		r.NAS = join(r.NAS, s.address.String())
	}
	if s.address6.IsValid() {
		r.NAS = join(r.NAS, s.address6.String())
	}
	if l := s.link(); l != nil {
		r.Connection = l.Remote.String()
	}
	return r
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}
