package relay

import (
	"net/netip"

	"radsec-gw/audit"
	"radsec-gw/udpback"
)

// observer passes what udpback does with requests to the hub.
type observer struct{ relay *Relay }

// Observing implements udpback.Observer.
func (o observer) Observing() bool { return o.relay.hub.Watching() }

// Observe implements udpback.Observer. What it reads of a request does not change while
// udpback has it.
func (o observer) Observe(owner udpback.Handler, s *udpback.Step) {
	e := audit.Step{Kind: stepKinds[s.Kind], Local: s.Local, Remote: s.Remote, Packet: s.Packet, Sends: s.Sends, Why: s.Why, Result: s.Result}
	req, ok := owner.(*request)
	if r, isReplay := owner.(*replay); isReplay {
		req, ok = &r.request, true
	}
	if ok {
		e.Rules = req.client.Attributes.any(req.Kind) || req.route != nil && req.route.Attributes != nil
		e.Event = audit.Event{Number: req.number, Client: req.client.Name, Peer: req.conn.remote, Kind: req.Kind,
			Request: &req.view, Realm: req.decision.realm, Route: req.routeName()}
	} else {
		e.Check = owner != nil
	}
	e.Server, e.Port = s.Server, s.Port
	o.relay.hub.Step(&e)
}

var stepKinds = [...]audit.StepKind{
	udpback.StepSent:    audit.StepSent,
	udpback.StepResent:  audit.StepResent,
	udpback.StepReplied: audit.StepReplied,
	udpback.StepMoves:   audit.StepMoves,
}

// routeName returns what the log calls the request's route; "" for none.
func (req *request) routeName() string {
	if req.route == nil {
		return ""
	}
	return req.route.Name
}

// localOf returns the gateway's address of a connection; invalid where it is not known.
func localOf(p Peer) netip.AddrPort {
	if l, ok := p.(interface{ LocalAddr() netip.AddrPort }); ok {
		return l.LocalAddr()
	}
	return netip.AddrPort{}
}
