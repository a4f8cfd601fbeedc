package dtlsfront

import (
	"crypto/tls"
	"net/netip"

	"radsec-gw/dtlsfront/handshake"
)

// Sink handles the packets of one session. Its methods are called by one goroutine at a time,
// except Outstanding and Awaited, which any may call at any time. None may block.
type Sink interface {
	// Packet handles one packet, as cut by its Length, of 20..4096 octets. p is valid during
	// the call only, and may be modified. A packet that the client sent again is given again:
	// each has been in a record of its own. An error closes the session, and its text is
	// logged.
	Packet(p []byte) error
	// Flush is called after every packet that had arrived was handled: the Sink should send
	// what it has gathered. An error closes the session, as one of Packet does.
	Flush() error
	// Outstanding returns the number of requests without an answer; a request counts until
	// Send has returned for its answer.
	Outstanding() int
	// Awaited returns the number of requests that were sent to the client and that it has not
	// answered yet.
	Awaited() int
	// Keep reports whether the session must stay open although it is idle for IdleTimeout,
	// because requests may be sent to the client.
	Keep() bool
	// Closed is called once, after the last Packet; Send reports false from then on.
	Closed()
}

// Acceptor decides who gets a session. Its methods are called concurrently, and must not block.
type Acceptor interface {
	// Admit reports whether anything may be sent to an address that a ClientHello came from.
	// The address may be forged. It is called by the goroutine that receives all packets.
	Admit(remote netip.AddrPort) bool
	// Handshake returns what a handshake with a client is done with, which has shown that it
	// receives at its address; or why there is to be none. offer is what its ClientHello
	// offers. NewCID is set by the Server.
	Handshake(remote netip.AddrPort, offer *tls.ClientHelloInfo) (handshake.Config, error)
	// Ended is called when a handshake has ended: with HandshakeComplete, HandshakeFailed,
	// HandshakeTimeout, HandshakeDisplaced or HandshakeRefused, and why.
	Ended(remote netip.AddrPort, how Count, err error)
	// Refused is called when a client that has returned a cookie gets no handshake, and why. It
	// is called by the goroutine that receives all packets.
	Refused(remote netip.AddrPort, err error)
	// Accept returns the Sink of a session whose handshake is complete; or why it is refused.
	// It may call RemoteAddr, LocalAddr, Number, Security, Certificates and PSK, and keep
	// the session.
	Accept(s *Session) (Sink, error)
	// Move reports whether the client of a session may be at another address, from which an
	// authentic record with its Connection ID came (RFC 9146 §6).
	Move(s *Session, remote netip.AddrPort) bool
}
