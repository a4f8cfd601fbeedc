package wire

import "layeh.com/radius"

// WriteReply writes to dst the client's copy of a server's reply that VerifyReply has
// accepted, and returns its length. req is the client's original request, sentRA the
// Request Authenticator that was sent to the server. dst has a capacity of at least
// MaxLength and overlaps neither packet. It is signed by Run.
//
//   - The client's Identifier and a Response Authenticator over its own
//     request's (RFC 2865 §2.3).
//   - Message-Authenticator first, where there is one: see signedReply.
//   - The server's Proxy-State dropped, the client's restored, in order, at the
//     end (RFC 2865 §2, §2.3).
//   - Hidden attributes re-encrypted for the client, with new salts.
//
// To a request of RADIUS/1.1 the reply is one too: its Token, no authenticators,
// the hidden attributes in clear (RFC 9765 §4, §5). Omitted returns what was
// omitted from it.
//
// A Protocol-Error must not be passed on as it is
// (draft-dekok-protocol-error-00 §5): answer one with WriteAnswer.
//
// Errors: ErrTooLong, ErrHidden, ErrFull.
func (d *Digests) WriteReply(dst []byte, reply *View, req *View, sentRA *[16]byte, from *ServerSecret, to *ClientSecret) (int, error) {
	d.omitted.clear()
	if req.v11 {
		return d.writeReply11(dst, reply, req, sentRA, from)
	}
	if err := d.space(); err != nil {
		return 0, err
	}
	dst = dst[:MaxLength]
	clientRA := req.Authenticator()
	dst[0], dst[1] = reply.Packet[0], req.Packet[1]
	copy(dst[4:20], clientRA[:])

	n := MinLength
	withMA := signedReply(reply.Code(), req, reply.HasEAP())
	if withMA {
		n = putMessageAuthenticator(dst)
	}
	t := transfer{
		from:   hop{from.key, sentRA},
		to:     hop{to.key, clientRA},
		accept: reply.Code() == radius.CodeAccessAccept,
	}
	n, err := d.copyAttributes(dst, n, reply, &t)
	if err != nil {
		return 0, err
	}
	if n, err = appendProxyState(dst, n, req); err != nil {
		return 0, err
	}
	d.sign(putLength(dst, n), macOffset(withMA), true, &to.secret)
	return n, nil
}

// signedReply reports whether a reply of RADIUS/1.0 with this code has a
// Message-Authenticator: always one to an Access-Request or a Status-Server
// (draft-ietf-radext-deprecating-radius §5.3.6, RFC 5997 §3) and a Protocol-Error
// (draft-dekok-protocol-error-00 §5), one to CoA and Disconnect when the request
// had one (RFC 5176 §3.4) or an EAP-Message wants one (RFC 3579 §3.1).
//
// An Accounting-Response has none, whatever the request had (RFC 3579 §3.3, RFC
// 2869 §5.19): it is over the request's authenticator to some clients and over
// zeros to others, and each refuses the other's.
func signedReply(code Code, req *View, eap bool) bool {
	switch code {
	case radius.CodeAccountingResponse:
		return false
	case CodeProtocolError:
		return true
	}
	kind := req.Kind()
	return kind == KindAccess || kind == KindStatus || req.HasMessageAuthenticator() || eap
}

// appendProxyState copies the Proxy-State attributes of the client's request to
// dst[n:], in order: a reply carries exactly these (RFC 2865 §2).
func appendProxyState(dst []byte, n int, req *View) (int, error) {
	src, off := req.Packet, int(req.first[slotProxyState])
	if off == 0 {
		return n, nil
	}
	var err error
	for off < len(src) {
		end := off + int(src[off+1])
		if src[off] == typeProxyState {
			if n, err = appendTo(dst, n, src[off:end]); err != nil {
				return 0, err
			}
		}
		off = end
	}
	return n, nil
}
