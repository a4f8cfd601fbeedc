package udpback

import (
	"net"
	"net/netip"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// StepKind is what happened to a request between the gateway and its servers.
type StepKind uint8

// The kinds of steps.
const (
	StepSent    StepKind = iota // it is sent to a server for the first time
	StepResent                  // the same octets are sent again
	StepReplied                 // a datagram arrived from the server; Result says what it is
	StepMoves                   // it goes to another server or socket
)

// Step is one thing that happened to a request between the gateway and its servers. It and
// what it points to is valid during the call only.
type Step struct {
	Kind   StepKind
	Server string
	Port   metrics.Port
	Local  netip.AddrPort // of the gateway's socket; invalid where it is not known
	Remote netip.AddrPort // of the server's port
	Packet []byte         // as sent or received; nil for StepMoves
	Sends  int            // transmissions to this server so far
	Why    string         // why this server, or why it moves
	Result metrics.Result // of StepReplied
}

// Observer is told of each step of each request, for the log and for taps. Observe is
// called with locks held: it must not block, and must not call this package.
type Observer interface {
	// Observing reports whether Observe has any effect. It is called for each packet.
	Observing() bool
	// Observe is told of a step. owner has the request; nil: a datagram arrived that no
	// request waits for.
	Observe(owner Handler, s *Step)
}

// SetObserver sets the observer. It must be called once, before the first request is started;
// it is not told of the checks before that.
func (b *Backend) SetObserver(o Observer) { b.observer.Store(&o) }

func (b *Backend) observing() bool {
	o := b.observer.Load()
	return o != nil && (*o).Observing()
}

// localOf returns the local address of a connection; invalid where it is not known.
func localOf(c datagram.Conn) netip.AddrPort {
	if l, ok := c.(interface{ LocalAddr() net.Addr }); ok {
		if a, ok := l.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort()
		}
	}
	return netip.AddrPort{}
}

// observe reports a step on this socket.
func (s *socket) observe(owner Handler, step Step) {
	step.Server, step.Port = s.ep.server.Name, s.ep.label
	step.Local, step.Remote = s.local, netip.AddrPortFrom(s.address, s.ep.number)
	(*s.ep.server.backend.observer.Load()).Observe(owner, &step)
}

// observeSent reports a transmission of a slot's request. With mu held.
func (s *socket) observeSent(sl *slot, kind StepKind) {
	if s.parked() || !s.ep.server.backend.observing() {
		return
	}
	s.observe(sl.ex.Handler, Step{Kind: kind, Packet: sl.packet, Sends: int(sl.sends), Why: sl.ex.why})
}

// observeReplies reports the datagrams that have arrived. With socket.mu held, before the
// slots of those that were answered are freed.
func (r *receiver) observeReplies() {
	s := r.socket
	if !s.ep.server.backend.observing() {
		return
	}
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		step := Step{Kind: StepReplied, Packet: c.datagram, Result: c.result}
		var owner Handler
		sl := s.slot(c.id)
		switch waits := sl.state == slotWaiting && sl.generation == c.generation; {
		case waits && c.result != metrics.ReplyUnmatched:
			owner, step.Sends = sl.ex.Handler, int(sl.sends)
		case c.good:
			step.Result, step.Why = metrics.ReplyUnmatched, "its request has moved on, was given up, or was answered"
		}
		if owner != nil && c.good && c.view.Code() == wire.CodeProtocolError {
			step.Result = metrics.ReplyProtocolError
		}
		s.observe(owner, step)
	}
}

// observeMove reports that an exchange leaves this socket. The caller holds the exchange.
func (s *socket) observeMove(ex *Exchange, why string) {
	if s.ep.server.backend.observing() {
		s.observe(ex.Handler, Step{Kind: StepMoves, Why: why})
	}
}

// whyMoves says why an exchange leaves the slot. With mu held.
func (s *socket) whyMoves(sl *slot, m *mover) string {
	b := s.ep.server.backend
	if !b.observing() {
		return ""
	}
	switch rank := s.ep.rank(); {
	case s.parked():
		return "no socket to the server could be opened"
	case m.sameServer:
		return "its socket was replaced"
	case rank == health.Down:
		return "the server is down or cannot be reached"
	case rank == health.Failing:
		return "the server is failing: it answers checks and no requests"
	case sl.ex.trying:
		return "it only tried the server"
	case b.Now()+sweepGrain-sl.ex.unansweredSince() >= sl.ex.group.patience:
		return "the server has left it unanswered for the patience of its route"
	case sl.ex.ignored.Count > 0:
		return "nothing that verifies was received from the server since it was sent"
	}
	return "nothing was received from the server since it was sent (move_on_after)"
}

// whyChosen says why a group has chosen its member i for an exchange.
func (g *Group) whyChosen(ex *Exchange, m *members, i int, try bool) string {
	if !g.backend.observing() {
		return ""
	}
	s := m.servers[i]
	e := s.endpoint(ex.Kind)
	switch {
	case len(m.servers) == 1:
		return "the only server of its route"
	case s.number != 0 && g.issuerOf(ex) == s.number:
		return "the server that issued its State"
	case try:
		return "tried once, although another server is in a better state"
	case e != nil && e.rank() > health.Up:
		return "no server that is left is up, and none is in a better state"
	case g.balance == Failover:
		return "the first server of its route that is up and was not tried"
	case g.balance == LeastOutstanding && !ex.Conversation:
		return "the server that is up with the fewest requests waiting"
	}
	return "chosen among those that are up by the hash of its user and station"
}
