package udpback

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
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
	health  *health.Port

	retired atomic.Bool // another server of this name sets the state in the metrics

	outstanding   atomic.Int64 // Identifiers in use on all sockets
	unreachableAt atomic.Int64 // when the network last reported that the server is unreachable; 0: not since the last reply
	addressSince  atomic.Int64 // since when the address is in use
	checkedAt     atomic.Int64 // when the last check was sent

	// with locks of their own
	sockets socketSet // from the server's own source
	sources sourceSets
	log     portLog
	source  sourceCheck
}

func newEndpoint(s *Server, label metrics.Port, number uint16, h health.Config) *endpoint {
	e := &endpoint{server: s, label: label, number: number}
	e.metrics = s.backend.metrics.Server(s.Name, label)
	e.log.init(e)
	e.sockets.init(e, nil)
	e.health = health.NewPort(healthOf(h, label), health.Owner{Clock: s.backend.Now, SendCheck: e.sendCheck, Changed: e.changed})
	e.publishState()
	e.health.Start()
	return e
}

// healthOf returns the health configuration for one of a server's ports: not every check
// can be used for every port.
func healthOf(h health.Config, label metrics.Port) health.Config {
	if CheckCode(h.Check, label) == 0 {
		h.Check = health.CheckNone
	}
	return h
}

// address returns the address that requests are sent to now; ok is false when none is
// known.
func (e *endpoint) address() (a netip.AddrPort, ok bool) {
	ip := e.server.Address()
	return netip.AddrPortFrom(ip, e.number), ip.IsValid()
}

// addressText returns the address for a log line.
func (e *endpoint) addressText() string {
	if a, ok := e.address(); ok {
		return a.String()
	}
	return e.server.host + " (no address)"
}

// capacity returns how many requests can be outstanding.
func (e *endpoint) capacity() int64 { return int64(e.server.settings.Load().maxSockets) * 256 }

// newRequestLimit returns how many Identifiers requests without State may use; the rest
// is for conversations that have begun (RFC 5080 §2.2.3).
func newRequestLimit(capacity int64) int64 { return capacity - max(16, capacity/64) }

// unreachableFor is how long requests prefer other servers after the network has reported
// that this one is unreachable.
const unreachableFor = time.Second

// rank returns the state that the port is chosen by: that of its health, or down while it
// has no address or is unreachable.
func (e *endpoint) rank() health.State {
	if at := e.unreachableAt.Load(); at != 0 && e.server.backend.Now()-time.Duration(at) < unreachableFor || !e.server.Address().IsValid() {
		return health.Down
	}
	return e.health.State()
}

// reserve reserves an Identifier for a request, unless those that are free are kept for
// others. The error is one of ErrNoIdentifier, ErrQuota and ErrNoSocket.
func (e *endpoint) reserve(ex *Exchange) (reservation, error) {
	u, err := e.admit(ex)
	if err != nil {
		return reservation{}, err
	}
	return e.reserveOn(ex, u)
}

// admit returns the usage of the request's client, or an error when too few Identifiers
// would remain for others.
func (e *endpoint) admit(ex *Exchange) (*usage, error) {
	outstanding, capacity := e.outstanding.Load(), e.capacity()
	if !ex.HasState && ex.Kind == wire.KindAccess && outstanding >= newRequestLimit(capacity) {
		return nil, ErrNoIdentifier
	}
	u := ex.Quota.at(e)
	if u.exceeds(outstanding, capacity) {
		return nil, ErrQuota
	}
	return u, nil
}

// Why an exchange could not be started.
var (
	ErrNoIdentifier = errors.New("every Identifier of every server of the group is in use")
	ErrQuota        = errors.New("the client holds its share of the servers' Identifiers, which are nearly all in use")
	ErrNoSocket     = errors.New("no socket to any server of the group can be opened")
	ErrMaintenance  = errors.New("every server of the group is in maintenance")
)

// addOutstanding changes how many Identifiers are in use.
func (e *endpoint) addOutstanding(n int) {
	e.outstanding.Add(int64(n))
	e.metrics.AddOutstanding(n)
}

