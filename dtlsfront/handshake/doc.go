// Package handshake does the handshake of a DTLS 1.2 server for one client, with pion/dtls,
// and hands what results over to package record.
//
//	handshake.go  Handshake: Start, Receive, Send, Result, Close
//	config.go     Config, and what it is for pion
//	cookie.go     has pion accept a cookie that it has not made
//	result.go     Result: the keys that pion has negotiated, and the last flight
//	selftest.go   SelfTest: whether cookie.go and result.go work with this pion
//
// # Cookies
//
// A Handshake starts with a ClientHello that returns a cookie of package hello, so that there
// is no state before. pion wants to make the cookie itself. So it is first given the
// ClientHello that the client must have sent before, without the cookie; its
// HelloVerifyRequest is not sent; its cookie is overwritten by ours, by reflection, while it
// waits for the next datagram; and then it is given the real ClientHello. The hashes of the
// handshake cover that one only (RFC 6347 §4.2.1).
//
// # Keys
//
// pion exports the state of a connection for another process to resume (State.MarshalBinary):
// the master secret, both randoms, the next sequence numbers. They are read from there, and
// pion's connection is closed; what it would have sent at its end is discarded, so that no
// nonce is used twice on the wire.
//
// Neither is a promise of pion's. SelfTest does a handshake in memory, and a gateway on which
// it fails must not listen.
package handshake
