package wire

import (
	"encoding/binary"
	"errors"

	"layeh.com/radius"
)

// Why a verified packet cannot be carried on.
var (
	ErrTooLong      = errors.New("packet would exceed 4096 octets with what this hop adds")
	ErrUserPassword = errors.New("User-Password: expected 16 to 128 octets in whole blocks of 16, or at most 128 in RADIUS/1.1")
	ErrChallenge    = errors.New("a challenge is missing: RADIUS/1.1 has no Request Authenticator that CHAP-Password without CHAP-Challenge, or ARAP-Password, could answer")
)

// handling is what happens to an attribute on its way to the other side.
type handling uint8

const (
	keep     handling = iota // copied
	drop                     // belongs to this hop only
	password                 // User-Password
	secretly                 // copied and perhaps re-encrypted
	vendorly                 // the same, if the vendor is known to hide any
	extended                 // by the extended type in it: see View.extended
	eap                      // EAP-Message: see hider.eap
)

// handlingOf maps an attribute type to its handling; read only.
//
// Message-Authenticator is made anew by every hop (RFC 3579 §3.2). Proxy-State
// is withheld from the server, and the client gets its own back (RFC 2865
// §2.3): what a server adds or spoils then matters to nobody.
var handlingOf = [256]handling{
	typeMessageAuthenticator: drop,
	typeProxyState:           drop,
	typeUserPassword:         password,
	typeTunnelPassword:       secretly,
	typeAscendSendSecret:     secretly,
	typeAscendReceiveSecret:  secretly,
	typeVendorSpecific:       vendorly,
	typeExtended1:            extended,
	typeEAPMessage:           eap,
}

// extended returns what happens to the attribute 241 at off of the packet.
// Response-Length says what the neighbour can take, and towards the server that
// is always 4096 octets (RFC 7930 §4). Original-Packet-Code is for a hop's own
// Protocol-Error, and RADIUS/1.1 must not have it (RFC 9765 §5.5).
func (v *View) extended(off, next int, eleven bool) handling {
	if next-off > 2 {
		switch v.Packet[off+2] {
		case extResponseLength:
			return drop
		case extOriginalPacketCode:
			if eleven {
				return drop
			}
		}
	}
	return keep
}

// eap returns what happens to an EAP-Message of v: accounting has none (RFC 2869
// §5.19). Beside one there must be a Message-Authenticator (RFC 3579 §3.1),
// which accounting must not have: with it, or without it, the packet would be
// refused for an attribute that says nothing.
func (h *hider) eap(v *View) handling {
	if c := v.Code(); c == radius.CodeAccountingRequest || c == radius.CodeAccountingResponse {
		h.omitted.add(OmittedEAP, typeEAPMessage)
		return drop
	}
	return keep
}

// copyAttributes copies the attributes of v that go on to the other side to
// dst[n:], in order and in runs. It returns where they end and the offset in
// dst of the first that may need rehideAll, 0 when none does.
//
// access says that v is an Access-Request. There a User-Password that cannot be
// one is ErrUserPassword: noise must not be tried as a password. Beside an
// EAP-Message, which excludes it (RFC 3579 §3.3), it is only omitted.
func (h *hider) copyAttributes(dst []byte, n int, v *View, access bool) (end, hidden int, err error) {
	src := v.Packet
	run := MinLength // what src[run:off] holds is still to be copied
	for off := MinLength; off < len(src); {
		next := off + int(src[off+1])
		how := handlingOf[src[off]]
		switch how {
		case password:
			how = secretly
			if access && !passwordLength(next-off-2) {
				if !v.HasEAP() {
					return 0, 0, ErrUserPassword
				}
				h.omitted.add(OmittedPassword, typeUserPassword)
				how = drop
			}
		case vendorly:
			if vendor, ok := vendorOf(src[off:next]); ok && vendorFormat(vendor) != formatNone {
				how = secretly
			}
		case extended:
			how = v.extended(off, next, false)
		case eap:
			how = h.eap(v)
		}
		switch how {
		case secretly:
			if hidden == 0 {
				hidden = n + off - run
			}
		case drop:
			if n, err = appendTo(dst, n, src[run:off]); err != nil {
				return 0, 0, err
			}
			run = next
		}
		off = next
	}
	n, err = appendTo(dst, n, src[run:])
	return n, hidden, err
}

// appendTo copies b to dst[n:] and returns the new end, ErrTooLong when it does
// not fit. Attributes are never cut (RFC 2865 §3 gives the limit).
func appendTo(dst []byte, n int, b []byte) (int, error) {
	if len(b) > len(dst)-n {
		return 0, ErrTooLong
	}
	return n + copy(dst[n:], b), nil
}

// putMessageAuthenticator begins the attributes with a Message-Authenticator, whose
// value is written when the packet is signed. First is where it protects best against
// a chosen prefix (draft-ietf-radext-deprecating-radius §5.3.2).
func putMessageAuthenticator(dst []byte) (n int) {
	dst[MinLength], dst[MinLength+1] = typeMessageAuthenticator, macLength
	return MinLength + macLength
}

// firstIf returns the offset that putMessageAuthenticator has written to, 0 when
// it has not.
func firstIf(withMA bool) int {
	if withMA {
		return MinLength
	}
	return 0
}

// putLength writes the Length field of the packet that ends at n.
func putLength(dst []byte, n int) []byte {
	binary.BigEndian.PutUint16(dst[2:4], uint16(n))
	return dst[:n]
}
