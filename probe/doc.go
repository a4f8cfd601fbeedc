// Package probe is a RadSec client for people, and the RADIUS server that dev starts.
//
// [Run] is one exchange from end to end. In the order in which it happens:
//
//	probe.go       what to send, and what is known at the end
//	request.go     builds the request; attribute.go reads attributes of the command line
//	sign.go        adds, signs and verifies Message-Authenticator
//	dial.go        connects, and says what to check when that fails
//	radius11.go    encodes and verifies RADIUS/1.1 (RFC 9765)
//	exchange.go    sends the request and reads the reply
//	verify.go      checks the reply
//	transcript.go  writes what happens, for a person to read
//	printer.go     shows attributes; reveal.go reveals hidden values, errorcause.go explains
//
// server.go is [Server].
//
// The package speaks the protocol independently of the relay: it uses layeh.com/radius, so that
// both cannot be wrong in the same way.
package probe
