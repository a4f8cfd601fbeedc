package udpback

// choose returns the index of the server to try next; -1 when none is left.
//
//  1. The server that issued the request's State, unless it is down: only it
//     can carry the conversation on (RFC 5080 §2.1.2).
//  2. A dead server without probes that is due for a try, unless the request is
//     in the midst of a conversation, which that server would not know.
//  3. Those that are up; only if none is, the suspect; only then the dead, since
//     trying beats refusing. Among equals the group's balance decides.
func (g *Group) choose(ex *Exchange) int {
	if len(g.servers) == 1 {
		if ex.tried != 0 || g.servers[0].ends[ex.Kind] == nil {
			return -1
		}
		return 0
	}
	if i, ok := g.issuer(ex); ok {
		return i
	}
	best, rank := -1, Down+1
	for i := range g.servers {
		end := g.servers[i].ends[ex.Kind]
		if end == nil || ex.tried&(1<<i) != 0 {
			continue
		}
		state := end.judge.now()
		if state == Down && ex.tried == 0 && ex.State == 0 && end.judge.trickle(g.back.Now()) {
			end.refreshSometimes(g.back.Now())
			return i
		}
		if state < rank || state == rank && g.better(ex, i, best) {
			best, rank = i, state
		}
	}
	return best
}

// issuer returns the untried server that issued the request's State, if it is
// known and not down.
func (g *Group) issuer(ex *Exchange) (int, bool) {
	if ex.State == 0 {
		return 0, false
	}
	number := g.back.states.issuer(ex.State)
	if number == 0 {
		return 0, false
	}
	for i, s := range g.servers {
		if s.number == number && ex.tried&(1<<i) == 0 {
			end := s.ends[ex.Kind]
			return i, end != nil && end.judge.now() != Down
		}
	}
	return 0, false
}

// issued says whether the server that has ex issued its State.
func (g *Group) issued(ex *Exchange) bool {
	return ex.State != 0 && g.back.states.issuer(ex.State) == g.servers[ex.server].number
}

// better says whether server i goes before server j, both being in the same state.
func (g *Group) better(ex *Exchange, i, j int) bool {
	switch {
	case g.balance == Failover:
		return i < j
	case g.balance == LeastOutstanding && !ex.Conversation:
		a, b := g.servers[i].ends[ex.Kind].outstanding.Load(), g.servers[j].ends[ex.Kind].outstanding.Load()
		if a != b {
			return a < b
		}
	}
	return mix(ex.Key^g.weights[i]) > mix(ex.Key^g.weights[j])
}

// elsewhere says whether a request has somewhere to go from a server in the
// given state: one that it has not tried, in no worse state, or one that it has
// left, in a better state. To one that is believed dead it never goes.
func (g *Group) elsewhere(ex *Exchange, own State) bool {
	return g.untried(ex, own) || g.any(ex, 1<<ex.server, own-1)
}

// untried says whether there is a server that the request has not tried, in no
// worse a state than given.
func (g *Group) untried(ex *Exchange, worst State) bool { return g.any(ex, ex.tried, worst) }

func (g *Group) any(ex *Exchange, but uint64, worst State) bool {
	for i := range g.servers {
		end := g.servers[i].ends[ex.Kind]
		if end != nil && but&(1<<i) == 0 && end.judge.now() <= min(worst, Suspect) {
			return true
		}
	}
	return false
}

// Hash is FNV-1a over the parts, which every gateway computes alike: replicas
// with the same configuration choose the same server. A part is ended by its
// length, so that ("ab", "c") and ("a", "bc") differ.
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
// highest mix of key and name wins, so that when one leaves only its own
// requests go elsewhere, and when one comes only a fair share moves to it.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
