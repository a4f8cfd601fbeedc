package relay

import (
	"bytes"
	"crypto/md5"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// expectation is the gateway's own answer to a request; with code 0 there is none.
type expectation struct {
	code  radius.Code
	cause uint32
}

// checkOwn fails the test unless the client got just the answer expected.
func checkOwn(t *testing.T, q []byte, got [][]byte, want expectation) {
	t.Helper()
	if want.code == 0 {
		none(t, "the client got", got)
		return
	}
	a := one(t, "the client got", got)
	checkAnswer(t, q, a, want.code)
	if causeOf(a) != want.cause {
		t.Errorf("Error-Cause %d, expected %d", causeOf(a), want.cause)
	}
	original := values(a, 241)
	if want.code != wire.CodeProtocolError {
		if len(original) != 0 {
			t.Error("Original-Packet-Code in an answer that is not a Protocol-Error")
		}
	} else if len(original) != 1 || !bytes.Equal(original[0], []byte{4, 0, 0, 0, q[0]}) {
		t.Errorf("Original-Packet-Code is %x, expected 241.4 with the request's code in four octets", original)
	}
}

// A server that never replies: Access and accounting are answered as the route says, but
// never with an Accounting-Response (RFC 2866 §2). CoA and Disconnect get no answer, because
// the server may have acted (RFC 5176 §3.5).
// Rules: P34, P55, P56, P70, P71, P94, P96, C6, C9
func TestServerSilent(t *testing.T) {
	rows := []struct {
		name   string
		code   radius.Code
		policy Unreachable
		want   expectation
		fates  string
	}{
		{"access, reject", 1, Reject, expectation{3, 505}, "access/server_silent=1"},
		{"access, silent", 1, Silent, expectation{}, "access/server_silent=1"},
		{"access, protocol-error", 1, ProtocolError, expectation{52, 505}, "access/server_silent=1"},
		{"accounting, reject", 4, Reject, expectation{}, "accounting/server_silent=1"},
		{"accounting, silent", 4, Silent, expectation{}, "accounting/server_silent=1"},
		{"accounting, protocol-error", 4, ProtocolError, expectation{52, 505}, "accounting/server_silent=1"},
		{"CoA", 43, Reject, expectation{}, "coa/server_silent=1"},
		{"Disconnect", 40, ProtocolError, expectation{}, "disconnect/server_silent=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnreachable: row.policy})
				conn, p := b.open()
				q := makeRequest(row.code, 9, 1, nemo, proxyState("one"), proxyState("two"))
				b.send(conn, q)
				pass(29 * time.Second)
				none(t, "before the end of the schedule the client got", p.got())
				pass(2 * time.Second)
				checkOwn(t, q, p.got(), row.want)
				// At 0, 2, 6 and 14 s; one more at 30 s when jitter brings it forward.
				if n := len(b.net.seen()); n != 4 && n != 5 {
					t.Errorf("the server got %d transmissions, expected 4 or 5", n)
				}
				b.wantFates(row.fates)
			})
		})
	}
}

