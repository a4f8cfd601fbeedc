// Package udpback exchanges one request for one verified reply with a RADIUS
// server that speaks UDP: it owns the sockets, the Identifiers, the
// retransmission schedule and the choice of server.
//
// A request is an [Exchange], a value that travels. [Group.Start] reserves a
// server, one of its sockets and an Identifier there, lets the owner write the
// server's copy, and puts it into a [Batch]; [Batch.Flush] sends the batch with
// one system call a socket. From then on the socket's slot owns the request:
// its timer resends the same octets on the schedule of RFC 5080 §2.2.1, its
// reader verifies whatever arrives against what was really sent, and exactly
// one of [Handler.Reply] and [Handler.Fail] ends it, unless the owner took it
// back with [Exchange.Cancel]. A request that moves on is a new packet at the next
// server, but stays one exchange: the first valid reply ends it, whichever of its
// servers that comes from.
//
// Locks: a socket's slots have a lock of their own, held for a few loads and
// stores and never during cryptography or a system call. Nothing is shared
// between servers.
package udpback
