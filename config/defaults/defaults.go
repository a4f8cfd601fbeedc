// Package defaults has the defaults that package config shares with the packages that use
// them, so that a missing key of the configuration and a zero field mean the same value.
// Those that only package config uses are beside the type of their table.
package defaults

import "time"

// Listener is the name of [listen] among those of [[listener]].
const Listener = "listen"

// [listen]: the RadSec side.
const (
	SilentTimeout    = 3 * time.Second
	HandshakeTimeout = 10 * time.Second
	PacketTimeout    = 30 * time.Second
	WriteTimeout     = 10 * time.Second
	MaxConnections   = 10_000
	MaxHandshakes    = 512
)

// HandshakeTimeoutDTLS is longer than HandshakeTimeout: what is lost is sent again by the ends,
// after 1, 3, 7 and 15 s (RFC 6347 §4.2.4.1), and a client whose handshake was forgotten does
// not notice.
const HandshakeTimeoutDTLS = 30 * time.Second

// [[server]]: the health of a port.
const (
	SuspectAfter     = 3 // one silent realm is not evidence (P83)
	FailingAfter     = 5
	WatchdogInterval = 30 * time.Second // Tw of RFC 3539 §3.4.1
	ProbeInterval    = 3 * time.Second
	DownAfter        = 3
	UpAfter          = 3 // RFC 3539 App. A
)

// [[server]]: the schedule of RFC 5080 §2.2.1. Without jitter a request is sent at 0, 2, 6
// and 14 s; the next transmission would be due at 30 s, which is when the request fails.
const (
	RetransmitInitial  = 2 * time.Second
	RetransmitMax      = 16 * time.Second
	RetransmitCount    = 5
	RetransmitDuration = 30 * time.Second
)

// MaxSockets of [[server]] allows 16,384 requests in flight to one port of a server.
const MaxSockets = 64

// [[route]]: when a request moves on.
const (
	// MoveOnAfter lets one lost datagram be resent before the server is given up: with
	// the default schedule a request moves on after about six seconds.
	MoveOnAfter = 2

	// Patience leaves enough time for a second server's answer before the client gives up,
	// which for most is after 15 s or more.
	Patience = 10 * time.Second
)
