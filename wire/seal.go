package wire

// Sealer hides values that a rule writes into a packet, for the side that the packet came
// from: when the packet is written for the other side its hidden values are hidden anew
// (RFC 2868 §3.5). The zero Sealer leaves values in clear.
type Sealer struct {
	c *cipher
	t transfer
}

// SealRequest returns a Sealer for the request v of a client whose secret is from. For
// RADIUS/1.1 values stay in clear (RFC 9765 §5.1). It is valid as long as v and d are.
func (d *Digests) SealRequest(v *View, from *ClientSecret) Sealer {
	if v.v11 {
		return Sealer{}
	}
	vector := &d.zero
	if v.Kind() == KindAccess {
		vector = v.Authenticator()
	}
	return Sealer{c: &d.cipher, t: transfer{mode: modeHide, to: hop{from.key, vector}}}
}

// SealReply returns a Sealer for a reply of the server whose secret is from, to a
// request that was sent with the Request Authenticator sent. It is valid as long as sent
// and d are.
func (d *Digests) SealReply(sent *[16]byte, from *ServerSecret) Sealer {
	return Sealer{c: &d.cipher, t: transfer{mode: modeHide, to: hop{from.key, sent}}}
}

// Seal appends to out the value of an attribute, of a vendor or, when vendor is 0, of
// none, and of the TLV sub in it when sub is not 0. A tag precedes the value of a tagged
// one. What the secret does not hide is appended as it is. Errors: ErrTooLong,
// ErrValueTooLong.
func (s *Sealer) Seal(out, value []byte, vendor uint32, number uint16, sub byte) ([]byte, error) {
	r := standardRules[byte(number)]
	if vendor != 0 {
		r = vendorRule(vendor, number, sub)
	}
	if r&ruleLEAP != 0 || r&ruleTLVs != 0 {
		r = 0
	}
	if s.c == nil || r == 0 {
		if len(value) > cap(out)-len(out) {
			return nil, ErrTooLong
		}
		return append(out, value...), nil
	}
	return s.c.hide(out, value, r, &s.t)
}

// ParseLike reads b, which has the framing of the version of RADIUS that like was read
// with. Errors as of Parse.
func (v *View) ParseLike(b []byte, like *View) error {
	if like.v11 {
		return v.Parse11(b)
	}
	return v.Parse(b)
}

// SealReverse returns a Sealer for a request that VerifyReverse has accepted, from its
// secret. It is valid as long as d is.
func (d *Digests) SealReverse(from *ServerSecret) Sealer {
	return Sealer{c: &d.cipher, t: transfer{mode: modeHide, to: hop{from.key, &d.zero}}}
}

// SealReverseReply returns a Sealer for a reply that VerifyReverseReply has accepted, to a
// request that was sent with the Request Authenticator sent. For RADIUS/1.1 values stay in
// clear. It is valid as long as sent and d are.
func (d *Digests) SealReverseReply(reply *View, sent *[16]byte, from *ClientSecret) Sealer {
	if reply.v11 {
		return Sealer{}
	}
	return Sealer{c: &d.cipher, t: transfer{mode: modeHide, to: hop{from.key, sent}}}
}
