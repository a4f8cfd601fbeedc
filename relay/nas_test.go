package relay

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// bedWithNASes returns a bed with four servers: two NASes, one that is not a NAS, and one that is in no
// route.
func bedWithNASes(t *testing.T, others bool) *bed {
	b := newBed(t, settings{policy: strict})
	server := func(name, address string, nas *wire.NAS) *udpback.Server {
		s := b.back.NewServer(udpback.ServerConfig{Name: name, Address: address, CoAPort: 3799, NAS: nas, Secret: must(wire.NewServerSecret([]byte(serverText)))})
		b.t.Cleanup(s.Close)
		return s
	}
	list := []NAS{
		{Group: must(b.back.NewGroup(udpback.GroupConfig{}, server("ap-1", "192.0.2.11", &wire.NAS{Identifier: "ap-1"}))),
			Identifiers: []string{"ap-1", "first"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::11")}},
		{Group: must(b.back.NewGroup(udpback.GroupConfig{}, server("ap-2", "192.0.2.12", &wire.NAS{Address: []byte{192, 0, 2, 12}}))),
			Identifiers: []string{"ap-2", "first"}, Addresses: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.12")}},
	}
	var rest *udpback.Group
	if others {
		rest = must(b.back.NewGroup(udpback.GroupConfig{}, b.server))
	}
	b.rules.Routes[0].NASes = NewNASes(list, rest)
	return b
}

func operatorNAS(id string) attr { return attr{241, append([]byte{8}, id...)} }

// At the last hop a CoA or Disconnect goes to the NAS that it names, and is refused if that is
// not in the route (RFC 5176 §3, RFC 8559 §3.3).
// Rules: P34, P87, P90, P93
func TestChoiceOfNAS(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::11").As16()
	for _, row := range []struct {
		name         string
		attrs        []attr
		want         string // the address that it goes to; if that differs with other servers in the route, after a slash
		cause, other uint32 // or why it does not, likewise
	}{
		{"NAS-Identifier", []attr{text(32, "ap-2")}, "192.0.2.12:3799", 0, 0},
		{"Operator-NAS-Identifier", []attr{operatorNAS("ap-2")}, "192.0.2.12:3799", 0, 0},
		{"NAS-IP-Address", []attr{integer(4, 0xc000020c)}, "192.0.2.12:3799", 0, 0},
		{"NAS-IPv6-Address", []attr{{95, v6[:]}}, "192.0.2.11:3799", 0, 0},
		{"two that agree", []attr{integer(4, 0xc000020b), text(32, "ap-1"), operatorNAS("ap-1")}, "192.0.2.11:3799", 0, 0},
		{"a name of two: the first", []attr{text(32, "first")}, "192.0.2.11:3799", 0, 0},
		{"one that is known beside one that is not", []attr{text(32, "as the NAS calls itself"), operatorNAS("ap-2")}, "192.0.2.12:3799", 0, 0},
		{"a known address beside names that are not", []attr{integer(4, 0xc000020b), text(32, "as the NAS calls itself"), operatorNAS("ap-3")}, "192.0.2.11:3799", 0, 0},
		{"case counts", []attr{text(32, "AP-2")}, "/a:3799", 403, 0},
		{"two that differ", []attr{integer(4, 0xc000020b), text(32, "ap-2")}, "", 403, 403},
		{"two that differ, one for proxies", []attr{operatorNAS("ap-1"), text(32, "ap-2")}, "", 403, 403},
		{"unknown identifier", []attr{text(32, "ap-3")}, "/a:3799", 403, 0},
		{"unknown address", []attr{integer(4, 0x7f000001)}, "/a:3799", 403, 0},
		{"an address that is not one", []attr{{4, []byte{1, 2, 3}}}, "/a:3799", 403, 0},
		{"nothing", nil, "/a:3799", 402, 0},
	} {
		for _, others := range []bool{false, true} {
			for code, nak := range map[radius.Code]radius.Code{43: 45, 40: 42} {
				synctest.Test(t, func(t *testing.T) {
					b := bedWithNASes(t, others)
					conn, p := b.open()
					q := makeRequest(code, 9, 0, append([]attr{nemo, proxyState("one")}, row.attrs...)...)
					b.send(conn, q)
					want, cause := row.want, row.cause
					alone, beside, differ := strings.Cut(row.want, "/")
					if differ {
						want = alone
					}
					if others {
						cause = row.other
						if differ {
							want = beside
						}
					}
					if want == "" {
						checkOwn(t, q, p.got(), expectation{nak, cause})
						b.wantFates(wire.KindOf(code).String() + "/no_nas=1")
						if !strings.Contains(b.log.String(), "names no NAS of its route") {
							t.Errorf("%s: the log does not say so: %s", row.name, b.log)
						}
						return
					}
					seen := b.net.seen()
					if len(seen) != 1 || seen[0].address != want {
						t.Errorf("%s, others %v: %d datagrams, expected one to %s; got %v", row.name, others, len(seen), want, seen)
					}
				})
			}
		}
	}
}

// With one NAS alone in the route, a request that names none goes to it.
// Rules: P87
func TestOnlyNAS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bedWithNASes(t, false)
		b.rules.Routes[0].NASes = NewNASes(b.rules.Routes[0].NASes.all[:1], nil)
		conn, p := b.open()
		b.send(conn, makeRequest(43, 9, 0, nemo))
		if seen := b.net.seen(); len(seen) != 1 || seen[0].address != "192.0.2.11:3799" {
			t.Errorf("%d datagrams, expected one to the NAS", len(seen))
		}
		q := makeRequest(43, 10, 0, nemo, text(32, "ap-3"))
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{45, 403})
	})
}

