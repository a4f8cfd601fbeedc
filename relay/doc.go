// Package relay carries a request from a RadSec client to a UDP server and its
// reply back, signed anew on each side. It knows no transport: tlsfront calls it with the
// client's packets, and udpback with the servers' replies.
//
// The way of a request, with the steps numbered in relay.go:
//
//	Connection.Packet    reads the packet and queues it for verification: refusal.go has
//	                     what is not a request, or proves nothing
//	Connection.process   verifies the queue, and forwards request by request
//	Connection.forward   Status-Server (answers.go), kind and realm, CoA and Disconnect
//	                     (dynauth.go), duplicates (duplicates.go, inflight11.go), the route
//	                     (rules.go, nas.go), loops (loop.go), the choice of a server
//	                     (affinity.go), then udpback's Group.Start
//	request.Write        writes the server's copy, for udpback; marker.go marks it
//	Connection.Flush     sends the batch
//
// The way of its reply:
//
//	request.Reply        writes the client's answer from a verified reply, for udpback
//	request.Deliver      has it after the batch was signed; request.Fail, when there is no
//	                     reply to relay (causes.go)
//	Connection.respond   removes the request from those in flight and keeps the answer for
//	                     duplicates (duplicates.go, inflight11.go)
//	Connection.finish    sends the answer, and records the fate (fate.go)
//	Peer.Flush           writes the answers of the batch
//
// Every packet gets exactly one fate (package metrics): that of a request is recorded by
// finish, or by abandon when nobody waits for it any more; that of another packet by
// recordOther. loglines.go has what is logged besides.
//
// A [Connection] is one RadSec connection, a [Client] the configuration of all of a
// client's connections, and [Rules] the routing; reloads replace the latter two while requests are in
// flight. Packet, Refuse, Flush and Closed of a Connection belong to its read loop; what
// handling packets needs is lent to it as a burst. Replies come from the readers and
// sweeps of the servers' sockets at any time.
//
// The only lock is Connection.mu. It is a leaf: no other lock is taken with it. It may be
// taken with any lock of udpback, whose sweeps call request.Write and request.Fail, but is
// never held over a call of the [Peer], nor of udpback, but for its clock and buffers.
package relay
