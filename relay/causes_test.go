package relay

import (
	"testing"

	"layeh.com/radius"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// requestOf returns a request of a kind, in either version of RADIUS, on a route with the policy.
func requestOf(t *testing.T, code radius.Code, v11 bool, policy Unreachable) *request {
	t.Helper()
	req := &request{route: &Route{OnUnreachable: policy}}
	parse, p := req.view.Parse, assemble(code, 1, challenge(1), []attr{nemo})
	if v11 {
		parse, p = req.view.Parse11, makeRequest11(code, 1, nemo)
	}
	if err := parse(p); err != nil {
		t.Fatal(err)
	}
	req.Kind = req.view.Kind()
	return req
}

// Which Error-Cause of a server's Protocol-Error the client gets, at the limits of what a NAK
// may have, and without one.
// Rules: P93, P97
func TestCausesPassedOn(t *testing.T) {
	for cause, want := range map[uint32]struct{ nak, other, other11 uint32 }{
		0:   {505, 505, 0},
		1:   {505, 1, 1},
		201: {505, 201, 201},
		399: {505, 399, 399},
		400: {400, 400, 400},
		401: {401, 401, 401},
		598: {598, 598, 598},
		599: {599, 599, 599},
		600: {505, 600, 600},
		601: {505, 601, 601},
		502: {502, 502, 502},
		505: {505, 505, 505},
		506: {506, 506, 505},
	} {
		for _, code := range []radius.Code{1, 4, 40, 43} {
			for _, v11 := range []bool{false, true} {
				expected := wire.Answer{Code: wire.CodeProtocolError, ErrorCause: want.other, OriginalCode: true}
				switch {
				case code == 40:
					expected = wire.Answer{Code: radius.CodeDisconnectNAK, ErrorCause: want.nak}
				case code == 43:
					expected = wire.Answer{Code: radius.CodeCoANAK, ErrorCause: want.nak}
				case v11:
					expected.ErrorCause = want.other11
					// A cause about the server itself gets the route's answer, without Original-Packet-Code.
					expected.OriginalCode = cause != 502 && cause != 505 && cause != 506
				}
				req := requestOf(t, code, v11, ProtocolError)
				if got, ok := req.protocolErrorAnswer(cause); !ok || got != expected {
					t.Errorf("cause %d for %v, 1.1 %v, gives %+v, %v; expected %+v", cause, code, v11, got, ok, expected)
				}
			}
		}
	}
}

// In RADIUS/1.1 a proxy has two causes of its own (RFC 9765 §6.1).
// Rules: P96
func TestProxyCause(t *testing.T) {
	for cause, want := range map[uint32]uint32{402: 505, 403: 505, 406: 502, 407: 505, 502: 502, 505: 505, 506: 505} {
		if got := proxyCause(cause); got != want {
			t.Errorf("cause %d becomes %d in RADIUS/1.1, expected %d", cause, got, want)
		}
	}
}

// There is no negative answer to a packet that is not a request, to Status-Server, or if the
// policy is Silent, and none to accounting that could be mistaken for its server's.
// Rules: P71
func TestNegativeAnswer(t *testing.T) {
	for _, row := range []struct {
		code   radius.Code
		policy Unreachable
	}{{1, Silent}, {4, Silent}, {4, Reject}} {
		req := requestOf(t, row.code, false, row.policy)
		if got, ok := negativeAnswer(&req.view, row.policy, 505); ok {
			t.Errorf("%v, policy %d: the answer is %+v, expected none", row.code, row.policy, got)
		}
	}
	for _, code := range []radius.Code{2, 5, 12, 44} {
		for _, policy := range []Unreachable{Reject, Silent, ProtocolError} {
			for _, v11 := range []bool{false, true} {
				req := requestOf(t, code, v11, policy)
				if got, ok := negativeAnswer(&req.view, policy, 505); ok {
					t.Errorf("%v, policy %d, 1.1 %v: the answer is %+v, expected none", code, policy, v11, got)
				}
			}
		}
	}
}

// A server that did not reply may have acted, and a gateway that stops may be started again
// in time: then there is no answer to a request that must not be done twice.
// Rules: P94
func TestNoAnswerToAFailure(t *testing.T) {
	for _, row := range []struct {
		why  udpback.Failure
		code radius.Code
		v11  bool
		want bool
	}{
		{udpback.FailShutdown, 1, false, false},
		{udpback.FailShutdown, 1, true, true},
		{udpback.FailShutdown, 4, false, false},
		{udpback.FailShutdown, 4, true, true},
		{udpback.FailShutdown, 40, true, false},
		{udpback.FailShutdown, 43, false, false},
		{udpback.FailSilent, 1, false, true},
		{udpback.FailSilent, 4, true, true},
		{udpback.FailSilent, 40, false, false},
		{udpback.FailSilent, 43, true, false},
	} {
		req := requestOf(t, row.code, row.v11, ProtocolError)
		if got, ok := req.failureAnswer(row.why, 0); ok != row.want {
			t.Errorf("failure %d of %v, 1.1 %v: the answer is %+v, %v; expected one: %v", row.why, row.code, row.v11, got, ok, row.want)
		}
	}
}