// Rules: P34, P87, P96, P143
func TestNoRoute(t *testing.T) {
	rows := []struct {
		name   string
		code   radius.Code
		policy Unreachable
		attrs  []attr
		want   expectation
		fates  string
	}{
		{"access, reject", 1, Reject, []attr{user("nemo@elsewhere.example")}, expectation{3, 502}, "access/no_route=1"},
		{"access without a realm", 1, Reject, []attr{user("nemo")}, expectation{3, 502}, "access/no_route=1"},
		{"access, silent", 1, Silent, []attr{user("nemo@elsewhere.example")}, expectation{}, "access/no_route=1"},
		{"access, protocol-error", 1, ProtocolError, []attr{user("nemo@elsewhere.example")}, expectation{52, 502}, "access/no_route=1"},
		{"accounting, protocol-error", 4, ProtocolError, []attr{user("nemo@elsewhere.example")}, expectation{52, 502}, "accounting/no_route=1"},
		{"accounting, reject", 4, Reject, []attr{user("nemo@elsewhere.example")}, expectation{}, "accounting/no_route=1"},
		{"accounting, silent", 4, Silent, []attr{user("nemo@elsewhere.example")}, expectation{}, "accounting/no_route=1"},
		{"Accounting-On without User-Name", 4, Reject, []attr{integer(40, 7)}, expectation{}, "accounting/no_route=1"},
		{"CoA to an unknown operator", 43, Silent, []attr{nemo, text(126, "1elsewhere.example")}, expectation{45, 502}, "coa/no_route=1"},
		{"CoA to an operator that is not a realm", 43, Silent, []attr{text(126, "0TADIG")}, expectation{45, 502}, "coa/no_route=1"},
		{"Disconnect", 40, Silent, []attr{user("nemo@elsewhere.example")}, expectation{42, 502}, "disconnect/no_route=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnroutable: row.policy})
				conn, p := b.open()
				q := makeRequest(row.code, 9, 1, append(row.attrs, proxyState("one"), mac, proxyState("two"))...)
				if err := b.send(conn, q); err != nil {
					t.Errorf("the connection must be closed: %v", err)
				}
				checkOwn(t, q, p.got(), row.want)
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the server got %d datagrams, expected none", n)
				}
				b.wantFates(row.fates)
			})
		})
	}
}

// Rules: P34, P70, P71, P74, P93, P96, C1
func TestNotAllowed(t *testing.T) {
	rows := []struct {
		name   string
		code   radius.Code
		policy Unreachable
		want   expectation
		fates  string
	}{
		{"access, reject", 1, Reject, expectation{3, 406}, "access/not_allowed=1"},
		{"access, protocol-error", 1, ProtocolError, expectation{52, 406}, "access/not_allowed=1"},
		{"access, silent", 1, Silent, expectation{}, "access/not_allowed=1"},
		{"accounting, reject", 4, Reject, expectation{}, "accounting/not_allowed=1"},
		{"accounting, silent", 4, Silent, expectation{}, "accounting/not_allowed=1"},
		{"accounting, protocol-error", 4, ProtocolError, expectation{52, 406}, "accounting/not_allowed=1"},
		{"CoA", 43, Silent, expectation{45, 406}, "coa/not_allowed=1"},
		{"Disconnect", 40, Silent, expectation{42, 406}, "disconnect/not_allowed=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnroutable: row.policy, allowed: []wire.Kind{}})
				conn, p := b.open()
				q := makeRequest(row.code, 9, 1, nemo, proxyState("one"))
				b.send(conn, q)
				checkOwn(t, q, p.got(), row.want)
				b.wantFates(row.fates)
			})
		})
	}
}

// A client that has realms sends requests of these only.
//
// Rules: P34, P71, P74, P93, P96, TR8
func TestRealmNotAllowed(t *testing.T) {
	rows := []struct {
		name   string
		code   radius.Code
		policy Unreachable
		attrs  []attr
		want   expectation
		fates  string
	}{
		{"access, reject", 1, Reject, []attr{nemo}, expectation{3, 502}, "access/realm_not_allowed=1"},
		{"access, protocol-error", 1, ProtocolError, []attr{nemo}, expectation{52, 502}, "access/realm_not_allowed=1"},
		{"access, silent", 1, Silent, []attr{nemo}, expectation{}, "access/realm_not_allowed=1"},
		{"access without realm", 1, Reject, []attr{user("nemo")}, expectation{3, 502}, "access/realm_not_allowed=1"},
		{"accounting", 4, Reject, []attr{nemo}, expectation{}, "accounting/realm_not_allowed=1"},
		{"accounting of no user", 4, Reject, []attr{integer(40, 1)}, expectation{}, "accounting/realm_not_allowed=1"},
		{"Accounting-On, which may pass, and has no route", 4, Reject, []attr{integer(40, 7)}, expectation{}, "accounting/no_route=1"},
		{"CoA", 43, Silent, []attr{user("nemo@campus.example"), text(126, "1example.org")}, expectation{45, 502}, "coa/realm_not_allowed=1"},
		{"Disconnect", 40, Silent, []attr{user("nemo@campus.example"), text(126, "1example.org")}, expectation{42, 502}, "disconnect/realm_not_allowed=1"},
		{"a realm that it may send, and that has no route", 1, Reject, []attr{user("nemo@campus.example")}, expectation{3, 502}, "access/no_route=1"},
		{"Status-Server", 12, Reject, nil, expectation{2, 0}, "status/status_answered=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				filter, err := routing.NewFilter([]string{"campus.example"}, nil, routing.Options{})
				if err != nil {
					t.Fatal(err)
				}
				b := newBed(t, settings{policy: strict, onUnroutable: row.policy})
				b.client.Realms = filter
				conn, p := b.open()
				q := makeRequest(row.code, 9, 1, append(row.attrs, mac)...)
				b.send(conn, q)
				checkOwn(t, q, p.got(), row.want)
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the server got %d datagrams, expected none", n)
				}
				b.wantFates(row.fates)
			})
		})
	}
}

