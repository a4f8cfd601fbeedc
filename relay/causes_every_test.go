package relay

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// situation is a reason why a request is not relayed to a server and back.
type situation struct {
	name, fate string
	kinds      []radius.Code // that it can happen to; nil: all four
	only11     bool
	attrs      func(code radius.Code) []attr
	arrange    func(b *bed)
	serve      func(s []byte) [][]byte
	end        func(b *bed, conn *Connection, q []byte) // instead of sending q
	wait       time.Duration

	cause, cause11, dynamic uint32      // the Error-Cause for Access and accounting, in 1.1, and for CoA and Disconnect; 0: no answer
	code                    radius.Code // what Access and accounting get whatever the policy; 0: as the policy says
}

var (
	dynamicCodes = []radius.Code{43, 40}
	accessCode   = []radius.Code{1}
)

// handOver ends a request like one that cannot be started.
func handOver(err error) func(b *bed, conn *Connection, q []byte) {
	return func(b *bed, conn *Connection, q []byte) {
		b.packets++
		work := conn.acquireBurst()
		conn.process(work)
		if err := conn.parse(&work.view, bytes.Clone(q)); err != nil {
			b.t.Fatal(err)
		}
		req := conn.newRequest(&work.view)
		req.route = &b.rules.Routes[0]
		if _, ok := conn.admit(work, req); !ok {
			b.t.Fatal("the request counts as a duplicate")
		}
		conn.track(req)
		conn.finish(req, conn.refuseUnstarted(work, req, err))
		conn.Flush()
	}
}

// accept answers a request with success.
func accept(s []byte, attrs ...attr) [][]byte {
	return [][]byte{respond(s, map[byte]radius.Code{1: 2, 4: 5, 40: 41, 43: 44}[s[0]], attrs...)}
}

// answerError answers a request with a Protocol-Error.
func answerError(cause uint32) func(s []byte) [][]byte {
	return func(s []byte) [][]byte {
		return [][]byte{respond(s, 52, mac, attr{241, []byte{4, 0, 0, 0, s[0]}}, integer(101, cause))}
	}
}

// chainOf returns a chain of rules for all kinds.
func chainOf(t testing.TB, list ...rules.Rule) *rules.Chain {
	t.Helper()
	var programs []*rules.Program
	for _, r := range list {
		for k := range r.Kinds {
			r.Kinds[k] = true
		}
		r.Name = "test"
		p, mistakes := rules.Compile(&r)
		if mistakes != nil {
			t.Fatal(mistakes)
		}
		programs = append(programs, p)
	}
	return rules.NewChain(programs...)
}

// known are the attributes of a request that has a route.
func known(radius.Code) []attr { return []attr{nemo} }

