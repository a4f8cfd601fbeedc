package relay

import (
	"time"

	"radsec-gw/audit"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// end gives the request its one fate: it is counted, and told to whoever
// listens. answer is what was handed to the connection; empty: nothing.
func (x *exchange) end(f metrics.Fate, answer []byte) {
	g := x.link.gateway
	x.client.Metrics.Count(x.Kind, f)
	if x.route != nil && x.route.Metrics != nil {
		x.route.Metrics.Count(f)
	} else if f == metrics.FateNoRoute && g.other != nil {
		g.other.Count(f)
	}
	if len(answer) == 0 && !g.hub.Listening() {
		return
	}
	took := g.back.Now() - x.came
	if len(answer) > 0 {
		x.client.Metrics.CountReply(wire.Code(answer[0]))
		g.metrics.ObserveRequest(x.Kind, took)
	}
	if g.hub.Listening() {
		x.tell(f, answer, took)
	}
}

// giveUp ends a request that nobody waits for any more. When it cannot be taken
// back, its server's reader has it at this moment and is left to finish.
func (x *exchange) giveUp(f metrics.Fate) {
	x.elsewhere = !x.Cancel()
	x.end(f, nil)
}

// tell makes the event of a request that has ended.
func (x *exchange) tell(f metrics.Fate, answer []byte, took time.Duration) {
	e := x.event(x.link.gateway.rules.Load())
	e.Fate, e.Reply, e.Duration = f, answer, took
	if !x.elsewhere {
		e.Server, e.Port, e.Tries = x.Served()
	}
	x.link.gateway.hub.Ended(&e)
}

// ended gives a packet that is no request its one fate.
func (l *Link) ended(f metrics.Fate) {
	c := l.client.Config()
	c.Metrics.Count(wire.KindOther, f)
	if hub := l.gateway.hub; hub.Listening() {
		hub.Ended(&audit.Event{Client: c.Name, Peer: l.remote, Kind: wire.KindOther, Fate: f})
	}
}

// arrived tells a tap of a request that is about to be carried on.
func (x *exchange) arrived(rules *Rules) {
	hub := x.link.gateway.hub
	if !hub.Tapping() {
		return
	}
	e := x.event(rules)
	hub.Arrived(&e)
}

// event makes the event of a request that has come, with the realm that it was routed
// by; rules are for one that was refused before that.
func (x *exchange) event(rules *Rules) audit.Event {
	return audit.Event{Client: x.client.Name, Peer: x.link.remote, Kind: x.Kind, Request: &x.view, Realm: x.find(rules.Table).realm}
}
