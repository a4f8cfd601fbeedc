package twin

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Policy is the answer to an Access-Request that no server answers.
type Policy byte

const (
	Reject Policy = iota
	Silent
	Protocol
)

// Spec is one answer that the gateway may make. The zero value is silence.
type Spec struct {
	Code  byte
	Cause uint32 // Error-Cause; 0: none
}

func (s Spec) String() string { return fmt.Sprintf("code %d with Error-Cause %d", s.Code, s.Cause) }

// Unserved returns the allowed answers to a request that no server answers (protocol.md
// section 10).
func Unserved(code byte, v11 bool, policy Policy, cause uint32) []Spec {
	switch {
	case code == CoARequest:
		return []Spec{{CoANAK, cause}}
	case code == DisconnectRequest:
		return []Spec{{DisconnectNAK, cause}}
	case v11: // RFC 9765 §6.1
		return []Spec{{ProtocolError, cause}}
	case policy == Protocol:
		return []Spec{{ProtocolError, cause}}
	case code == AccountingRequest || policy == Silent: // P71
		return []Spec{{}}
	}
	return []Spec{{AccessReject, cause}}
}

// Refused returns the allowed answers to a request that could not be written for a server.
func Refused(code byte, v11 bool, policy Policy, errs []error) (all []Spec) {
	for _, err := range errs {
		cause := map[error]uint32{ErrPassword: 407, ErrChallenge: 402}[err]
		switch {
		case cause == 0:
			all = append(all, Unserved(code, v11, policy, 505)...)
		case code == AccessRequest && !v11: // the request itself is wrong
			all = append(all, Spec{AccessReject, cause})
		case dynamic(code):
			all = append(all, Unserved(code, v11, policy, cause)...)
		default: // RFC 9765 §6.1
			all = append(all, Unserved(code, v11, policy, 502)...)
			all = append(all, Unserved(code, v11, policy, 505)...)
		}
	}
	return all
}

// Lost returns the allowed answers to a request whose reply could not be written for the
// client: the server may have acted (P94).
func Lost(code byte, v11 bool, policy Policy) []Spec {
	if dynamic(code) {
		return []Spec{{}}
	}
	return Unserved(code, v11, policy, 505)
}

// TriesAnother reports whether a Protocol-Error with this Error-Cause sends the request to
// another server: the cause is one of the server that sent it, not of the request (P97,
// RFC 9765 §6.1).
func TriesAnother(cause uint32) bool {
	return cause == 502 || cause == 505 || cause == 506
}

// AfterProtocolError returns the allowed answers to a request that a server has answered
// with a Protocol-Error when there is no other server (P97).
func AfterProtocolError(code byte, v11 bool, policy Policy, cause uint32) (all []Spec) {
	nak := cause
	if cause < 400 || cause > 599 { // P93
		nak = 505
	}
	switch {
	case dynamic(code):
		return Unserved(code, v11, policy, nak)
	case TriesAnother(cause) && v11 && cause == 506: // RFC 9765 §6.1 allows a proxy two
		return Unserved(code, v11, policy, 505)
	case TriesAnother(cause):
		return Unserved(code, v11, policy, cause)
	case cause == 0 && !v11:
		return []Spec{{ProtocolError, 0}, {ProtocolError, 505}}
	}
	return []Spec{{ProtocolError, cause}}
}

// CheckAnswer returns an error unless answer is one of the allowed answers of the
// gateway to a request of a client with this secret.
func CheckAnswer(answer, req []byte, v11 bool, secret string, allowed []Spec) error {
	if answer == nil {
		for _, s := range allowed {
			if s.Code == 0 {
				return nil
			}
		}
		return fmt.Errorf("expected %v, got nothing", allowed)
	}
	list, ok := Parse(answer)
	if !ok {
		return fmt.Errorf("the answer is malformed")
	}
	asked, _ := Parse(req)
	got := Spec{Code: answer[0]}
	for _, v := range Values(list, errorCause) {
		if len(v) != 4 || got.Cause != 0 {
			return fmt.Errorf("Error-Cause % x", v)
		}
		got.Cause = binary.BigEndian.Uint32(v)
	}
	found := false
	for _, s := range allowed {
		found = found || s == got
	}
	if !found {
		return fmt.Errorf("expected %v, got %v", allowed, got)
	}
	if err := checkExtras(list, asked, req[0], got.Code, v11); err != nil {
		return err
	}
	return checkOwn(answer, list, req, asked, v11, secret)
}

// checkExtras checks the attributes that only some answers have.
func checkExtras(list, asked []Attr, request, code byte, v11 bool) error {
	var want []Attr
	if code == AccessReject && has(asked, eapMessage) {
		id := byte(0)
		if v := Values(asked, eapMessage)[0]; len(v) > 1 {
			id = v[1]
		}
		want = append(want, Attr{eapMessage, []byte{4, id, 0, 4}})
	}
	if code == ProtocolError && !v11 {
		want = append(want, Attr{extended1, []byte{4, 0, 0, 0, request}}) // P96
	}
	for _, a := range list {
		switch {
		case a.T == messageAuth, a.T == proxyState, a.T == errorCause:
		case len(want) > 0 && a.T == want[0].T && bytes.Equal(a.V, want[0].V):
			want = want[1:]
		default:
			return fmt.Errorf("the answer has attribute %d, % x", a.T, a.V)
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("the answer lacks attribute %d, % x", want[0].T, want[0].V)
	}
	return nil
}

// checkOwn checks header, Proxy-State, Message-Authenticator and authenticator (P22,
// P34, P50, P122).
func checkOwn(answer []byte, list []Attr, req []byte, asked []Attr, v11 bool, secret string) error {
	if got, want := fmt.Sprint(Values(list, proxyState)), fmt.Sprint(Values(asked, proxyState)); got != want {
		return fmt.Errorf("Proxy-State: expected %s, got %s", want, got)
	}
	mac := Values(list, messageAuth)
	if v11 {
		head := make([]byte, 20)
		head[0], head[2], head[3] = answer[0], answer[2], answer[3]
		copy(head[4:8], req[4:8])
		if len(mac) > 0 || !bytes.Equal(head, answer[:20]) {
			return fmt.Errorf("expected the header % x and no Message-Authenticator, got % x", head, answer)
		}
		return nil
	}
	ra := [16]byte(req[4:20])
	if answer[1] != req[1] || Sum(answer, ra, secret) != [16]byte(answer[4:20]) {
		return fmt.Errorf("wrong Identifier or Response Authenticator")
	}
	must := req[0] == AccessRequest || req[0] == StatusServer || answer[0] == ProtocolError || has(asked, messageAuth)
	if must && (len(list) == 0 || list[0].T != messageAuth) {
		return fmt.Errorf("Message-Authenticator is not first")
	}
	if len(mac) > 0 && !goodMAC(answer, mac, ra, secret) {
		return fmt.Errorf("wrong Message-Authenticator")
	}
	return nil
}
