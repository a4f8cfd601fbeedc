package relay

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/rules"
	"radsec-gw/wire"
)

// inPlace returns a rule that puts text at the end of each Filter-Id, so that a value shows
// which rules it has passed.
func inPlace(text string) rules.Rule {
	return rules.Rule{Replace: []rules.Replacement{{Attribute: "Filter-Id", Pattern: "$", With: text}}}
}

// Requests pass the rules of the client, the route and the server, replies those of the
// server, the route and the client.
// Rules: AR2, AR6
func TestRulesInOrder(t *testing.T) {
	for _, code := range []radius.Code{1, 4, 43, 40} {
		t.Run(wire.CodeName(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.client.Attributes = AttributeRules{chainOf(t, inPlace("c")), chainOf(t, inPlace("c"))}
				b.rules.Routes[0].Attributes = &ServerRules{ByServer: map[uint32]AttributeRules{b.server.ID(): {
					Request: chainOf(t, inPlace("r"), inPlace("s")), Reply: chainOf(t, inPlace("s"), inPlace("r")),
				}}}
				b.rules.Facts = true
				b.net.setServe(func(s []byte) [][]byte { return accept(s, text(11, "y-")) })
				conn, p := b.open()
				b.send(conn, makeRequest(code, 9, 1, nemo, text(11, "x-"), mac))
				if got := joined(oneDatagram(t, b), 11); got != "x-crs" {
					t.Errorf("the server got Filter-Id %q, expected that it passed the client's, the route's and the server's rules: \"x-crs\"", got)
				}
				if got := joined(one(t, "the client got", p.got()), 11); got != "y-src" {
					t.Errorf("the client got Filter-Id %q, expected that it passed the server's, the route's and the client's rules: \"y-src\"", got)
				}
			})
		})
	}
}

// A rule of the client takes a part of the realm before the request is routed. The client
// gets its own User-Name back when the reply has the one that the server saw, and any other
// unchanged; a duplicate is recognized by what the client sent.
// Rules: AR2, AR5, P61
func TestUserNameIsRestored(t *testing.T) {
	for _, row := range []struct{ reply, want string }{
		{"nemo@example.org", "nemo@ap.example.org"},
		{"captain@example.org", "captain@example.org"},
		{"", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			b.client.Attributes.Request = chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "User-Name", Pattern: "@ap\\.", With: "@"}}})
			b.net.setServe(func(s []byte) [][]byte {
				if row.reply == "" {
					return accept(s, mac)
				}
				return accept(s, mac, user(row.reply))
			})
			conn, p := b.open()
			q := makeRequest(1, 9, 1, user("nemo@ap.example.org"), mac)
			b.send(conn, q)
			if got := joined(oneDatagram(t, b), 1); got != "nemo@example.org" {
				t.Errorf("the server got User-Name %q, expected \"nemo@example.org\"", got)
			}
			answer := one(t, "the client got", p.got())
			checkAnswer(t, q, answer, 2)
			if got := joined(answer, 1); got != row.want {
				t.Errorf("for User-Name %q in the reply the client got %q, expected %q", row.reply, got, row.want)
			}
			b.send(conn, q)
			if again := one(t, "the client got for the duplicate", p.got()); !bytes.Equal(again, answer) {
				t.Error("the duplicate got another answer")
			}
			b.wantFates("access/duplicate_answered=1 access/relayed=1")
		})
	}
}

// A route's rules change User-Name, too, each server's in its own way: the client gets its
// own back from whichever server answers.
// Rules: AR5, P65
func TestUserNameIsRestoredFromEachServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: "another-Secret"})
		rename := func(with string) AttributeRules {
			return AttributeRules{Request: chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "User-Name", Pattern: "@.*$", With: with}}})}
		}
		b.rules.Routes[0].Attributes = &ServerRules{ByServer: map[uint32]AttributeRules{b.server.ID(): rename("@a"), b.second.ID(): rename("@b")}}
		b.rules.Facts = true
		conn, p := b.open()
		q := makeRequest(1, 9, 1, nemo, mac)
		b.send(conn, q)
		pass(7 * time.Second) // the first server is silent
		seen := b.net.seen()
		first, last := seen[0], seen[len(seen)-1]
		if a, b := joined(first.octets, 1), joined(last.octets, 1); a != "nemo@a" || b != "nemo@b" {
			t.Fatalf("the servers got User-Name %q and %q, expected \"nemo@a\" and \"nemo@b\"", a, b)
		}
		first.from.in <- accept(first.octets, mac, user("nemo@a"))[0] // it was only late
		synctest.Wait()
		if got := joined(one(t, "the client got", p.got()), 1); got != joined(q, 1) {
			t.Errorf("the client got User-Name %q, expected its own, %q", got, joined(q, 1))
		}
	})
}

