package wire

import (
	"errors"

	"layeh.com/radius"
)

// Why a verified packet cannot be forwarded.
var (
	ErrTooLong      = errors.New("packet would exceed 4096 octets with what this hop adds")
	ErrUserPassword = errors.New("User-Password: expected 16 to 128 octets in whole blocks of 16, or at most 128 in RADIUS/1.1")
	ErrChallenge    = errors.New("a challenge is missing: RADIUS/1.1 has no Request Authenticator that CHAP-Password without CHAP-Challenge, or ARAP-Password, could answer")
)

// handling is what happens to an attribute on its way to the other side.
type handling uint8

const (
	keep         handling = iota // copied
	drop                         // not copied: it belongs to this hop only, or is not valid
	password                     // User-Password
	hidden                       // hidden under the secret: see standardRules
	hiddenVendor                 // the same for a vendor's, if the vendor is known to hide any
	extended                     // by the extended type in it
	eap                          // EAP-Message
	rehidden                     // copied, then rewritten by rehideAll
	converted                    // written in its other form: see convert
)

// handlingOf maps an attribute type to its handling; read only.
//
// Message-Authenticator is computed anew by every hop (RFC 3579 §3.2). Proxy-State
// is withheld from the server, and the client gets its own back (RFC 2865 §2.3), so
// that it does not matter what a server adds or damages.
var handlingOf = [256]handling{
	typeMessageAuthenticator: drop,
	typeProxyState:           drop,
	typeUserPassword:         password,
	typeTunnelPassword:       hidden,
	typeAscendSendSecret:     hidden,
	typeAscendReceiveSecret:  hidden,
	typeVendorSpecific:       hiddenVendor,
	typeExtended1:            extended,
	typeEAPMessage:           eap,
}

// copyAttributes copies the attributes of v, without those that are for this hop only,
// to dst[n:], in order and in runs, with the hidden values as t says, and returns where
// they end. From and to RADIUS/1.1 the signatures of RFC 6218 are dropped, too (RFC 9765
// §5.3).
func (c *cipher) copyAttributes(dst []byte, n int, v *View, t *transfer) (end int, err error) {
	c.done.clear()
	src := v.Packet
	run := MinLength // what src[run:off] holds is still to be copied
	first := 0       // offset in dst of the first attribute for rehideAll; 0: none
	for off := MinLength; off < len(src); {
		next := off + int(src[off+1])
		how := handlingOf[src[off]]
		if how > drop {
			if how, err = c.handle(how, v, off, next, t); err != nil {
				return 0, err
			}
		}
		switch how {
		case rehidden:
			if first == 0 {
				first = n + off - run
			}
		case drop, converted:
			if n, err = appendTo(dst, n, src[run:off]); err != nil {
				return 0, err
			}
			if how == converted {
				if n, err = c.convert(dst, n, src, off, t); err != nil {
					return 0, err
				}
			}
			run = next
		}
		off = next
	}
	n, err = appendTo(dst, n, src[run:])
	if err == nil && first != 0 {
		err = c.rehideAll(dst[:n], first, t)
	}
	return n, err
}

// handle returns what happens to the attribute at v.Packet[off:next], for whose type
// handlingOf has how: keep, drop, rehidden or converted.
func (c *cipher) handle(how handling, v *View, off, next int, t *transfer) (handling, error) {
	attribute := v.Packet[off:next]
	switch how {
	case extended:
		return extendedHandling(attribute, t), nil
	case eap:
		return c.eapHandling(v), nil
	case password:
		if t.invalidPassword(len(attribute) - 2) {
			if t.access && !v.HasEAP() {
				return drop, ErrUserPassword
			}
			c.omitted.add(OmittedPassword, typeUserPassword)
			return drop, nil
		}
	case hiddenVendor:
		if vendor, ok := vendorOf(attribute); !ok || vendorFormat(vendor) == formatNone {
			return keep, nil
		}
	}
	if t.mode == modeRehide {
		return rehidden, nil
	}
	return converted, nil
}

// invalidPassword reports whether a User-Password of n octets must not go to the
// server because of its length. In an Access-Request that is ErrUserPassword: random
// octets must not be tried as a password. Beside an EAP-Message, which excludes a
// User-Password (RFC 3579 §3.3), and in other packets it is only omitted; RADIUS/1.0
// copies it unchanged in those.
func (t *transfer) invalidPassword(n int) bool {
	switch t.mode {
	case modeRehide:
		return t.access && !passwordLength(n)
	case modeHide:
		return n > maxPassword
	}
	return false
}

// extendedHandling returns what happens to an attribute of type 241.
// Response-Length is the longest reply that the neighbour accepts, which towards the
// server is always 4096 octets (RFC 7930 §4). Original-Packet-Code is for a hop's own
// Protocol-Error, and RADIUS/1.1 must not have it (RFC 9765 §5.5).
func extendedHandling(attribute []byte, t *transfer) handling {
	if len(attribute) > 2 {
		switch attribute[2] {
		case extResponseLength:
			return drop
		case extOriginalPacketCode:
			if t.mode != modeRehide {
				return drop
			}
		}
	}
	return keep
}

// isHopByHop reports whether an attribute is about the way between two neighbours, so that a relayed
// packet may lack it.
func isHopByHop(t byte, value []byte) bool {
	switch t {
	case typeProxyState, typeMessageAuthenticator:
		return true
	case typeExtended1:
		return len(value) > 0 && (value[0] == extResponseLength || value[0] == extOriginalPacketCode)
	}
	return false
}

// eapHandling returns what happens to an EAP-Message of v: accounting has none (RFC
// 2869 §5.19). Beside one there must be a Message-Authenticator (RFC 3579 §3.1),
// which accounting must not have: with it, or without it, the packet would be
// refused because of an attribute that has no meaning there.
func (c *cipher) eapHandling(v *View) handling {
	if code := v.Code(); code == radius.CodeAccountingRequest || code == radius.CodeAccountingResponse {
		c.omitted.add(OmittedEAP, typeEAPMessage)
		return drop
	}
	return keep
}
