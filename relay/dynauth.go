package relay

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Timestamps says how the Event-Timestamp of CoA and Disconnect, and of the answers to
// them, is checked (RFC 5176 §6.3).
type Timestamps struct {
	// Window is how far from now it may be, in the past or the future, and how long the
	// answer to a request is kept at least for its duplicates; 0: it is not checked.
	Window  time.Duration
	Require bool // a request must have one
	// DropReplies drops an answer outside the window. Otherwise it is passed on and
	// logged, because the NAS has acted already, and the sender of the request would not
	// know.
	DropReplies bool
}

// fresh reports whether the packet's Event-Timestamp, seconds since 1970, is within
// the window around now. A packet without one is fresh unless it is required.
func (t Timestamps) fresh(v *wire.View, now time.Time) bool {
	age, ok := v.EventAge(now)
	if !ok {
		return !t.Require
	}
	return t.Window == 0 || age.Abs() <= t.Window
}

// ReversePath says how a CoA or Disconnect is answered that fails the reverse-path check.
type ReversePath uint8

const (
	ReversePathOff  ReversePath = iota // there is no check
	ReversePathDrop                    // not at all (RFC 5176 §6.1)
	ReversePathNAK                     // with a NAK, Error-Cause 502 (RFC 8559 §4.3.1)
)

// authorize reports whether a CoA or Disconnect may be forwarded; if not, end is how it
// ends. Its Event-Timestamp must be fresh, or it is silently dropped (RFC 5176 §6.3). If
// the client's ReversePath is not off, its sender must be one of the servers that an
// Access-Request for the same user would go to (RFC 5176 §6.1).
func (c *Connection) authorize(b *burst, req *request) (end outcome, ok bool) {
	if now := time.Now(); !b.rules.Timestamps.fresh(&req.view, now) {
		c.relay.logStaleTimestamp(req, b.rules.Timestamps.Window, now)
		return outcome{fate: metrics.FateStaleTimestamp}, false
	}
	if req.client.ReversePath == ReversePathOff || c.onPath(b.rules, req.packet()) {
		return outcome{}, true
	}
	c.relay.logWrongPath(req)
	if req.client.ReversePath == ReversePathDrop {
		return outcome{fate: metrics.FateWrongPath}, false
	}
	return b.decline(req, metrics.FateWrongPath, causeNotRoutable), false
}

// onPath reports whether the client's address is that of a server that Access-Requests for
// the user's realm go to.
func (c *Connection) onPath(rules *Rules, v *wire.View) bool {
	group, ok := rules.Table.Lookup(wire.KindAccess, rules.Table.Realm(v.UserName()))
	return ok && !rules.Routes[group].refuses() && rules.Routes[group].Group.HasAddress(c.remote.Addr())
}
