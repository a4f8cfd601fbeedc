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

// negativeAnswer returns the answer to a request that gets no server's reply: a NAK for CoA
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

// failureAnswer returns what the client gets when the exchange failed. A server
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

// protocolErrorAnswer returns what the client gets for a Protocol-Error of a server. A
// cause that is about the server's own way does not answer the client, which gets what
// its route says; any other goes to it in a Protocol-Error of the gateway's own, whatever
// the kind of the request (draft-dekok-protocol-error §5), or in the NAK.
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