// For a NAS, attributes for proxies are removed, and those that identify the NAS are added; a
// proxy gets everything unchanged (RFC 8559 §3.4, §4.2). A NAS gets no loop marker: hostapd
// refuses a Proxy-State.
// Rules: P30, P89, P90
func TestLastHop(t *testing.T) {
	for _, row := range []struct {
		name      string
		attrs     []attr
		id, proxy string // NAS-Identifier at the NAS, and at a proxy
	}{
		{"it is called by Operator-NAS-Identifier", []attr{operatorNAS("ap-1")}, "ap-1", ""},
		{"it is called by NAS-Identifier", []attr{text(32, "first")}, "first", "first"},
		{"it is called by NAS-IP-Address", []attr{integer(4, 0xc000020b)}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, nas := range []bool{true, false} {
					b := bedWithNASes(t, false)
					if nas {
						b.rules.Marker = NewMarker(MarkerKey{1}, nil) // which checkRequest is not to see
					} else {
						b.rules.Routes[0].NASes = nil // and its one server is not a NAS
					}
					conn, p := b.open()
					b.net.setServe(func(s []byte) [][]byte {
						checkRequest(t, s)
						return [][]byte{respond(s, 44, mac, text(126, "1its.own"))}
					})
					attrs := append([]attr{nemo, text(126, "1example.org"), {241, []byte{9, 1}}, proxyState("one"), {241, nil}, text(24, "state"), text(126, "1example.net")}, row.attrs...)
					q := makeRequest(43, 9, 0, append(attrs, mac)...)
					b.send(conn, q)
					s := b.oneSeen()
					want, operator, extended := row.proxy, "1example.org|1example.net", joined(q, 241)
					if nas {
						want, operator, extended = row.id, "", "\t\x01|"
					}
					if got := joined(s, 32); got != want {
						t.Errorf("a NAS %v: it sees NAS-Identifier %q, expected %q", nas, got, want)
					}
					if got := joined(s, 126); got != operator {
						t.Errorf("a NAS %v: it sees Operator-Name %q, expected %q", nas, got, operator)
					}
					if got := joined(s, 241); got != extended {
						t.Errorf("a NAS %v: it sees attributes 241 %q, expected %q", nas, got, extended)
					}
					if joined(s, 24) != "state" || joined(s, 4) != joined(q, 4) {
						t.Errorf("a NAS %v: State or NAS-IP-Address was changed", nas)
					}
					a := one(t, "the client got", p.got())
					checkAnswer(t, q, a, 44)
					if joined(a, 126) != "1its.own" {
						t.Error("the answer was changed")
					}
				}
			})
		})
	}
}

// choose returns a group or an Error-Cause, never both.
// Rules: P87, P93
func TestChoiceOrCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bedWithNASes(t, true)
		two, others := b.rules.Routes[0].NASes.all, b.rules.Routes[0].NASes.others
		plain := Route{Group: others}
		for _, row := range []struct {
			name  string
			from  func(v *wire.View) (*udpback.Group, uint32)
			attrs []attr
			want  *udpback.Group
			cause uint32
		}{
			{"a route without NASes", plain.lastHop, []attr{text(32, "ap-1")}, others, 0},
			{"the NAS that is named", NewNASes(two, others).choose, []attr{text(32, "ap-2")}, two[1].Group, 0},
			{"the first of a name", NewNASes(two, others).choose, []attr{text(32, "first")}, two[0].Group, 0},
			{"none is named, a server beside", NewNASes(two, others).choose, nil, others, 0},
			{"the only one", NewNASes(two[:1], nil).choose, nil, two[0].Group, 0},
			{"the only one under another name", NewNASes(two[:1], nil).choose, []attr{text(32, "ap-2")}, nil, 403},
			{"none of two", NewNASes(two, nil).choose, nil, nil, 402},
			{"none of none", NewNASes(nil, nil).choose, nil, nil, 402},
			{"two that differ", NewNASes(two, others).choose, []attr{text(32, "ap-2"), operatorNAS("ap-1")}, nil, 403},
			{"two that differ, and the second again", NewNASes(two, others).choose, []attr{operatorNAS("ap-1"), text(32, "ap-2"), integer(4, 0xc000020c)}, nil, 403},
		} {
			if g, cause := row.from(viewOf(t, row.attrs...)); g != row.want || cause != row.cause {
				t.Errorf("%s: group %p and cause %d, expected %p and %d", row.name, g, cause, row.want, row.cause)
			}
		}
	})
}
