// Package tlsfront accepts RadSec connections (RADIUS over TLS), identifies each client
// by its verified certificate, cuts the stream into packets, and writes the answers.
//
// A [Server] is one listener: [listen] or a [[listener]] of the configuration, with its own
// certificates, CAs, clients and limits. What all listeners know of a client is in package
// sessions.
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
//	keylog.go     the secrets of connections, for Wireshark
//	keylogfile.go the file that they are written to
//	alpn.go       which version of RADIUS is used (RFC 9765)
//	policy.go     the configuration of handshakes, replaced with that of package sessions,
//	              which identifies the client
//	session.go    Session, with Send and Flush for the Handler
//	readloop.go   Session.run, the read loop: it drains what has arrived, then flushes
//	incoming.go   octets from the socket to crypto/tls
//	cutter.go     plaintext to packets (RFC 6614 §3.4)
//	throttle.go   packets that exceed a limit wait, then are shed
//	outgoing.go   records from crypto/tls, gathered into one system call
//	close.go      Session.Terminate and Session.close, with close_notify
//
// Why a connection is refused or closed is a sessions.Refusal. failure.go finds it for
// a handshake that failed, with alert.go, offer.go, nottls.go and cleartext.go; log.go
// logs it. Which function closes the connection depends on how far it got:
//
//	Server.reject               before its handshake, or displaced during it: without an
//	                            alert (accept.go)
//	Server.closeAfterHandshake  when its handshake failed, or its client gets no session:
//	                            after an alert (handshake.go)
//	Session.Terminate           while its session is open (close.go)
//
// A session ends when it is idle (sessions.Activity, which readloop.go asks), when the client
// closes its direction and has its answers (halfclose.go), when the certificate expires or the
// policy no longer admits it (sessions.Table), or when the gateway drains (drain.go).
//
// # Locks
//
// A goroutine that holds one of these locks may acquire one further to the right, but
// never one to the left:
//
//	Table.updateMu of package sessions > Session.mu
//	crypto/tls's for reading > crypto/tls's for writing > outgoing.mu
//	crypto/tls's for the handshake > KeyLog.mu
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
