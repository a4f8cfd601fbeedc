package relay

import (
	"time"

	"radsec-gw/audit"
	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// outcome is how a request ends.
type outcome struct {
	fate   metrics.Fate
	answer []byte // to the client; empty: none
}

// A request ends in one of three ways, and each records its fate: the read loop calls
// finish for a request that is not in flight; udpback's callbacks call respond for one that
// was in flight; and abandon ends one in flight for which its client no longer waits.

// finish sends the answer to a request, if there is one, and records its fate. The request
// must not be used afterwards.
func (c *Connection) finish(req *request, end outcome) {
	c.send(req, end)
	c.relay.recycle(req)
}

// send sends the answer to a request, if there is one, and records its fate.
func (c *Connection) send(req *request, end outcome) {
	if len(end.answer) > 0 && !c.peer.Send(end.answer) {
		end = outcome{fate: c.unsentFate()}
	}
	req.recordFate(end)
}

// respond finishes a request in flight; answered reports whether a server has answered it. If
// it was abandoned, or the spool has answered it, its fate is already recorded, and the
// goroutine that did may still read it, so it is left to the garbage collector.
func (c *Connection) respond(req *request, end outcome, touched *udpback.Touched, answered bool) {
	waited := c.untrack(req, end.answer)
	req.endLive(answered)
	if !waited {
		return
	}
	c.finish(req, end)
	c.outstanding.Add(-1)
	touched.Add(c.peer)
}

// abandon ends a request in flight for which its client no longer waits. If it cannot be
// canceled, its server's reader or sweep uses it at this moment, and finishes with it.
func (req *request) abandon(f metrics.Fate) {
	req.busy = !req.Cancel()
	if !req.busy {
		req.endLive(false)
	}
	req.recordFate(outcome{fate: f})
}

// recordFate counts how the request ended, and reports it to the hub. It is called once
// for each request.
func (req *request) recordFate(end outcome) {
	r := req.conn.relay
	req.client.Metrics.Count(req.Kind, end.fate)
	if req.route != nil && req.route.Metrics != nil {
		req.route.Metrics.Count(end.fate)
	} else if end.fate == metrics.FateNoRoute && r.other != nil {
		r.other.Count(end.fate)
	}
	if len(end.answer) == 0 && !r.hub.Listening() {
		return
	}
	took := r.back.Now() - req.arrived
	if len(end.answer) > 0 {
		code := wire.Code(end.answer[0])
		req.client.Metrics.CountReply(code, len(end.answer))
		if req.route != nil && req.route.Metrics != nil {
			req.route.Metrics.CountAnswer(code)
		}
		r.metrics.ObserveRequest(req.Kind, took)
	}
	if r.hub.Listening() {
		req.reportEnd(end, took)
	}
}

// recordOther counts the fate of a packet that is not a request, and reports it to the
// hub.
func (c *Connection) recordOther(f metrics.Fate) {
	client := c.client.Config()
	client.Metrics.Count(wire.KindOther, f)
	if hub := c.relay.hub; hub.Listening() {
		hub.Ended(&audit.Event{Client: client.Name, Peer: c.remote, Kind: wire.KindOther, Fate: f})
	}
}

// reportEnd reports the outcome of a request to the hub.
func (req *request) reportEnd(end outcome, took time.Duration) {
	e := req.event(req.conn.relay.rules.Load())
	e.Fate, e.Reply, e.Duration = end.fate, end.answer, took
	if !req.busy {
		e.Server, e.Port, e.Tries = req.Served()
		ignored := req.Ignored()
		e.Unverified, e.UnverifiedWhy, e.UnverifiedFrom = ignored.Count, ignored.Why, ignored.Server
	}
	req.conn.relay.hub.Ended(&e)
}

// reportArrival reports the arrival of a verified request to the taps.
func (req *request) reportArrival(rules *Rules) {
	hub := req.conn.relay.hub
	if !hub.Watching() {
		return
	}
	req.number = hub.Number()
	e := req.event(rules)
	hub.Arrived(&e)
}

// event returns the event of a request, with what is known when it arrives. rules are used
// to find the realm of a request that has not been routed.
func (req *request) event(rules *Rules) audit.Event {
	return audit.Event{Number: req.number, Client: req.client.Name, Peer: req.conn.remote, Local: req.conn.local, Kind: req.Kind, Route: req.routeName(), Request: &req.view, Realm: req.lookup(rules.Table).realm}
}

// failureFate has the fate of a request for each failure of its exchange.
var failureFate = [...]metrics.Fate{
	udpback.FailSilent:        metrics.FateServerSilent,
	udpback.FailUnverified:    metrics.FateServerUnverified,
	udpback.FailRefused:       metrics.FateServerRefused,
	udpback.FailProtocolError: metrics.FateProtocolError,
	udpback.FailShutdown:      metrics.FateShutdown,
}

// unsentFate returns the fate of a request whose answer the connection did not accept.
func (c *Connection) unsentFate() metrics.Fate {
	switch c.peer.Ended() {
	case metrics.ClosedNotReading:
		return metrics.FateClientNotReading
	case metrics.ClosedShutdown:
		return metrics.FateShutdown
	}
	return metrics.FateClientGone
}

// unansweredFate returns the fate of a request whose connection ended before its answer was
// ready.
func (c *Connection) unansweredFate() metrics.Fate {
	if c.peer.Ended() == metrics.ClosedShutdown {
		return metrics.FateShutdown
	}
	return metrics.FateClientGone
}