// An EAP peer understands only EAP: the Access-Reject has an EAP-Failure with the Identifier
// that it expects (RFC 3579 §2.6.3, RFC 3748 §4.2).
// Rules: P34, P48, P69
func TestRejectOfEAPHoldsEAPFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnroutable: Reject})
		conn, p := b.open()
		q := makeRequest(1, 9, 1, user("nemo@elsewhere.example"), eap(2, 77, 0, 5, 1), mac, proxyState("one"))
		b.send(conn, q)
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 3)
		if got := joined(a, 79); got != "\x04\x4d\x00\x04" {
			t.Errorf("EAP-Message %x, expected EAP-Failure with Identifier 77", got)
		}
		b.wantFates("access/no_route=1")
	})
}

// A server's Protocol-Error is not passed on unchanged, only its Error-Cause. It ends the
// schedule.
// Rules: P34, P64, P93, P96, P97, P98
func TestProtocolErrorFromTheServer(t *testing.T) {
	rows := []struct {
		name   string
		code   radius.Code
		policy Unreachable
		cause  uint32
		want   expectation
		fates  string
	}{
		{"access, reject", 1, Reject, 502, expectation{3, 502}, "access/protocol_error=1"},
		{"access, protocol-error", 1, ProtocolError, 506, expectation{52, 506}, "access/protocol_error=1"},
		{"access, reject, no resources", 1, Reject, 506, expectation{3, 506}, "access/protocol_error=1"},
		{"access, silent, no resources", 1, Silent, 506, expectation{}, "access/protocol_error=1"},
		{"access, reject, a cause that is not about the way", 1, Reject, 405, expectation{52, 405}, "access/protocol_error=1"},
		{"access, silent, a cause that is not about the way", 1, Silent, 404, expectation{52, 404}, "access/protocol_error=1"},
		{"accounting, a cause that is not about the way", 4, Reject, 405, expectation{52, 405}, "accounting/protocol_error=1"},
		{"access, silent", 1, Silent, 502, expectation{}, "access/protocol_error=1"},
		{"access, a cause that says success", 1, ProtocolError, 201, expectation{52, 201}, "access/protocol_error=1"},
		{"access, a reply that is too big", 1, Reject, 601, expectation{52, 601}, "access/protocol_error=1"},
		{"accounting, a cause of times to come", 4, Silent, 700, expectation{52, 700}, "accounting/protocol_error=1"},
		{"access, no cause", 1, Reject, 0, expectation{52, 505}, "access/protocol_error=1"},
		{"CoA, a cause that no NAK may carry", 43, Silent, 601, expectation{45, 505}, "coa/protocol_error=1"},
		{"Disconnect, a cause that says success", 40, Silent, 201, expectation{42, 505}, "disconnect/protocol_error=1"},
		{"accounting, protocol-error", 4, ProtocolError, 502, expectation{52, 502}, "accounting/protocol_error=1"},
		{"accounting, reject", 4, Reject, 505, expectation{}, "accounting/protocol_error=1"},
		{"accounting, protocol-error, no resources", 4, ProtocolError, 506, expectation{52, 506}, "accounting/protocol_error=1"},
		{"CoA", 43, Silent, 406, expectation{45, 406}, "coa/protocol_error=1"},
		{"Disconnect", 40, Silent, 503, expectation{42, 503}, "disconnect/protocol_error=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnreachable: row.policy})
				conn, p := b.open()
				b.net.setServe(func(s []byte) [][]byte {
					return [][]byte{respond(s, wire.CodeProtocolError, mac, integer(101, row.cause), attr{241, []byte{4, 0, 0, 0, s[0]}}, proxyState("the server's"))}
				})
				q := makeRequest(row.code, 9, 1, nemo, proxyState("one"))
				b.send(conn, q)
				checkOwn(t, q, p.got(), row.want)
				b.oneSeen()
				pass(time.Minute)
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the server got %d resends, expected the schedule ended", n)
				}
				b.wantFates(row.fates)
				b.wantResults("protocol_error=1")
			})
		})
	}
}

