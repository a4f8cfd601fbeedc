package udpback

import (
	"fmt"
	"slices"
	"sync/atomic"

	"radsec-gw/locks"
	"radsec-gw/udpback/health"
)

// Balance is how a group chooses among its servers.
type Balance uint8

const (
	Failover         Balance = iota // the first that is up
	LeastOutstanding                // the one with the fewest requests waiting; EAP as Sticky
	Sticky                          // by rendezvous hashing of the request's key
)

// balanceNames are what the configuration calls them; read only.
var balanceNames = [...]string{Failover: "failover", LeastOutstanding: "least-outstanding", Sticky: "sticky"}

// BalanceNamed returns the Balance that the configuration calls name.
func BalanceNamed(name string) (Balance, error) {
	i := slices.Index(balanceNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("expected one of the balance modes %q, got %q", balanceNames, name)
	}
	return Balance(i), nil
}

// choose returns the index of the server to try next, or -1 when there is none. try is
// set when the request only tries a server although others are better: after tryWait it
// goes to one of those as well.
//
//  1. The server that issued the request's State, unless it is down: only it
//     can carry the conversation on (RFC 5080 §2.1.2).
//  2. A server that is failing, or down and not checked, when health.Port.Try reports
//     that a request should try it, unless the request is part of a conversation, which
//     that server would not know.
//  3. Those that are up; if none is, those that are suspect; then those that are
//     failing; then those that are down, because trying is better than refusing. Among
//     equals the group's balance decides.
//
// A server in maintenance is chosen by 1 only.
func (g *Group) choose(ex *Exchange, m *members) (i int, try bool) {
	if len(m.servers) == 1 {
		if e := m.servers[0].endpoint(ex.Kind); ex.tried != 0 || e == nil || !g.accepts(ex, m.servers[0], e) {
			return -1, false
		}
		return 0, false
	}
	if i, ok := g.issuer(ex, m); ok {
		return i, false
	}
	best, rank := -1, health.Down+1
	for i, s := range m.servers {
		e := s.endpoint(ex.Kind)
		if e == nil || e.inMaintenance() || ex.tried&(1<<i) != 0 {
			continue
		}
		state := e.rank()
		if state < rank || state == rank && g.better(ex, m, i, best) {
			best, rank = i, state
		}
	}
	if ex.tried == 0 && !ex.HasState && movable(ex.Kind) {
		if i := g.serverToTry(ex, m, best); i >= 0 {
			return i, rank < m.servers[i].endpoint(ex.Kind).rank()
		}
	}
	return best, false
}

// serverToTry returns a server that a request should try now although best is chosen; -1
// when there is none.
func (g *Group) serverToTry(ex *Exchange, m *members, best int) int {
	for i, s := range m.servers {
		if e := s.endpoint(ex.Kind); i != best && e != nil && !e.inMaintenance() && e.health.Try(g.backend.Now()) {
			s.requestLookup()
			return i
		}
	}
	return -1
}

// issuer returns the untried server that issued the request's State, if it is
// known and not down.
func (g *Group) issuer(ex *Exchange, m *members) (int, bool) {
	number := g.issuerOf(ex)
	if number == 0 {
		return 0, false
	}
	for i, s := range m.servers {
		if s.number == number && ex.tried&(1<<i) == 0 {
			e := s.endpoint(ex.Kind)
			return i, e != nil && e.rank() != health.Down
		}
	}
	return 0, false
}

// issuedState reports whether the server that has ex issued its State.
func (g *Group) issuedState(ex *Exchange) bool {
	number := ex.ep.server.number
	return number != 0 && g.issuerOf(ex) == number
}

// issuerOf returns the number of the server that issued the request's State; 0 when it
// is not known, or there is no State.
func (g *Group) issuerOf(ex *Exchange) uint16 {
	if !ex.HasState {
		return 0
	}
	return g.backend.issuers.find(ex.StateHash)
}

