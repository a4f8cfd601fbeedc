package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// Request is a CoA-Request or Disconnect-Request that arrived on a Conn.
type Request struct {
	Received  []byte         // the packet
	Packet    *radius.Packet // Received, parsed; hidden values are still hidden
	Radius11  bool           // it is of RADIUS/1.1: Packet's Identifier and Authenticator are meaningless
	Checks    []Check        // what was verified
	Duplicate bool           // it arrived before
}

// Verified reports whether the request passed every check.
func (r *Request) Verified() bool { return allOK(r.Checks) }

// number returns the Token or, before RADIUS/1.1, the Identifier.
func (r *Request) number() uint32 {
	if r.Radius11 {
		return binary.BigEndian.Uint32(r.Received[4:])
	}
	return uint32(r.Received[1])
}

// verify fills in r.Checks.
func (r *Request) verify(secret []byte) {
	if r.Radius11 {
		r.Checks = misplaced11(r.Received)
		return
	}
	authenticator := Check{"Request Authenticator", true, "verified"} // RFC 5176 §2.3
	if !radius.IsAuthenticRequest(r.Received, secret) {
		authenticator.OK, authenticator.Detail = false, "WRONG "+wrongSecret
	}
	message := Check{"Message-Authenticator", true, "verified"} // RFC 5176 §3.4
	switch err := VerifyMessageAuthenticator(r.Received, secret, [16]byte{}); {
	case errors.Is(err, errAbsent):
		message.Detail = "absent"
	case err != nil:
		message.OK, message.Detail = false, fmt.Sprintf("%v %s", err, wrongSecret)
	}
	r.Checks = []Check{authenticator, message}
}

// AnswerKind is the kind of an Answer.
type AnswerKind string

// The kinds of answers.
const (
	ACK  AnswerKind = "ack"  // CoA-ACK or Disconnect-ACK; so is ""
	NAK  AnswerKind = "nak"  // CoA-NAK or Disconnect-NAK
	None AnswerKind = "none" // silence
)

// Wrong is what an Answer has that is wrong.
type Wrong string

// What can be wrong in an Answer.
const (
	WrongCode          Wrong = "code"          // a CoA-Request gets the answer to a Disconnect-Request, and the reverse
	WrongAuthenticator Wrong = "authenticator" // the Response Authenticator, which RADIUS/1.1 does not have
	WrongIdentifier    Wrong = "identifier"    // the Identifier or Token, which is none of a request that waits
)

// DefaultErrorCause is the Error-Cause of a NAK: Session-Context-Not-Found (RFC 5176 §3.6).
const DefaultErrorCause = 503

// Answer says how a request is answered. The zero Answer is an ACK.
type Answer struct {
	Kind       AnswerKind
	ErrorCause uint32        // of a NAK; 0 is DefaultErrorCause
	Delay      time.Duration // between the request and the answer
	Twice      bool          // send it twice, the same octets
	Wrong      Wrong         // "" is nothing
}

// Check returns a *ConfigError if a is invalid.
func (a Answer) Check() error {
	var err error
	switch {
	case a.Kind != "" && a.Kind != ACK && a.Kind != NAK && a.Kind != None:
		err = fmt.Errorf("-answer: expected ack, nak or none, got %q", string(a.Kind))
	case a.Wrong != "" && a.Wrong != WrongCode && a.Wrong != WrongAuthenticator && a.Wrong != WrongIdentifier:
		err = fmt.Errorf("-wrong: expected code, authenticator or identifier, got %q", string(a.Wrong))
	case a.Kind == None && (a.Delay != 0 || a.Twice || a.Wrong != ""):
		err = errors.New("-answer none does not go with -delay, -twice and -wrong")
	case a.Kind != NAK && a.ErrorCause != 0:
		err = errors.New("-error-cause goes with -answer nak only")
	case a.Delay < 0:
		err = fmt.Errorf("-delay: expected a duration of 0 or more, got %v", a.Delay)
	default:
		return nil
	}
	return &ConfigError{err}
}

// checkVersion returns a *ConfigError if a is not possible in the version of RADIUS.
func (a Answer) checkVersion(radius11 bool) error {
	if radius11 && a.Wrong == WrongAuthenticator {
		return &ConfigError{errors.New("-wrong authenticator: RADIUS/1.1 has no authenticators; use -radius-version 1.0")}
	}
	return nil
}

// code returns the code of the answer to a request.
func (a Answer) code(request radius.Code) radius.Code {
	coa := request == radius.CodeCoARequest
	if a.Wrong == WrongCode {
		coa = !coa
	}
	switch {
	case coa && a.Kind == NAK:
		return radius.CodeCoANAK
	case coa:
		return radius.CodeCoAACK
	case a.Kind == NAK:
		return radius.CodeDisconnectNAK
	}
	return radius.CodeDisconnectACK
}

// response is an answer to a request.
type response struct {
	request *Request
	answer  Answer
}

// encode returns the octets of the response with an Identifier or Token. It has the request's
// Proxy-State (RFC 5176 §3.1), and a Message-Authenticator if the request has one.
func (out *response) encode(number uint32) ([]byte, error) {
	p := out.request.Packet.Response(out.answer.code(out.request.Packet.Code))
	if out.answer.Kind == NAK {
		cause := out.answer.ErrorCause
		if cause == 0 {
			cause = DefaultErrorCause
		}
		if err := rfc3576.ErrorCause_Set(p, rfc3576.ErrorCause(cause)); err != nil {
			return nil, err
		}
	}
	for _, a := range out.request.Packet.Attributes {
		if a.Type == rfc2865.ProxyState_Type {
			p.Add(a.Type, a.Attribute)
		}
	}
	if out.request.Radius11 {
		b, err := p.MarshalBinary()
		if err != nil {
			return nil, err
		}
		clear(b[8:20])
		b[1] = 0
		binary.BigEndian.PutUint32(b[4:], number)
		return b, nil
	}
	p.Identifier = byte(number)
	if out.request.Packet.Get(rfc2869.MessageAuthenticator_Type) != nil {
		AddMessageAuthenticator(p)
	}
	b, err := Sign(p)
	if err == nil && out.answer.Wrong == WrongAuthenticator {
		b[4] ^= 0xff
	}
	return b, err
}

// unasked returns an Identifier or Token that is not in open, the furthest from number. ok is
// false if there is none.
func unasked(number uint32, radius11 bool, open map[uint32]bool) (n uint32, ok bool) {
	half, mask := uint32(1<<7), uint32(1<<8-1)
	if radius11 {
		half, mask = 1<<31, 1<<32-1
	}
	for i := range uint32(1 << 8) {
		if n = (number + half + i) & mask; !open[n] {
			return n, true
		}
	}
	return 0, false
}
