package cluster

import (
	"context"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"radsec-gw/dynauth"
	"radsec-gw/metrics"
)

// serve handles the requests of other gateways.
func (c *CoA) serve(ctx context.Context) {
	for {
		select {
		case m := <-c.requests:
			c.metrics.CountServed(c.serveRequest(m))
		case m := <-c.finds:
			c.serveFind(m)
		case <-ctx.Done():
			return
		}
	}
}

// serveRequest handles a request that one gateway shall send down: this one.
func (c *CoA) serveRequest(m *nats.Msg) metrics.ClusterServed {
	ask, err := decodeAsk(m.Data)
	if err != nil || !c.validReplySubject(m.Reply) {
		c.invalid(m)
		return metrics.ServedRefused
	}
	if ask.asker == c.name { // this gateway has not unsubscribed yet
		c.reply(m.Reply, coaReply{kind: replyNotHere, name: c.name})
		return metrics.ServedNotHere
	}
	c.received()
	if c.tooLate(&ask) {
		c.reply(m.Reply, coaReply{kind: replyNotHere, name: c.name})
		return metrics.ServedLate
	}
	var answered atomic.Bool
	to := m.Reply
	passed := ask.passed()
	passed.Answer = func(answer []byte, lost bool) {
		answered.Store(true)
		c.reply(to, replyOf(answer, lost))
	}
	switch c.server.Pass(passed) {
	case dynauth.PassTaken:
		if !answered.Load() {
			c.reply(to, coaReply{kind: replyTaken})
		}
		return metrics.ServedTaken
	case dynauth.PassNotHere:
		c.reply(to, coaReply{kind: replyNotHere, name: c.name})
		return metrics.ServedNotHere
	}
	c.reply(to, coaReply{kind: replyNotHere, name: c.name})
	return metrics.ServedRefused
}

// replyOf returns the reply with an answer; nil: there is none.
func replyOf(answer []byte, lost bool) coaReply {
	switch {
	case answer != nil:
		return coaReply{kind: replyAnswer, packet: answer}
	case lost:
		return coaReply{kind: replyLost}
	}
	return coaReply{kind: replyUnanswered}
}

// serveFind says whether the connection for a request is here.
func (c *CoA) serveFind(m *nats.Msg) {
	ask, err := decodeAsk(m.Data)
	if err != nil || !c.validReplySubject(m.Reply) {
		c.invalid(m)
		c.metrics.CountServed(metrics.ServedRefused)
		return
	}
	if ask.asker == c.name {
		return
	}
	c.received()
	r := coaReply{kind: replyNotHere, name: c.name}
	if !c.tooLate(&ask) && c.server.Has(ask.passed()) {
		r.kind = replyHere
	}
	c.reply(m.Reply, r)
}

// tooLate reports whether the gateway that asks may have given up.
func (c *CoA) tooLate(ask *coaMessage) bool {
	return c.peers.delay(ask.asker, ask.clock, c.now()) > c.times.late
}

// passed returns what dynauth needs of a request.
func (m *coaMessage) passed() *dynauth.Passed {
	return &dynauth.Passed{Datagram: m.packet, From: m.from, Local: m.local, Configured: m.configured}
}

// reply sends a reply. If too many messages wait it is lost, and the other gateway gives up.
func (c *CoA) reply(to string, r coaReply) { c.send(to, "", r.encode()) }