// Rules: P15, P26, P27, P95, P100
func TestNoIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, server: udpback.ServerConfig{MaxSockets: 1}})
		l1, p1 := b.open()
		for i := range 256 {
			b.put(l1, makeRequest(1, byte(i), i, nemo, text(24, "state")))
			b.put(l1, makeRequest(4, byte(i), 0, nemo, integer(55, uint32(i))))
			b.put(l1, makeRequest(43, byte(i), 0, nemo, integer(55, uint32(i))))
		}
		l1.Flush()
		synctest.Wait()
		none(t, "the client got", p1.got())
		if n := len(b.net.seen()); n != 768 {
			t.Errorf("the server got %d datagrams, expected 256 on each port", n)
		}
		l2, p2 := b.open()
		for _, row := range []struct {
			code radius.Code
			want expectation
		}{{1, expectation{3, 505}}, {4, expectation{}}, {43, expectation{45, 506}}, {40, expectation{42, 506}}} {
			q := makeRequest(row.code, 9, 1, nemo, proxyState("one"))
			b.send(l2, q)
			checkOwn(t, q, p2.got(), row.want)
		}
		b.wantFates("access/no_identifier=1 accounting/no_identifier=1 coa/no_identifier=1 disconnect/no_identifier=1")
	})
}

// A User-Password whose length is impossible: the request is rejected, whatever the route's
// policy, or the attribute is omitted if there is EAP (RFC 3579 §3.3).
// Rules: P17, P34, P35
func TestImpossibleUserPassword(t *testing.T) {
	for _, length := range []int{0, 1, 15, 17, 129, 144, 253} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict, onUnreachable: Silent})
			conn, p := b.open()
			b.net.setServe(func(s []byte) [][]byte {
				checkRequest(t, s)
				if len(values(s, 2)) != 0 {
					t.Error("the server sees the User-Password")
				}
				return [][]byte{respond(s, 11, mac, eap(1))}
			})
			noise := attr{2, bytes.Repeat([]byte{'x'}, length)}
			q := makeRequest(1, 9, 1, nemo, noise, proxyState("one"))
			b.send(conn, q)
			checkOwn(t, q, p.got(), expectation{3, 407})
			b.wantFates("access/bad_user_password=1")
			q = makeRequest(1, 10, 1, nemo, noise, eap(2, 1, 0, 4), mac)
			b.send(conn, q)
			checkAnswer(t, q, one(t, "the client got", p.got()), 11)
			b.wantFates("access/bad_user_password=1 access/relayed=1")
		})
	}
}

// An Access-Accept without its keys must not reach the client (RFC 2865 §5).
// Rules: P40, P69
func TestAcceptWhoseKeysDoNotDecrypt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte {
			// One block whose length octet, once decrypted, says 255.
			stream := md5.Sum(append(append([]byte(serverText), s[4:20]...), 0x80, 1))
			stream[0] ^= 255
			key := append([]byte{16, 2 + 2 + 16, 0x80, 1}, stream[:]...)
			return [][]byte{respond(s, 2, mac, vendor(311, key...))}
		})
		q := makeRequest(1, 9, 1, nemo, proxyState("one"))
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{3, 505})
		b.wantFates("access/bad_reply_attributes=1")
		b.wantResults("accepted=1")
	})
}
