// Package dtlsfront accepts RADIUS over DTLS (RFC 7360) on UDP sockets, and gives each
// packet of a session to its Sink, as package tlsfront does for TLS.
//
// # The path of a datagram
//
//	listen.go     Listen opens a socket; a Listener knows what there is with each address
//	server.go     New, and Serve, which starts, stops, and waits for all goroutines
//	receive.go    Listener.handle, in the goroutine of a socket, finds out whose each datagram
//	              of a batch is; then the Sinks flush, then what they sent is written
//	packets.go    Session.receive opens the records of a datagram and cuts the packets
//	session.go    Session, with Send and Flush for the Sink
//	output.go     the datagrams of all sessions of a socket, gathered into one system call
//
// A ClientHello is answered with a cookie (package hello; budget.go bounds how often). One that
// returns its cookie starts a pending (pending.go): a goroutine that does the handshake
// (package handshake), of which there is a limited number (admission.go), and which ends with a
// Session, or not. Meanwhile a session that the address has goes on: both have records of epoch
// 1, and those that the session cannot open are the handshake's. When the handshake is complete
// the old session ends (RFC 6347 §4.2.8).
//
// A session has no goroutine and no timer. That of Server.check looks once a second which are
// idle (idle.go), and closes those that were terminated (close.go).
//
// # The library
//
// pion/dtls does the handshake: v4 (4.0.1), the newest line. It and v3 (3.1.15) were tried as
// servers, on two cores, with echoes of 200 octets on 20 sessions; the last column is this
// package, with v4:
//
//	                                 v3            v4            here
//	openssl 3.0 s_client, -mtu 1280  yes           yes           yes, with ECDSA and RSA at each end
//	radsecproxy 1.9.2 as the client  yes           yes           yes
//	extended master secret           yes           yes           yes
//	CPU for a pair of packets        27.9 µs       35.4 µs       8.5 µs
//	memory of an idle session        29 + 21 kB    36 + 26 kB    6.5 + 0 kB (heap and stacks)
//	goroutines of an idle session    3             3             none
//	DTLS 1.3, Connection IDs         no, yes       yes, yes      no, yes
//	without sockets and goroutines   no            DetachedConn
//
// Neither is good enough for packets: one datagram a system call, allocations for each, and a
// session costs more memory than the 40 kB that it may. So pion ends with the handshake. What it
// negotiated is exported (State.MarshalBinary), and package record protects the records from
// then on: an AEAD, a sequence number and a replay window. With that the speed of the library
// does not count, and v4 is the better one: DetachedConn takes datagrams and returns datagrams,
// so that a loop of ours drives the handshake, and nothing of it is left afterwards.
//
// Only DTLS 1.2 is offered, with AEAD suites and ephemeral keys, for a PSK, too. DTLS
// 1.3 has other records, acknowledgements and key updates, and its cookie is another; no RADIUS
// program speaks it yet.
//
// Sessions are not resumed: pion would not have the certificate verified again (P110).
//
// # Locks
//
// Session.receiving is held while the Sink is called, and so is left of all that relaying
// acquires. Server.mu is right of udpback's, because a Sink's Send may end its session; it is
// left of Listener.mu. All others are leaves. locks/order.go has the whole.
//
// # Bounds
//
// What a peer can make the gateway hold or do is bounded. Without a cookie: nothing is held, and
// the answers to all such peers of a socket by budget.go. With one: a handshake by
// HandshakeTimeout and its datagrams by maxWaiting, and the number of them by MaxHandshakes; no
// more than half of the processors compute for handshakes. A session by about 7 kB, and the
// number of them by MaxSessions and MaxPerSource. Answers are never kept for a client: what the
// kernel does not take is lost. A datagram has at most maxRecords records opened, and none after
// one that is not authentic.
//
// # Limits
//
// A socket has one goroutine, which does what the Sinks do with requests, too: about 100,000
// packets a second for the transport alone. A ClientHello in fragments is not answered.
// RADIUS/1.1 is not offered: that needs ALPN.
package dtlsfront
