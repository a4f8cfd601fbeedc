// Package twin is a slow, plain second writing of what a RadSec gateway does to
// packets, made from the RFCs alone. It shares no code with package wire and is
// the oracle of the fuzz targets beside it, which send one random conversation
// through relay, udpback and wire, and through the twin, and compare octets.
//
// The twin is told what is the gateway's own to choose: it is handed the packet
// that the gateway wrote, and reads from it the Identifier, the random Request
// Authenticator, the salts and the gateway's own Proxy-State. Everything else it
// computes. The files:
//
//	packet.go   framing, attributes, authenticators
//	table.go    which attributes are hidden, typed from the published tables
//	cipher.go   the three methods of hiding
//	layout.go   a packet in the making, whose salts are filled in at the end
//	verify.go   what a packet must prove
//	forward.go  the other side's copy of a packet
//	inside.go   the inside of vendor attributes in it
//	chain.go    values that are spread over several of them
//	loop.go     the gateway's own Proxy-State
//	answer.go   replies that the gateway makes itself
//
// The harness is in the tests: bed_test.go has a gateway with fake servers in
// memory, on which nothing is waited for but the readers of its sockets;
// gen_test.go and values_test.go turn octets into packets; check_test.go and
// replies_test.go hold what was seen against the twin. An execution takes some
// tens of microseconds, a whole conversation some hundreds:
//
//	go test ./relay/twin      a few thousand conversations; the seed of one that fails is in its name
//	go test ./relay/twin -run '^$' -fuzz FuzzConversation -parallel 1 -fuzztime 10m -fuzzminimizetime 100x
//
// (Without the last flag the fuzzer spends most of the time on making new inputs smaller.)
//
// Of each rule that has changed, changes_test.go has the shortest conversation that shows
// the change. Where the documents leave a choice the twin has the gateway's.
package twin
