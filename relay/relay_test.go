package relay

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/vendors/microsoft"

	"radsec-gw/wire"
)

// A PAP password is hidden under "radsec" from the client, and under the server's secret,
// Identifier and Request Authenticator to the server. In the reply, the keys are hidden again
// for the client.
// Rules: P10, P14, P18, P21, P22, P23, P30, P32, P35, P38, P41, P45, P46, P50, P72, P73
func TestPAPThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		ra := challenge(7)
		q := makeRequest(1, 42, 7, mac, nemo, password("hello-Password", clientText, ra),
			proxyState("first"), text(25, "class"), proxyState("second"), text(200, "unknown\x00type"))
		b.net.setServe(func(s []byte) [][]byte {
			r := checkRequest(t, s)
			if bytes.Equal(s[4:20], ra) {
				t.Error("the server sees the client's Request Authenticator, expected a fresh one")
			}
			if got := rfc2865.UserPassword_GetString(r); got != "hello-Password" {
				t.Errorf("the server reads the password %q", got)
			}
			if got := rfc2865.UserName_GetString(r); got != "nemo@example.org" {
				t.Errorf("the server reads the User-Name %q", got)
			}
			if joined(s, 200) != "unknown\x00type" || joined(s, 25) != "class" {
				t.Error("an attribute that the gateway must not change was changed")
			}
			return [][]byte{respond(s, 2, accepting(r, mac, text(25, "server's class"), proxyState("the server's own"), text(1, "nemo"))...)}
		})
		if err := b.send(conn, q); err != nil {
			t.Fatal(err)
		}
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 2)
		read := must(radius.Parse(a, []byte(clientText)))
		read.Authenticator = [16]byte(ra) // what the library hides with
		if got := joined(a, 25) + joined(a, 1); got != "server's classnemo" {
			t.Errorf("Class and User-Name are %q in the answer", got)
		}
		if key := microsoft.MSMPPESendKey_Get(read, must(radius.Parse(q, []byte(clientText)))); string(key) != "send-key" {
			t.Errorf("the client reads MS-MPPE-Send-Key %q", key)
		}
		if _, got, err := rfc2868.TunnelPassword_LookupString(read, must(radius.Parse(q, []byte(clientText)))); err != nil || got != "tunnel" {
			t.Errorf("the client reads Tunnel-Password %q, %v", got, err)
		}
		if p.flushes != 1 {
			t.Errorf("the connection was flushed %d times, expected once", p.flushes)
		}
		b.wantFates("access/relayed=1")
		b.wantResults("accepted=1")
	})
}

// accepting adds hidden attributes, made by layeh.com/radius, to an Accept.
func accepting(request *radius.Packet, attrs ...attr) []attr {
	r := request.Response(radius.CodeAccessAccept)
	if err := microsoft.MSMPPESendKey_Add(r, []byte("send-key")); err != nil {
		panic(err)
	}
	if err := rfc2868.TunnelPassword_AddString(r, 1, "tunnel"); err != nil {
		panic(err)
	}
	for _, avp := range r.Attributes {
		attrs = append(attrs, attr{byte(avp.Type), avp.Attribute})
	}
	return attrs
}

// Without a CHAP-Challenge the Request Authenticator is the challenge, and the server gets it
// as CHAP-Challenge (RFC 2865 §2.3).
// Rules: P36, P44, P73
func TestCHAPKeepsItsChallenge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		chap := attr{3, bytes.Repeat([]byte{9}, 17)}
		b.net.setServe(func(s []byte) [][]byte {
			checkRequest(t, s)
			if joined(s, 3) != string(chap.v) {
				t.Error("CHAP-Password was changed")
			}
			return [][]byte{respond(s, 11, mac, text(24, "state"), text(18, "more"))}
		})
		q := makeRequest(1, 1, 50, nemo, chap)
		b.send(conn, q)
		if got := joined(b.oneSeen(), 60); got != string(challenge(50)) {
			t.Errorf("the server sees CHAP-Challenge %x, expected the client's Request Authenticator", got)
		}
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 11)
		if joined(a, 24) != "state" || joined(a, 18) != "more" {
			t.Error("State or Reply-Message was changed")
		}
		q = makeRequest(1, 2, 60, nemo, chap, text(60, "its own"))
		b.send(conn, q)
		if got := joined(b.oneSeen(), 60); got != "its own" {
			t.Errorf("the server sees CHAP-Challenge %q, expected the client's", got)
		}
		checkAnswer(t, q, one(t, "the client got", p.got()), 11)
		b.wantFates("access/relayed=2")
	})
}