// changed logs a change of the port's health, and orders requests to move when others can
// answer instead.
func (e *endpoint) changed(t health.Transition) {
	e.log.transition(t)
	if t.Alive || (t.From == health.Suspect || t.From == health.Failing) && t.To == health.Up {
		e.order(sendEarly)
	}
	if t.Maintenance {
		e.publishState()
	}
	if t.From == t.To {
		return
	}
	e.publishState()
	if t.From == health.Up && t.To != health.Failing {
		e.checkOthers()
	}
	if t.To >= health.Failing {
		e.order(moveServer)
	}
}

// checkOthers checks the server's other ports after this one fell silent: where the whole
// server is gone, an idle port would otherwise be called up until its watchdog finds out.
func (e *endpoint) checkOthers() {
	for _, other := range e.server.endpoints() {
		if other != e {
			other.health.RequestCheck()
		}
	}
}

// publishState sets the state in the metrics.
func (e *endpoint) publishState() {
	e.metrics.SetState(e.health.Reported())
	e.metrics.SetProven(e.health.HasAnswered() || !e.health.HasChecks())
	e.metrics.SetCapacity(e.capacity())
	e.metrics.SetAddress(e.addressText())
}

// noteProven notes in the metrics that something verified has arrived.
func (e *endpoint) noteProven() {
	if !e.metrics.Proven() && !e.retired.Load() {
		e.metrics.SetProven(true)
	}
}

// noteSilent notes that a request on a socket of set, first sent at first, is due again.
func (e *endpoint) noteSilent(set *socketSet, first time.Duration) {
	e.health.Silent(first)
	if !e.isProvenUp() && !e.health.HeardSince(first) {
		e.tryOtherPath(set, first, longestRenewPause)
	}
}

// isProvenUp reports whether the port is up, and something has verified from the address
// in use.
func (e *endpoint) isProvenUp() bool { return e.health.State() == health.Up && e.answersAtAddress() }

// tryOtherPath does what may help when nothing is heard from the port: its server may
// have another address, be reached at another of those that it has, or hear a new
// local port, because a device on the way no longer forwards to the old one. sent is when
// the request or check was sent that has no answer: it is evidence only against an
// address that was in use then. longest bounds the pause before another local port, which is
// one for the sockets that heard nothing. It does not wait.
func (e *endpoint) tryOtherPath(set *socketSet, sent, longest time.Duration) {
	state := e.health.State()
	if state == health.Failing { // checks are answered: the path is not at fault
		return
	}
	e.server.requestLookup()
	if int64(sent) < e.addressSince.Load() {
		return
	}
	from := e.server.Address()
	e.server.tryNextAddress(from)
	if state != health.Up && e.server.Address() == from {
		set.renewAfter(false, longest)
	}
}

// answersAtAddress reports whether something has verified from the address in use, and
// the port is up or has answered the last check.
func (e *endpoint) answersAtAddress() bool {
	checked := e.checkedAt.Load() // 0: never
	return e.health.HeardSince(time.Duration(e.addressSince.Load()-1)) &&
		(e.health.State() == health.Up || checked != 0 && e.health.HeardSince(time.Duration(checked-1)))
}

// order gives all sockets an order for the requests that wait on them.
func (e *endpoint) order(o orders) {
	now := e.server.backend.Now()
	for set := range e.sets() {
		for _, s := range set.all() {
			s.order(o, now)
		}
	}
}

// moveToAddress replaces the sockets in use by one to the server's current address. The
// requests that wait go there at once. fresh is set when the server has moved, so that
// nothing is known of its health there.
func (e *endpoint) moveToAddress(fresh bool) {
	e.addressSince.Store(int64(e.server.backend.Now()))
	e.unreachableAt.Store(0)
	for set := range e.sets() {
		set.replaceForAddress()
	}
	if fresh {
		e.health.Renew()
	}
	e.publishState()
}

// close closes every socket, waits for their goroutines, and fails the requests that
// still wait.
func (e *endpoint) close() {
	e.health.Stop()
	e.sources.close(e)
	e.sockets.close()
}

// check is one request of the gateway's own. It is never retransmitted: each
// check has an Identifier and a Request Authenticator of its own (RFC 5997 §4.1).
type check struct {
	Exchange
	ep     *endpoint
	hasher *wire.Hasher // of the batch that it is sent with
}

