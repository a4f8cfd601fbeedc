// Package health judges one port of one RADIUS server: whether it is up, suspect,
// failing or down. It knows no sockets: its owner sends the probes and the requests,
// and tells a [Port] what became of them.
//
// There are two kinds of evidence. A probe's answer vouches for the port: something
// lives there that knows the secret. A request's answer vouches for the service: the
// server does its work. A server whose database hangs answers Status-Server and no
// login; it is failing.
//
//	       SuspectAfter requests silent,        DownAfter probes lost,
//	       a probe lost, refused                or there are no probes
//	┌────┐ ───────────────────────▶ ┌─────────┐ ──────────────────▶ ┌──────┐
//	│ up │                          │ suspect │                     │ down │
//	└────┘ ◀─────────────────────── └─────────┘                     └──────┘
//	 │  ▲    one verified reply          │                            ▲ │
//	 │  └───────────────────────────────────── UpAfter verified replies ┘
//	 │  ▲                                │ a probe is answered          │
//	 │  │ three answered requests        ▼ while requests are not       │
//	 │  └─────────────────────────  ┌─────────┐  DownAfter probes lost  │
//	 └────────────────────────────▶ │ failing │ ────────────────────────┘
//	   FailingAfter requests        └─────────┘
//	   unanswered, probes answered
//
// An address that is not known makes a port down at once ([Port.NoAddress]), and a
// new address makes it up again without a history ([Port.Renew]).
//
// Only silence counts against a port. A reply that does not verify is no evidence
// either way, but it is remembered for the hint that goes with a change of state.
// A port that answers requests and never a probe has no Status-Server: its probes
// count no longer, as if there were none.
package health
