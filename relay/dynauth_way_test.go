package relay

import (
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// A NAS answers Authorize-Only with a NAK, 507. The request and its answer keep Service-Type
// and State, which identify the Access-Request that follows (RFC 5176 §3.2, §3.3). Attributes
// that a proxy does not know are not a reason for a NAK of its own (RFC 8559 §4.3.2), in
// either version of RADIUS and before a NAS or a proxy.
// Rules: P89, P92
func TestAuthorizeOnly(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		for _, lastHop := range []bool{false, true} {
			for code, nak := range map[radius.Code]radius.Code{43: 45, 40: 42} {
				synctest.Test(t, func(t *testing.T) {
					b := bedWithNASes(t, false)
					if !lastHop {
						b.rules.Routes[0].NASes = nil
					}
					attrs := []attr{nemo, text(32, "ap-1"), integer(6, 17), text(24, "the NAS's state"), text(200, "unknown"), vendor(99999, 1, 3, 0), {246, []byte{7, 0, 1}}, proxyState("one")}
					conn, p := b.open()
					q := makeRequest(code, 9, 0, attrs...)
					if v11 {
						conn, p = b.open11()
						q = makeRequest11(code, 9, attrs...)
					}
					b.net.setServe(func(s []byte) [][]byte {
						for _, kind := range []byte{6, 24, 200, 26, 246} {
							if joined(s, kind) != joined(q, kind) {
								t.Errorf("at the last hop %v, 1.1 %v: attribute %d reaches the server as %q, expected %q", lastHop, v11, kind, joined(s, kind), joined(q, kind))
							}
						}
						return [][]byte{respond(s, nak, mac, integer(6, 17), integer(101, 507), text(24, "the NAS's state"))}
					})
					if err := b.send(conn, q); err != nil {
						t.Fatalf("the connection must be closed: %v", err)
					}
					a := one(t, "the client got", p.got())
					if radius.Code(a[0]) != nak || causeOf(a) != 507 || joined(a, 6) != joined(q, 6) || joined(a, 24) != "the NAS's state" {
						t.Errorf("1.1 %v: the client got Code %d with %q, expected %d with Error-Cause 507, Service-Type and State", v11, a[0], a[20:], nak)
					}
				})
			}
		}
	}
}

// In RADIUS/1.1 a CoA or Disconnect that repeats one in flight is dropped, and Proxy-State
// is returned as in RADIUS/1.0; one that repeats an answered one is a new request (RFC 9765
// §4.2.2).
// Rules: P30, P86, P124
func TestDuplicateCoA11(t *testing.T) {
	for code, reply := range map[radius.Code]radius.Code{43: 44, 40: 42} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open11()
			q := makeRequest11(code, 5, nemo, proxyState("one"), text(44, "session"), proxyState("two"))
			b.put(conn, q)
			b.put(conn, q) // in one burst
			b.send(conn, q)
			s := b.net.seen()
			if len(s) != 1 {
				t.Fatalf("the NAS got %d requests, expected the duplicates dropped", len(s))
			}
			if joined(s[0].octets, 33) != "" {
				t.Errorf("the NAS got Proxy-State %q, expected none", joined(s[0].octets, 33))
			}
			s[0].from.in <- respond(s[0].octets, reply, integer(101, 503), mac)
			synctest.Wait()
			checkAnswer11(t, q, one(t, "the client got", p.got()), reply)
			b.send(conn, q)
			b.oneSeen()
		})
	}
}

// The same octets on another connection are another request, in either version of RADIUS:
// duplicates are detected on one connection (RFC 5176 §2.3).
// Rules: P63, P86, P124
func TestSameCoAOnAnotherConnection(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		for _, code := range []radius.Code{43, 40} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				open, q := b.open, makeRequest(code, 5, 0, nemo)
				if v11 {
					open, q = b.open11, makeRequest11(code, 5, nemo)
				}
				for range 2 {
					conn, _ := open()
					b.send(conn, q)
				}
				if n := len(b.net.seen()); n != 2 {
					t.Errorf("1.1 %v: the NAS got %d requests, expected one from each connection", v11, n)
				}
			})
		}
	}
}

// Without coa_by_user_name a CoA or Disconnect is routed by Operator-Name alone: by a realm, or
// by a name of another namespace that a route has. Anything else gets a NAK with Not Routable
// (RFC 5580 §4.1, RFC 8559 §2.1).
// Rules: P87, P93
func TestOperatorNameDecides(t *testing.T) {
	for _, row := range []struct {
		name  string
		attrs []attr
		want  string // the address that it goes to; "": a NAK
	}{
		{"a realm", []attr{text(126, "1Operator.example")}, "a:3799"},
		{"a realm, whatever the user's", []attr{user("nemo@elsewhere.example"), text(126, "1operator.example")}, "a:3799"},
		{"another namespace", []attr{text(126, "4EXAMPLE:US"), user("nemo@operator.example")}, "192.0.2.9:3799"},
		{"the same name in another namespace", []attr{text(126, "2operator.example"), user("nemo@operator.example")}, ""},
		{"another operator", []attr{text(126, "1other.example"), user("nemo@operator.example")}, ""},
		{"no namespace", []attr{text(126, "operator.example"), user("nemo@operator.example")}, ""},
		{"nothing behind the namespace", []attr{text(126, "1"), user("nemo@operator.example")}, ""},
		{"no Operator-Name", []attr{user("nemo@operator.example")}, ""},
	} {
		for code, nak := range map[radius.Code]radius.Code{43: 45, 40: 42} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, secondSecret: serverText})
				dynamic := []wire.Kind{wire.KindCoA, wire.KindDisconnect}
				b.rules.Table = must(routing.New([]routing.Rule{
					{Realms: []string{"operator.example"}, Kinds: dynamic, Group: 0},
					{Operators: []string{"wbaid:EXAMPLE:US"}, Kinds: dynamic, Group: 1},
				}, routing.Options{}))
				b.rules.Routes = append(b.rules.Routes, Route{Group: must(b.back.NewGroup(udpback.GroupConfig{}, b.second))})
				conn, p := b.open()
				q := makeRequest(code, 9, 0, append(row.attrs, proxyState("one"))...)
				b.send(conn, q)
				seen := b.net.seen()
				if row.want == "" {
					checkOwn(t, q, p.got(), expectation{nak, 502})
				} else if len(seen) != 1 || seen[0].address != row.want {
					t.Errorf("%s: the servers got %v, expected one datagram to %s", row.name, seen, row.want)
				}
				if row.want == "" && len(seen) != 0 {
					t.Errorf("%s: the servers got %d datagrams, expected none", row.name, len(seen))
				}
			})
		}
	}
}
