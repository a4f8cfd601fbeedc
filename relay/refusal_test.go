package relay

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// refusalRow is a packet that is not relayed, and whether it closes the connection.
type refusalRow struct {
	name   string
	policy wire.RequestPolicy
	packet []byte
	err    error // nil: the connection stays open
	fates  string
}

// spoilt returns a packet with one octet changed.
func spoilt(at int, p []byte) []byte { p[at] ^= 0x40; return p }

var (
	shortMAC  = attr{80, make([]byte, 15)}
	requireMA = wire.RequestPolicy{RequireMA: true, RequireEAPMA: true, VerifyRA: true}
)

// refusalRows has each reason.
var refusalRows = []refusalRow{
	{"Length of 21 in 20 octets", strict, []byte{1, 0, 0, 21, 19: 0}, wire.ErrLength, "other/bad_length=1"},
	{"attribute of length 0", strict, assemble(1, 0, nil, []attr{})[:20:20], nil, "access/no_route=1"},
	{"attribute of length 1", strict, []byte{1, 0, 0, 22, 19: 0, 20: 1, 21: 1}, wire.ErrAttributes, "other/bad_attributes=1"},
	{"attribute past the end", strict, []byte{1, 0, 0, 22, 19: 0, 20: 1, 21: 3}, wire.ErrAttributes, "other/bad_attributes=1"},
	{"a single octet too much", strict, []byte{1, 0, 0, 21, 19: 0, 20: 1}, wire.ErrAttributes, "other/bad_attributes=1"},

	{"unknown code", strict, assemble(99, 0, nil, nil), nil, "other/unknown_code=1"},
	{"Status-Client", strict, assemble(13, 0, nil, nil), nil, "other/unknown_code=1"},
	{"Access-Accept", strict, assemble(2, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Access-Reject", strict, assemble(3, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Access-Challenge", strict, assemble(11, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Accounting-Response", strict, assemble(5, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"CoA-ACK", strict, assemble(44, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"CoA-NAK", strict, assemble(45, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Disconnect-ACK", strict, assemble(41, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Disconnect-NAK", strict, assemble(42, 0, nil, nil), nil, "other/unexpected_reply=1"},
	{"Protocol-Error", strict, assemble(52, 0, nil, nil), nil, "other/unexpected_reply=1"},

	{"accounting, wrong Request Authenticator", strict, spoilt(5, makeRequest(4, 0, 0, nemo)), wire.ErrRequestAuthenticator, "accounting/bad_request_authenticator=1"},
	{"accounting, Request Authenticator of zeros", strict, assemble(4, 0, nil, []attr{nemo}), wire.ErrRequestAuthenticator, "accounting/bad_request_authenticator=1"},
	{"CoA, wrong Request Authenticator", strict, spoilt(5, makeRequest(43, 0, 0, nemo)), wire.ErrRequestAuthenticator, "coa/bad_request_authenticator=1"},
	{"Disconnect, wrong Request Authenticator", strict, spoilt(5, makeRequest(40, 0, 0, nemo)), wire.ErrRequestAuthenticator, "disconnect/bad_request_authenticator=1"},
	{"accounting under the server's secret", strict, makeRequestUnder(serverText, 4, 0, 0, nemo), wire.ErrRequestAuthenticator, "accounting/bad_request_authenticator=1"},

	{"access, wrong Message-Authenticator", strict, spoilt(25, makeRequest(1, 0, 1, mac, nemo)), wire.ErrMessageAuthenticator, "access/bad_message_authenticator=1"},
	{"access, two Message-Authenticators", strict, makeRequest(1, 0, 1, mac, nemo, mac), wire.ErrMessageAuthenticatorForm, "access/bad_message_authenticator=1"},
	{"access, short Message-Authenticator", strict, makeRequest(1, 0, 1, shortMAC, nemo), wire.ErrMessageAuthenticatorForm, "access/bad_message_authenticator=1"},
	{"access, no Message-Authenticator where required", requireMA, makeRequest(1, 0, 1, nemo), wire.ErrNoMessageAuthenticator, "access/missing_message_authenticator=1"},
	{"EAP without Message-Authenticator", strict, makeRequest(1, 0, 1, nemo, eap(2, 1, 0, 4)), wire.ErrNoMessageAuthenticator, "access/missing_message_authenticator=1"},
	{"accounting, two Message-Authenticators", strict, makeRequest(4, 0, 0, mac, nemo, mac), wire.ErrMessageAuthenticatorForm, "accounting/bad_message_authenticator=1"},
	{"CoA, short Message-Authenticator", strict, makeRequest(43, 0, 0, shortMAC, nemo), wire.ErrMessageAuthenticatorForm, "coa/bad_message_authenticator=1"},
	{"Disconnect, no Message-Authenticator where required", requireMA, makeRequest(40, 0, 0, nemo), wire.ErrNoMessageAuthenticator, "disconnect/missing_message_authenticator=1"},
	{"Status-Server, two Message-Authenticators", strict, makeRequest(12, 0, 1, mac, mac), wire.ErrMessageAuthenticatorForm, "status/bad_message_authenticator=1"},
	{"Status-Server without Message-Authenticator", strict, makeRequest(12, 0, 1), nil, "status/missing_message_authenticator=1"},
}

// Packets that are not relayed: whether they close the connection (RFC 6613 §2.6.4), and that
// they are never answered.
// Rules: P5, P6, P16, P20, P47, P48, P76, C3, C5
func TestRefusals(t *testing.T) {
	for _, row := range refusalRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: row.policy, onUnroutable: Silent})
				conn, p := b.open()
				err := b.send(conn, row.packet)
				if !errors.Is(err, row.err) {
					t.Errorf("error %v, expected %v", err, row.err)
				}
				none(t, "the client got", p.got())
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the server got %d datagrams, expected none", n)
				}
				b.wantFates(row.fates)
			})
		})
	}
}

