// Package sessions decides who gets a session, and who keeps it when the configuration
// changes. It knows no transport: packages tlsfront and dtlsfront accept connections, do the
// handshakes, and move packets; what a client may do is written here, once.
//
//	sessions.go   Client, its Handler, and what that sees of a session
//	policy.go     Policy: which client a peer is, under one configuration
//	table.go      Table: the open sessions of a listener, checked again with each Policy
//	watch.go      sessions whose certificates expire, and revocation lists out of date
//	shared.go     what all listeners know of a client: its connections and limits
//	ratelimit.go  packets and octets a second
//	activity.go   when a session is idle
//	certificates.go  which of the gateway's certificates a client gets
//	refusal.go    why there is no session, or no longer
//
// # Locks
//
// A goroutine that holds Table.updateMu may acquire Table.mu, and may call a Session's Peer and
// Terminate. With Table.mu held it calls Entry and StartDraining only. All but Entry may acquire
// locks of the session, and never one of these. Shared.mu and RateLimiter.mu are held for a
// moment, and with neither of the others. No method of a Handler is called with any of them held.
package sessions

import (
	"crypto/x509"
	"net/netip"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Handler handles the packets of one session. Its methods are called by one goroutine at a
// time, except Outstanding and Awaited, which any goroutine may call. None may block.
type Handler interface {
	// Packet handles one packet, as cut by its Length, of 20..4096 octets. p is valid
	// during the call only, and may be modified. An error closes the session, and its
	// text is logged.
	Packet(p []byte) error
	// Repeats reports whether a packet is one again that is outstanding or has been answered a
	// moment ago, so that it makes nothing outstanding. It does not handle the packet.
	Repeats(p []byte) bool
	// Refuse is called instead of Packet with a packet of RADIUS/1.1 that exceeds a
	// limit: it counts the fate, and answers the packet (RFC 9765 §6.1). Flush follows.
	Refuse(p []byte, fate metrics.Fate)
	// Flush is called after every packet that had arrived was handled: the Handler should
	// send what it has gathered. An error closes the session, as one of Packet does.
	Flush() error
	// Outstanding returns the number of requests without an answer; a request counts
	// until Send has returned for its answer. MaxOutstanding, IdleTimeout and Drain use it.
	Outstanding() int
	// Awaited returns the number of requests that were sent to the client and that it has not
	// answered yet. IdleTimeout and Drain use it.
	Awaited() int
	// Keep reports whether the session must stay open although it is idle for
	// IdleTimeout, because requests may be sent to the client.
	Keep() bool
	// Closed is called once, after the last Packet and Refuse; Send reports false from then on.
	Closed()
}

// Conn is a session as its Handler sees it.
type Conn interface {
	// Send queues one packet. It never blocks, may be called from any goroutine, and does not
	// keep p. It reports false if p will not be sent, because the session ends.
	Send(p []byte) bool
	// Flush writes what is queued. It never blocks, and is cheap if nothing is queued.
	Flush()
	// Version11 reports whether the session speaks RADIUS/1.1 (RFC 9765).
	Version11() bool
	// Ended returns why the session ends. It is called after Send has reported false, and by
	// the Handler's Closed.
	Ended() metrics.Reason

	Client() *Client            // after a change of the configuration another of the same name
	RemoteAddr() netip.AddrPort // never an IPv4-mapped IPv6 address
	LocalAddr() netip.AddrPort  // invalid where it is not known
	Number() uint64             // of the session, from 1 since the gateway has started
	// Security returns the certificate that the peer presented, nil if there was none, and the
	// version of TLS or DTLS.
	Security() (leaf *x509.Certificate, version string)
}

// Client is one configured client: its identity, its limits, and its Handler. Its Name is
// also the label of metrics.
type Client struct {
	identity.Client

	// Open returns the Handler of a new session. It must not block.
	Open func(Conn) Handler

	MaxConnections int // at one time; 0: no limit but that of the listener

	PacketsPerSecond int // on all connections together; 0: no limit
	OctetsPerSecond  int // of RADIUS, likewise
}
