package twin

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
)

// Codes (RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 5997 §3, RFC 7930 §4).
const (
	AccessRequest      = 1
	AccessAccept       = 2
	AccessReject       = 3
	AccountingRequest  = 4
	AccountingResponse = 5
	AccessChallenge    = 11
	StatusServer       = 12
	DisconnectRequest  = 40
	DisconnectACK      = 41
	DisconnectNAK      = 42
	CoARequest         = 43
	CoAACK             = 44
	CoANAK             = 45
	ProtocolError      = 52
)

// Attribute types that a proxy acts on.
const (
	userName       = 1
	userPassword   = 2
	chapPassword   = 3
	nasIPAddress   = 4
	vendor         = 26
	nasIdentifier  = 32
	proxyState     = 33
	chapChallenge  = 60
	arapPassword   = 70
	eapMessage     = 79
	messageAuth    = 80
	nasIPv6Address = 95
	errorCause     = 101
	operatorName   = 126
	extended1      = 241
)

// Attr is one attribute: its type and its value.
type Attr struct {
	T byte
	V []byte
}

// Parse returns the attributes of a packet; false when the Length field is wrong
// or the attributes do not exactly fill the packet (RFC 2865 §3, RFC 6613 §2.6.4).
func Parse(b []byte) ([]Attr, bool) {
	if len(b) < 20 || len(b) > 4096 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return nil, false
	}
	var list []Attr
	for rest := b[20:]; len(rest) > 0; {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return nil, false
		}
		list = append(list, Attr{rest[0], rest[2:rest[1]]})
		rest = rest[rest[1]:]
	}
	return list, true
}

// Values returns the values of the attributes of type t, in order.
func Values(list []Attr, t byte) (all [][]byte) {
	for _, a := range list {
		if a.T == t {
			all = append(all, a.V)
		}
	}
	return all
}

func has(list []Attr, t byte) bool { return len(Values(list, t)) > 0 }

// Assemble returns a packet of these attributes, even one longer than 4096 octets.
func Assemble(code, id byte, authenticator [16]byte, list []Attr) []byte {
	b := append([]byte{code, id, 0, 0}, authenticator[:]...)
	for _, a := range list {
		b = append(append(b, a.T, byte(2+len(a.V))), a.V...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// MAC returns the Message-Authenticator of a packet over the Authenticator field
// vector (RFC 3579 §3.2): its own 16 octets count as zero.
func MAC(packet []byte, vector [16]byte, secret string) []byte {
	b := bytes.Clone(packet)
	copy(b[4:20], vector[:])
	for off := 20; off < len(b); off += int(b[off+1]) {
		if b[off] == messageAuth && b[off+1] == 18 {
			clear(b[off+2 : off+18])
		}
	}
	h := hmac.New(md5.New, []byte(secret))
	h.Write(b)
	return h.Sum(nil)
}

// Sum returns the Authenticator field that is computed: over the Request
// Authenticator in replies, over zeros in requests (RFC 2865 §3, RFC 2866 §3).
func Sum(packet []byte, vector [16]byte, secret string) [16]byte {
	b := bytes.Clone(packet)
	copy(b[4:20], vector[:])
	return md5.Sum(append(b, secret...))
}

// Sign fills in place the Message-Authenticators over vector, and then the
// Authenticator field if it is a computed one.
func Sign(packet []byte, vector [16]byte, computed bool, secret string) {
	mac := MAC(packet, vector, secret)
	for off := 20; off < len(packet); off += int(packet[off+1]) {
		if packet[off] == messageAuth && packet[off+1] == 18 {
			copy(packet[off+2:], mac)
		}
	}
	if computed {
		sum := Sum(packet, vector, secret)
		copy(packet[4:], sum[:])
	}
}

// isRequest reports whether a code is that of a request (P16).
func isRequest(code byte) bool {
	switch code {
	case AccessRequest, AccountingRequest, StatusServer, DisconnectRequest, CoARequest:
		return true
	}
	return false
}

// dynamic reports whether a request's code is that of a CoA or a Disconnect.
func dynamic(code byte) bool { return code == CoARequest || code == DisconnectRequest }

// Answers reports whether a reply's code answers a request's (P16).
func Answers(request, reply byte) bool {
	for _, r := range map[byte][]byte{
		AccessRequest:     {AccessAccept, AccessReject, AccessChallenge},
		AccountingRequest: {AccountingResponse},
		DisconnectRequest: {DisconnectACK, DisconnectNAK},
		CoARequest:        {CoAACK, CoANAK},
		StatusServer:      {AccessAccept, AccountingResponse},
	}[request] {
		if r == reply {
			return true
		}
	}
	return reply == ProtocolError && isRequest(request)
}
