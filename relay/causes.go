package relay

import (
	"layeh.com/radius"

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

// negativeAnswer returns the answer to a request that gets no reply from a server: a NAK
// for CoA and Disconnect (RFC 5176 §3.5), else what the policy says. Accounting gets no
// Accounting-Response, which only its server may send (RFC 2866 §2); the only other
// answer to it is a Protocol-Error. In RADIUS/1.1 the answer is a Protocol-Error whatever
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

// proxyCause returns one of the two Error-Causes that a proxy may send in RADIUS/1.1
// (RFC 9765 §6.1), the one that is closest to cause: a request that its client may not
// send is not routable.
func proxyCause(cause uint32) uint32 {
	if cause == causeNotRoutable || cause == causeUnsupportedExtension {
		return causeNotRoutable
	}
	return causeOtherProxyError
}

// failureAnswer returns what the client gets when the exchange with the server has failed.
// A server that did not reply may have acted on the request, so CoA and Disconnect get no
// answer then (RFC 5176 §3.5 has no Error-Cause for "unknown").
func (req *request) failureAnswer(why udpback.Failure, cause uint32) (wire.Answer, bool) {
	if why == udpback.FailUnverified { // to the client it is the same
		why = udpback.FailSilent
	}
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

// protocolErrorAnswer returns what the client gets for a Protocol-Error of a server. If
// the cause is about the server itself, so that another server might answer, the client
// gets what its route says. Any other cause is sent to the client, in a Protocol-Error of
// the gateway's own whatever the kind of the request (draft-dekok-protocol-error §5), or
// in a NAK.
func (req *request) protocolErrorAnswer(cause uint32) (wire.Answer, bool) {
	aboutServer := udpback.OtherServerMayAnswer(cause)
	// A NAK may have a cause of 400 to 599 (RFC 5176 §3.5). A Protocol-Error may have any
	// cause, and must have one (draft-dekok-protocol-error §5), except that in RADIUS/1.1
	// the server's own is passed on, or none (RFC 9765 §6.1).
	if req.dynamic() && (cause < 400 || cause > 599) || cause == 0 && !req.view.Is11() {
		cause = causeOtherProxyError
	}
	if aboutServer || req.dynamic() {
		return negativeAnswer(&req.view, req.route.OnUnreachable, cause)
	}
	return wire.Answer{Code: wire.CodeProtocolError, ErrorCause: cause, OriginalCode: true}, true
}
