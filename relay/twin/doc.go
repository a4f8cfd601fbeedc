// Package twin is a slow, plain second implementation of what a RadSec gateway does to
// packets, written from the RFCs alone. It shares no code with package wire and is
// the oracle of the fuzz targets beside it, which send one random conversation
// through relay, udpback and wire, and through the twin, and compare octets.
// Nothing but tests needs it, so that all of it is in files of tests: the twin in package
// twin, which imports the standard library only, and its harness in package twin_test.
//
// What the gateway may choose freely the twin reads from the packet that the gateway
// wrote: the Identifier, the random Request Authenticator, the salts and the gateway's
// own Proxy-State. Everything else it computes. The files:
//
//	packet_test.go     framing, attributes, authenticators
//	published_test.go  which attributes are hidden, read from the published tables
//	cipher_test.go     the three methods of hiding
//	layout_test.go     a packet under construction, whose salts are filled in at the end
//	verify_test.go     whether a packet is valid
//	forward_test.go    the other side's copy of a packet
//	inside_test.go     inside Vendor-Specific
//	chain_test.go      values that are split over several attributes
//	loop_test.go       the gateway's own Proxy-State, which finds loops
//	answer_test.go     replies of the gateway's own
//
// The harness: testbed_test.go has a gateway with fake servers in
// memory; a test waits only for the readers of its sockets. gen_test.go and
// values_test.go turn octets into packets; check_test.go and replies_test.go compare
// the gateway's packets with the twin's. An execution takes some tens of
// microseconds, a whole conversation some hundreds:
//
//	go test ./relay/twin      a few thousand conversations; a failure names its seed
//	go test ./relay/twin -run '^$' -fuzz FuzzConversation -parallel 1 -fuzztime 10m -fuzzminimizetime 100x
//
// (Without the last flag the fuzzer spends most of its time minimizing new inputs.)
//
// For each rule that has changed, changes_test.go has the shortest conversation that
// shows the change. Where the documents leave a choice the twin does as the gateway.
package twin