// The kinds whose Request Authenticator is computed are signed for each side, are sent to the
// port of the kind, and the reply's code is that of the server.
// Rules: P18, P20, P21, P22, P30, P32, P52, P58, P63, P85, P86, P92
func TestComputedAuthenticatorsThereAndBack(t *testing.T) {
	rows := []struct {
		name          string
		request       radius.Code
		reply         radius.Code
		port, counted string
	}{
		{"accounting", 4, 5, "a:1813", "accounting/relayed=1"},
		{"CoA", 43, 44, "a:3799", "coa/relayed=1"},
		{"CoA refused by the NAS", 43, 45, "a:3799", "coa/relayed=1"},
		{"Disconnect", 40, 41, "a:3799", "disconnect/relayed=1"},
		{"Disconnect refused by the NAS", 40, 42, "a:3799", "disconnect/relayed=1"},
	}
	for _, row := range rows {
		for _, withMAC := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t, settings{policy: strict})
					conn, p := b.open()
					attrs := []attr{nemo, proxyState("x"), text(126, "1example.org"), integer(55, 1234), integer(41, 9), proxyState("y")}
					reply := []attr{integer(101, 507)}
					if withMAC {
						attrs, reply = append(attrs, mac), append(reply, mac)
					}
					b.net.setServe(func(s []byte) [][]byte {
						checkRequest(t, s)
						if joined(s, 55) != joined(makeRequest(4, 0, 0, integer(55, 1234)), 55) || joined(s, 41) != "\x00\x00\x00\x09" {
							t.Error("Event-Timestamp or Acct-Delay-Time was changed")
						}
						return [][]byte{respond(s, row.reply, reply...)}
					})
					q := makeRequest(row.request, 200, 0, attrs...)
					b.send(conn, q)
					if seen := b.net.seen(); len(seen) != 1 || seen[0].address != row.port {
						t.Fatalf("expected one datagram to %s, got %v", row.port, seen)
					}
					a := one(t, "the client got", p.got())
					checkAnswer(t, q, a, row.reply)
					if causeOf(a) != 507 {
						t.Errorf("the client reads Error-Cause %d, expected the server's 507", causeOf(a))
					}
					b.wantFates(row.counted)
				})
			})
		}
	}
}

// EAP and State are relayed unchanged.
// Rules: P9, P11, P44, P48, P73
func TestEAPThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		q := makeRequest(1, 0, 1, nemo, eap(longEAP...), eap(), eap(5), mac, text(24, "round one"))
		checkAnswer(t, q, relayEAP(t, b, conn, p, q), 11)
	})
}

var longEAP = bytes.Repeat([]byte{0xa5}, 253) // as much as one attribute holds

// relayEAP sends q, an Access-Request with EAP-Message and State, has the server answer with
// an Access-Challenge, and returns what the client got. Both must be relayed unchanged.
func relayEAP(t *testing.T, b *bed, conn *Connection, p *peer, q []byte) (answer []byte) {
	t.Helper()
	b.net.setServe(func(s []byte) [][]byte {
		checkRequest(t, s)
		return [][]byte{respond(s, 11, mac, text(24, "round two"), eap(longEAP...), eap(1, 2, 3))}
	})
	b.send(conn, q)
	s := b.oneSeen()
	if joined(s, 79) != joined(q, 79) || joined(s, 24) != "round one" {
		t.Error("the EAP packet or State was changed on its way to the server")
	}
	answer = one(t, "the client got", p.got())
	if joined(answer, 79) != string(longEAP)+"|\x01\x02\x03" || joined(answer, 24) != "round two" {
		t.Error("the EAP packet or State was changed on its way to the client")
	}
	b.wantFates("access/relayed=1")
	return answer
}