// CheckCode returns the Code of a port's checks, or 0 when it is not checked. CoA ports
// are not: what listens there need not support Status-Server.
func CheckCode(check health.Check, label metrics.Port) wire.Code {
	switch {
	case check == health.CheckStatusServer && label != metrics.PortCoA:
		return radius.CodeStatusServer
	case check == health.CheckAccessRequest && label == metrics.PortAuth:
		return radius.CodeAccessRequest
	}
	return 0
}

// sendCheck sends one check, whose result is reported to the port's health. A port that
// is not up and has not answered the last one is checked in another way: from a new local
// port, or at the next of its server's addresses.
func (e *endpoint) sendCheck() {
	if last := time.Duration(e.checkedAt.Load()); e.health.State() != health.Up && !e.health.HeardSince(last-1) {
		e.tryOtherPath(&e.sockets, last, longestCheckPause)
	}
	e.checkedAt.Store(int64(e.server.backend.Now()))
	code := CheckCode(e.health.Config().Check, e.label)
	c := &check{ep: e}
	c.Handler, c.Code, c.Kind = c, code, wire.KindOf(code)
	backend := e.server.backend
	// Not retransmitted, and ended when the next may be sent.
	interval := e.health.Config().CheckInterval
	c.schedule = &Schedule{Initial: interval, Max: interval, Count: 1, Duration: interval}
	b := backend.AcquireBatch()
	defer backend.ReleaseBatch(b)
	c.hasher = b.Hasher
	it, err := e.reserve(&c.Exchange)
	if err != nil { // a shortage of this machine, which says nothing about the server
		e.health.CheckNotSent()
		return
	}
	// Not by a Group: a check goes to this server only.
	if err := addToBatch(&c.Exchange, b, it); err != nil {
		e.health.CheckNotSent()
		return
	}
	b.Flush()
	if b.err != nil && c.Cancel() {
		e.checkFailed(b.err)
	}
}

// checkFailed reports a check that could not be sent.
func (e *endpoint) checkFailed(err error) {
	if datagram.IsLocal(err) || datagram.IsSourceGone(err) {
		e.health.CheckNotSent()
		return
	}
	e.metrics.CountProbe(false)
	e.health.CheckLost()
}

// Write writes the check. It holds only what identifies the gateway (RFC 5997 §3: no
// credentials in a Status-Server), and the user of an Access-Request.
func (c *check) Write(_ *wire.Digests, dst []byte, to Hop, id wire.ServerID) (int, error) {
	r := wire.NewRequest(c.Code, byte(id)).AddMessageAuthenticator()
	if c.Code == radius.CodeAccessRequest {
		config := c.ep.health.Config()
		r.AddText(attrUserName, config.User).AddUserPassword([]byte(config.Password), to.Secret)
	}
	r.AddText(attrNASIdentifier, nasIdentifier)
	octets, err := r.Sign(c.hasher, to.Secret)
	return copy(dst, octets), err
}

const (
	attrUserName      = 1
	attrNASIdentifier = 32
	nasIdentifier     = "radsec-gw"
)

// Reply accepts any answer, also an Access-Reject to an Access-Request.
func (c *check) Reply(*wire.Digests, []byte, *wire.View, *[16]byte, Hop) int {
	return 0
}

// Deliver reports that the check was answered.
func (c *check) Deliver([]byte, *Touched) {
	c.ep.metrics.CountProbe(true)
	c.ep.health.CheckAnswered(c.ep.server.backend.Now())
	c.ep.noteProven()
}

// Fail reports that the check was not answered. A Protocol-Error is an answer.
func (c *check) Fail(_ *wire.Hasher, why Failure, _ uint32, _ *Touched) {
	if why == FailUnverified {
		c.ep.metrics.CountUnverifiedProbe()
	} else {
		c.ep.metrics.CountProbe(why == FailProtocolError)
	}
	switch why {
	case FailProtocolError:
		c.ep.health.CheckAnswered(c.ep.server.backend.Now())
		c.ep.noteProven()
	case FailShutdown:
		c.ep.health.CheckNotSent()
	default:
		c.ep.health.CheckLost()
	}
}
