package probe

import "layeh.com/radius"

// codeProtocolError is the code of Protocol-Error (RFC 7930), which the library has no name for.
const codeProtocolError radius.Code = 52

// codeName returns the name of a packet code.
func codeName(c radius.Code) string {
	if c == codeProtocolError {
		return "Protocol-Error"
	}
	return c.String()
}

// answersAccess reports whether c is the code of a reply to an Access-Request.
func answersAccess(c radius.Code) bool {
	return c == radius.CodeAccessAccept || c == radius.CodeAccessReject || c == radius.CodeAccessChallenge || c == codeProtocolError
}

// asksNAS reports whether c is the code of a request to a NAS (RFC 5176 §2).
func asksNAS(c radius.Code) bool {
	return c == radius.CodeCoARequest || c == radius.CodeDisconnectRequest
}

// positive reports whether reply is the code of success for a request. Status-Server gets the code of
// the port's requests (RFC 5997 §3).
func positive(request, reply radius.Code) bool {
	switch request {
	case radius.CodeAccessRequest:
		return reply == radius.CodeAccessAccept
	case radius.CodeStatusServer:
		return reply == radius.CodeAccessAccept || reply == radius.CodeAccountingResponse
	case radius.CodeAccountingRequest:
		return reply == radius.CodeAccountingResponse
	case radius.CodeCoARequest:
		return reply == radius.CodeCoAACK
	case radius.CodeDisconnectRequest:
		return reply == radius.CodeDisconnectACK
	}
	return false
}
