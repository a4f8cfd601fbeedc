package udpback

import (
	"errors"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// probe is one request of the gateway's own. It is never retransmitted: each
// probe has an Identifier and a Request Authenticator of its own (RFC 5997 §4.1).
type probe struct {
	Exchange
	end      *endpoint
	answered func(bool)
}

// probeCode is what the port is asked with, 0 for nothing. CoA ports are not
// probed: what listens there need not know Status-Server.
func probeCode(check Check, label string) wire.Code {
	switch {
	case check == CheckStatusServer && label != coaLabel:
		return radius.CodeStatusServer
	case check == CheckAccessRequest && label == "auth":
		return radius.CodeAccessRequest
	}
	return 0
}

// sendProbe sends one probe; answered is called once, when it is answered or lost.
func (e *endpoint) sendProbe(answered func(bool)) {
	code := probeCode(e.judge.config.Check, e.label)
	p := &probe{end: e, answered: answered}
	p.Handler, p.Code, p.Kind = p, code, wire.KindOf(code)
	back := e.server.back
	p.reset(nil, back.Now())
	// Not retransmitted, and given up when the next may go out.
	p.schedule = &Schedule{Initial: e.judge.config.ProbeInterval, Max: e.judge.config.ProbeInterval, Count: 1, Duration: e.judge.config.ProbeInterval}
	b := back.Borrow()
	defer back.GiveBack(b)
	if e.judge.now() != Up {
		e.refreshSometimes(back.Now())
	}
	socket, id, generation, err := e.reserve(&p.Exchange)
	if errors.Is(err, ErrNoIdentifier) { // too much is outstanding: silence will tell
		e.judge.unasked()
		return
	}
	if err != nil {
		e.metrics.Probe(false)
		answered(false)
		return
	}
	// The group is not asked: a probe has no other server to go to.
	if err := launchOn(&p.Exchange, b, item{socket: socket, id: id, generation: generation}); err != nil {
		answered(false)
		return
	}
	b.Flush()
}

// Write builds the probe with nothing in it but what identifies the gateway
// (RFC 5997 §3: no credentials in a Status-Server).
func (p *probe) Write(_ *wire.Digests, dst []byte, to *wire.ServerSecret, id wire.ServerID) (int, error) {
	r := wire.NewRequest(p.Code, byte(id)).AddMessageAuthenticator()
	if p.Code == radius.CodeAccessRequest {
		c := &p.end.judge.config
		r.AddText(attrUserName, c.User).AddUserPassword([]byte(c.Password), to)
	}
	r.AddText(attrNASIdentifier, nasIdentifier)
	octets, err := r.Sign(wire.NewHasher(), to)
	return copy(dst, octets), err
}

const (
	attrUserName      = 1
	attrNASIdentifier = 32
	nasIdentifier     = "radsec-gw"
)

// Reply takes any answer: Access-Reject to a probe's Access-Request is one, too.
func (p *probe) Reply(*wire.Digests, []byte, *wire.View, *[16]byte, *wire.ServerSecret) int {
	return 0
}

// Deliver notes that an answer came.
func (p *probe) Deliver([]byte) Flusher {
	p.end.metrics.Probe(true)
	p.answered(true)
	return nil
}

// Fail notes that no answer came.
func (p *probe) Fail(_ *wire.Hasher, why Failure, _ uint32) Flusher {
	alive := why == FailProtocolError
	p.end.metrics.Probe(alive)
	p.answered(alive)
	return nil
}
