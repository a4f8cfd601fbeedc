package udpback

import (
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// check is one request of the gateway's own. It is never retransmitted: each
// check has an Identifier and a Request Authenticator of its own (RFC 5997 §4.1).
type check struct {
	Exchange
	ep *endpoint
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
		e.tryOtherPath(last)
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
func (c *check) Write(_ *wire.Digests, dst []byte, to *Server, id wire.ServerID) (int, error) {
	r := wire.NewRequest(c.Code, byte(id)).AddMessageAuthenticator()
	if c.Code == radius.CodeAccessRequest {
		config := c.ep.health.Config()
		r.AddText(attrUserName, config.User).AddUserPassword([]byte(config.Password), to.secret)
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

// Reply accepts any answer, also an Access-Reject to an Access-Request.
func (c *check) Reply(*wire.Digests, []byte, *wire.View, *[16]byte, *wire.ServerSecret) int {
	return 0
}

// Deliver reports that the check was answered.
func (c *check) Deliver([]byte, *Touched) {
	c.ep.metrics.CountProbe(true)
	c.ep.health.CheckAnswered(c.ep.server.backend.Now())
}

// Fail reports that the check was not answered. A Protocol-Error is an answer.
func (c *check) Fail(_ *wire.Hasher, why Failure, _ uint32, _ *Touched) {
	c.ep.metrics.CountProbe(why == FailProtocolError)
	switch why {
	case FailProtocolError:
		c.ep.health.CheckAnswered(c.ep.server.backend.Now())
	case FailShutdown:
		c.ep.health.CheckNotSent()
	default:
		c.ep.health.CheckLost()
	}
}
