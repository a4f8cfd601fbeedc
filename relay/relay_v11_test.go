package relay

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"

	"radsec-gw/wire"
)

// request11 makes a client's request of RADIUS/1.1. The reserved octets are not zero, which
// must be ignored (RFC 9765 §4.1).
func makeRequest11(code radius.Code, token uint32, attrs ...attr) []byte {
	b := assemble(code, 0xee, bytes.Repeat([]byte{0xee}, 16), attrs)
	binary.BigEndian.PutUint32(b[4:], token)
	return b
}

// open11 opens a connection that speaks RADIUS/1.1.
func (b *bed) open11() (*Connection, *peer) {
	conn, p := b.open()
	p.v11, conn.v11 = true, true
	return conn, p
}

// checkAnswer11 fails the test unless the answer to q is one of RADIUS/1.1: with q's Token, all
// reserved octets zero, exactly q's Proxy-State, and no attribute that must not be sent in
// RADIUS/1.1 (RFC 9765 §4.1, §5).
func checkAnswer11(t *testing.T, q, answer []byte, code radius.Code) {
	t.Helper()
	head := make([]byte, 20)
	head[0] = byte(code)
	binary.BigEndian.PutUint16(head[2:], uint16(len(answer)))
	copy(head[4:8], q[4:8])
	if !bytes.Equal(answer[:20], head) {
		t.Fatalf("the answer begins % x, expected % x", answer[:20], head)
	}
	if len(values(answer, 80)) != 0 {
		t.Error("the answer has a Message-Authenticator")
	}
	if got, want := joined(answer, 33), joined(q, 33); got != want {
		t.Errorf("the answer has Proxy-State %q, expected %q", got, want)
	}
}

// checkOwn11 does the same for an answer of the gateway's own.
func checkOwn11(t *testing.T, q []byte, got [][]byte, want expectation) {
	t.Helper()
	if want.code == 0 {
		none(t, "the client got", got)
		return
	}
	a := one(t, "the client got", got)
	checkAnswer11(t, q, a, want.code)
	if causeOf(a) != want.cause {
		t.Errorf("Error-Cause %d, expected %d", causeOf(a), want.cause)
	}
	if len(values(a, 241)) != 0 {
		t.Error("the answer has an Original-Packet-Code")
	}
}

// The password is sent in clear to the gateway and hidden to the server; the server's keys
// arrive hidden and are sent to the client in clear.
// Rules: P14, P30, P32, P46, P122, P123, P125, P126, P127, P129, P131
func TestPAPThereAndBack11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: wire.RequestPolicy{RequireMA: true, RequireEAPMA: true, VerifyRA: true}})
		conn, p := b.open11()
		q := makeRequest11(1, 0xfffffffe, nemo, text(2, "hello-Password"), proxyState("first"),
			text(25, "class"), attr{80, make([]byte, 16)}, proxyState("second"), text(200, "unknown\x00type"), attr{241, []byte{4, 0, 0, 0, 1}},
			attr{69, []byte("\x05tunnel-in")})
		b.net.setServe(func(s []byte) [][]byte {
			r := checkRequest(t, s)
			if got := rfc2865.UserPassword_GetString(r); got != "hello-Password" {
				t.Errorf("the server reads the password %q", got)
			}
			if tag, got, err := rfc2868.TunnelPassword_LookupString(r, r); tag != 5 || got != "tunnel-in" || err != nil {
				t.Errorf("the server reads Tunnel-Password %d %q, %v", tag, got, err)
			}
			if joined(s, 200) != "unknown\x00type" || joined(s, 25) != "class" || len(values(s, 241)) != 0 {
				t.Error("an attribute was changed, or Original-Packet-Code was passed on")
			}
			return [][]byte{respond(s, 2, accepting(r, mac, text(25, "server's class"), proxyState("the server's own"), text(1, "nemo"))...)}
		})
		if err := b.send(conn, q); err != nil {
			t.Fatal(err)
		}
		a := one(t, "the client got", p.got())
		checkAnswer11(t, q, a, 2)
		if got := joined(a, 25) + joined(a, 1); got != "server's classnemo" {
			t.Errorf("Class and User-Name are %q in the answer", got)
		}
		if got := joined(a, 26); got != "\x00\x00\x01\x37\x10\x0asend-key" {
			t.Errorf("the client reads MS-MPPE-Send-Key %q", got)
		}
		if got := joined(a, 69); got != "\x01tunnel" {
			t.Errorf("the client reads Tunnel-Password %q", got)
		}
		b.wantFates("access/relayed=1")
	})
}

