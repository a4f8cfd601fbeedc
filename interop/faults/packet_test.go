package faults

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
)

// Codes (RFC 2865 §3, RFC 5176 §2.3, RFC 5997 §2).
const (
	accessRequest      = 1
	accessAccept       = 2
	accessReject       = 3
	accountingRequest  = 4
	accountingResponse = 5
	accessChallenge    = 11
	statusServer       = 12
	disconnectRequest  = 40
	disconnectACK      = 41
	disconnectNAK      = 42
	coaRequest         = 43
	coaACK             = 44
	coaNAK             = 45
	protocolError      = 52
)

// radsecSecret is that of the RadSec side (RFC 6614 §2.3).
const radsecSecret = "radsec"

// attribute is one as octets.
func attribute(number byte, value []byte) []byte {
	return append([]byte{number, byte(2 + len(value))}, value...)
}

func userName(name string) []byte { return attribute(1, []byte(name)) }

// emptyMessageAuthenticator is one for request and reply to fill.
func emptyMessageAuthenticator() []byte { return attribute(80, make([]byte, 16)) }

// request is a client's request over RADIUS/1.0, signed. Access-Request and Status-Server get a
// Message-Authenticator in front; others have one where attributes has an empty one.
func request(code, identifier byte, attributes ...[]byte) []byte {
	b := append([]byte{code, identifier, 0, 0}, make([]byte, 16)...)
	random := code == accessRequest || code == statusServer
	if random {
		_, _ = rand.Read(b[4:20]) // never fails
		b = append(b, emptyMessageAuthenticator()...)
	}
	b = append(b, bytes.Join(attributes, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	signMessageAuthenticator(b, radsecSecret)
	if !random {
		digest := md5.Sum(append(bytes.Clone(b), radsecSecret...))
		copy(b[4:], digest[:])
	}
	return b
}

// reply is the server's reply to a request, signed under its secret, with the request's Proxy-State
// after the attributes (RFC 2865 §5.33). One to an Access-Request or Status-Server gets a
// Message-Authenticator in front; others have one where attributes has an empty one.
func reply(request []byte, code byte, attributes ...[]byte) []byte {
	b := append([]byte{code, request[1], 0, 0}, request[4:20]...)
	if request[0] == accessRequest || request[0] == statusServer {
		b = append(b, emptyMessageAuthenticator()...)
	}
	b = append(b, bytes.Join(attributes, nil)...)
	for _, state := range valuesOf(request, 33) {
		b = append(b, attribute(33, state)...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	signMessageAuthenticator(b, udpSecret)
	digest := md5.Sum(append(bytes.Clone(b), udpSecret...))
	copy(b[4:], digest[:])
	return b
}

// signMessageAuthenticator fills in the Message-Authenticator, where the packet has one (RFC 3579 §3.2).
func signMessageAuthenticator(packet []byte, secret string) {
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(packet)
	for _, value := range valuesOf(packet, 80) {
		copy(value, mac.Sum(nil))
	}
}

// verifies reports whether a reply's Response Authenticator is right for the request.
func verifies(reply, request []byte, secret string) bool {
	b := append(append(append(bytes.Clone(reply[:4]), request[4:20]...), reply[20:]...), secret...)
	digest := md5.Sum(b)
	return bytes.Equal(digest[:], reply[4:20])
}

// valuesOf are the values of a packet's attributes of a number, within the packet.
func valuesOf(packet []byte, number byte) (values [][]byte) {
	for rest := packet[20:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if rest[0] == number {
			values = append(values, rest[2:rest[1]])
		}
	}
	return values
}

// errorCause is a packet's Error-Cause (RFC 5176 §3.5), 0 when it has none.
func errorCause(packet []byte) uint32 {
	for _, value := range valuesOf(packet, 101) {
		if len(value) == 4 {
			return binary.BigEndian.Uint32(value)
		}
	}
	return 0
}
