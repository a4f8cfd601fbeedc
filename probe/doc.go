// Package probe implements the RadSec client of radsec-gw probe.
//
// [Run] sends one request and verifies its reply; [RunUDP] sends it to a RADIUS server over UDP.
// [Open] leaves the connection open, and [Conn.Listen] plays the NAS on it: it answers CoA-Requests and Disconnect-Requests. The files are, in the order of what it does:
//
//	probe.go       Run, its Config and its Result; conn.go is Open, and what Run does
//	request.go     builds the request; attribute.go reads attributes of the command line
//	sign.go        adds, signs and verifies Message-Authenticator
//	dial.go        connects, and says what to check when that fails
//	udp.go         RunUDP, the same over UDP with retransmissions
//	radius11.go    encodes and verifies RADIUS/1.1 (RFC 9765)
//	exchange.go    sends the request and reads the reply, by ReadPacket
//	verify.go      checks the reply; code.go names its Code
//	listen.go      Conn.Listen; answer.go verifies its requests and encodes their answers
//	transcript.go  writes what happens, for a person to read
//	printer.go     shows attributes; reveal.go reveals hidden values, errorcause.go explains
//
// The package speaks the protocol independently of the relay: it uses layeh.com/radius, so that
// both cannot be wrong in the same way.
package probe