// RADIUS/1.1 has no Request Authenticator for CHAP to answer (RFC 9765 §5.1.2).
// Rules: P44, P128, P131
func TestCHAP11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		chap := attr{3, bytes.Repeat([]byte{9}, 17)}
		b.net.setServe(func(s []byte) [][]byte {
			checkRequest(t, s)
			if joined(s, 3) != string(chap.v) || joined(s, 60) != "its own" {
				t.Error("CHAP-Password or CHAP-Challenge was changed")
			}
			return [][]byte{respond(s, 3, mac, text(18, "no"))}
		})
		q := makeRequest11(1, 1, nemo, chap, text(60, "its own"))
		b.send(conn, q)
		checkAnswer11(t, q, one(t, "the client got", p.got()), 3)
		for i, credentials := range []attr{chap, {70, make([]byte, 16)}} {
			q = makeRequest11(1, uint32(2+i), nemo, credentials, proxyState("mine"))
			b.send(conn, q)
			checkOwn11(t, q, p.got(), expectation{52, 505})
		}
		if n := len(b.net.seen()); n != 1 {
			t.Errorf("the server got %d requests, expected the first only", n)
		}
		b.wantFates("access/bad_user_password=2 access/relayed=1")
	})
}

// EAP and State are relayed unchanged; the client needs no Message-Authenticator, and the
// server gets one.
// Rules: P11, P44, P48, P125, P131
func TestEAP11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		q := makeRequest11(1, 7, nemo, eap(longEAP...), eap(), eap(5), text(24, "round one"))
		checkAnswer11(t, q, relayEAP(t, b, conn, p, q), 11)
	})
}

// Accounting, CoA and Disconnect have no authenticator from the client, and get a computed
// Request Authenticator for the server. A NAS may require a Message-Authenticator, which the
// client cannot send (RFC 9765 §5.2), so CoA and Disconnect get one. Status-Server is answered
// here.
// Rules: P18, P30, P52, P85, P92, P122, P129, P131
func TestOtherKinds11(t *testing.T) {
	for _, row := range []struct {
		name          string
		request       radius.Code
		reply         radius.Code
		port, counted string
	}{
		{"accounting", 4, 5, "a:1813", "accounting/relayed=1 status/status_answered=1"},
		{"CoA", 43, 44, "a:3799", "coa/relayed=1 status/status_answered=1"},
		{"CoA refused by the NAS", 43, 45, "a:3799", "coa/relayed=1 status/status_answered=1"},
		{"Disconnect", 40, 41, "a:3799", "disconnect/relayed=1 status/status_answered=1"},
		{"Disconnect refused by the NAS", 40, 42, "a:3799", "disconnect/relayed=1 status/status_answered=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				conn, p := b.open11()
				b.net.setServe(func(s []byte) [][]byte {
					checkRequest(t, s)
					if first, want := s[20] == 80, row.request != 4; first != want || len(values(s, 80)) > 1 {
						t.Errorf("a Message-Authenticator is first: %t, expected %t", first, want)
					}
					return [][]byte{respond(s, row.reply, integer(101, 507), mac, text(200, "x"))}
				})
				q := makeRequest11(row.request, 5, nemo, proxyState("x"), text(126, "1example.org"), integer(41, 9), attr{80, make([]byte, 3)}, proxyState("y"))
				b.send(conn, q)
				if seen := b.net.seen(); len(seen) != 1 || seen[0].address != row.port || joined(seen[0].octets, 41) != "\x00\x00\x00\x09" {
					t.Fatalf("expected one datagram to %s, got %v", row.port, seen)
				}
				a := one(t, "the client got", p.got())
				checkAnswer11(t, q, a, row.reply)
				if causeOf(a) != 507 || joined(a, 200) != "x" {
					t.Errorf("the client reads Error-Cause %d, expected the server's 507", causeOf(a))
				}
				q = makeRequest11(12, 5, proxyState("s"))
				b.send(conn, q)
				checkOwn11(t, q, p.got(), expectation{2, 0})
				b.wantFates(row.counted)
			})
		})
	}
}

// A CoA or Disconnect that would be too long with its Message-Authenticator is refused.
// Rules: P15, P34, P129
func TestMessageAuthenticatorThatDoesNotFit11(t *testing.T) {
	for code, nak := range map[radius.Code]radius.Code{43: 45, 40: 42} {
		for left, want := range map[int]expectation{18: {}, 17: {nak, 505}, 0: {nak, 505}} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a"})
				conn, p := b.open11()
				q := makeRequest11(code, 1, append(fill(200, 4096-20-18-left), nemo)...)
				if len(q) != 4096-left {
					t.Fatalf("the request has %d octets", len(q))
				}
				b.send(conn, q)
				checkOwn11(t, q, p.got(), want)
				if want.code != 0 {
					b.wantFates(wire.KindOf(code).String() + "/too_long=1")
				} else if s := b.oneSeen(); len(s) != 4096 || s[20] != 80 {
					t.Errorf("the server got %d octets that begin with attribute %d, expected 4096 and Message-Authenticator", len(s), s[20])
				} else {
					checkRequest(t, s)
				}
			})
		}
	}
}

// notServedRow is a request of RADIUS/1.1 that cannot be served, and its answer.
type notServedRow struct {
	name    string
	code    radius.Code
	attrs   []attr
	allowed []wire.Kind
	serve   func(s []byte) [][]byte
	want    expectation
	fates   string
}

