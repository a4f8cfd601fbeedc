// Package tlsfront accepts RadSec connections (RADIUS over TLS), identifies each client
// by its verified certificate, cuts the stream into packets, and writes the answers.
//
// A [Server] is one listener: [listen] or a [[listener]] of the configuration, with its own
// certificates, CAs, clients and limits. What all listeners know of a client is in package
// clientstate.
//
// # The path of a connection
//
//	listen.go     Listen opens the sockets; listeners.go replaces them while serving
//	server.go     New, and Serve, which starts, stops, and waits for all goroutines
//	accept.go     Server.accept accepts connections, also without a file descriptor
//	admission.go  admission.enter limits connections before their client is known,
//	              grouped by source (arrivals.go); slots.go limits handshakes
//	hello.go      Server.serve, the goroutine of a connection, reads the start of the
//	              ClientHello; after a PROXY header behind a load balancer (proxy.go)
//	handshake.go  Server.handshake does TLS under one deadline, on a conn (conn.go) that
//	              limits what the peer may send (allowance.go)
//	certificates.go  which of the gateway's certificates a client gets
//	keylog.go     the secrets of connections, for Wireshark
//	keylogfile.go the file that they are written to
//	alpn.go       which version of RADIUS is used (RFC 9765)
//	server.go     Server.register identifies the client (package identity), under the
//	              current configuration (policy.go)
//	session.go    Session, with Send and Flush for the Handler
//	readloop.go   Session.run, the read loop: it drains what has arrived, then flushes
//	incoming.go   octets from the socket to crypto/tls
//	cutter.go     plaintext to packets (RFC 6614 §3.4)
//	throttle.go   packets that exceed a limit wait, then are shed
//	outgoing.go   records from crypto/tls, gathered into one system call
//	close.go      Session.terminate and Session.close, with close_notify
//
// Why a connection is refused or closed is a refusal (refusal.go). failure.go finds it for
// a handshake that failed, with alert.go, offer.go, nottls.go and cleartext.go; log.go
// logs it. Which function closes the connection depends on how far it got:
//
//	Server.reject               before its handshake, or displaced during it: without an
//	                            alert (accept.go)
//	Server.closeAfterHandshake  when its handshake failed, or its client gets no session:
//	                            after an alert (handshake.go)
//	Session.terminate           while its session is open (close.go)
//
// A session ends when it is idle (idle.go), when the client closes its direction and has
// its answers (halfclose.go), when the certificate expires (expiry.go), when the policy
// no longer admits it (Update in policy.go), or when the gateway drains (drain.go).
//
// # Locks
//
// A goroutine that holds one of these locks may acquire one further to the right, but
// never one to the left:
//
//	Server.updateMu > Server.mu > Session.mu
//	crypto/tls's for reading > crypto/tls's for writing > outgoing.mu
//
// A goroutine that holds admission.mu or listeners.mu acquires none of them. No lock is
// held while a method of the Handler is called.
//
// # Bounds
//
// What a peer can make the gateway hold is bounded: a silent connection by a deadline and
// the number of them, a handshake likewise and by its bytes, an idle connection by the
// state of crypto/tls alone, an incomplete packet by 4096 octets and PacketTimeout,
// unread answers by WriteBuffer and WriteTimeout.
//
// Go's crypto/tls cannot send the alert access_denied that RFC 6614bis §3.4 suggests for
// a client outside its networks. A connection from a source that no client lists is
// closed before the handshake; one from the networks of another client is closed with
// close_notify after it. The log line has the reason.
package tlsfront

import (
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Handler handles the packets of one connection. Its methods are called by the read loop's
// goroutine, except Outstanding and Awaited, which any goroutine may call. None may block.
type Handler interface {
	// Packet handles one packet, as cut by its Length, of 20..4096 octets. p is valid
	// during the call only, and may be modified. An error closes the connection, and its
	// text is logged.
	Packet(p []byte) error
	// Refuse is called instead of Packet with a packet of RADIUS/1.1 that exceeds a
	// limit: it counts the fate, and answers the packet (RFC 9765 §6.1). Flush follows.
	Refuse(p []byte, fate metrics.Fate)
	// Flush is called after every packet that had arrived was handled: the Handler should
	// send what it has gathered. An error closes the connection, as one of Packet does.
	Flush() error
	// Outstanding returns the number of requests without an answer; a request counts
	// until Send has returned for its answer. MaxOutstanding, IdleTimeout and Drain use it.
	Outstanding() int
	// Awaited returns the number of requests that were sent to the client and that it has not
	// answered yet. IdleTimeout and Drain use it.
	Awaited() int
	// Keep reports whether the connection must stay open although it is idle for
	// IdleTimeout, because requests may be sent to the client.
	Keep() bool
	// Closed is called once, after the last Packet; Send reports false from then on.
	Closed()
}

// Client is one configured client: its identity, its limits, and its Handler. Its Name is
// also the label of metrics.
type Client struct {
	identity.Client

	// Open returns the Handler of a new connection. It must not block.
	Open func(*Session) Handler

	MaxConnections int // at one time; 0: no limit but that of the server

	PacketsPerSecond int // on all connections together; 0: no limit
	OctetsPerSecond  int // of RADIUS, likewise
}
