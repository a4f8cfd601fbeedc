package answer

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"hash"
	"math/rand/v2"

	"layeh.com/radius"
)

const (
	headerLength             = 20
	typeState                = 24
	typeVendorSpecific       = 26
	typeSessionTimeout       = 27
	typeClass                = 25
	typeProxyState           = 33
	typeEAPMessage           = 79
	typeMessageAuthenticator = 80
	vendorMicrosoft          = 311
	mppeSendKey, mppeRecvKey = 16, 17
	// replySize bounds a reply: ours have at most 250 octets, and Proxy-State
	// is added.
	replySize = 512
)

// replier makes replies. It belongs to one goroutine.
type replier struct {
	secret   []byte
	mac      hash.Hash
	sum      hash.Hash
	withKeys bool
	verify   bool
	zero     [16]byte
	scratch  [16]byte
}

func newReplier(secret []byte, withKeys, verify bool) *replier {
	return &replier{secret: secret, mac: hmac.New(md5.New, secret), sum: md5.New(), withKeys: withKeys, verify: verify}
}

// seen is what a reply depends on.
type seen struct {
	eap, proxyState bool
	eapIdentifier   byte
	mac             int // offset of the Message-Authenticator's value
}

// read parses the request; ok is false when it is not a RADIUS packet.
func read(p []byte) (s seen, ok bool) {
	if len(p) < headerLength || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
		return s, false
	}
	for i := headerLength; i < len(p); {
		if len(p)-i < 2 || p[i+1] < 2 || int(p[i+1]) > len(p)-i {
			return s, false
		}
		switch p[i] {
		case typeEAPMessage:
			if !s.eap && p[i+1] >= 4 {
				s.eapIdentifier = p[i+3]
			}
			s.eap = true
		case typeProxyState:
			s.proxyState = true
		case typeMessageAuthenticator:
			if p[i+1] == 18 {
				s.mac = i + 2
			}
		}
		i += int(p[i+1])
	}
	return s, true
}

// write writes the reply to request into dst (at least replySize octets) and
// returns its length; 0 means no answer, bad that the request did not verify.
func (r *replier) write(dst, request []byte) (n int, bad bool) {
	s, ok := read(request)
	if !ok {
		return 0, true
	}
	code := radius.Code(request[0])
	if r.verify && !r.verified(request, code, s) {
		return 0, true
	}
	p := dst[:headerLength]
	p[1] = request[1]
	copy(p[4:], request[4:headerLength])
	switch {
	case code == radius.CodeAccountingRequest:
		p[0] = byte(radius.CodeAccountingResponse)
	case code == radius.CodeStatusServer:
		p[0] = byte(radius.CodeAccessAccept)
		p = attribute(p, typeMessageAuthenticator, r.zero[:])
	case code == radius.CodeAccessRequest && s.eap && !r.withKeys:
		p[0] = byte(radius.CodeAccessChallenge)
		p = attribute(p, typeMessageAuthenticator, r.zero[:])
		p = append(p, typeState, 18)
		p = append(p, "state-of-16-octs"...)
		// An EAP-TLS acknowledgement of a fragment: Request, no data (RFC 5216 §2.1.5).
		p = attribute(p, typeEAPMessage, []byte{1, s.eapIdentifier + 1, 0, 6, 13, 0})
	case code == radius.CodeAccessRequest:
		p[0] = byte(radius.CodeAccessAccept)
		p = r.accept(p, request, s)
	default:
		return 0, true
	}
	if s.proxyState {
		p = proxyStates(p, request)
	}
	return r.sign(p), false
}

func (r *replier) accept(p, request []byte, s seen) []byte {
	p = attribute(p, typeMessageAuthenticator, r.zero[:])
	p = append(p, typeSessionTimeout, 6, 0, 0, 14, 16)
	p = append(p, typeClass, 18)
	p = append(p, "class-16-octets."...)
	if s.eap {
		p = attribute(p, typeEAPMessage, []byte{3, s.eapIdentifier, 0, 4}) // EAP-Success
	}
	if r.withKeys && s.eap {
		// The top bit set, and unique in the packet (RFC 2548 §2.4.2).
		salt := uint16(rand.Uint32()) | 0x8000
		p = r.mppe(p, request, mppeSendKey, salt)
		p = r.mppe(p, request, mppeRecvKey, salt^1)
	}
	return p
}

// mppe appends an MS-MPPE key of 32 octets hidden as RFC 2548 §2.4.2 says:
// length octet, key and padding make 48 octets, three MD5 blocks chained.
func (r *replier) mppe(p, request []byte, typ byte, salt uint16) []byte {
	p = append(p, typeVendorSpecific, 2+4+2+2+48, 0, 0, vendorMicrosoft>>8, vendorMicrosoft&0xff, typ, 2+2+48, byte(salt>>8), byte(salt))
	saltAt, at := len(p)-2, len(p)
	p = append(p, 32)
	for i := range 32 {
		p = append(p, typ+byte(i))
	}
	p = append(p, make([]byte, 15)...)
	r.sum.Reset()
	r.sum.Write(r.secret)
	r.sum.Write(request[4:headerLength])
	r.sum.Write(p[saltAt:at])
	for ; at < len(p); at += 16 {
		r.sum.Sum(r.scratch[:0])
		for i, b := range r.scratch {
			p[at+i] ^= b
		}
		r.sum.Reset()
		r.sum.Write(r.secret)
		r.sum.Write(p[at : at+16])
	}
	return p
}

// sign fills in length, Message-Authenticator (first, if there is one; RFC 3579
// §3.2) and Response Authenticator (RFC 2865 §3) of p, which still has the
// Request Authenticator.
func (r *replier) sign(p []byte) int {
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	if len(p) > headerLength && p[headerLength] == typeMessageAuthenticator {
		r.mac.Reset()
		r.mac.Write(p)
		r.mac.Sum(p[headerLength+2 : headerLength+2 : cap(p)])
	}
	r.sum.Reset()
	r.sum.Write(p)
	r.sum.Write(r.secret)
	r.sum.Sum(p[4:4:cap(p)])
	return len(p)
}

// verified checks Request Authenticator or Message-Authenticator of a request.
func (r *replier) verified(p []byte, code radius.Code, s seen) bool {
	if code == radius.CodeAccountingRequest {
		r.sum.Reset()
		r.sum.Write(p[:4])
		r.sum.Write(r.zero[:])
		r.sum.Write(p[headerLength:])
		r.sum.Write(r.secret)
		r.sum.Sum(r.scratch[:0])
		return r.scratch == [16]byte(p[4:20])
	}
	if s.mac == 0 {
		return false
	}
	r.mac.Reset()
	r.mac.Write(p[:s.mac])
	r.mac.Write(r.zero[:])
	r.mac.Write(p[s.mac+16:])
	r.mac.Sum(r.scratch[:0])
	return r.scratch == [16]byte(p[s.mac:s.mac+16])
}

func attribute(p []byte, typ byte, value []byte) []byte {
	return append(append(p, typ, byte(len(value)+2)), value...)
}

// proxyStates puts the request's Proxy-State back at the end, in order (RFC
// 2865 §5.33), as far as there is space.
func proxyStates(p, request []byte) []byte {
	for i := headerLength; i < len(request); i += int(request[i+1]) {
		length := int(request[i+1])
		if request[i] == typeProxyState && len(p)+length <= replySize {
			p = append(p, request[i:i+length]...)
		}
	}
	return p
}
