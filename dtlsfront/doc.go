// Package dtlsfront accepts RADIUS over DTLS (RFC 7360) on UDP sockets, and gives each
// packet of a session to its Sink, as package tlsfront does for TLS.
//
// # The library
//
// pion/dtls does the handshake: v4 (4.0.1), the newest line. It and v3 (3.1.15) were tried as
// servers, on two cores, with echoes of 200 octets on 20 sessions:
//
//	                                    v3             v4
//	openssl 3.0 s_client, -mtu 1280     all four       all four pairs of ECDSA and RSA
//	radsecproxy 1.9.2 as the client     yes            yes
//	extended master secret              yes            yes
//	CPU for a pair of packets           27.9 µs        35.4 µs
//	memory of an idle session           29 + 21 kB     36 + 26 kB (heap and stacks)
//	goroutines of an idle session       3              3
//	DTLS 1.3, Connection IDs            no, yes        yes, yes
//	without sockets and goroutines      no             DetachedConn
//
// Neither is good enough for packets: one datagram a system call, and a session costs more
// memory than the 40 kB that it may. So pion ends with the handshake. What it negotiated is
// exported (State.MarshalBinary), and package record protects the records from then on: an
// AEAD, a sequence number and a replay window. With that the speed of the library does not
// count, and v4 is the better one: DetachedConn takes datagrams and returns datagrams, so the
// handshake is driven by a loop of ours, deterministically and in tests under fake time.
//
// Only DTLS 1.2 is offered, with AEAD suites and ephemeral keys. DTLS 1.3 has other records,
// acknowledgements and key updates; no RADIUS program speaks it yet.
//
// Sessions are not resumed: pion would not have the certificate verified again (P110).
package dtlsfront
