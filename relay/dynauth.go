package relay

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Timestamps is how Event-Timestamp in CoA and Disconnect, and in the answers to
// them, is checked (RFC 5176 §6.3).
type Timestamps struct {
	// How far from now it may be, either way, and how long the answer to a request is
	// kept for its duplicates; 0: not checked.
	Window  time.Duration
	Require bool // a request must have one
	// An answer outside of the window is dropped; else it is passed on and logged,
	// because the NAS has acted already, and the sender of the request would not know.
	DropReplies bool
}

// fresh reports whether the packet's Event-Timestamp, seconds since 1970, is within
// the window of now. One that is missing is fresh unless it is required.
func (t Timestamps) fresh(v *wire.View, now time.Time) bool {
	age, ok := v.EventAge(now)
	if !ok {
		return !t.Require
	}
	return t.Window == 0 || age.Abs() <= t.Window
}

// ReversePath is what a CoA or Disconnect gets that fails the reverse-path check.
type ReversePath uint8

const (
	ReversePathOff  ReversePath = iota // not checked
	ReversePathDrop                    // silence (RFC 5176 §6.1)
	ReversePathNAK                     // a NAK with Error-Cause 502 (RFC 8559 §4.3.1)
)

// authorize reports whether a CoA or Disconnect may go on; if not, end is how it ends. Its
// Event-Timestamp must be fresh, else it is dropped in silence (RFC 5176 §6.3), and its
// sender must be one of the servers that an Access-Request of the same user would go to
// (RFC 5176 §6.1).
func (c *Connection) authorize(b *burst, req *request) (end outcome, ok bool) {
	if now := time.Now(); !b.rules.Timestamps.fresh(&req.view, now) {
		c.relay.logStaleTimestamp(req, b.rules.Timestamps.Window, now)
		return outcome{fate: metrics.FateStaleTimestamp}, false
	}
	if req.client.ReversePath == ReversePathOff || c.onPath(b.rules, &req.view) {
		return outcome{}, true
	}
	c.relay.logWrongPath(req)
	if req.client.ReversePath == ReversePathDrop {
		return outcome{fate: metrics.FateWrongPath}, false
	}
	return b.decline(req, metrics.FateWrongPath, causeNotRoutable), false
}

// onPath reports whether the client's address is that of a server of the Access
// route for the user's realm.
func (c *Connection) onPath(rules *Rules, v *wire.View) bool {
	group, ok := rules.Table.Lookup(wire.KindAccess, rules.Table.Realm(v.UserName()))
	return ok && rules.Routes[group].Group.HasAddress(c.remote.Addr())
}
