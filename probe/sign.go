package probe

import (
	"crypto/hmac"
	"crypto/md5"
	"errors"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// Package layeh.com/radius computes the Authenticator only. This file adds, computes and verifies the
// Message-Authenticator (RFC 3579 §3.2), for Run, and for clients and servers in bench, dev and tests
// that do not have to be fast.

// AddMessageAuthenticator puts a Message-Authenticator of zeros first in p. Sign fills it in.
func AddMessageAuthenticator(p *radius.Packet) {
	zeros := &radius.AVP{Type: rfc2869.MessageAuthenticator_Type, Attribute: make(radius.Attribute, 16)}
	p.Attributes = append(radius.Attributes{zeros}, p.Attributes...)
}

// Sign encodes p and fills in its Message-Authenticator, if it has one, and then its Authenticator.
// On entry p.Authenticator is the Request Authenticator: in a reply that of its request.
func Sign(p *radius.Packet) ([]byte, error) {
	if a := p.Get(rfc2869.MessageAuthenticator_Type); len(a) == 16 {
		clear(a)
		if p.Code == radius.CodeAccountingRequest || p.Code == radius.CodeCoARequest || p.Code == radius.CodeDisconnectRequest {
			p.Authenticator = [16]byte{} // RFC 5176 §3.4: computed over zero octets
		}
		b, err := p.MarshalBinary()
		if err != nil {
			return nil, err
		}
		mac := hmac.New(md5.New, p.Secret)
		mac.Write(b)
		copy(a, mac.Sum(nil))
	}
	return p.Encode()
}

// Errors of VerifyMessageAuthenticator.
var (
	errAbsent  = errors.New("absent")
	errWrong   = errors.New("WRONG")
	errNotOnce = errors.New("WRONG: there must be exactly one, with 16 octets of value")
	errForm    = errors.New("WRONG: the packet is malformed")
)

// VerifyMessageAuthenticator verifies the Message-Authenticator of packet, a whole packet with its
// header, as computed with authenticator in the Authenticator field.
func VerifyMessageAuthenticator(packet, secret []byte, authenticator [16]byte) error {
	b := append([]byte(nil), packet...)
	copy(b[4:20], authenticator[:])
	var found []byte
	for rest := b[20:]; len(rest) > 0; rest = rest[rest[1]:] {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return errForm
		}
		if rest[0] != byte(rfc2869.MessageAuthenticator_Type) {
			continue
		}
		if found != nil || rest[1] != 18 {
			return errNotOnce
		}
		found = append([]byte(nil), rest[2:18]...)
		clear(rest[2:18])
	}
	if found == nil {
		return errAbsent
	}
	mac := hmac.New(md5.New, secret)
	mac.Write(b)
	if !hmac.Equal(found, mac.Sum(nil)) {
		return errWrong
	}
	return nil
}

// CHAPResponse returns the value of CHAP-Password (RFC 2865 §5.3): the CHAP identifier, then
// MD5(identifier + password + challenge).
func CHAPResponse(identifier byte, password, challenge []byte) []byte {
	sum := md5.Sum(append(append([]byte{identifier}, password...), challenge...))
	return append([]byte{identifier}, sum[:]...)
}
