package relay

import (
	"errors"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Values of Error-Cause (RFC 5176 §3.5).
const (
	causeMissingAttribute     = 402 // Missing Attribute
	causeNASMismatch          = 403 // NAS Identification Mismatch
	causeUnsupportedExtension = 406 // Unsupported Extension: the kind is not allowed
	causeInvalidValue         = 407 // Invalid Attribute Value
	causeNotRoutable          = 502 // Request Not Routable (Proxy)
	causeOtherProxyError      = 505 // Other Proxy Processing Error
	causeResources            = 506 // Resources Unavailable
)

// failureFate is what each failure of an exchange is counted as.
var failureFate = [...]metrics.Fate{
	udpback.FailSilent:        metrics.FateServerSilent,
	udpback.FailRefused:       metrics.FateServerRefused,
	udpback.FailProtocolError: metrics.FateProtocolError,
	udpback.FailShutdown:      metrics.FateShutdown,
}

// answerStatus answers Status-Server for this hop: Access-Accept, whatever the
// servers behind are doing (RFC 5997 §4.2). It returns false: nothing is under way.
func (c *Connection) answerStatus(b *burst, req *request) bool {
	n, err := b.batch.Hasher.WriteAnswer(b.answer[:], &req.view, wire.Answer{Code: radius.CodeAccessAccept}, req.client.Secret)
	if err != nil {
		req.recordFate(metrics.FateReplyTooLong, nil)
		return false
	}
	return c.sendAnswer(b, req, b.answer[:n], metrics.FateStatusAnswered)
}

// unsent returns the fate of a request whose answer the connection did not take.
func (c *Connection) unsentFate() metrics.Fate {
	switch c.peer.Ended() {
	case metrics.ClosedNotReading:
		return metrics.FateClientNotReading
	case metrics.ClosedShutdown:
		return metrics.FateShutdown
	}
	return metrics.FateClientGone
}

// unanswered returns the fate of a request whose connection ended before there
// was an answer.
func (c *Connection) unansweredFate() metrics.Fate {
	if c.peer.Ended() == metrics.ClosedShutdown {
		return metrics.FateShutdown
	}
	return metrics.FateClientGone
}

// reply sends an answer of the gateway's own and counts the request's fate. It
// returns false: nothing is under way.
func (c *Connection) sendAnswer(b *burst, req *request, answer []byte, fate metrics.Fate) bool {
	if !c.peer.Send(answer) {
		fate, answer = c.unsentFate(), nil
	}
	b.answered = true
	req.recordFate(fate, answer)
	return false
}

// decline answers a request that is not relayed at all: as its route says when it
// has one. It returns false: nothing is under way.
func (c *Connection) decline(b *burst, req *request, fate metrics.Fate, cause uint32) bool {
	policy := b.rules.OnUnroutable
	switch {
	case fate == metrics.FateBadUserPassword:
		policy = Reject // whatever the route says: the request itself is at fault
	case req.route != nil:
		policy = req.route.OnUnreachable
	}
	answer, ok := negativeAnswer(&req.view, policy, cause)
	if !ok {
		req.recordFate(fate, nil)
		return false
	}
	n, err := b.batch.Hasher.WriteAnswer(b.answer[:], &req.view, answer, req.client.Secret)
	if err != nil { // does not fit beside the request's Proxy-State: silence
		req.recordFate(fate, nil)
		return false
	}
	return c.sendAnswer(b, req, b.answer[:n], fate)
}

// declining chooses the answer to a request that gets no server's reply: a NAK for CoA
// and Disconnect (RFC 5176 §3.5), else the policy's choice. Accounting gets no
// Accounting-Response, which only its server may send (RFC 2866 §2), and there is no
// other answer to it than a Protocol-Error. In RADIUS/1.1 that is the answer whatever
// the policy (RFC 9765 §6.1).
func negativeAnswer(v *wire.View, policy Unreachable, cause uint32) (wire.Answer, bool) {
	kind := v.Kind()
	switch {
	case kind == wire.KindCoA:
		return wire.Answer{Code: radius.CodeCoANAK, ErrorCause: cause}, true
	case kind == wire.KindDisconnect:
		return wire.Answer{Code: radius.CodeDisconnectNAK, ErrorCause: cause}, true
	case kind != wire.KindAccess && kind != wire.KindAccounting: // none
	case v.Is11():
		return wire.Answer{Code: wire.CodeProtocolError, ErrorCause: proxyCause(cause)}, true
	case policy == ProtocolError:
		return wire.Answer{Code: wire.CodeProtocolError, ErrorCause: cause, OriginalCode: true}, true
	case policy == Reject && kind == wire.KindAccess:
		return wire.Answer{Code: radius.CodeAccessReject, ErrorCause: cause, EAPFailure: v.HasEAP()}, true
	}
	return wire.Answer{}, false
}

// proxyCause returns which of the two Error-Causes that RADIUS/1.1 leaves to a proxy
// (RFC 9765 §6.1) stands for another: a request that its client may not send has no
// route.
func proxyCause(cause uint32) uint32 {
	if cause == causeNotRoutable || cause == causeUnsupportedExtension {
		return causeNotRoutable
	}
	return causeOtherProxyError
}

// failureAnswer chooses what the client gets when the exchange failed. A server
// that stayed silent may have acted all the same, so CoA and Disconnect get
// silence then (RFC 5176 §3.5 has no Error-Cause for 'unknown').
func (req *request) failureAnswer(why udpback.Failure, cause uint32) (wire.Answer, bool) {
	switch why {
	case udpback.FailShutdown:
		if req.dynamic() || !req.view.Is11() {
			return wire.Answer{}, false
		}
	case udpback.FailSilent:
		if req.dynamic() {
			return wire.Answer{}, false
		}
	case udpback.FailRefused:
		return negativeAnswer(&req.view, req.route.OnUnreachable, causeUnsupportedExtension) // RFC 5176 §3.5
	case udpback.FailProtocolError:
		return req.protocolErrorAnswer(cause)
	}
	if req.dynamic() {
		return negativeAnswer(&req.view, req.route.OnUnreachable, causeResources)
	}
	return negativeAnswer(&req.view, req.route.OnUnreachable, causeOtherProxyError)
}

// passedOn is what the client gets for a Protocol-Error of a server. A cause that
// is about the server's own way is no answer to the client, which gets what its
// route says; any other goes to it in a Protocol-Error of ours, whatever the kind
// of the request (draft-dekok-protocol-error §5), or in the NAK.
func (req *request) protocolErrorAnswer(cause uint32) (wire.Answer, bool) {
	way := udpback.OtherServerMayAnswer(cause)
	// What a NAK may carry is 400 to 599 (RFC 5176 §3.5). A Protocol-Error may
	// carry any cause, and has one (draft-dekok-protocol-error §5), but that in
	// RADIUS/1.1 the server's own goes back, or none (RFC 9765 §6.1).
	if req.dynamic() && (cause < 400 || cause > 599) || cause == 0 && !req.view.Is11() {
		cause = causeOtherProxyError
	}
	if way || req.dynamic() {
		return negativeAnswer(&req.view, req.route.OnUnreachable, cause)
	}
	return wire.Answer{Code: wire.CodeProtocolError, ErrorCause: cause, OriginalCode: true}, true
}

// notStarted ends a request that could not be sent on. It returns false: nothing
// is under way.
func (c *Connection) startFailed(b *burst, req *request, err error) bool {
	fate, cause := metrics.FateNoIdentifier, uint32(causeOtherProxyError)
	switch {
	case errors.Is(err, wire.ErrUserPassword):
		fate, cause = metrics.FateBadUserPassword, causeInvalidValue
	case errors.Is(err, wire.ErrChallenge):
		fate, cause = metrics.FateBadUserPassword, causeMissingAttribute
	case errors.Is(err, wire.ErrTooLong):
		fate = metrics.FateTooLong
	case errors.Is(err, udpback.ErrNoSocket):
		fate = metrics.FateNoSocket
	default:
		if errors.Is(err, udpback.ErrQuota) {
			fate = metrics.FateOverShare
		}
		if req.dynamic() {
			cause = causeResources
		}
		c.relay.noIdentifier(req, err)
	}
	c.mu.Lock()
	if c.v11 {
		c.untrackToken(req)
	} else {
		c.forget(&c.recent[req.Kind][req.view.Identifier()])
	}
	c.mu.Unlock()
	c.outstanding.Add(-1)
	return c.decline(b, req, fate, cause)
}

// unwritable writes what the client gets instead of a reply that cannot be passed
// on: it would outgrow 4096 octets, or it is an Access-Accept whose keys do not
// decrypt. The server may have acted, so that is what the client would get had
// the server stayed silent.
func (req *request) writeSubstitute(d *wire.Digests, dst []byte, err error) int {
	req.fate = metrics.FateBadReplyAttributes
	if errors.Is(err, wire.ErrTooLong) {
		req.fate = metrics.FateReplyTooLong
	}
	req.conn.relay.replyLost(req, err)
	answer, ok := req.failureAnswer(udpback.FailSilent, 0)
	if !ok {
		return 0
	}
	n, _ := d.WriteAnswer(dst, &req.view, answer, req.client.Secret)
	return n
}
