package udpback

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Group is the servers of a route, any of which may answer.
type Group struct {
	// static after construction
	servers      []*Server
	expands      bool // one of them is as many servers as its name has addresses
	balance      Balance
	backend      *Backend
	moveAfter    int32
	patience     time.Duration
	nextOnReject bool

	latest atomic.Pointer[members]
}

// GroupConfig describes a group.
type GroupConfig struct {
	Balance Balance
	// MoveAfter is how many transmissions a request waits for at a server from which
	// nothing is heard before it goes to the next. 0: defaults.MoveOnAfter.
	MoveAfter int
	// Patience is how long a server may leave a request unanswered, whatever else it
	// answers, before the request goes to the next. 0: defaults.Patience.
	Patience time.Duration
	// NextOnReject has an Access-Request without State that a server rejects sent to the
	// next server that has not had it.
	NextOnReject bool
}

// NewGroup makes a group of 1..64 servers.
func (b *Backend) NewGroup(c GroupConfig, servers ...*Server) (*Group, error) {
	if len(servers) == 0 || len(servers) > MaxServers {
		return nil, fmt.Errorf("a group has 1 to %d servers, this one %d", MaxServers, len(servers))
	}
	g := &Group{servers: servers, balance: c.Balance, backend: b, moveAfter: int32(c.MoveAfter), patience: c.Patience, nextOnReject: c.NextOnReject}
	if c.MoveAfter == 0 {
		g.moveAfter = defaults.MoveOnAfter
	}
	if c.Patience == 0 {
		g.patience = defaults.Patience
	}
	g.expands = slices.ContainsFunc(servers, func(s *Server) bool { return s.expand })
	g.latest.Store(g.flatten())
	return g, nil
}

// Chooses reports whether there is a choice at all: with one server, an exchange
// needs neither Key nor State.
func (g *Group) Chooses() bool { return len(g.servers) > 1 || g.expands }

// Start starts ex: it chooses a server, reserves an Identifier of one of its sockets, has
// the server's copy written, and puts it into batch. When no server can be sent to now,
// the request waits for one. An error means that nothing was started and no method of the
// Handler will be called: ErrNoIdentifier, ErrQuota, ErrNoSocket, ErrNoSource,
// ErrMaintenance, or what Handler.Write
// returned.
func (g *Group) Start(ex *Exchange, batch *Batch) error {
	ex.reset(g, g.backend.Now())
	parking, err := g.start(ex, batch, health.Down)
	if parking == nil {
		return err
	}
	it, err := parking.setOf(ex.Source).park(ex)
	if err != nil {
		return err
	}
	return g.startOn(ex, batch, it)
}

// moveToServer starts ex on a server other than its own that canMove allows. After
// an error ex is as before.
func (g *Group) moveToServer(ex *Exchange, batch *Batch, own health.State) error {
	g.updateMembers(ex)
	before := ex.tried
	worst := own
	if !g.hasUntried(ex, worst) { // back to one that had it before
		if g.nextOnReject && ex.wasRejected() {
			return ErrNoIdentifier
		}
		ex.tried = ex.members.bit(ex.ep.server) | ex.declined
		worst = own - 1
	}
	_, err := g.start(ex, batch, min(worst, health.Failing))
	if err != nil {
		ex.tried = before // those that were full may have free Identifiers next time
	}
	return err
}

// moveToSocket starts ex on a socket in use of the server that it waits for. It has an
// Identifier of that port already, and uses up no other. After an error ex is
// as before.
func (g *Group) moveToSocket(ex *Exchange, batch *Batch, e *endpoint) error {
	it, err := e.reserveOn(ex, ex.Quota.at(e))
	if err != nil {
		return err
	}
	ex.trying, ex.why = false, "the socket that replaces its last one"
	return g.startOn(ex, batch, it)
}

// start starts ex on the best server that has not had it yet and is in no worse
// a state than given. parking is the port where it may wait when no socket could be
// opened and no other server accepts it.
func (g *Group) start(ex *Exchange, batch *Batch, worst health.State) (parking *endpoint, err error) {
	m := g.updateMembers(ex)
	why := ErrNoIdentifier
	for {
		i, try := g.choose(ex, m)
		if i < 0 {
			if parking == nil && why == ErrNoIdentifier && g.onlyMaintenance(ex, m) {
				why = ErrMaintenance
			}
			return parking, why
		}
		e := m.servers[i].endpoint(ex.Kind)
		if e == nil || e.rank() > worst { // a port may go, or fail, at any time
			return parking, why
		}
		ex.tried |= 1 << i
		it, err := e.reserve(ex)
		if err != nil {
			why = err
			if err == ErrNoSocket && parking == nil {
				parking = e
			}
			continue // full: try the next
		}
		ex.trying, ex.firstSent, ex.why = try, 0, g.whyChosen(ex, m, i, try)
		return nil, g.startOn(ex, batch, it)
	}
}

