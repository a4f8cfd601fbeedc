package wire

import "layeh.com/radius"

// Code is the first octet of a packet: what it asks for or answers with.
type Code = radius.Code

// CodeProtocolError answers any request that a hop cannot carry on
// (RFC 7930 §4). layeh.com/radius has no name for it.
const CodeProtocolError Code = 52

// CodeName returns a code as the RFCs write it.
func CodeName(c Code) string {
	if c == CodeProtocolError {
		return "Protocol-Error"
	}
	return c.String()
}

// Kind is what a request is for. It determines how the request is verified, its
// route and the server's port.
type Kind uint8

// The kinds of request. KindOther is every code that is not a request the
// gateway knows.
const (
	KindAccess Kind = iota
	KindAccounting
	KindCoA
	KindDisconnect
	KindStatus
	KindOther
	NumKinds
)

var kindNames = [NumKinds]string{"access", "accounting", "coa", "disconnect", "status", "other"}

// String returns the name used in configuration, logs and metrics.
func (k Kind) String() string {
	if k < NumKinds {
		return kindNames[k]
	}
	return "other"
}

// ParseKind is the inverse of String for the kinds that can be routed:
// "access", "accounting", "coa" and "disconnect".
func ParseKind(s string) (Kind, bool) {
	for k := KindAccess; k <= KindDisconnect; k++ {
		if kindNames[k] == s {
			return k, true
		}
	}
	return KindOther, false
}

// KindOf returns the kind of a request's code, KindOther for a reply or an
// unknown code.
func KindOf(c Code) Kind {
	switch c {
	case radius.CodeAccessRequest:
		return KindAccess
	case radius.CodeAccountingRequest:
		return KindAccounting
	case radius.CodeCoARequest:
		return KindCoA
	case radius.CodeDisconnectRequest:
		return KindDisconnect
	case radius.CodeStatusServer:
		return KindStatus
	}
	return KindOther
}

// IsRequest reports whether c is a request that the gateway knows.
func IsRequest(c Code) bool { return KindOf(c) != KindOther }

// IsReply reports whether c is a reply that the gateway knows.
func IsReply(c Code) bool {
	switch c {
	case radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge,
		radius.CodeAccountingResponse,
		radius.CodeDisconnectACK, radius.CodeDisconnectNAK,
		radius.CodeCoAACK, radius.CodeCoANAK,
		CodeProtocolError:
		return true
	}
	return false
}

// Answers reports whether a packet with code reply can answer one with code
// request (RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 5997 §4.1).
// Protocol-Error answers every request (RFC 7930 §4).
func Answers(request, reply Code) bool {
	kind := KindOf(request)
	if reply == CodeProtocolError {
		return kind != KindOther
	}
	switch kind {
	case KindAccess:
		return reply == radius.CodeAccessAccept || reply == radius.CodeAccessReject || reply == radius.CodeAccessChallenge
	case KindAccounting:
		return reply == radius.CodeAccountingResponse
	case KindCoA:
		return reply == radius.CodeCoAACK || reply == radius.CodeCoANAK
	case KindDisconnect:
		return reply == radius.CodeDisconnectACK || reply == radius.CodeDisconnectNAK
	case KindStatus:
		return reply == radius.CodeAccessAccept || reply == radius.CodeAccountingResponse
	}
	return false
}
