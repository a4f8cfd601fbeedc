// Package record reads and protects the records of DTLS 1.2 (RFC 6347 §4.1), after a
// handshake that something else has done.
//
//	record.go   Next finds the records of a datagram
//	suite.go    the cipher suites, all AEAD, and Derive, which makes their keys (RFC 5246 §6.3)
//	protect.go  Sealer and Opener, one for each direction; neither allocates
//	window.go   Window refuses records that have been received before (RFC 6347 §4.1.2.6)
//
// Records with a Connection ID (RFC 9146) are of another type, and authenticate the ID; both
// kinds are read and written.
package record
