package dynauth

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
)

// Name stands for what a NAS or a client is called: a hash, which is the same in all gateways.
type Name [16]byte

// String returns the name as hexadecimal digits.
func (n Name) String() string { return hex.EncodeToString(n[:]) }

// nameSpaces has what is hashed before a name of each kind. The gateways of a cluster may be of
// different versions: these never change.
var nameSpaces = [numKinds]string{kindNASIdentifier: "nas-identifier:", kindAddress: "nas-address:", kindCalled: "called-station-id:"}

// clientSpace is that of the names of clients.
const clientSpace = "client:"

func nameOf(space string, value []byte) (n Name) {
	sum := sha256.Sum256(append([]byte(space), value...))
	return Name(sum[:])
}

// learnedName is one of the names of a NAS.
type learnedName struct {
	key  key // of the learned table
	name Name
}

// The names of one NAS that other gateways find it by. A controller has a Called-Station-Id for
// each of its access points: they must not displace its other names.
const (
	maxNames  = 32
	maxCalled = 24
)

// addName records that a NAS is called by a name, and returns it. It reports false if that is
// known, or there are too many. It does not allocate then.
func (s *NAS) addName(k key, kind keyKind, value []byte) (n Name, added bool) {
	for {
		old := s.names.Load()
		var list []learnedName
		if old != nil {
			list = *old
		}
		for i := range list {
			if list[i].key == k {
				return n, false
			}
		}
		if len(list) >= maxNames || kind == kindCalled && len(list) >= maxCalled {
			return n, false
		}
		next := make([]learnedName, len(list), len(list)+1)
		copy(next, list)
		n = nameOf(nameSpaces[kind], value)
		next = append(next, learnedName{k, n})
		if s.names.CompareAndSwap(old, &next) {
			return n, true
		}
	}
}

// nameOfNAS records a name of a NAS, and tells the other gateways if it is new.
func (s *Server) nameOfNAS(nas *NAS, k key, kind keyKind, value []byte) {
	others := s.others.Load()
	if others == nil {
		return
	}
	if n, added := nas.addName(k, kind, value); added {
		(*others).Here(n)
	}
}

// connected tells the other gateways that a NAS has a connection here again.
func (s *Server) connected(nas *NAS) {
	others, names := s.others.Load(), nas.names.Load()
	if others == nil || names == nil {
		return
	}
	for i := range *names {
		(*others).Here((*names)[i].name)
	}
}

// Reachable returns the names of the NASes and clients that have a connection here, down which
// requests may be sent. A name may be there more than once.
func (s *Server) Reachable() iter.Seq[Name] {
	return func(yield func(Name) bool) {
		for _, c := range s.directory.Load().clients {
			if c.Reverse() && c.lastUsed() != nil && !yield(c.shared) {
				return
			}
		}
		var list []learnedName
		for i := range s.learned.shards {
			list = s.learned.shards[i].reachable(list[:0])
			for j := range list {
				if !yield(list[j].name) {
					return
				}
			}
		}
	}
}

// reachable appends the names of the NASes that have a connection.
func (s *shard) reachable(list []learnedName) []learnedName {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nas := s.first; nas != nil; nas = nas.older {
		if names := nas.names.Load(); names != nil && nas.link() != nil && nas.client.Reverse() {
			list = append(list, *names...)
		}
	}
	return list
}

// places are where other gateways are asked for the connection of a request, in the order of
// RC8.
type places struct {
	names   []Name // (a), (b), (d)
	find    bool   // (c), and what has moved meanwhile: all are asked
	clients []Name // (e), (f): what only the configuration says
}

// places returns where others are asked about a request that this gateway has made a choice
// for; empty: nowhere.
func (s *Server) places(req *request, n *names, c *choice) (p places) {
	dir := s.directory.Load()
	if source := dir.source(req.from.local); source != nil && c.link == nil {
		p.names = append(p.names, source.shared)
	}
	var keys keyList
	h := &s.learned.hasher
	keys.identity(h, n)
	for i := range keys.n {
		if kind := keys.kinds[i]; kind == kindNASIdentifier || !c.unnamed {
			p.names = append(p.names, nameOf(nameSpaces[kind], keys.names[i]))
		}
	}
	if c.unnamed {
		return p
	}
	keys.sessions(h, n, n.class)
	p.find = keys.n > 0 || len(p.names) > 0
	if c.link != nil {
		return p
	}
	if configured, _ := dir.identified(n); configured.client != nil {
		p.clients = append(p.clients, configured.client.shared)
	}
	for _, operator := range dir.operators(n) {
		p.clients = append(p.clients, operator.shared)
	}
	return p
}
