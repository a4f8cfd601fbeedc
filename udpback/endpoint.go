package udpback

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// endpoint is one port of one server, with as many sockets as its load needs. All of
// those that requests are sent on have the server's address in use.
type endpoint struct {
	// static after construction
	server  *Server
	label   metrics.Port
	number  uint16 // the UDP port
	metrics *metrics.Server
	log     *slog.Logger
	health  *health.Port

	outstanding atomic.Int64 // Identifiers in use on all sockets
	sockets     atomic.Pointer[[]*socket]
	blockedAt   atomic.Int64 // when the network last said that it cannot get there; 0: it has not since the last reply
	addressAt   atomic.Int64 // when the address in use was taken
	probedAt    atomic.Int64 // when the last probe was sent

	mu        sync.Mutex // guards the fields below; held while a socket is opened, never for a look-up
	closed    bool
	failedAt  time.Duration // when opening a socket last failed; 0: never
	renewedAt time.Duration // when the sockets were last renewed; 0: never
	renewWait time.Duration // how long after that they are not renewed again
	retired   []*socket     // take replies, and send nothing new
	parked    []*socket     // hold requests for which no socket can be opened

	background sync.WaitGroup // closing retired sockets

	refusal, failure, forgery, unsigned, stale, suspicion logs.Limiter

	suspected atomic.Bool // the last suspicion was logged
	lateness  sync.Once
}

func newEndpoint(s *Server, label metrics.Port, number uint16, h health.Config) *endpoint {
	e := &endpoint{server: s, label: label, number: number}
	e.metrics = s.back.metrics.Server(s.Name, label)
	e.log = s.back.log.With("server", s.Name, "port", label)
	e.sockets.Store(new([]*socket))
	e.health = health.NewPort(healthOf(h, label), health.Owner{Clock: s.back.Now, SendCheck: e.sendProbe, Changed: e.changed})
	e.announce()
	e.health.Start()
	return e
}

// healthOf is a server's health configuration for one of its ports: not every check
// fits each.
func healthOf(h health.Config, label metrics.Port) health.Config {
	if probeCode(h.Check, label) == 0 {
		h.Check = health.CheckNone
	}
	return h
}

// address is where requests go now; ok is false when none is known.
func (e *endpoint) address() (a netip.AddrPort, ok bool) {
	ip := e.server.Address()
	return netip.AddrPortFrom(ip, e.number), ip.IsValid()
}

// where is the address for a log line.
func (e *endpoint) where() string {
	if a, ok := e.address(); ok {
		return a.String()
	}
	return e.server.host + " (no address)"
}

// capacity is how many requests can be outstanding.
func (e *endpoint) capacity() int64 { return int64(e.server.settings.Load().maxSockets) * 256 }

// newLimit is how many Identifiers may be in use for a request without State to get
// one, so that conversations that have begun can end (RFC 5080 §2.2.3).
func newLimit(capacity int64) int64 { return capacity - max(16, capacity/64) }

// blockedFor is how long requests prefer other servers after the network has said
// that it cannot get to this one.
const blockedFor = time.Second

// rank is how good the port is for a request: its health, or down while it has no
// address or the network cannot get there.
func (e *endpoint) rank() health.State {
	if at := e.blockedAt.Load(); at != 0 && e.server.back.Now()-time.Duration(at) < blockedFor || !e.server.Address().IsValid() {
		return health.Down
	}
	return e.health.State()
}

// reserve finds an Identifier on the first socket that has one, and opens
// another socket when all are full, up to the ceiling. Filling the first before
// the second keeps the batches large and the readers few. The error is one of
// ErrNoIdentifier, ErrQuota and ErrNoSocket.
func (e *endpoint) reserve(ex *Exchange) (item, error) {
	held, err := e.admit(ex)
	if err != nil {
		return item{}, err
	}
	return e.reserveFor(ex, held)
}

// reserveFor is reserve for an exchange that may have an Identifier of this port.
func (e *endpoint) reserveFor(ex *Exchange, held *holding) (item, error) {
	for {
		all := e.sockets.Load()
		for _, s := range *all {
			if it, ok := s.reserve(ex, held); ok {
				e.add(1)
				return it, nil
			}
		}
		if err := e.grow(all); err != nil {
			return item{}, err
		}
	}
}

