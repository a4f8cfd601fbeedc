package audit

import (
	"net/netip"

	"radsec-gw/metrics"
)

// StepKind is what happened to a request between the gateway and its servers. One that a UDP
// server has sent is between the gateway and its NAS: StepSent and StepReplied.
type StepKind uint8

// The kinds of steps.
const (
	StepSent    StepKind = iota // it is sent to a server
	StepResent                  // it is sent again
	StepReplied                 // a datagram arrived from the server
	StepMoves                   // it goes to another server or socket
)

// Step is one thing that happened to a request between the gateway and its servers. It and
// what it points to is valid during the call only, and must not be changed.
type Step struct {
	// Event is the request, with Server and Port of this step. Its Request is nil for a
	// health check, and for a datagram that no request waits for. If it has a Sender, the step
	// has no Server: Remote is that of the NAS's connection, and Packet goes down it.
	Event
	Kind   StepKind
	Check  bool           // a health check of the gateway's own
	Local  netip.AddrPort // of the gateway's socket; invalid where it is not known
	Remote netip.AddrPort // of the server's port, or the NAS's end of its connection
	Packet []byte         // as sent or received; empty for StepMoves
	Sends  int            // transmissions to this server so far
	Why    string         // why this server, or why it moves
	Result metrics.Result // of StepReplied
	V11    bool           // Packet is of a connection of RADIUS/1.1
	Rules  bool           // attribute rules apply to the request: what the server gets and sends differs from what the client does
}

// meaning says what a reply was, and what to look at if it was ignored.
func (s *Step) meaning() string {
	switch s.Result {
	case metrics.ReplyAccepted, metrics.ReplyProtocolError:
		return "verified"
	case metrics.ReplyUnmatched:
		return "no request waits for it: it came too late, or twice"
	case metrics.ReplyMalformed:
		return "malformed: its length, or an attribute, is wrong"
	case metrics.ReplyWrongCode:
		return "its Code does not answer the request"
	case metrics.ReplyBadResponseAuthenticator:
		return "wrong Response Authenticator: the server has another secret, or answers another request"
	case metrics.ReplyBadMessageAuthenticator:
		return "wrong Message-Authenticator: the server has another secret, or the reply was changed"
	case metrics.ReplyMissingMessageAuthenticator:
		return "no Message-Authenticator, which require_message_authenticator asks for"
	case metrics.ReplyStaleTimestamp:
		return "its Event-Timestamp is outside event_timestamp_window"
	}
	return s.Result.String()
}

// verified reports whether the reply of a step verified.
func (s *Step) verified() bool {
	return s.Result == metrics.ReplyAccepted || s.Result == metrics.ReplyProtocolError
}

// Step reports a step. It does not block.
func (h *Hub) Step(s *Step) {
	if !h.Watching() {
		return
	}
	if l := h.lines.Load(); h.debugging.Load() {
		l.debug.step(s)
	}
	for _, t := range *h.taps.Load() {
		t.offerStep(s)
	}
}
