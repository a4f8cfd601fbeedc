package udpback

import (
	"time"

	"radsec-gw/udpback/datagram"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// check is one request of the gateway's own. It is never retransmitted: each
// check has an Identifier and a Request Authenticator of its own (RFC 5997 §4.1).
type check struct {
	Exchange
	ep *endpoint
}

// checkCode is what the port is asked with, 0 for nothing. CoA ports are not
// checked: what listens there need not know Status-Server.
func checkCode(check health.Check, label metrics.Port) wire.Code {
	switch {
	case check == health.CheckStatusServer && label != metrics.PortCoA:
		return radius.CodeStatusServer
	case check == health.CheckAccessRequest && label == metrics.PortAuth:
		return radius.CodeAccessRequest
	}
	return 0
}

// sendCheck sends one check, and has the port's health know how it ended. A port that is
// not up and has not answered the last one may be reached in another way: it is checked
// from a new local port, or at the next of its server's addresses.
func (e *endpoint) sendCheck() {
	if last := time.Duration(e.checkedAt.Load()); e.health.State() != health.Up && !e.health.HeardSince(last-1) {
		e.tryOtherPath(last)
	}
	e.checkedAt.Store(int64(e.server.backend.Now()))
	code := checkCode(e.health.Config().Check, e.label)
	p := &check{ep: e}
	p.Handler, p.Code, p.Kind = p, code, wire.KindOf(code)
	back := e.server.backend
	// Not retransmitted, and given up when the next may go out.
	interval := e.health.Config().CheckInterval
	p.schedule = &Schedule{Initial: interval, Max: interval, Count: 1, Duration: interval}
	b := back.AcquireBatch()
	defer back.ReleaseBatch(b)
	it, err := e.reserve(&p.Exchange)
	if err != nil { // this machine's own want, which says nothing about the server
		e.health.CheckNotSent()
		return
	}
	// The group is not asked: a check has no other server to go to.
	if err := addToBatch(&p.Exchange, b, it); err != nil {
		e.health.CheckNotSent()
		return
	}
	b.Flush()
	if b.err != nil && p.Cancel() {
		e.checkFailed(b.err)
	}
}

// checkFailed says what a check means that the network did not carry.
func (e *endpoint) checkFailed(err error) {
	if datagram.IsLocal(err) || datagram.IsSourceGone(err) {
		e.health.CheckNotSent()
		return
	}
	e.metrics.CountProbe(false)
	e.health.CheckLost()
}

// Write builds the check with nothing in it but what identifies the gateway
// (RFC 5997 §3: no credentials in a Status-Server).
func (p *check) Write(_ *wire.Digests, dst []byte, to *Server, id wire.ServerID) (int, error) {
	r := wire.NewRequest(p.Code, byte(id)).AddMessageAuthenticator()
	if p.Code == radius.CodeAccessRequest {
		c := p.ep.health.Config()
		r.AddText(attrUserName, c.User).AddUserPassword([]byte(c.Password), to.secret)
	}
	r.AddText(attrNASIdentifier, nasIdentifier)
	octets, err := r.Sign(wire.NewHasher(), to.secret)
	return copy(dst, octets), err
}

const (
	attrUserName      = 1
	attrNASIdentifier = 32
	nasIdentifier     = "radsec-gw"
)

// Reply takes any answer: Access-Reject to a check's Access-Request is one, too.
func (p *check) Reply(*wire.Digests, []byte, *wire.View, *[16]byte, *wire.ServerSecret) int {
	return 0
}

// Deliver notes that an answer has arrived.
func (p *check) Deliver([]byte, *Touched) {
	p.ep.metrics.CountProbe(true)
	p.ep.health.CheckAnswered(p.ep.server.backend.Now())
}

// Fail notes that no answer has arrived. A Protocol-Error is one.
func (p *check) Fail(_ *wire.Hasher, why Failure, _ uint32, _ *Touched) {
	p.ep.metrics.CountProbe(why == FailProtocolError)
	switch why {
	case FailProtocolError:
		p.ep.health.CheckAnswered(p.ep.server.backend.Now())
	case FailShutdown:
		p.ep.health.CheckNotSent()
	default:
		p.ep.health.CheckLost()
	}
}
