package relay

import (
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"radsec-gw/audit"
	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Unreachable is what an Access- or Accounting-Request gets that no server can answer.
// On a connection of RADIUS/1.1 it is always a Protocol-Error (RFC 9765 §6.1).
type Unreachable uint8

const (
	Reject        Unreachable = iota // Access-Reject with Error-Cause; nothing for accounting
	Silent                           // nothing: the client's own timers decide
	ProtocolError                    // Protocol-Error with Error-Cause (RFC 7930 §4)
)

// Route is where a group of realms and kinds goes.
type Route struct {
	Group         *udpback.Group
	NASes         *NASes         // for CoA and Disconnect, instead of Group; nil: none of the servers is a NAS
	OnUnreachable Unreachable    // for Access- and Accounting-Request
	Metrics       *metrics.Route // nil: not counted by route
}

// Rules are the routing decisions of one configuration; immutable.
type Rules struct {
	Table        *routing.Table
	Routes       []Route // by the table's group number
	OnUnroutable Unreachable
	Timestamps   Timestamps // of CoA and Disconnect
	Marker       *Marker    // finds loops; nil: nothing does
}

// Peer is the RadSec connection that a Link answers on.
type Peer interface {
	// Send queues one packet; false when the connection ends, as it does when the
	// peer does not take what it is sent.
	// It may be called from any goroutine, does not block and does not keep p.
	Send(p []byte) bool
	// Flush writes what is queued; it does not block.
	Flush()
	// Version11 says whether the connection speaks RADIUS/1.1 (RFC 9765).
	Version11() bool
	// Ended returns why the connection ends. It is asked after Send has reported
	// false, and when the link is told that it is closed.
	Ended() metrics.Reason
}

// Gateway holds what the links share.
type Relay struct {
	// static after construction
	back    *udpback.Backend
	log     *slog.Logger
	metrics *metrics.Metrics
	other   *metrics.Route // of requests that no route takes
	hub     *audit.Hub     // nil: nobody listens
	// seed makes the hashes of requests unpredictable, so that no client can
	// construct two requests with the same one.
	seed maphash.Seed

	rules    atomic.Pointer[Rules]
	bursts   sync.Pool    // *burst
	requests sync.Pool    // *exchange
	scratch  sync.Pool    // *[wire.MaxLength]byte
	kept     atomic.Int64 // octets of answers kept for duplicates, on all links
	limits   logLimits
}

// New returns a gateway that routes by rules and tells hub of requests; a nil hub
// is told nothing.
func New(back *udpback.Backend, rules *Rules, m *metrics.Metrics, hub *audit.Hub, log *slog.Logger) *Relay {
	r := &Relay{back: back, log: log, metrics: m, other: m.Route(metrics.OtherRoute), hub: hub, seed: maphash.MakeSeed()}
	r.bursts.New = func() any { return &burst{verify: wire.NewDigests()} }
	r.requests.New = func() any { return new(request) }
	r.scratch.New = func() any { return new([wire.MaxLength]byte) }
	r.rules.Store(rules)
	return r
}

// SetRules replaces the rules at once for all requests that come from now on.
func (r *Relay) SetRules(rules *Rules) { r.rules.Store(rules) }

// Open begins a link for a connection of client from remote.
func (r *Relay) Open(client *Client, peer Peer, remote netip.AddrPort) *Connection {
	return &Connection{relay: r, client: client, peer: peer, remote: remote, v11: peer.Version11()}
}
