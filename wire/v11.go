package wire

import (
	"encoding/binary"

	"layeh.com/radius"
)

// RADIUS/1.1 (RFC 9765) is what RadSec clients may speak inside TLS instead of
// RADIUS/1.0. A packet is framed as before. Its header has a Token in place of
// Identifier and Authenticator, nothing is signed, and nothing is hidden. The
// side towards the server stays RADIUS/1.0, so a request is signed and its
// values are hidden on the way there, and on the way back the values are revealed
// (convert.go).
//
// The request decides: for one in a View filled by Parse11, VerifyRequest,
// WriteRequest, WriteReply and WriteAnswer follow the rules of RADIUS/1.1 towards the
// client, whose secret is not used.

// Token pairs replies with requests on a RADIUS/1.1 connection. It has no other
// meaning (RFC 9765 §4.1).
type Token uint32

const (
	tokenAt  = 4 // of the header; what follows to its end is reserved
	tokenEnd = 8
)

// Parse11 is Parse for a packet of RADIUS/1.1. A Message-Authenticator in it is ignored
// (RFC 9765 §5.2), and so are the reserved octets of the header (RFC 9765 §4.1).
func (v *View) Parse11(b []byte) error {
	if err := v.Parse(b); err != nil {
		return err
	}
	v.v11 = true
	v.macs, v.first[slotMessageAuthenticator] = 0, 0
	return nil
}

// Is11 reports whether the packet was read by Parse11.
func (v *View) Is11() bool { return v.v11 }

// Token returns the Token of a packet of RADIUS/1.1.
func (v *View) Token() Token { return Token(binary.BigEndian.Uint32(v.Packet[tokenAt:])) }

// putHeader11 writes the header of a reply to req, but for its Length: the Token
// echoed, all reserved octets zero (RFC 9765 §4.1, §4.2.1).
func putHeader11(dst []byte, code Code, req *View) {
	clear(dst[:MinLength])
	dst[0] = byte(code)
	copy(dst[tokenAt:tokenEnd], req.Packet[tokenAt:tokenEnd])
}

// putToken writes the Token of a packet of RADIUS/1.1.
func putToken(dst []byte, t Token) { binary.BigEndian.PutUint32(dst[tokenAt:], uint32(t)) }

// accept11 queues a request of RADIUS/1.1, whose result is nil: TLS has
// protected it, and no field of it proves anything (RFC 9765 §4.1, §5.2).
func (d *Digests) accept11(v *View) (Ticket, error) {
	if err := d.space(); err != nil {
		return 0, err
	}
	d.place(v.Packet)
	return d.ticket(), nil
}

// challenged reports whether the request has the challenges that it answers.
// RADIUS/1.1 has no Request Authenticator to take one from: CHAP-Password needs
// CHAP-Challenge (RFC 9765 §5.1.2), and ARAP-Password, which has no such
// attribute (RFC 2869 §2.2), cannot be sent at all.
func (v *View) challenged() bool {
	return v.first[slotARAPPassword] == 0 && (v.first[slotCHAPPassword] == 0 || v.first[slotCHAPChallenge] != 0)
}

// writeReply11 is WriteReply towards a client of RADIUS/1.1.
func (d *Digests) writeReply11(dst []byte, reply *View, req *View, sentRA *[16]byte, from *ServerSecret) (int, error) {
	dst = dst[:MaxLength]
	putHeader11(dst, reply.Code(), req)
	t := transfer{
		mode:   modeReveal,
		from:   hop{from.key, sentRA},
		accept: reply.Code() == radius.CodeAccessAccept,
	}
	n, err := d.copyAttributes(dst, MinLength, reply, &t)
	if err != nil {
		return 0, err
	}
	if n, err = appendProxyState(dst, n, req); err != nil {
		return 0, err
	}
	putLength(dst, n)
	return n, nil
}
