package audit

import (
	"radsec-gw/wire"
)

const (
	typeMessageAuthenticator = 80
	vendorHead               = 6 // octets of a Vendor-Specific before the vendor's own attributes
)

// maskedPacket returns a copy of a packet in which every octet is zero that may help anybody
// to a secret: values that a tap masks, the data of EAP methods that may hold a password, and
// authenticators that are computed with a secret. The length stays, except that in
// RADIUS/1.1 a User-Password becomes one of 16 octets, because there its length is that of
// the password. Of a malformed packet only the header remains.
//
// It copies what may be shown and nothing else: an attribute that it does not understand is
// masked.
func maskedPacket(p []byte, v11 bool) []byte {
	out := make([]byte, len(p))
	head := wire.MinLength
	if len(p) < head {
		return out
	}
	copy(out, p[:head])
	var v wire.View
	if v11 && v.Parse11(p) != nil || !v11 && v.Parse(p) != nil {
		clear(out[4:head])
		return out
	}
	if !v11 && (v.Kind() != wire.KindAccess && v.Kind() != wire.KindStatus) {
		clear(out[4:head]) // a Response Authenticator, or a Request Authenticator with the secret in it
	}
	for off := head; off < len(p); off += int(p[off+1]) {
		copy(out[off:off+2], p[off:])
		if p[off] == typeVendor {
			copy(out[off:min(off+vendorHead, off+int(p[off+1]))], p[off:])
		}
	}
	eap := eapMask{}
	for _, a := range wire.Reveal(&v, nil, nil) {
		at := cap(p) - cap(a.Value)
		inside := len(a.Value) > 0 && at >= head && at+len(a.Value) <= len(p) && &p[at] == &a.Value[0]
		if !inside { // empty, or put together from parts
			continue
		}
		if a.Type == typeEAPMessage && a.Vendor == 0 {
			copy(out[at:], a.Value[:eap.shown(a.Value)])
			continue
		}
		switch { // what is between the attribute's own type and length, and the value
		case a.Vendor != 0: // the vendor's type and length; no vendor has less
			copy(out[at-2:at], p[at-2:at])
		case a.Number != 0: // the extended type
			out[at-1] = p[at-1]
		}
		if !masked(&a) && a.Type != typeMessageAuthenticator {
			copy(out[at:], a.Value)
		}
	}
	if v11 {
		out = hidePasswordLength(out)
	}
	return out
}

// eapMask decides how much of the EAP-Messages of one packet may be shown.
type eapMask struct{ begun, all bool }

// shown returns how many octets of the next EAP-Message may be shown: all of those whose
// data is public, an identity or TLS, and of the others the header (RFC 3748 §4).
func (e *eapMask) shown(value []byte) int {
	const header = 5
	if !e.begun {
		e.begun = true
		e.all = len(value) < header || publicEAP(value[4])
		if len(value) < header { // no method, as in Success; or split where no sender splits it
			e.all = false
			return min(len(value), 4)
		}
		if !e.all {
			return header
		}
	}
	if e.all {
		return len(value)
	}
	return 0
}

// publicEAP reports whether the data of an EAP method shows no secret to those who see it.
func publicEAP(method byte) bool {
	switch method {
	case 1, 3, 13, 21, 25, 55: // Identity, Nak, TLS, TTLS, PEAP, TEAP
		return true
	}
	return false
}

// hidePasswordLength gives each User-Password of a masked packet 16 octets.
func hidePasswordLength(p []byte) []byte {
	const length = 16
	out := append(make([]byte, 0, len(p)+length), p[:wire.MinLength]...)
	for off := wire.MinLength; off < len(p); off += int(p[off+1]) {
		if p[off] == typeUserPassword {
			out = append(out, typeUserPassword, 2+length)
			out = append(out, make([]byte, length)...)
			continue
		}
		out = append(out, p[off:off+int(p[off+1])]...)
	}
	out[2], out[3] = byte(len(out)>>8), byte(len(out))
	return out
}
