package faulty

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"

	"layeh.com/radius"
)

const (
	headerLength             = 20
	typeState                = 24
	typeProxyState           = 33
	typeEAPMessage           = 79
	typeMessageAuthenticator = 80
)

var (
	errMalformed = errors.New("not a RADIUS packet")
	errSignature = errors.New("does not verify")
)

// request is what the server uses of a request.
type request struct {
	packet      []byte // as long as its Length says
	code        radius.Code
	state       string // "" when there is none
	eap         bool
	eapID       byte
	proxyStates []byte // whole attributes, in order
}

// read checks a datagram: its form, the Request Authenticator of accounting and
// CoA (RFC 2866 §3), the Message-Authenticator of the others where there is one,
// and that EAP and Status-Server have one (RFC 3579 §3.2, RFC 5997 §3).
func read(datagram, secret []byte) (request, error) {
	var r request
	if len(datagram) < headerLength {
		return r, errMalformed
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < headerLength || n > len(datagram) {
		return r, errMalformed
	}
	r.packet, r.code = datagram[:n], radius.Code(datagram[0])
	mac := 0
	for i := headerLength; i < n; i += int(datagram[i+1]) {
		if n-i < 2 || datagram[i+1] < 2 || int(datagram[i+1]) > n-i {
			return r, errMalformed
		}
		value := datagram[i+2 : i+int(datagram[i+1])]
		switch {
		case datagram[i] == typeState:
			r.state = string(value)
		case datagram[i] == typeEAPMessage && !r.eap && len(value) > 1:
			r.eap, r.eapID = true, value[1]
		case datagram[i] == typeProxyState:
			r.proxyStates = append(r.proxyStates, datagram[i:i+int(datagram[i+1])]...)
		case datagram[i] == typeMessageAuthenticator && len(value) == md5.Size:
			mac = i + 2
		}
	}
	return r, r.verify(mac, secret)
}

func (r *request) verify(mac int, secret []byte) error {
	var zero [md5.Size]byte
	switch r.code {
	case radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest:
		if digest(r.packet[:4], zero[:], r.packet[headerLength:], secret) != [16]byte(r.packet[4:20]) {
			return errSignature
		}
		return nil
	}
	if mac == 0 {
		if r.eap || r.code == radius.CodeStatusServer {
			return errSignature
		}
		return nil
	}
	h := hmac.New(md5.New, secret)
	h.Write(r.packet[:mac])
	h.Write(zero[:])
	h.Write(r.packet[mac+md5.Size:])
	if !hmac.Equal(h.Sum(nil), r.packet[mac:mac+md5.Size]) {
		return errSignature
	}
	return nil
}

// reply is a signed reply: Message-Authenticator first, except in accounting
// (RFC 3579 §3.2), the given State, an EAP packet where the request had one, and
// Proxy-State at the end (RFC 2865 §5.33).
func (r *request) reply(code radius.Code, state string, secret []byte) []byte {
	p := append([]byte{byte(code), r.packet[1], 0, 0}, r.packet[4:headerLength]...)
	mac := code != radius.CodeAccountingResponse
	if mac {
		p = append(append(p, typeMessageAuthenticator, 18), make([]byte, md5.Size)...)
	}
	if state != "" {
		p = append(append(p, typeState, byte(len(state)+2)), state...)
	}
	if r.eap {
		p = append(p, r.eapReply(code)...)
	}
	p = append(p, r.proxyStates...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	if mac {
		h := hmac.New(md5.New, secret)
		h.Write(p)
		copy(p[headerLength+2:], h.Sum(nil))
	}
	sum := digest(p, secret)
	copy(p[4:], sum[:])
	return p
}

// eapReply is the EAP-Message that fits the code (RFC 3579 §2.6.3).
func (r *request) eapReply(code radius.Code) []byte {
	switch code {
	case radius.CodeAccessChallenge: // EAP-TLS without data (RFC 5216 §2.1.5)
		return []byte{typeEAPMessage, 8, 1, r.eapID + 1, 0, 6, 13, 0}
	case radius.CodeAccessAccept:
		return []byte{typeEAPMessage, 6, 3, r.eapID, 0, 4}
	case radius.CodeAccessReject:
		return []byte{typeEAPMessage, 6, 4, r.eapID, 0, 4}
	}
	return nil
}

func digest(parts ...[]byte) (sum [md5.Size]byte) {
	h := md5.New()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