// admit sees that the exchange leaves enough Identifiers to others.
func (e *endpoint) admit(ex *Exchange) (*holding, error) {
	outstanding, capacity := e.outstanding.Load(), e.capacity()
	if !ex.HasState && ex.Kind == wire.KindAccess && outstanding >= newLimit(capacity) {
		return nil, ErrNoIdentifier
	}
	held := ex.Quota.at(e)
	if held.exceeds(outstanding, capacity) {
		return nil, ErrQuota
	}
	return held, nil
}

// add changes how many Identifiers are in use.
func (e *endpoint) add(n int) {
	e.outstanding.Add(int64(n))
	e.metrics.AddOutstanding(n)
}

// changed tells of a change of the port's health, and has requests leave a server
// that others can stand in for.
func (e *endpoint) changed(t health.Transition) {
	e.logTransition(t)
	if t.Alive || (t.From == health.Suspect || t.From == health.Failing) && t.To == health.Up {
		e.order(remind)
	}
	if t.From == t.To {
		return
	}
	e.announce()
	if t.To >= health.Failing {
		e.order(leaveServer)
	}
}

// announce tells the metrics of the state.
func (e *endpoint) announce() {
	e.metrics.SetState(e.health.State())
	e.metrics.SetAddress(e.where())
}

// silent is told of a request that fell due, by the time of its first transmission.
func (e *endpoint) silent(first time.Duration) {
	e.health.Silent(first)
	if !e.isFine() && !e.health.HeardSince(first) {
		e.suspectPath(first)
	}
}

// isFine reports whether the port is up at the address in use, by what was heard from it.
func (e *endpoint) isFine() bool { return e.health.State() == health.Up && e.livesAtAddress() }

// suspectPath does what may help when nothing is heard from the port: its server may
// have another address, be reached at another of those that it has, or hear a new
// local port, because a device on the way has forgotten the old. sent is when that was
// sent which has no answer: it speaks only against an address that was in use then. It
// does not wait.
func (e *endpoint) suspectPath(sent time.Duration) {
	state := e.health.State()
	if state == health.Failing { // the way is good: probes are answered
		return
	}
	e.server.suspectName()
	if int64(sent) < e.addressAt.Load() {
		return
	}
	from := e.server.Address()
	e.server.tryNextAddress(from)
	if state != health.Up && e.server.Address() == from {
		e.renew(false)
	}
}

// livesAtAddress reports whether something has verified from the address in use, and
// the port is up or has answered the last probe.
func (e *endpoint) livesAtAddress() bool {
	probed := e.probedAt.Load() // 0: never
	return e.health.HeardSince(time.Duration(e.addressAt.Load()-1)) &&
		(e.health.State() == health.Up || probed != 0 && e.health.HeardSince(time.Duration(probed-1)))
}

// order has all that waits here do what o says.
func (e *endpoint) order(o orders) {
	now := e.server.back.Now()
	for _, s := range e.every() {
		s.order(o, now)
	}
}

// uses reports whether requests are sent on s now.
func (e *endpoint) uses(s *socket) bool { return slices.Contains(*e.sockets.Load(), s) }

// every returns all sockets: in use, retired and parked.
func (e *endpoint) every() []*socket {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := append([]*socket(nil), *e.sockets.Load()...)
	return append(append(all, e.retired...), e.parked...)
}

func (e *endpoint) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// close closes every socket, waits for all that runs, and fails what still waits.
func (e *endpoint) close() {
	e.health.Stop()
	e.mu.Lock()
	e.closed = true
	all := *e.sockets.Load()
	e.sockets.Store(new([]*socket))
	open := len(all)
	for _, s := range e.retired {
		if !s.parked() {
			open++
		}
	}
	others := append(e.retired, e.parked...)
	e.retired, e.parked = nil, nil
	e.mu.Unlock()
	e.background.Wait()
	for _, s := range append(others, all...) {
		s.close()
	}
	e.metrics.AddSockets(-len(all))
	e.server.back.sockets.Add(-int64(open))
}

// Why an exchange could not be started.
var (
	ErrNoIdentifier = errors.New("every Identifier of every server of the group is in use")
	ErrQuota        = errors.New("the client holds its share of the servers' Identifiers, which are nearly all in use")
	ErrNoSocket     = errors.New("no socket to any server of the group can be opened")
)
