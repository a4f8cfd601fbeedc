// Package udpback exchanges one request for one verified reply with a RADIUS
// server that speaks UDP: it owns the sockets, the Identifiers, the
// retransmission schedule and the choice of server.
//
// # The path of a request
//
//   - exchange.go: a request is an [Exchange], and its owner a [Handler]. How often and
//     for how long it is sent is a [Schedule] (RFC 5080 §2.2.1).
//   - group.go: [Group.Start] chooses a server, reserves one of its Identifiers and has
//     the owner write the server's copy. choose.go has the choice: by health, by the
//     State of a conversation, by the group's balance.
//   - server.go, addresses.go: a [Server] is one machine, or one of the addresses of its
//     name. It has an endpoint for each port.
//   - source.go: the local address of a server's sockets, which it must know as a client.
//   - maintenance.go: a server in maintenance gets nothing new, and finishes what it has.
//   - endpoint.go: an endpoint is one port, with its health (package health), what is done
//     when that changes, and its health checks. portlog.go writes its log lines,
//     and status.go says what is known of it, for the status page.
//   - socketset.go: an endpoint has as many sockets as its load needs, renews them when
//     nothing is heard, and parks requests when none can be opened.
//   - batch.go: the request waits in a [Batch] for others of the same burst;
//     [Batch.Flush] signs all together and sends them with one system call for each
//     socket.
//   - slot.go: from then on the slot of its Identifier owns the request, until exactly one
//     of [Handler.Deliver] and [Handler.Fail] ends it, or its owner does with
//     [Exchange.Cancel]. The file has the diagram of a slot's states with the functions
//     that change them, and a [Quota] bounds how many Identifiers one client may hold.
//     slots.go has memory for the slots that are in use only.
//   - socket.go: a socket has 256 slots, a reader and a timer, and notes what the network
//     reports about it.
//   - receive.go: a reply is verified against the request that was really sent, and the
//     owner writes the packet for its client.
//   - sweep.go: one timer for each socket resends the same octets on their schedule, and
//     ends requests whose schedule is over.
//   - move.go: a request whose server fails, or cannot be reached, moves on to another.
//     That is a new packet, but one exchange: the first valid reply ends it, whichever of
//     its servers that comes from.
//   - observe.go: an [Observer] is told of each step of each request, for the log at level
//     debug and for taps. While it observes nothing, that costs one atomic load.
//   - backend.go: what all servers share: the clock, the pools of batches and of the
//     buffers that packets are kept in.
//
// # Locks
//
// Package locks has the order of these locks, and checks it in tests with the build tag
// lockorder. Each is acquired only after those before it:
//
//	socket.sweeping  while a sweep runs; Handler.Write and Handler.Fail are called with it
//	Server.mu        of a server, then of its members; while its ports or addresses change
//	socketSet.mu     while an endpoint's sockets change; a socket may be opened
//	socket.mu        for a few loads and stores, and calls of the Observer: no cryptography, no system call
//	Exchange.mu      likewise
//	metrics          while series are removed
//	Backend.mu       while servers are added or removed
//	issuers.mu       while a server gets its number
//	health.Port.mu   its owner is called without it
//
// A sweep that moves a request acquires socketSet.mu of the next server, and holds no
// other lock but its own sweeping by then. What waits for goroutines ([Server.Close],
// [Server.Retire], health.Port.Stop) is called with no lock held.
package udpback
