package probe

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// The names of the versions in ALPN (RFC 9765 §3.1).
const (
	alpnRadius10 = "radius/1.0"
	alpnRadius11 = "radius/1.1"
)

// offered returns what is offered by ALPN for a Config.Version, the best first.
func offered(version string) ([]string, error) {
	switch version {
	case "1.0":
		return []string{alpnRadius10}, nil
	case "1.1":
		return []string{alpnRadius11}, nil
	case "both":
		return []string{alpnRadius11, alpnRadius10}, nil
	case "none":
		return nil, nil
	}
	return nil, fmt.Errorf("-radius-version: expected 1.0, 1.1, both or none, got %q", version)
}

// agreed11 reports whether the server has agreed to RADIUS/1.1. It is an error if it has not and
// nothing else was offered (RFC 9765 §3.3.2).
func agreed11(version string, state tls.ConnectionState) (bool, error) {
	agreed := state.NegotiatedProtocol == alpnRadius11
	switch {
	case agreed && state.Version < tls.VersionTLS13:
		return false, fmt.Errorf("the server agreed to RADIUS/1.1 over %s, which needs TLS 1.3 (RFC 9765 §3.4)", tls.VersionName(state.Version))
	case !agreed && version == "1.1":
		return false, errors.New("the server does not speak RADIUS/1.1: it has not answered ALPN (RFC 9765 §3.3.2)")
	}
	return agreed, nil
}

// encode11 encodes request for RADIUS/1.1: a random Token, the password in clear, no
// Message-Authenticator, and a CHAP-Challenge where the Request Authenticator was one (RFC 9765 §4, §5).
func encode11(request *radius.Packet, password string) ([]byte, error) {
	b := make([]byte, 20)
	b[0] = byte(request.Code)
	rand.Read(b[4:8])
	add := func(t radius.Type, value []byte) {
		b = append(append(b, byte(t), byte(2+len(value))), value...)
	}
	for _, a := range request.Attributes {
		switch a.Type {
		case rfc2869.MessageAuthenticator_Type:
		case rfc2865.UserPassword_Type:
			if len(password) < 1 || len(password) > 128 {
				return nil, fmt.Errorf("-password: expected 1 to 128 octets in RADIUS/1.1 (RFC 9765 §5.1.1), got %d", len(password))
			}
			add(a.Type, []byte(password))
		default:
			add(a.Type, a.Attribute)
		}
	}
	if request.Get(rfc2865.CHAPPassword_Type) != nil && request.Get(rfc2865.CHAPChallenge_Type) == nil {
		add(rfc2865.CHAPChallenge_Type, request.Authenticator[:])
	}
	if len(b) > radius.MaxPacketLength {
		return nil, fmt.Errorf("expected a request of at most %d octets, got %d", radius.MaxPacketLength, len(b))
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b, nil
}

// verify11 checks a reply of RADIUS/1.1: its Token, and that it has nothing that must not be sent.
// TLS has authenticated it.
func verify11(received, sent []byte) []Check {
	var checks []Check
	if token, want := received[4:8], sent[4:8]; string(token) == string(want) {
		checks = append(checks, Check{"Token", true, "the request's"})
	} else if string(token) == "\x00\x00\x00\x00" && received[0] == byte(codeProtocolError) {
		checks = append(checks, Check{"Token", false, "zero, the server refuses the connection (RFC 9765 §3.3.1)"})
	} else {
		checks = append(checks, Check{"Token", false, fmt.Sprintf("WRONG, the request's is 0x%x", want)})
	}
	return append(checks, misplaced11(received)...)
}

// misplaced11 returns a failed check for everything in a packet that must not be sent in RADIUS/1.1.
func misplaced11(received []byte) []Check {
	var checks []Check
	wrong := func(field, detail string) {
		checks = append(checks, Check{Field: field, Detail: detail})
	}
	if received[1] != 0 || string(received[8:20]) != string(make([]byte, 12)) {
		wrong("reserved octets of the header", "WRONG, they must be zero (RFC 9765 §4.1)")
	}
	for b := received[20:]; len(b) >= 2; b = b[b[1]:] {
		switch {
		case b[0] == byte(rfc2869.MessageAuthenticator_Type):
			wrong("Message-Authenticator", "WRONG, it must not be sent in RADIUS/1.1 (RFC 9765 §5.2)")
		case b[0] == 241 && b[1] > 2 && b[2] == 4:
			wrong("Original-Packet-Code", "WRONG, it must not be sent in RADIUS/1.1 (RFC 9765 §5.5)")
		}
	}
	return checks
}