// A fact cannot be forged: what a client sends under its attribute is removed first. It is
// the same in each transmission, and the reply does not have it.
// Rules: ID1, ID2, ID4, ID5, P57
func TestFactsAreNotForged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.client.Attributes.Request = chainOf(t, rules.Rule{Set: []rules.Assignment{
			{Attribute: "NAS-Identifier", Values: []string{"{client.name}"}}, {Attribute: "Cisco-AVPair", Values: []string{"ap={certificate.san_dns}"}}}})
		conn := b.relay.Open(b.known, new(peer), netip.MustParseAddrPort("192.0.2.1:1024"), Origin{Facts: func() *rules.Facts {
			return &rules.Facts{Client: "campus", Certificate: rules.CertificateFacts{SANDNS: "ap1.example"}}
		}})
		b.conns = append(b.conns, conn)
		forged := text(32, "core-router")
		b.send(conn, makeRequest(1, 9, 1, nemo, forged, vendor(9, append([]byte{1, 2 + 7}, "ap=root"...)...), mac, forged))
		pass(7 * time.Second)
		seen := b.net.seen()
		if len(seen) < 2 {
			t.Fatalf("the server got %d datagrams in 7 s, expected the request again", len(seen))
		}
		for _, s := range seen {
			if !bytes.Equal(s.octets, seen[0].octets) {
				t.Error("the request was sent again with other octets")
			}
		}
		got := seen[0].octets
		if names := joined(got, 32); names != "campus" {
			t.Errorf("the server got NAS-Identifier %q, expected the fact alone, \"campus\"", names)
		}
		if pairs := joined(got, 26); pairs != "\x00\x00\x00\x09\x01\x10ap=ap1.example" {
			t.Errorf("the server got Cisco-AVPair %q, expected the fact alone", pairs)
		}
		p := conn.peer.(*peer)
		seen[0].from.in <- accept(got, mac, text(32, "campus"), vendor(9, append([]byte{1, 2 + 14}, "ap=ap1.example"...)...), vendor(9, append([]byte{1, 2 + 3}, "b=2"...)...))[0]
		synctest.Wait()
		answer := one(t, "the client got", p.got())
		if joined(answer, 32) != "" || joined(answer, 26) != "\x00\x00\x00\x09\x01\x05b=2" {
			t.Errorf("the client got NAS-Identifier %q and Cisco-AVPair %q, expected that the facts are removed and \"b=2\" stays", joined(answer, 32), joined(answer, 26))
		}
	})
}

// What a rule adds must fit into 4096 octets; else the request fails, and nothing is cut.
// Rules: ID3, P15
func TestRuleReaches4096(t *testing.T) {
	for _, place := range []string{"client", "route"} {
		t.Run(place, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnreachable: Reject, onUnroutable: Reject})
				chain := chainOf(t, rules.Rule{Add: []rules.Assignment{{Attribute: "Filter-Id", Values: []string{strings.Repeat("x", 200)}}}})
				if place == "client" {
					b.client.Attributes.Request = chain
				} else {
					b.rules.Routes[0].Attributes, b.rules.Facts = &ServerRules{Route: AttributeRules{Request: chain}}, true
				}
				conn, p := b.open()
				q := makeRequest(1, 9, 1, append([]attr{nemo, mac}, fill(200, 4096-20-100)...)...)
				b.send(conn, q)
				checkAnswer(t, q, one(t, "the client got", p.got()), 3)
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the server got %d datagrams, expected none", n)
				}
				b.wantFates("access/too_long=1")
			})
		})
	}
}

// What rules add comes after the EAP-Messages of the client, which stay consecutive, though
// the client has put attributes among them that are removed.
// Rules: ID3, P11
func TestRulesLeaveEAPTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.client.Attributes.Request = chainOf(t, rules.Rule{Set: []rules.Assignment{{Attribute: "NAS-Identifier", Values: []string{"campus"}}}})
		conn, _ := b.open()
		part := strings.Repeat("e", 253)
		b.send(conn, makeRequest(1, 9, 1, nemo, text(79, part), text(32, "forged"), text(79, part), text(32, "again"), text(79, "end"), mac))
		var order []byte
		for rest := oneDatagram(t, b)[20:]; len(rest) > 0; rest = rest[rest[1]:] {
			order = append(order, rest[0])
		}
		if want := []byte{80, 1, 79, 79, 79, 32}; !bytes.Equal(order, want) {
			t.Errorf("the server got attributes of types %v, expected %v", order, want)
		}
	})
}

// A reply that a rule cannot change is not passed on: the client gets the same as without a
// reply.
// Rules: AR7, P15
func TestRuleFailsForAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Reject})
		b.client.Attributes.Reply = chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "Reply-Message", Pattern: "^.*$"}}})
		b.net.setServe(func(s []byte) [][]byte { return accept(s, mac, text(18, "welcome")) })
		conn, p := b.open()
		q := makeRequest(1, 9, 1, nemo, mac)
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		b.wantFates("access/rule_failed=1")
	})
}

// oneDatagram returns the only datagram that the server got.
func oneDatagram(t *testing.T, b *bed) []byte {
	t.Helper()
	seen := b.net.seen()
	if len(seen) != 1 {
		t.Fatalf("the server got %d datagrams, expected 1", len(seen))
	}
	return seen[0].octets
}