// better reports whether server i is preferred to server j, which is in the same state.
func (g *Group) better(ex *Exchange, m *members, i, j int) bool {
	switch {
	case g.balance == Failover:
		return i < j
	case g.balance == LeastOutstanding && !ex.Conversation:
		a, b := m.servers[i].endpoint(ex.Kind), m.servers[j].endpoint(ex.Kind)
		if a == nil || b == nil {
			return b == nil
		}
		if a, b := a.outstanding.Load(), b.outstanding.Load(); a != b {
			return a < b
		}
	}
	return mix(ex.Key^m.weights[i]) > mix(ex.Key^m.weights[j])
}

// canMove reports whether there is a server that a request can move to from one in the
// given state: one that it has not tried, in no worse state, or one that had it before,
// in a better state, unless a server has rejected it. It never moves to one that is down.
func (g *Group) canMove(ex *Exchange, own health.State) bool {
	m := g.updateMembers(ex)
	return g.hasOther(ex, ex.tried, own) || g.hasOther(ex, m.bit(ex.ep.server)|ex.declined, own-1) && !(g.nextOnReject && ex.wasRejected())
}

// hasUntried reports whether there is a server that the request has not tried, in no
// worse a state than given.
func (g *Group) hasUntried(ex *Exchange, worst health.State) bool {
	g.updateMembers(ex)
	return g.hasOther(ex, ex.tried, worst)
}

// hasOther reports whether there is a server outside the set except, in no worse a state
// than given. updateMembers must have been called for the exchange.
func (g *Group) hasOther(ex *Exchange, except uint64, worst health.State) bool {
	for i, s := range ex.members.servers {
		if e := s.endpoint(ex.Kind); e != nil && !e.inMaintenance() && except&(1<<i) == 0 && e.rank() <= min(worst, health.Failing) {
			return true
		}
	}
	return false
}

// Hash is FNV-1a over the parts. Every gateway computes it alike: replicas with the same
// configuration choose the same server. A part is ended by its length, so that ("ab",
// "c") and ("a", "bc") differ.
func Hash(parts ...[]byte) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for _, c := range p {
			h = (h ^ uint64(c)) * 1099511628211
		}
		h = (h ^ uint64(len(p)) ^ 0x100) * 1099511628211
	}
	return h
}

// mix spreads h over 64 bits (the finaliser of SplitMix64): the server with the
// highest mix of key and name wins, so that when one is removed only its own requests go
// elsewhere, and when one is added only its share moves to it.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// issuers remembers which server issued which State, so that the next round of a
// conversation finds it (RFC 5080 §2.1.2). There is one for all groups, which survives a
// reload. It is a cache of fixed size, whose entries are overwritten: an entry holds the
// upper bits of the State's hash and the server's number. When an entry is lost, the hash
// of the request's own attributes decides, which is the same for all rounds of a
// conversation and on every replica.
type issuers struct {
	entries atomic.Pointer[[1 << 16]atomic.Uint64] // made when the first State is seen
	share   atomic.Pointer[ShareIssuer]            // nil: nobody is told

	mu      locks.Mutex[locks.Issuers] // guards the fields below
	numbers map[string]uint16
	byID    map[uint32]uint16 // the numbers by ServerID of the names
}

// number returns the number of the server with a name, from 1, the same for as
// long as the gateway runs; 0 when all numbers are given out.
func (s *issuers) number(name string) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.numbers[name]
	if !ok && len(s.numbers) < 1<<16-1 {
		if s.numbers == nil {
			s.numbers, s.byID = map[string]uint16{}, map[uint32]uint16{}
		}
		n = uint16(len(s.numbers) + 1)
		s.numbers[name], s.byID[ServerID(name)] = n, n
	}
	return n
}

// remember remembers that a server issued the State with this hash.
func (s *issuers) remember(hash uint64, server uint16) {
	all := s.entries.Load()
	if all == nil {
		s.entries.CompareAndSwap(nil, new([1 << 16]atomic.Uint64))
		all = s.entries.Load()
	}
	// The low 16 bits of the hash choose the entry, so that the server can have their
	// place in it.
	all[hash&0xffff].Store(hash&^0xffff | uint64(server))
}

// find returns the number of the server that issued the State with this hash;
// 0 when it is not known.
func (s *issuers) find(hash uint64) uint16 {
	all := s.entries.Load()
	if all == nil {
		return 0
	}
	e := all[hash&0xffff].Load()
	if e&^0xffff != hash&^0xffff {
		return 0
	}
	return uint16(e)
}
