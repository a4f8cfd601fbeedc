package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// The probe's RADIUS/1.1 (RFC 9765), written apart from what the gateway does.

// The names of the versions in ALPN (RFC 9765 §3.1).
const (
	alpnRadius10 = "radius/1.0"
	alpnRadius11 = "radius/1.1"
)

// offered is what a -radius-version offers by ALPN, the best first; without one both versions.
func offered(version string) ([]string, error) {
	switch version {
	case "1.0":
		return []string{alpnRadius10}, nil
	case "1.1":
		return []string{alpnRadius11}, nil
	case "both", "":
		return []string{alpnRadius11, alpnRadius10}, nil
	case "none":
		return nil, nil
	}
	return nil, fmt.Errorf("-radius-version must be 1.0, 1.1, both or none, not %q", version)
}

// speaks11 says whether the server has agreed to RADIUS/1.1. It is an error when it has not and nothing
// else was offered (RFC 9765 §3.3.2).
func speaks11(o *probeOptions, state tls.ConnectionState) (bool, error) {
	agreed := state.NegotiatedProtocol == alpnRadius11
	switch {
	case agreed && state.Version < tls.VersionTLS13:
		return false, fmt.Errorf("the server agreed to RADIUS/1.1 over %s, which needs TLS 1.3 (RFC 9765 §3.4)", tls.VersionName(state.Version))
	case !agreed && o.version == "1.1":
		return false, errors.New("the server does not speak RADIUS/1.1: it has not answered ALPN (RFC 9765 §3.3.2)")
	}
	return agreed, nil
}

// encode11 is the request as RADIUS/1.1 has it: a random Token, the password in clear, no
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
				return nil, fmt.Errorf("-password: want 1 to 128 octets in RADIUS/1.1 (RFC 9765 §5.1.1), not %d", len(password))
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
		return nil, fmt.Errorf("the request has %d octets, which is more than %d", len(b), radius.MaxPacketLength)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b, nil
}

// probe11 is the exchange on a connection of RADIUS/1.1.
func probe11(o *probeOptions, w io.Writer, names *attributeNames, request *radius.Packet, conn *tls.Conn) error {
	sent, err := encode11(request, o.password)
	if err != nil {
		return usageError{err}
	}
	shown, err := radius.Parse(sent, []byte(o.secret))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "sent %s, token 0x%x, %d octets\n", codeName(request.Code), sent[4:8], len(sent))
	for _, line := range (&attributePrinter{names: names}).lines(shown.Attributes) {
		fmt.Fprintln(w, "    "+line)
	}
	received, took, err := exchange(conn, sent, o.timeout)
	if err != nil {
		return fmt.Errorf("no answer to the %v: %w", request.Code, err)
	}
	reply, err := radius.Parse(received, []byte(o.secret))
	if err != nil {
		return fmt.Errorf("the answer is malformed: %w", err)
	}
	fmt.Fprintf(w, "received %s, token 0x%x, %d octets, after %v\n",
		codeName(reply.Code), received[4:8], len(received), took.Round(10*time.Microsecond))
	verified := verify11(w, received, sent)
	return conclude(w, &attributePrinter{names: names, secrets: true, clear: true}, reply, request.Code, verified)
}

// verify11 prints what there is to verify in a reply of RADIUS/1.1, and returns whether it holds: the
// Token, and that nothing is there which must not be sent. TLS has proved the rest.
func verify11(w io.Writer, received, sent []byte) bool {
	ok := true
	wrong := func(format string, args ...any) {
		fmt.Fprintf(w, "    "+format+"\n", args...)
		ok = false
	}
	if token, want := received[4:8], sent[4:8]; string(token) == string(want) {
		fmt.Fprintln(w, "    Token: the request's")
	} else if string(token) == "\x00\x00\x00\x00" && received[0] == byte(codeProtocolError) {
		wrong("Token: zero, the server refuses the connection (RFC 9765 §3.3.1)")
	} else {
		wrong("Token: WRONG, the request's is 0x%x", want)
	}
	if received[1] != 0 || string(received[8:20]) != string(make([]byte, 12)) {
		wrong("reserved octets of the header: WRONG, they must be zero (RFC 9765 §4.1)")
	}
	for b := received[20:]; len(b) >= 2; b = b[b[1]:] {
		switch {
		case b[0] == byte(rfc2869.MessageAuthenticator_Type):
			wrong("Message-Authenticator: WRONG, it must not be sent in RADIUS/1.1 (RFC 9765 §5.2)")
		case b[0] == 241 && b[1] > 2 && b[2] == 4:
			wrong("Original-Packet-Code: WRONG, it must not be sent in RADIUS/1.1 (RFC 9765 §5.5)")
		}
	}
	return ok
}
