// Package udpback exchanges one request for one verified reply with a RADIUS
// server that speaks UDP: it owns the sockets, the Identifiers, the
// retransmission schedule and the choice of server.
//
// A request is an [Exchange], a value that travels. [Group.Start] reserves a
// server, one of its sockets and an Identifier there, lets the owner write the
// server's copy, and puts it into a [Batch]; [Batch.Flush] sends the batch with
// one system call a socket. From then on the socket's slot owns the request:
// its timer resends the same octets on the schedule of RFC 5080 §2.2.1, and one of
// its transmissions early when a server that was silent or failing answers again; its
// reader verifies whatever arrives against what was really sent, and exactly
// one of [Handler.Reply] and [Handler.Fail] ends it, unless the owner took it
// back with [Exchange.Cancel]. A request that moves on is a new packet at the next
// server, but stays one exchange: the first valid reply ends it, whichever of its
// servers that comes from.
//
// Locks, each taken only after those before it:
//
//	socket.sweeping  while a sweep runs; Handler.Write and Handler.Fail are called with it
//	Server.mu        of a server, then of its members; while its ports or addresses change
//	endpoint.mu      while its sockets change; a socket may be opened
//	socket.mu        for a few loads and stores: no cryptography, no system call
//	Exchange.mu      likewise
//
// The locks of the metrics come after these, and Backend.mu after them. The lock of
// health.Port is a leaf: its owner is called without it. A sweep that moves a request
// takes endpoint.mu of the next server, and no other lock of its own by then. What waits
// for goroutines ([Server.Close], [Server.Retire], health.Port.Stop) is called with no
// lock held.
package udpback
