package wire

// Reverse CoA is what a UDP server sends to the gateway for a NAS: a CoA-Request or
// Disconnect-Request that goes down the RadSec connection which the NAS has opened
// (draft-ietf-radext-reverse-coa). So the requests come from a server and the replies
// from a client. The side of the server is RADIUS/1.0. The connection may be
// RADIUS/1.1: then the request goes down with a Token, nothing signed, and its hidden
// values in clear (RFC 9765 §4, §5).

// ReverseID pairs the replies of a client with the requests that were sent down its
// connection: an Identifier in RADIUS/1.0, a Token in RADIUS/1.1. Requests in the other
// direction have Identifiers of their own.
type ReverseID uint32

// ReverseOptions are the options of WriteReverse.
type ReverseOptions struct {
	V11 bool // the connection speaks RADIUS/1.1
	NAS *NAS // what to call the NAS in a request that does not say; nil: nothing is added
}

// VerifyReverse checks a CoA-Request or Disconnect-Request under the secret shared with its
// sender (RFC 5176 §2.3, §3.4). What needs a digest is checked by Run: the result is that of
// the ticket.
//
// Errors: ErrCode for any other packet, ErrNoMessageAuthenticator if one is required,
// ErrMessageAuthenticatorForm, ErrFull. Results: ErrRequestAuthenticator,
// ErrMessageAuthenticator.
func (d *Digests) VerifyReverse(v *View, s *ServerSecret, requireMA bool) (Ticket, error) {
	if k := v.Kind(); k != KindCoA && k != KindDisconnect {
		return 0, ErrCode
	}
	hasMA := v.HasMessageAuthenticator()
	if !hasMA && requireMA {
		return 0, ErrNoMessageAuthenticator
	}
	if err := d.wellFormed(v, hasMA); err != nil {
		return 0, err
	}
	d.check(v, &d.zero, ErrRequestAuthenticator, &s.secret)
	return d.ticket(), nil
}

// WriteReverse writes to dst the NAS's copy of a request that VerifyReverse has accepted,
// and returns its length. The conditions on dst are those of WriteRequest. It is signed by
// Run, after which the Request Authenticator that was sent is in it.
//
//   - Identifier or Token id.
//   - Message-Authenticator first, when the request has one, or an EAP-Message (RFC 5176
//     §3.4, RFC 3579 §3.1); none in RADIUS/1.1.
//   - Proxy-State withheld (RFC 5176 §3.1).
//   - Operator-Name and Operator-NAS-Identifier removed, and what identifies the NAS added
//     where nothing does (RFC 8559 §4.2).
//   - Hidden attributes re-encrypted with zeros for an authenticator (RFC 5176 §3.6).
//
// Errors: ErrTooLong, ErrFull.
func (d *Digests) WriteReverse(dst []byte, v *View, from *ServerSecret, to *ClientSecret, id ReverseID, o *ReverseOptions) (int, error) {
	if err := d.space(); err != nil {
		return 0, err
	}
	d.omitted.clear()
	dst = dst[:MaxLength]
	withMA := !o.V11 && (v.HasMessageAuthenticator() || v.HasEAP())
	t := transfer{from: hop{from.key, &d.zero}, to: hop{to.key, &d.zero}}
	clear(dst[:MinLength])
	dst[0] = v.Packet[0]
	if o.V11 {
		t.mode = modeReveal
		putToken(dst, Token(id))
	} else {
		dst[1] = byte(id)
	}
	without, identified := d.lastHop(v)
	n := MinLength
	if withMA {
		n = putMessageAuthenticator(dst)
	}
	n, err := d.copyAttributes(dst, n, without, &t)
	if err != nil {
		return 0, err
	}
	if !identified && o.NAS != nil {
		if n, err = o.NAS.appendTo(dst, n); err != nil {
			return 0, err
		}
	}
	packet := putLength(dst, n)
	if !o.V11 {
		d.sign(packet, macOffset(withMA), true, &to.secret)
	}
	return n, nil
}

// VerifyReverseReply checks a client's reply to a request that was sent down its connection
// with the Request Authenticator sent, under the secret shared with it. In RADIUS/1.1
// there is nothing to check. The caller must check with Answers that the reply's code
// answers the request. As in a server's reply, a Message-Authenticator is valid over the
// request's authenticator and over zeros.
//
// Errors: ErrMessageAuthenticatorForm, ErrFull. Results: ErrReverseAuthenticator,
// ErrMessageAuthenticator.
func (d *Digests) VerifyReverseReply(v *View, sent *[16]byte, s *ClientSecret) (Ticket, error) {
	if v.v11 {
		return d.accept11(v)
	}
	if err := d.wellFormed(v, v.HasMessageAuthenticator()); err != nil {
		return 0, err
	}
	d.check(v, sent, ErrReverseAuthenticator, &s.secret).zeros = &s.secret
	return d.ticket(), nil
}

// WriteReverseReply writes to dst the sender's copy of a client's reply that
// VerifyReverseReply has accepted, and returns its length. req is the request as the sender
// sent it, sent the Request Authenticator of the client's copy. The conditions on dst are
// those of WriteReply. It is signed by Run.
//
// The sender's Identifier and Proxy-State are restored (RFC 5176 §3.1), and hidden
// attributes are re-encrypted. Message-Authenticator is first, where signedReply reports
// that there is one.
//
// Errors: ErrTooLong, ErrFull.
func (d *Digests) WriteReverseReply(dst []byte, reply, req *View, sent *[16]byte, from *ClientSecret, to *ServerSecret) (int, error) {
	if err := d.space(); err != nil {
		return 0, err
	}
	d.omitted.clear()
	dst = dst[:MaxLength]
	ra := req.Authenticator()
	dst[0], dst[1] = reply.Packet[0], req.Packet[1]
	copy(dst[4:20], ra[:])
	n := MinLength
	withMA := signedReply(reply.Code(), req, reply.HasEAP())
	if withMA {
		n = putMessageAuthenticator(dst)
	}
	t := transfer{from: hop{from.key, sent}, to: hop{to.key, ra}}
	if reply.v11 {
		t.mode = modeHide
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

// WriteReverseAnswer is WriteAnswer towards the sender of a request that VerifyReverse has
// accepted.
func (d *Digests) WriteReverseAnswer(dst []byte, req *View, a Answer, to *ServerSecret) (int, error) {
	return d.writeAnswer(dst, req, a, &to.secret)
}
