package relay

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
)

// Rules are the routing decisions of one configuration. They are immutable.
type Rules struct {
	Table        *routing.Table
	Routes       []Route // by the table's group number
	OnUnroutable Unreachable
	Timestamps   Timestamps // of CoA and Disconnect
	Marker       *Marker    // detects loops; nil: they are not detected
	Facts        bool       // a route or a server has attribute rules, which may need the facts of connections
}

// Route says where requests of some realms and kinds go.
type Route struct {
	Name          string         // in the log
	Group         *udpback.Group // nil: requests of the route are refused as if it were not there
	NASes         *NASes         // for CoA and Disconnect, instead of Group; nil: none of the servers is a NAS
	OnUnreachable Unreachable    // for Access- and Accounting-Request
	Attributes    *ServerRules   // nil: none
	// AnswersAccounting has Accounting-Requests acknowledged here, and not forwarded.
	AnswersAccounting bool
	// SpoolAfter is how long an Accounting-Request waits for a server's answer until the spool
	// takes it over; 0: it never does.
	SpoolAfter time.Duration
	Metrics    *metrics.Route // nil: not counted by route
}

// Unreachable says how an Access- or Accounting-Request is answered if it gets no reply
// from a server. On a RADIUS/1.1 connection the answer is always a Protocol-Error (RFC 9765
// §6.1).
type Unreachable uint8

const (
	Reject        Unreachable = iota // Access-Reject with Error-Cause; nothing for accounting
	Silent                           // nothing: the client's own timers decide
	ProtocolError                    // Protocol-Error with Error-Cause (RFC 7930 §4)
)

// decision is what the routing table returns for a request.
type decision struct {
	made  bool // by lookup
	ok    bool // a route matches the request
	group int
	realm []byte // that decided, inside the packet; empty: none
}

// lookup returns the routing table's decision. It uses the table only once.
func (req *request) lookup(t *routing.Table) *decision {
	if !req.decision.made {
		req.decision.made = true
		req.decision.group, req.decision.realm, req.decision.ok = t.Route(req.packet())
	}
	return &req.decision
}

// refuses reports whether the route has no servers: what it matches is not routed.
func (r *Route) refuses() bool { return r.Group == nil }

// setRoute sets the route of a request, and the fields that depend on it. It returns the
// group that the request goes to, or nil and an Error-Cause if the route has no NAS for it.
func (req *request) setRoute(rules *Rules, group int) (to *udpback.Group, cause uint32) {
	req.route, req.marker, req.Window, req.keepFor = &rules.Routes[group], rules.Marker, 0, req.conn.keeping()
	if !req.dynamic() {
		return req.route.Group, 0
	}
	t := &rules.Timestamps
	req.Window, req.DropStale, req.keepFor = t.Window, t.DropReplies, max(req.keepFor, t.Window)
	return req.route.lastHop(req.packet())
}