func situations() []situation {
	marker := NewMarker(MarkerKey{1}, []string{"a"})
	return []situation{
		{name: "kind that is not allowed", fate: "not_allowed", attrs: known, arrange: func(b *bed) { b.client.Allowed = [wire.NumKinds]bool{} }, cause: 406, cause11: 502, dynamic: 406},
		{name: "no route", fate: "no_route", attrs: func(radius.Code) []attr { return []attr{user("nemo@elsewhere.example")} }, cause: 502, cause11: 502, dynamic: 502},
		{name: "loop", fate: "loop", arrange: func(b *bed) { b.rules.Marker = marker }, cause: 502, cause11: 502, dynamic: 502,
			attrs: func(radius.Code) []attr {
				return []attr{nemo, {33, marker.append(nil, new(wire.View), udpback.ServerID("a"))}}
			}},
		{name: "no such NAS", fate: "no_nas", kinds: dynamicCodes, attrs: func(radius.Code) []attr { return []attr{nemo, text(32, "other")} },
			arrange: func(b *bed) { b.rules.Routes[0].NASes = NewNASes([]NAS{{Group: b.rules.Routes[0].Group}}, nil) }, dynamic: 403},
		{name: "old Event-Timestamp", fate: "stale_event_timestamp", kinds: dynamicCodes, attrs: func(radius.Code) []attr { return []attr{nemo, integer(55, 1)} },
			arrange: func(b *bed) { b.rules.Timestamps.Window = time.Minute }}, // no answer: RFC 5176 §6.3
		{name: "reverse path, drop", fate: "wrong_path", kinds: dynamicCodes, attrs: func(radius.Code) []attr { return []attr{user("n@elsewhere.example")} },
			arrange: func(b *bed) { b.client.ReversePath = ReversePathDrop }}, // no answer: RFC 5176 §6.1
		{name: "reverse path, nak", fate: "wrong_path", kinds: dynamicCodes, attrs: func(radius.Code) []attr { return []attr{user("n@elsewhere.example")} },
			arrange: func(b *bed) { b.client.ReversePath = ReversePathNAK }, dynamic: 502},
		{name: "impossible User-Password", fate: "bad_user_password", kinds: accessCode, attrs: func(radius.Code) []attr { return []attr{nemo, {2, make([]byte, 129)}} }, cause: 407, cause11: 505, code: 3},
		{name: "CHAP without its challenge", fate: "bad_user_password", kinds: accessCode, only11: true, attrs: func(radius.Code) []attr { return []attr{nemo, {3, make([]byte, 17)}} }, cause11: 505},
		{name: "refused by a rule", fate: "rule_rejected", kinds: []radius.Code{1, 43, 40}, attrs: known, cause: 407, cause11: 505, dynamic: 407, code: 3,
			arrange: func(b *bed) {
				b.client.Attributes.Request = chainOf(b.t, rules.Rule{Reject: []rules.Pattern{{Attribute: "User-Name", Pattern: "^nemo"}}})
			}},
		{name: "a rule leaves nothing of a value", fate: "rule_failed", kinds: []radius.Code{1, 43, 40}, attrs: known, cause: 407, cause11: 505, dynamic: 407, code: 3,
			arrange: func(b *bed) {
				b.client.Attributes.Request = chainOf(b.t, rules.Rule{Replace: []rules.Replacement{{Attribute: "User-Name", Pattern: "^.*$"}}})
			}},
		{name: "no Identifier", fate: "no_identifier", attrs: known, end: handOver(udpback.ErrNoIdentifier), cause: 505, cause11: 505, dynamic: 506},
		{name: "share used up", fate: "over_share", attrs: known, end: handOver(udpback.ErrQuota), cause: 505, cause11: 505, dynamic: 506},
		{name: "no socket", fate: "no_socket", attrs: known, end: handOver(udpback.ErrNoSocket), cause: 505, cause11: 505, dynamic: 505},
		{name: "source that cannot be used", fate: "no_source", attrs: known, end: handOver(udpback.ErrNoSource), cause: 505, cause11: 505, dynamic: 506},
		{name: "all servers in maintenance", fate: "maintenance", attrs: known, end: handOver(udpback.ErrMaintenance), cause: 505, cause11: 505, dynamic: 505},
		{name: "copy too long", fate: "too_long", attrs: known, end: handOver(wire.ErrTooLong), cause: 505, cause11: 505, dynamic: 505},
		{name: "silent server", fate: "server_silent", attrs: known, wait: time.Minute, cause: 505, cause11: 505},
		{name: "replies under another secret", fate: "server_unverified", attrs: known, wait: time.Minute, cause: 505, cause11: 505,
			serve: func(s []byte) [][]byte {
				reply := accept(s, mac)[0]
				reply[4] ^= 255
				return [][]byte{reply}
			}},
		{name: "nobody listens there", fate: "server_refused", kinds: dynamicCodes, attrs: known, serve: func([]byte) [][]byte { return [][]byte{nil} }, dynamic: 406},
		{name: "server has no route", fate: "protocol_error", attrs: known, serve: answerError(502), cause: 502, cause11: 502, dynamic: 502},
		{name: "server has trouble", fate: "protocol_error", attrs: known, serve: answerError(505), cause: 505, cause11: 505, dynamic: 505},
		{name: "server has no resources", fate: "protocol_error", attrs: known, serve: answerError(506), cause: 506, cause11: 505, dynamic: 506},
		{name: "server refuses the request", fate: "protocol_error", attrs: known, serve: answerError(404), cause: 404, cause11: 404, dynamic: 404, code: 52},
		{name: "reply grows beyond 4096 octets", fate: "reply_too_long", attrs: known, serve: func(s []byte) [][]byte { return accept(s, fill(200, 4096-20)...) }, cause: 505, cause11: 505},
		{name: "keys that do not decrypt", fate: "bad_reply_attributes", kinds: accessCode, attrs: known, cause: 505, cause11: 505,
			serve: func(s []byte) [][]byte {
				stream := md5.Sum(append(append([]byte(serverText), s[4:20]...), 0x80, 1))
				stream[0] ^= 255 // the length octet, once decrypted
				return accept(s, mac, vendor(311, append([]byte{16, 2 + 2 + 16, 0x80, 1}, stream[:]...)...))
			}},
		{name: "gateway stops", fate: "shutdown", attrs: known, cause11: 505, end: func(b *bed, conn *Connection, q []byte) {
			b.send(conn, q)
			b.server.Close()
		}},
		{name: "too many a second", fate: "rate_limited", only11: true, attrs: known, end: refuse(metrics.FateRateLimited), cause11: 505, dynamic: 506},
		{name: "too many outstanding", fate: "too_many_outstanding", only11: true, attrs: known, end: refuse(metrics.FateTooManyOutstanding), cause11: 505, dynamic: 506},
	}
}

