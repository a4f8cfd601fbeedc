// Package relay carries a request from a RadSec client to a UDP server and its
// reply back. It signs both itself. It uses no sockets: tlsfront calls it with the client's
// packets, and udpback with the servers' replies.
//
// The path of a request, with the steps numbered in relay.go:
//
//	Connection.Packet    reads the packet and queues it for verification: refusal.go
//	                     handles what is not a request, or does not verify
//	Connection.process   verifies the queue, and forwards request by request
//	Connection.forward   Status-Server (answers.go), kind and realm, CoA and Disconnect
//	                     (dynauth.go), duplicates (duplicates.go, inflight11.go), the route
//	                     (rules.go, nas.go), loops (loop.go), the choice of a server
//	                     (affinity.go), then udpback's Group.Start
//	request.Write        writes the server's copy, for udpback; marker.go marks it
//	Connection.Flush     sends the batch
//
// The path of its reply:
//
//	request.Reply        writes the client's answer from a verified reply, for udpback
//	request.Deliver      passes the answer on after the batch was signed; request.Fail is
//	                     called instead when there is no reply to relay (causes.go)
//	Connection.respond   removes the request from those in flight and keeps the answer for
//	                     duplicates (duplicates.go, inflight11.go)
//	Connection.finish    sends the answer, and records the fate (fate.go)
//	Peer.Flush           writes the answers of the batch
//
// Every packet gets exactly one fate (package metrics): that of a request is recorded by
// finish, or by abandon when its client no longer waits for it; that of another packet by
// recordOther. loglines.go has the log lines, and observe.go reports what udpback does with
// a request.
//
// A [Connection] is one RadSec connection. A [Client] has the configuration of all of a
// client's connections, and [Rules] are the routing; a reload replaces both while requests
// are in flight. Packet, Refuse, Flush and Closed of a Connection are called by its read
// loop, with the memory of a burst (burst.go). Replies come from the readers and sweeps of the
// servers' sockets at any time.
//
// The only lock is Connection.mu. No other lock is acquired while it is held, and neither
// the [Peer] nor udpback is called, except udpback's clock and buffers. It may be acquired
// while any lock of udpback is held: udpback's sweeps call request.Write and request.Fail.
package relay
