package relay

import (
	"time"

	"radsec-gw/audit"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// end gives the request its one fate: it is counted, and told to whoever
// listens. answer is what was handed to the connection; empty: nothing.
func (req *request) recordFate(f metrics.Fate, answer []byte) {
	r := req.conn.relay
	req.client.Metrics.Count(req.Kind, f)
	if req.route != nil && req.route.Metrics != nil {
		req.route.Metrics.Count(f)
	} else if f == metrics.FateNoRoute && r.other != nil {
		r.other.Count(f)
	}
	if len(answer) == 0 && !r.hub.Listening() {
		return
	}
	took := r.back.Now() - req.arrived
	if len(answer) > 0 {
		req.client.Metrics.CountReply(wire.Code(answer[0]))
		r.metrics.ObserveRequest(req.Kind, took)
	}
	if r.hub.Listening() {
		req.notifyHub(f, answer, took)
	}
}

// giveUp ends a request that nobody waits for any more. When it cannot be taken
// back, its server's reader has it at this moment and is left to finish.
func (req *request) abandon(f metrics.Fate) {
	req.busy = !req.Cancel()
	req.recordFate(f, nil)
}

// tell makes the event of a request that has ended.
func (req *request) notifyHub(f metrics.Fate, answer []byte, took time.Duration) {
	e := req.event(req.conn.relay.rules.Load())
	e.Fate, e.Reply, e.Duration = f, answer, took
	if !req.busy {
		e.Server, e.Port, e.Tries = req.Served()
	}
	req.conn.relay.hub.Ended(&e)
}

// ended gives a packet that is no request its one fate.
func (c *Connection) recordOther(f metrics.Fate) {
	client := c.client.Config()
	client.Metrics.Count(wire.KindOther, f)
	if hub := c.relay.hub; hub.Listening() {
		hub.Ended(&audit.Event{Client: client.Name, Peer: c.remote, Kind: wire.KindOther, Fate: f})
	}
}

// arrived tells a tap of a request that is about to be carried on.
func (req *request) tap(rules *Rules) {
	hub := req.conn.relay.hub
	if !hub.Tapping() {
		return
	}
	e := req.event(rules)
	hub.Arrived(&e)
}

// event makes the event of a request that has come, with the realm that it was routed
// by; rules are for one that was refused before that.
func (req *request) event(rules *Rules) audit.Event {
	return audit.Event{Client: req.client.Name, Peer: req.conn.remote, Kind: req.Kind, Request: &req.view, Realm: req.lookup(rules.Table).realm}
}