// Status-Server is about this hop: nothing is sent to a server, and it is answered even if no
// server replies (RFC 5997 §4.2).
// Rules: P34, P69, P75, P76, P77, P78, P79, C4
func TestStatusServerIsAnsweredHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, allowed: []wire.Kind{}})
		conn, p := b.open()
		q := makeRequest(12, 0, 3, mac, user("left@over.example"), text(32, "nas"), proxyState("mine"))
		b.send(conn, q)
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 2)
		if a[20] != 80 {
			t.Error("Message-Authenticator is not the first attribute")
		}
		for _, ty := range []byte{1, 32} {
			if len(values(a, ty)) != 0 {
				t.Errorf("attribute %d of the request was answered, expected it ignored", ty)
			}
		}
		if seen := b.net.seen(); len(seen) != 0 {
			t.Errorf("the servers got %d datagrams, expected none", len(seen))
		}
		if err := b.send(conn, makeRequest(12, 1, 4)); err != nil {
			t.Errorf("a Status-Server without Message-Authenticator closes the connection: %v", err)
		}
		none(t, "the client got", p.got())
		bad := makeRequest(12, 2, 5, mac)
		bad[30] ^= 1
		if b.send(conn, bad) == nil {
			t.Error("a Status-Server with a wrong Message-Authenticator does not close the connection")
		}
		none(t, "the client got", p.got())
		b.wantFates("status/bad_message_authenticator=1 status/missing_message_authenticator=1 status/status_answered=1")
	})
}

// Rules: P75, P79, P80
func TestStatusServerWhileAllServersAreSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.send(conn, makeRequest(1, 1, 1, nemo))
		pass(time.Minute)
		p.got()
		b.net.seen()
		for i := range 3 {
			q := makeRequest(12, byte(i), 10+i, mac)
			b.send(conn, q)
			checkAnswer(t, q, one(t, "the client got", p.got()), 2)
		}
		if seen := b.net.seen(); len(seen) != 0 {
			t.Errorf("the servers got %d datagrams, expected none", len(seen))
		}
		b.wantFates("access/server_silent=1 status/status_answered=3")
	})
}

// Requests of all codes in one burst are sent by one Flush, and no reply depends on another.
// Rules: P3, P29, P116
func TestCodesShareIdentifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		asks := map[radius.Code][]byte{
			1:  makeRequest(1, 3, 1, nemo),
			4:  makeRequest(4, 3, 0, nemo),
			40: makeRequest(40, 3, 0, nemo),
			43: makeRequest(43, 3, 0, nemo),
		}
		for _, q := range asks {
			b.put(conn, q)
		}
		b.put(conn, makeRequest(12, 3, 9, mac))
		conn.Flush()
		synctest.Wait()
		if n := len(p.got()); n != 1 {
			t.Errorf("the client got %d packets, expected the answer to Status-Server only", n)
		}
		seen := b.net.seen()
		if len(seen) != len(asks) {
			t.Fatalf("the servers got %d datagrams, expected one for each code", len(seen))
		}
		back := map[radius.Code]radius.Code{1: 3, 4: 5, 40: 41, 43: 44}
		for _, s := range seen {
			code := radius.Code(s.octets[0])
			s.from.in <- respond(s.octets, back[code], mac)
			synctest.Wait()
			checkAnswer(t, asks[code], one(t, "the client got", p.got()), back[code])
		}
		b.wantFates("access/relayed=1 accounting/relayed=1 coa/relayed=1 disconnect/relayed=1 status/status_answered=1")
	})
}
