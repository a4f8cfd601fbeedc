package wire

// WriteRequest writes to dst the server's copy of a client's request that VerifyRequest
// has accepted, and returns its length. dst has a capacity of at least MaxLength and
// does not overlap v.Packet, which is not changed. It is signed by Run.
//
//   - Identifier id, and a fresh random Request Authenticator for Access, a
//     computed one for the others (RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3).
//   - Message-Authenticator: always in Access and first
//     (draft-ietf-radext-deprecating-radius §5.3.2); in CoA and Disconnect when
//     the client sent one or an EAP-Message requires one, and when the client speaks
//     RADIUS/1.1, where it cannot send one and the NAS may demand one (RFC 5176
//     §3.4, RFC 9765 §5.2); never in accounting (RFC 3579 §3.3).
//   - Proxy-State withheld (RFC 2865 §2.3), everything else in order.
//   - Hidden attributes re-encrypted for the server, with new salts.
//   - Where the old authenticator was a challenge: CHAP-Challenge added, for
//     CHAP-Password without one (RFC 2865 §2.3); kept as the authenticator, for
//     ARAP-Password, which has no such attribute (RFC 2869 §2.2).
//
// A request of RADIUS/1.1 has its values hidden here. It has no old authenticator.
// Omitted returns what was omitted from the copy.
//
// Errors: ErrUserPassword, ErrChallenge, ErrTooLong; ErrCode for a Status-Server, which is
// never relayed (RFC 5997 §4.4), and for what is not a request; ErrFull.
func (d *Digests) WriteRequest(dst []byte, v *View, from *ClientSecret, to *ServerSecret, id ServerID) (int, error) {
	return d.WriteRequestWith(dst, v, from, to, id, &RequestOptions{})
}

// WriteRequestWith is WriteRequest with options.
func (d *Digests) WriteRequestWith(dst []byte, v *View, from *ClientSecret, to *ServerSecret, id ServerID, o *RequestOptions) (int, error) {
	if err := d.space(); err != nil {
		return 0, err
	}
	d.omitted.clear()
	identified := true
	if o.NAS != nil {
		v, identified = d.lastHop(v)
	}
	dst = dst[:MaxLength]
	dst[0], dst[1] = v.Packet[0], byte(id)
	clientRA, vector := v.Authenticator(), (*[16]byte)(dst[4:20])
	t := transfer{from: hop{from.key, &d.zero}, to: hop{to.key, &d.zero}}

	kind := v.Kind()
	withMA := false
	switch kind {
	case KindAccess:
		if v.v11 && !v.challenged() {
			return 0, ErrChallenge
		}
		t.access, withMA = true, true
		d.requestAuthenticator(vector, v)
		t.from.vector, t.to.vector = clientRA, vector
	case KindAccounting:
		clear(vector[:])
	case KindCoA, KindDisconnect:
		clear(vector[:])
		withMA = v.v11 || v.HasMessageAuthenticator() || v.HasEAP()
	default:
		return 0, ErrCode
	}

	if v.v11 {
		t.mode = modeHide
	}
	n := MinLength
	if withMA {
		n = putMessageAuthenticator(dst)
	}
	n, err := d.copyAttributes(dst, n, v, &t)
	if err != nil {
		return 0, err
	}
	if t.access && v.first[slotCHAPPassword] != 0 && v.first[slotCHAPChallenge] == 0 && *vector != *clientRA {
		if n, err = appendCHAPChallenge(dst, n, clientRA); err != nil {
			return 0, err
		}
	}

	if !identified {
		if n, err = o.NAS.appendTo(dst, n); err != nil {
			return 0, err
		}
	}
	n = d.appendMarker(dst, n, o.ProxyState)
	d.sign(putLength(dst, n), macOffset(withMA), !t.access, &to.secret)
	return n, nil
}

// requestAuthenticator fills ra for the server's copy of an Access-Request: 16
// unpredictable octets, because a new Identifier implies a new authenticator
// (RFC 2865 §4.1), except where ARAP-Password answers the old one as a
// challenge (RFC 2869 §2.2).
func (c *cipher) requestAuthenticator(ra *[16]byte, v *View) {
	if v.first[slotARAPPassword] != 0 {
		*ra = *v.Authenticator()
		return
	}
	c.Random(ra[:])
}

// appendCHAPChallenge adds the challenge that CHAP-Password answers: the
// authenticator of the client's request (RFC 2865 §5.3). At the end, and so
// never between two EAP-Messages (RFC 3579 §3.1).
func appendCHAPChallenge(dst []byte, n int, clientRA *[16]byte) (int, error) {
	n, err := appendTo(dst, n, []byte{typeCHAPChallenge, 2 + 16})
	if err != nil {
		return 0, err
	}
	return appendTo(dst, n, clientRA[:])
}