// startOn starts ex where a slot was reserved for it, under the one deadline of
// its first server.
func (g *Group) startOn(ex *Exchange, batch *Batch, it reservation) error {
	if ex.deadline == 0 {
		ex.deadline = ex.startedAt + it.socket.ep.server.settings.Load().schedule.Duration
	}
	return addToBatch(ex, batch, it)
}

// addToBatch has the owner write the copy for a reserved slot, and puts it into the
// batch.
func addToBatch(ex *Exchange, batch *Batch, it reservation) error {
	dst := batch.space()
	n, err := ex.Handler.Write(batch.digests, dst, it.socket.hop(), it.id)
	if err != nil {
		it.socket.release(it.id)
		it.socket.ep.addOutstanding(-1)
		return err
	}
	it.packet = dst[:n]
	batch.add(it)
	return nil
}

// rememberIssuer remembers that ex's server issued the State, and tells other gateways.
func (g *Group) rememberIssuer(ex *Exchange, state []byte) {
	hash, s := Hash(state), ex.ep.server
	g.backend.issuers.remember(hash, s.number)
	if share := g.backend.issuers.share.Load(); share != nil {
		(*share)(hash, s.nameID)
	}
}

// MaxServers is how many servers a group can have: one bit each in Exchange.tried.
const MaxServers = 64

// members are the servers of a group at one time, each address of an expanded name by
// itself; immutable.
type members struct {
	servers []*Server
	weights []uint64 // of each server's name, for rendezvous hashing
	version uint64   // of Backend.expansions
}

// current returns the group's servers now.
func (g *Group) current() *members {
	m := g.latest.Load()
	if !g.expands || m.version == g.backend.expansions.Load() {
		return m
	}
	m = g.flatten()
	g.latest.Store(m)
	return m
}

// flatten lists the servers, each with its members in its place.
func (g *Group) flatten() *members {
	m := &members{version: g.backend.expansions.Load()}
	for _, s := range g.servers {
		one := []*Server{s}
		if list := *s.members.Load(); len(list) > 0 {
			one = list
		}
		m.servers = append(m.servers, one...)
	}
	m.servers = m.servers[:min(len(m.servers), MaxServers)]
	for _, s := range m.servers {
		m.weights = append(m.weights, Hash([]byte(s.Name)))
	}
	return m
}

// updateMembers translates the sets of servers of an exchange, which are by index, to the
// group's current members, and returns these.
func (g *Group) updateMembers(ex *Exchange) *members {
	m := g.current()
	if ex.members == m {
		return m
	}
	tried, declined := uint64(0), uint64(0)
	if ex.members != nil {
		for i, s := range ex.members.servers {
			if j := slices.Index(m.servers, s); j >= 0 {
				tried |= ex.tried >> i & 1 << j
				declined |= ex.declined >> i & 1 << j
			}
		}
	}
	ex.members, ex.tried, ex.declined = m, tried, declined
	return m
}

// bit returns the bit of a server in Exchange.tried; 0 when it is not a member.
func (m *members) bit(s *Server) uint64 {
	if i := slices.Index(m.servers, s); i >= 0 {
		return 1 << i
	}
	return 0
}

// Reachable reports whether a request of a kind could be sent now to a server that is not
// known to be down.
func (g *Group) Reachable(k wire.Kind) bool { return g.bestState(k) < health.Down }

// UpSince reports whether a server that is up, as far as requests of a kind show, has sent a
// verified reply since a time on the Backend's clock.
func (g *Group) UpSince(k wire.Kind, t time.Duration) bool {
	return slices.ContainsFunc(g.current().servers, func(s *Server) bool {
		e := s.endpoint(k)
		return e != nil && !e.inMaintenance() && e.rank() == health.Up && e.health.HeardSince(t)
	})
}

// bestState returns the best state of the servers that are not in maintenance, health.Down if
// there is none.
func (g *Group) bestState(k wire.Kind) health.State {
	best := health.Down
	for _, s := range g.current().servers {
		if e := s.endpoint(k); e != nil && !e.inMaintenance() {
			best = min(best, e.rank())
		}
	}
	return best
}

// HasAddress reports whether a server of the group has this IP address. A host name has
// those that it was last looked up to.
func (g *Group) HasAddress(a netip.Addr) bool {
	for _, s := range g.servers {
		if s.HasAddress(a) {
			return true
		}
	}
	return false
}
