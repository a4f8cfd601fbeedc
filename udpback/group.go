package udpback

import (
	"errors"
	"fmt"
	"net/netip"

	"radsec-gw/wire"
)

// Balance is how a group chooses among its servers.
type Balance uint8

const (
	Failover         Balance = iota // the first that is up
	LeastOutstanding                // the one with the fewest requests waiting; EAP as Sticky
	Sticky                          // by rendezvous hashing of the request's key
)

// maxServers is how many servers a group can hold: one bit each in Exchange.tried.
const maxServers = 64

// Group is the servers of a route, of which any may answer.
type Group struct {
	// static after construction
	servers   []*Server
	weights   []uint64 // of each server's name, for rendezvous hashing
	balance   Balance
	back      *Back
	moveAfter int32
}

// GroupConfig describes a group.
type GroupConfig struct {
	Balance Balance
	// MoveAfter is how many transmissions a request waits for at a server that has
	// fallen silent before it moves on to the next. 0: DefaultMoveAfter.
	MoveAfter int
}

// DefaultMoveAfter lets one lost datagram be resent before the server is given
// up: with the default schedule a request moves on after about six seconds.
const DefaultMoveAfter = 2

// NewGroup makes a group of 1..64 servers.
func (b *Back) NewGroup(c GroupConfig, servers ...*Server) (*Group, error) {
	if len(servers) == 0 || len(servers) > maxServers {
		return nil, fmt.Errorf("a group has 1 to %d servers, this one %d", maxServers, len(servers))
	}
	g := &Group{servers: servers, balance: c.Balance, back: b, moveAfter: int32(c.MoveAfter)}
	if c.MoveAfter == 0 {
		g.moveAfter = DefaultMoveAfter
	}
	for _, s := range servers {
		g.weights = append(g.weights, Hash([]byte(s.Name)))
	}
	return g, nil
}

// Chooses says whether there is a choice at all: with one server, an exchange
// needs neither Key nor State.
func (g *Group) Chooses() bool { return len(g.servers) > 1 }

// Why an exchange could not be started.
var (
	ErrNoIdentifier = errors.New("every Identifier of every server of the group is in use")
	ErrShare        = errors.New("the client holds its share of the servers' Identifiers, which are nearly all in use")
	ErrNoSocket     = errors.New("no socket to any server of the group can be opened")
)

// Start sends ex on its way: it reserves a server, a socket and an Identifier,
// has the server's copy written, and puts it into batch. An error means that
// nothing was started and no method of the Handler will be called: ErrNoIdentifier,
// ErrShare, ErrNoSocket, or what Handler.Write returned.
func (g *Group) Start(ex *Exchange, batch *Batch) error {
	ex.reset(g, g.back.Now())
	return g.launch(ex, batch, Down)
}

// relaunch starts ex on a server other than its own that elsewhere allows. After
// an error ex is as before.
func (g *Group) relaunch(ex *Exchange, batch *Batch, own State) error {
	tried := ex.tried
	worst := own
	if !g.untried(ex, worst) { // back to one that it has left
		ex.tried = 1 << ex.server
		worst = own - 1
	}
	err := g.launch(ex, batch, min(worst, Suspect))
	if err != nil {
		ex.tried = tried // those that were full may have room next time
	}
	return err
}

// launch starts ex on the best server that has not had it yet and is in no worse
// a state than given.
func (g *Group) launch(ex *Exchange, batch *Batch, worst State) error {
	why := ErrNoIdentifier
	for {
		i := g.choose(ex)
		if i < 0 || g.servers[i].ends[ex.Kind].judge.now() > worst {
			return why
		}
		ex.tried |= 1 << i
		end := g.servers[i].ends[ex.Kind]
		socket, id, generation, err := end.reserve(ex)
		if err != nil {
			why = err
			continue // full: spill to the next
		}
		if ex.deadline == 0 {
			ex.deadline = ex.began + end.server.schedule.Duration
		}
		was := ex.server
		ex.server = i
		err = launchOn(ex, batch, item{socket: socket, id: id, generation: generation})
		if err != nil { // it is in no batch: one that was to move stays where it was
			ex.server = was
		}
		return err
	}
}

// launchOn has the owner write the copy for a reserved slot and puts it into the batch.
func launchOn(ex *Exchange, batch *Batch, it item) error {
	dst := batch.room()
	n, err := ex.Handler.Write(batch.digests, dst, it.socket.end.server.secret, it.id)
	if err != nil {
		it.socket.release(it.id)
		it.socket.end.add(-1)
		return err
	}
	it.packet = dst[:n]
	batch.add(it)
	return nil
}

// Serves says whether any server of the group has a port for the kind.
func (g *Group) Serves(k wire.Kind) bool {
	for _, s := range g.servers {
		if s.ends[k] != nil {
			return true
		}
	}
	return false
}

// noteState remembers that ex's server issued the State with this hash.
func (g *Group) noteState(ex *Exchange, state []byte) {
	g.back.states.note(Hash(state)|1, g.servers[ex.server].number)
}

// HasAddress says whether a server of the group is configured with this IP
// address. A server given by host name has none.
func (g *Group) HasAddress(a netip.Addr) bool {
	for _, s := range g.servers {
		if s.address == a.Unmap() {
			return true
		}
	}
	return false
}
