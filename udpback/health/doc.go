// Package health follows the state of one port of one RADIUS server: whether it is up,
// suspect, failing or down. It knows no sockets: its owner sends the checks and the requests,
// and reports to a [Port] how they ended.
//
// There are two kinds of evidence. The answer to a check shows that a server with the
// secret listens on the port. The answer to a request shows that it does its work. A
// server whose database hangs answers Status-Server and no login; it is failing.
//
//	┌────┐ ──1──▶ ┌─────────┐ ──3──▶ ┌──────┐
//	│ up │        │ suspect │        │ down │
//	└────┘ ◀──2── └─────────┘        └──────┘
//	 ▲ │ ▲             │              │ ▲ │
//	 │ │ └─────────────┼──────8───────┘ │ │
//	 │ │               4                │ │
//	 │ │               ▼                │ │
//	 │ └──5──▶ ┌───────────────┐ ───7───┘ │
//	 │         │    failing    │          │
//	 └────6─── └───────────────┘ ◀──9─────┘
//
// The transitions:
//
//  1. SuspectAfter requests are silent; a check is lost after a silent request, or two
//     in a row of an idle port; or the port is refused. Without checks silent requests
//     make it down at once.
//  2. One verified reply.
//  3. DownAfter checks in a row are lost.
//  4. A check is answered, and FailingAfter requests stay unanswered.
//  5. FailingAfter requests in a row are overdue while checks are answered.
//  6. Three answered requests, and no unanswered one between them.
//  7. DownAfter checks in a row are lost.
//  8. UpAfter verified replies; without checks, answered requests.
//  9. UpAfter verified replies, the last of a check, while FailingAfter requests stay
//     unanswered that were sent since the first.
//
// A port whose address is not known is down ([Port.NoAddress]), whatever is heard. A new
// address makes it up again, without a history ([Port.Renew]).
//
// The owner is notified of the first verified reply of a port that is down, even if the
// port stays down, and of the first after a lost check: the requests that wait there may
// be sent once more.
//
// While an operator asks for maintenance ([Port.SetMaintenance]) the owner sends the port
// nothing new. The state goes on to follow from the evidence, checks above all, so that it
// is known what the server is like when maintenance ends. It is not reported
// ([Port.Reported]), and at the end what only requests could have shown is forgotten.
//
// Only silence counts against a port. A reply that does not verify is not evidence
// either way, but it is remembered for the hint that goes with a change of state.
// A port that answers requests and never a check lacks Status-Server: its checks no
// longer count until one is answered.
package health
