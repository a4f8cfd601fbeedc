package wire

import (
	"encoding/binary"

	"layeh.com/radius"
)

// Answer describes a reply that the gateway makes itself. The zero value of
// every field but Code omits its attribute.
type Answer struct {
	Code         Code
	ErrorCause   uint32 // Error-Cause (RFC 5176 §3.5)
	OriginalCode bool   // Original-Packet-Code, 241.4 (RFC 7930 §4), holding the request's code
	EAPFailure   bool   // an EAP-Failure that answers the request's EAP-Message, if it has one (RFC 3748 §4.2)
	ReplyMessage string // in as many attributes as it needs, 253 octets each
	Acknowledges bool   // an Accounting-Response is allowed, although no server has recorded the data
}

// allowed reports whether the gateway may make this answer to a request with
// code request. It never grants what only a server can: an Access-Accept, except
// that a Status-Server gets one (RFC 5997 §3); an ACK; an Accounting-Response,
// which says that the data is recorded (RFC 2866 §4.1, RFC 2607 §5.1), unless the
// answer is declared to acknowledge it.
func (a *Answer) allowed(request Code) bool {
	switch a.Code {
	case radius.CodeAccountingResponse:
		return a.Acknowledges && KindOf(request) == KindAccounting
	case radius.CodeCoAACK, radius.CodeDisconnectACK:
		return false
	case radius.CodeAccessAccept:
		return KindOf(request) == KindStatus
	}
	return Answers(request, a.Code)
}

// WriteAnswer writes into dst the answer a to the client's request req and
// returns its length. The conditions on dst are those of WriteReply. The request's Identifier and
// Proxy-State are returned as in any reply (RFC 2865 §2, RFC 5176 §3.1).
// Message-Authenticator is first, where signedReply reports that there is one. The answer
// to a request of RADIUS/1.1 has its Token and neither authenticator.
//
// Errors: ErrCode when the gateway may not give this answer, ErrTooLong, ErrFull.
func (d *Digests) WriteAnswer(dst []byte, req *View, a Answer, to *ClientSecret) (int, error) {
	return d.writeAnswer(dst, req, a, &to.secret)
}

func (d *Digests) writeAnswer(dst []byte, req *View, a Answer, to *secret) (int, error) {
	if !a.allowed(req.Code()) {
		return 0, ErrCode
	}
	if err := d.space(); err != nil {
		return 0, err
	}
	dst = dst[:MaxLength]
	dst[0], dst[1] = byte(a.Code), req.Packet[1]
	copy(dst[4:20], req.Authenticator()[:])
	if req.v11 {
		putHeader11(dst, a.Code, req)
	}

	eap := a.EAPFailure && req.HasEAP()
	withMA := !req.v11 && signedReply(a.Code, req, eap)
	n := MinLength
	if withMA {
		n = putMessageAuthenticator(dst)
	}
	if eap {
		// Code 4 is Failure. Its Identifier is that of the packet it answers, its
		// length the header's four octets. An EAP-Start has no Identifier: zero then.
		identifier, _ := req.EAPIdentifier()
		n += copy(dst[n:], []byte{typeEAPMessage, 6, 4, identifier, 0, 4})
	}
	if a.OriginalCode && !req.v11 { // the Token identifies the request (RFC 9765 §5.5)
		// Seven octets: an Extended attribute (RFC 6929 §2.1) with an integer.
		n += copy(dst[n:], []byte{typeExtended1, 7, extOriginalPacketCode, 0, 0, 0, req.Packet[0]})
	}
	if a.ErrorCause != 0 {
		n = len(binary.BigEndian.AppendUint32(append(dst[:n], typeErrorCause, 6), a.ErrorCause))
	}
	n, err := appendText(dst, n, typeReplyMessage, a.ReplyMessage)
	if err != nil {
		return 0, err
	}
	if n, err = appendProxyState(dst, n, req); err != nil {
		return 0, err
	}
	packet := putLength(dst, n)
	if !req.v11 {
		d.sign(packet, macOffset(withMA), true, to)
	}
	return n, nil
}