// Over DTLS the error of a wrong authenticator, and no other, says which secret is meant there: that
// of TLS is the likeliest mistake.
// Rules: DT1
func TestRefusalsNameTheSecretOfDTLS(t *testing.T) {
	for _, row := range refusalRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: row.policy, onUnroutable: Silent})
				conn, _ := b.openFrom(Origin{DTLS: true})
				err := b.send(conn, row.packet)
				wrong := row.err == wire.ErrMessageAuthenticator || row.err == wire.ErrRequestAuthenticator
				if said := err != nil && strings.Contains(err.Error(), `"radius/dtls"`); said != wrong {
					t.Errorf("the error is %v; it names the secret: %t, expected %t", err, said, wrong)
				}
			})
		})
	}
}

// With a lenient policy a packet that breaks a rule is relayed, and the server gets it as the
// rules require.
// Rules: P20, P46, P48, C3
func TestLenientPolicies(t *testing.T) {
	wrong := makeRequest(4, 1, 0, nemo)
	wrong[5] ^= 1
	rows := []struct {
		name   string
		packet []byte
		reply  radius.Code
	}{
		{"EAP without Message-Authenticator", makeRequest(1, 0, 1, nemo, eap(2, 1, 0, 4)), 11},
		{"a wrong Request Authenticator", wrong, 5},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{})
				conn, p := b.open()
				b.net.setServe(func(s []byte) [][]byte {
					checkRequest(t, s)
					return [][]byte{respond(s, row.reply, mac)}
				})
				if err := b.send(conn, row.packet); err != nil {
					t.Fatal(err)
				}
				checkAnswer(t, row.packet, one(t, "the client got", p.got()), row.reply)
			})
		})
	}
}

// An Accounting-Request must not have a Message-Authenticator, but some have one, over a zero
// authenticator: it is verified, and not passed on. The answer has none: FreeRADIUS 3.2.1
// refuses one over the request's authenticator, and others refuse the one that it accepts.
// The server may sign in either way.
// Rules: C5
func TestMessageAuthenticatorInAccounting(t *testing.T) {
	for what, attrs := range map[string][]attr{"none": nil, "one over the request's authenticator": {mac}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			b.net.setServe(func(s []byte) [][]byte {
				checkRequest(t, s)
				if len(values(s, 80)) != 0 {
					t.Error("the server sees a Message-Authenticator in accounting")
				}
				return [][]byte{respond(s, 5, attrs...)}
			})
			q := makeRequest(4, 1, 0, nemo, mac)
			b.send(conn, q)
			a := one(t, "the client got", p.got())
			checkAnswer(t, q, a, 5)
			if n := len(values(a, 80)); n != 0 {
				t.Errorf("the server's answer has %s: the client's has %d Message-Authenticators, expected none", what, n)
			}
			b.wantFates("accounting/relayed=1")
		})
	}
}

// Attributes that are unknown or have a wrong size are relayed unchanged.
// Rules: P1, P7, P8, P12, P13, P89
func TestOddAttributesPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		odd := []attr{
			text(250, "unknown"), text(4, "no address"), integer(1000%256, 1), {26, []byte{1, 2}}, {26, nil}, {24, nil},
			{241, nil}, {245, []byte{1}}, {245, append([]byte{1, 0x80}, make([]byte, 251)...)}, {245, []byte{1, 0, 9}}, vendor(9, 1, 0, 0, 0),
		}
		b.net.setServe(func(s []byte) [][]byte {
			return [][]byte{respond(s, 2, append([]attr{mac}, odd...)...)}
		})
		q := makeRequest(1, 1, 1, append([]attr{nemo}, odd...)...)
		b.send(conn, q)
		s, a := b.oneSeen(), one(t, "the client got", p.got())
		checkAnswer(t, q, a, 2)
		for _, o := range odd {
			if joined(s, o.t) != joined(q, o.t) || joined(a, o.t) != joined(q, o.t) {
				t.Errorf("attribute %d was changed or lost", o.t)
			}
		}
		b.wantFates("access/relayed=1")
	})
}
