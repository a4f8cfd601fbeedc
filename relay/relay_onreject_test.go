package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/rules"
	"radsec-gw/udpback"
)

// secondText is the secret of the second server.
const secondText = "another-Secret-of-the-second-server"

// newRejectBed returns a bed with two servers, whose route asks the second after a Reject of
// the first. The first rejects; the second does as given.
func newRejectBed(t *testing.T, second func(q []byte) [][]byte) *bed {
	b := newBed(t, settings{policy: strict, onUnreachable: Silent, secondSecret: secondText})
	b.rules.Routes[0].Group = must(b.back.NewGroup(udpback.GroupConfig{NextOnReject: true}, b.server, b.second))
	b.net.setServe(func(q []byte) [][]byte {
		if q[0] != 1 {
			return nil
		}
		if radius.IsAuthenticRequest(q, []byte(serverText)) && ofServer(q, serverText) {
			return [][]byte{respond(q, 3, mac, text(18, "not here"), eap(4, 1, 0, 4))}
		}
		return second(q)
	})
	return b
}

// ofServer reports whether the request's Message-Authenticator is under a server's secret.
func ofServer(q []byte, secret string) bool {
	c := append([]byte(nil), q...)
	fillMAC(c, q[4:20], secret)
	return string(c) == string(q)
}

// The client gets the Accept of the second server, written for it: with its
// Identifier and Proxy-State, signed. The password is hidden again for each server.
// Rules: AR13, P65
func TestRejectedRequestIsAcceptedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, func(q []byte) [][]byte { return [][]byte{respondUnder(secondText, q, 2, mac, text(18, "welcome"))} })
		conn, p := b.open()
		q := makeRequest(1, 9, 1, nemo, password("hello-Password", clientText, challenge(1)), proxyState("mine"), mac)
		b.send(conn, q)
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 2)
		if joined(a, 18) != "welcome" {
			t.Errorf("the answer says %q, expected the second server's", joined(a, 18))
		}
		seen := b.net.seen()
		if len(seen) != 2 {
			t.Fatalf("the servers got %d datagrams, expected one each", len(seen))
		}
		for i, secret := range []string{serverText, secondText} {
			if parsed, err := radius.Parse(seen[i].octets, []byte(secret)); err != nil || string(must(radius.UserPassword(parsed.Get(2), []byte(secret), parsed.Authenticator[:]))) != "hello-Password" {
				t.Errorf("server %d cannot read the password that it was sent", i+1)
			}
		}
		b.wantFates("access/relayed=1")
	})
}

// The Reject is kept while the second server has the request. It is written for the
// client as any reply, when that server rejects, too, or stays silent to the end, whatever
// on_unreachable says, in both versions of RADIUS.
// Rules: AR13, P34
func TestKeptRejectIsWrittenForTheClient(t *testing.T) {
	for name, second := range map[string]func(q []byte) [][]byte{
		"silent":  func([]byte) [][]byte { return nil },
		"rejects": func(q []byte) [][]byte { return [][]byte{respondUnder(secondText, q, 3, mac, text(18, "nor here"))} },
	} {
		for _, v11 := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRejectBed(t, second)
					conn, p := b.open()
					q := makeRequest(1, 9, 1, nemo, eap(2, 1, 0, 9, 1, 'n', 'e', 'm', 'o'), proxyState("mine"), mac)
					if v11 {
						conn, p = b.open11()
						q = makeRequest11(1, 4711, nemo, eap(2, 1, 0, 9, 1, 'n', 'e', 'm', 'o'), proxyState("mine"))
					}
					b.send(conn, q)
					if name == "silent" {
						none(t, "the client got at once", p.got())
						pass(31 * time.Second)
					}
					a := one(t, "the client got", p.got())
					if v11 {
						checkAnswer11(t, q, a, 3)
					} else {
						checkAnswer(t, q, a, 3)
					}
					if joined(a, 18) != "not here" || joined(a, 79) != "\x04\x01\x00\x04" {
						t.Errorf("the answer says %q with EAP %x, expected the first server's", joined(a, 18), joined(a, 79))
					}
					b.wantFates("access/relayed=1")
				})
			})
		}
	}
}

// A client that closes, or uses the Identifier for another request, while the second
// server has the request gets nothing of it.
// Rules: AR13
func TestClientLeavesWhileTheNextIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, func([]byte) [][]byte { return nil })
		conn, p := b.open()
		b.send(conn, makeRequest(1, 9, 1, nemo, mac))
		b.send(conn, makeRequest(1, 9, 2, nemo, mac))
		conn.Closed()
		pass(time.Minute)
		none(t, "the client got", p.got())
		b.wantFates("access/client_gone=1 access/superseded=1")
	})
}

// AR13. Each server gets the request after its own rules, and the Reject that the client gets
// has passed the rules of the server that sent it, although another had the request last.
// Rules: AR2, AR13
func TestKeptRejectPassesTheRulesOfItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, func(q []byte) [][]byte { return [][]byte{respondUnder(secondText, q, 3, mac, text(18, "nor here"))} })
		mark := func(with string) AttributeRules {
			return AttributeRules{
				Request: chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "Filter-Id", Pattern: "$", With: with}}}),
				Reply:   chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "Reply-Message", Pattern: "$", With: with}}}),
			}
		}
		b.rules.Routes[0].Attributes = &ServerRules{ByServer: map[uint32]AttributeRules{b.server.ID(): mark("-1"), b.second.ID(): mark("-2")}}
		b.rules.Facts = true
		conn, p := b.open()
		q := makeRequest(1, 9, 1, nemo, text(11, "to"), mac)
		b.send(conn, q)
		a := one(t, "the client got", p.got())
		checkAnswer(t, q, a, 3)
		if got := joined(a, 18); got != "not here-1" {
			t.Errorf("the answer says %q, expected the first server's after its rules, \"not here-1\"", got)
		}
		seen := b.net.seen()
		if len(seen) != 2 {
			t.Fatalf("the servers got %d datagrams, expected one each", len(seen))
		}
		for i, want := range []string{"to-1", "to-2"} {
			if got := joined(seen[i].octets, 11); got != want {
				t.Errorf("server %d got Filter-Id %q, expected %q", i+1, got, want)
			}
		}
	})
}