// Each fate has a situation, or a reason why there is none.
func TestEveryFateHasASituation(t *testing.T) {
	elsewhere := map[metrics.Fate]string{
		metrics.FateRelayed:                     "not refused",
		metrics.FateStatusAnswered:              "not refused",
		metrics.FateAccountingAnswered:          "not refused",
		metrics.FateSpooled:                     "not refused",
		metrics.FateSpoolFailed:                 "accounting only: TestSessionThatCannotBeStored",
		metrics.FateDuplicateDropped:            "the first transmission gets the answer",
		metrics.FateDuplicateAnswered:           "not refused",
		metrics.FateBadLength:                   "ends the connection",
		metrics.FateBadAttributes:               "ends the connection",
		metrics.FateBadRequestAuthenticator:     "ends the connection",
		metrics.FateBadMessageAuthenticator:     "ends the connection",
		metrics.FateMissingMessageAuthenticator: "ends the connection",
		metrics.FateTokenReused:                 "ends the connection",
		metrics.FateUnknownCode:                 "of no kind: TestRefusals",
		metrics.FateUnexpectedReply:             "of no kind: TestRefusals",
		metrics.FateSuperseded:                  "the client no longer waits for an answer",
		metrics.FateClientGone:                  "nobody is left to get an answer",
		metrics.FateClientNotReading:            "the answer could not be sent",
		metrics.FateRealmNotAllowed:             "TestRealmNotAllowed",
		metrics.FateReverseAnswer:               "an answer",
		metrics.FateLateAnswer:                  "an answer",
		metrics.FateBadResponseAuthenticator:    "an answer, which ends the connection",
		metrics.FateUnknownSender:               "by UDP: package dynauth",
		metrics.FateNASMismatch:                 "by UDP: package dynauth",
		metrics.FateNASSilent:                   "by UDP: package dynauth",
	}
	for fate := range metrics.NumFates {
		tried := slices.ContainsFunc(situations(), func(s situation) bool { return s.fate == fate.String() })
		if _, excused := elsewhere[fate]; tried == excused {
			t.Errorf("fate %v: expected a situation or a reason why there is none, got both or neither", fate)
		}
	}
}

// want is what a request of a kind gets in a situation.
func (s *situation) want(code radius.Code, v11 bool, policy Unreachable) expectation {
	switch {
	case code == 43 && s.dynamic != 0:
		return expectation{45, s.dynamic}
	case code == 40 && s.dynamic != 0:
		return expectation{42, s.dynamic}
	case code == 43, code == 40:
		return expectation{}
	case v11 && s.cause11 != 0:
		return expectation{52, s.cause11}
	case v11 || s.cause == 0:
		return expectation{}
	case s.code != 0:
		return expectation{s.code, s.cause}
	case policy == ProtocolError:
		return expectation{52, s.cause}
	case policy == Reject && code == 1:
		return expectation{3, s.cause}
	}
	return expectation{}
}

// Every fate of a request that is refused or lost, for each kind, policy and version of
// RADIUS: what the client gets. In RADIUS/1.1 Access and accounting get a Protocol-Error
// whatever the policy, with 502 or 505, or with the server's cause if the server itself
// refused (RFC 9765 §6.1); accounting never gets an Accounting-Response (RFC 2866 §2).
// Rules: P34, P71, P96, P97, C1, C6
func TestEveryRefusal(t *testing.T) {
	everyRefusal(t, 1)
	everyRefusal(t, 4)
}

// CoA and Disconnect get a NAK, whatever the policy, but no answer if RFC 5176 §6.1 and §6.3
// require that, or if the NAS may have acted.
// Rules: P34, P91, P93, P94, P97, C1
func TestEveryRefusalOfCoA(t *testing.T) { everyRefusal(t, 43) }

// Rules: P34, P91, P93, P94, P97, C1
func TestEveryRefusalOfDisconnect(t *testing.T) { everyRefusal(t, 40) }

// everyRefusal tests a kind in all situations that it can be in.
func everyRefusal(t *testing.T, code radius.Code) {
	for _, s := range situations() {
		if s.kinds != nil && !slices.Contains(s.kinds, code) {
			continue
		}
		for _, policy := range []Unreachable{Reject, Silent, ProtocolError} {
			for _, v11 := range []bool{false, true} {
				if s.only11 && !v11 {
					continue
				}
				name := fmt.Sprintf("%s/%v, policy %d, 1.1 %v", s.name, code, policy, v11)
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { s.run(t, code, policy, v11) })
				})
			}
		}
	}
}

func (s *situation) run(t *testing.T, code radius.Code, policy Unreachable, v11 bool) {
	b := newBed(t, settings{policy: strict, onUnreachable: policy, onUnroutable: policy})
	if s.arrange != nil {
		s.arrange(b)
	}
	b.net.setServe(s.serve)
	attrs := append(s.attrs(code), proxyState("one"))
	var conn *Connection
	var p *peer
	var q []byte
	if v11 {
		conn, p = b.open11()
		q = makeRequest11(code, 7, attrs...)
	} else {
		conn, p = b.open()
		q = makeRequest(code, 7, 1, attrs...)
	}
	if s.end != nil {
		s.end(b, conn, q)
	} else if err := b.send(conn, q); err != nil {
		t.Fatalf("the connection must be closed: %v", err)
	}
	pass(s.wait)
	want := s.want(code, v11, policy)
	if v11 {
		checkOwn11(t, q, p.got(), want)
	} else {
		checkOwn(t, q, p.got(), want)
	}
	b.wantFates(fmt.Sprintf("%v/%s=1", wire.KindOf(code), s.fate))
	if n := conn.Outstanding(); n != 0 {
		t.Errorf("%d requests count as outstanding, expected none", n)
	}
}