var (
	allKinds = []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
	lost     = user("nemo@nowhere.example") // has no route
	// growing are attributes that take more than 4096 octets for the server.
	growing = append(slices.Repeat([]attr{{200, make([]byte, 253)}}, 15), attr{200, make([]byte, 200)}, attr{69, []byte("\x01x")})
)

// withError answers a request with a Protocol-Error that has these attributes.
func withError(attrs ...attr) func(s []byte) [][]byte {
	return func(s []byte) [][]byte { return [][]byte{respond(s, 52, append([]attr{mac}, attrs...)...)} }
}

var notServedRows = []notServedRow{
	{"access, no route", 1, []attr{lost}, allKinds, nil, expectation{52, 502}, "access/no_route=1"},
	{"accounting, no route", 4, []attr{lost}, allKinds, nil, expectation{52, 502}, "accounting/no_route=1"},
	{"CoA, no route", 43, []attr{lost}, allKinds, nil, expectation{45, 502}, "coa/no_route=1"},
	{"Disconnect, no route", 40, []attr{lost}, allKinds, nil, expectation{42, 502}, "disconnect/no_route=1"},
	{"access, not allowed", 1, []attr{nemo}, []wire.Kind{}, nil, expectation{52, 502}, "access/not_allowed=1"},
	{"accounting, not allowed", 4, []attr{nemo}, []wire.Kind{}, nil, expectation{52, 502}, "accounting/not_allowed=1"},
	{"CoA, not allowed", 43, []attr{nemo}, []wire.Kind{}, nil, expectation{45, 406}, "coa/not_allowed=1"},
	{"access, silent", 1, []attr{nemo}, allKinds, nil, expectation{52, 505}, "access/server_silent=1"},
	{"accounting, silent", 4, []attr{nemo}, allKinds, nil, expectation{52, 505}, "accounting/server_silent=1"},
	{"CoA, silent", 43, []attr{nemo}, allKinds, nil, expectation{}, "coa/server_silent=1"},
	{"access, outgrows", 1, append(growing, nemo), allKinds, nil, expectation{52, 505}, "access/too_long=1"},
	{"access, value too long", 1, []attr{nemo, {69, make([]byte, 241)}}, allKinds, nil, expectation{52, 505}, "access/too_long=1"},
	{"access, password too long", 1, []attr{nemo, {2, make([]byte, 129)}}, allKinds, nil, expectation{52, 505}, "access/bad_user_password=1"},
	{"access, keys that do not open", 1, []attr{nemo}, allKinds,
		func(s []byte) [][]byte {
			return [][]byte{respond(s, 2, mac, attr{69, append([]byte{1}, foreign(s)...)})}
		}, expectation{52, 505}, "access/bad_reply_attributes=1"},
	{"access, the server's cause", 1, []attr{nemo}, allKinds, withError(attr{241, []byte{4, 0, 0, 0, 1}}, integer(101, 601)), expectation{52, 601}, "access/protocol_error=1"},
	{"accounting, a cause that says success", 4, []attr{nemo}, allKinds, withError(attr{241, []byte{4, 0, 0, 0, 4}}, integer(101, 201)), expectation{52, 201}, "accounting/protocol_error=1"},
	{"accounting, no cause", 4, []attr{nemo}, allKinds, withError(attr{241, []byte{4, 0, 0, 0, 4}}), expectation{52, 0}, "accounting/protocol_error=1"},
}

// If a request cannot be served, Access and accounting get a Protocol-Error whatever the route
// says, CoA and Disconnect a NAK, or no answer if the server may have acted (RFC 9765 §6.1,
// RFC 5176 §3.5).
// Rules: P15, P34, P71, P94, P96, P97
func TestNotServed11(t *testing.T) {
	for _, row := range notServedRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, allowed: row.allowed, onUnreachable: Silent, onUnroutable: Reject})
				conn, p := b.open11()
				b.net.setServe(row.serve)
				q := makeRequest11(row.code, 99, append([]attr{proxyState("a")}, append(row.attrs, proxyState("b"))...)...)
				if len(row.attrs) > 10 { // no space for them
					q = makeRequest11(row.code, 99, row.attrs...)
				}
				if err := b.send(conn, q); err != nil {
					t.Fatal(err)
				}
				pass(time.Minute)
				checkOwn11(t, q, p.got(), row.want)
				b.wantFates(row.fates)
			})
		})
	}
}

// Only a malformed packet closes a connection of RADIUS/1.1.
// Rules: P5, P6, P125
func TestRefusals11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		for _, q := range [][]byte{
			makeRequest11(2, 1), makeRequest11(99, 2), // no requests
			makeRequest11(12, 3, attr{80, make([]byte, 3)}, attr{80, nil}),
		} {
			if err := b.send(conn, q); err != nil {
				t.Fatal(err)
			}
		}
		one(t, "the client got", p.got())
		broken := makeRequest11(1, 4, nemo)
		broken[21] = 1
		if err := b.send(conn, broken); err == nil {
			t.Error("an attribute of length 1 does not close the connection")
		}
		b.wantFates("other/bad_attributes=1 other/unexpected_reply=1 other/unknown_code=1 status/status_answered=1")
	})
}
