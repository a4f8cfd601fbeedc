// Package health follows the state of one port of one RADIUS server: whether it is up,
// suspect, failing or down. It knows no sockets: its owner sends the checks and the requests,
// and reports to a [Port] how they ended.
//
// There are two kinds of evidence. A check's answer vouches for the port: something
// lives there that knows the secret. A request's answer vouches for the service: the
// server does its work. A server whose database hangs answers Status-Server and no
// login; it is failing.
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
// What takes a port from one state to another:
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
// An address that is not known makes a port down at once ([Port.NoAddress]), whatever
// is heard, and a new address makes it up again without a history ([Port.Renew]).
//
// The first verified reply of a port that is down may not bring it back, but the owner
// is notified of it: what waits there may be sent once more. So is the first after a lost
// check.
//
// Only silence counts against a port. A reply that does not verify is not evidence
// either way, but it is remembered for the hint that goes with a change of state.
// A port that answers requests and never a check has no Status-Server: its checks
// count no longer, as if there were none, until one is answered.
package health
