package relay

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// reuse counts how many requests and how many buffers a bed needs for so many rounds of
// do. The pools may lose some, not all of them.
func (b *bed) reuse(rounds int, do func(i int)) (requests, buffers int) {
	made := b.relay.requests.New
	b.relay.requests.New = func() any {
		requests++
		return made()
	}
	seen := map[*byte]bool{}
	probe := make([]byte, wire.MaxLength)
	for i := range rounds {
		do(i)
		p := b.back.Buffers.Copy(probe)
		seen[&p[0]] = true
		b.back.Buffers.Return(p)
	}
	return requests, len(seen)
}

// way is a way for a request to end.
type way struct {
	name string
	do   func(b *bed, conn *Connection, i int)
}

// longer are attributes that make a packet long.
var longer = fill(200, 3500)

func longAccess(i int, name string) []byte {
	return makeRequest(1, byte(i), i, append([]attr{user(name)}, longer...)...)
}

func longCoA(i int) []byte {
	return makeRequest(43, byte(i), i, append([]attr{nemo}, longer...)...)
}

func longStatus() []byte { return makeRequest(12, 0, 1, append([]attr{mac}, longer...)...) }

// forged is a Status-Server whose Message-Authenticator is wrong.
func forged(attrs ...attr) []byte {
	bad := makeRequest(12, 0, 1, append([]attr{mac}, attrs...)...)
	bad[25] ^= 1
	return bad
}

// ways has every way except those of an abandoned request: its memory is left to the garbage
// collector.
var ways = []way{
	{"answered here", func(b *bed, conn *Connection, i int) { b.send(conn, longStatus()) }},
	{"without proof", func(b *bed, conn *Connection, i int) { b.send(conn, makeRequest(12, 0, 1, longer...)) }},
	{"forged", func(b *bed, conn *Connection, i int) {
		b.send(conn, forged(longer...))
		conn.closeErr = nil
	}},
	{"behind a forged one", func(b *bed, conn *Connection, i int) {
		b.put(conn, forged())
		b.send(conn, longStatus())
		conn.closeErr = nil
	}},
	{"relayed", func(b *bed, conn *Connection, i int) { b.send(conn, longAccess(i, "nemo@example.org")) }},
	{"relayed, no answer", func(b *bed, conn *Connection, i int) { b.send(conn, longCoA(i)) }},
	{"beyond a limit", func(b *bed, conn *Connection, i int) {
		b.packets++
		conn.v11 = true
		conn.Refuse(makeRequest11(12, 1, longer...), metrics.FateRateLimited)
		conn.Flush()
	}},
	{"not allowed", func(b *bed, conn *Connection, i int) {
		b.client.Allowed[wire.KindAccess] = false
		b.send(conn, longAccess(i, "nemo@example.org"))
	}},
	{"another realm", func(b *bed, conn *Connection, i int) {
		b.client.Realms = must(routing.NewFilter([]string{"campus.example"}, nil, routing.Options{}))
		b.send(conn, longAccess(i, "nemo@example.org"))
	}},
	{"no route", func(b *bed, conn *Connection, i int) { b.send(conn, longAccess(i, "nemo@elsewhere.example")) }},
	{"no route, silence", func(b *bed, conn *Connection, i int) {
		b.rules.OnUnroutable = Silent
		b.send(conn, longAccess(i, "nemo@elsewhere.example"))
	}},
	{"no route, an answer that does not fit", func(b *bed, conn *Connection, i int) {
		b.send(conn, makeRequest(1, byte(i), i, fill(33, 4096-20)...))
	}},
	{"no such NAS", func(b *bed, conn *Connection, i int) {
		b.rules.Routes[0].NASes = NewNASes(nil, nil)
		b.send(conn, longCoA(i))
	}},
	{"a loop", func(b *bed, conn *Connection, i int) {
		b.rules.Marker = NewMarker(MarkerKey{1}, nil)
		b.send(conn, makeRequest(1, byte(i), i, append([]attr{nemo, {33, b.rules.Marker.append(nil, new(wire.View), 7)}}, longer...)...))
	}},
	{"stale", func(b *bed, conn *Connection, i int) {
		b.rules.Timestamps.Require = true
		b.send(conn, longCoA(i))
	}},
	{"from a wrong path, drop", func(b *bed, conn *Connection, i int) {
		b.client.ReversePath = ReversePathDrop
		conn.remote = netip.MustParseAddrPort("192.0.2.99:1")
		b.send(conn, longCoA(i))
	}},
	{"from a wrong path", func(b *bed, conn *Connection, i int) {
		b.client.ReversePath = ReversePathNAK
		conn.remote = netip.MustParseAddrPort("192.0.2.99:1")
		b.send(conn, longCoA(i))
	}},
	{"a duplicate in flight", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		b.send(conn, longAccess(1, "nemo@example.org"))
	}},
	{"a duplicate that is answered", func(b *bed, conn *Connection, i int) { b.send(conn, longAccess(1, "nemo@example.org")) }},
	{"a duplicate whose answer is not kept", func(b *bed, conn *Connection, i int) {
		b.relay.kept.Add(maxKept)
		b.send(conn, longAccess(1, "nemo@example.org"))
		b.relay.kept.Add(-maxKept)
	}},
	{"an impossible password", func(b *bed, conn *Connection, i int) {
		b.send(conn, makeRequest(1, byte(i), i, append([]attr{nemo, {2, make([]byte, 129)}}, longer...)...))
	}},
	{"a duplicate in 1.1", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		conn.v11 = true
		b.send(conn, makeRequest11(4, 1, append([]attr{nemo}, longer...)...))
	}},
	{"a Token in use", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		conn.v11 = true
		b.send(conn, makeRequest11(4, 1, append([]attr{nemo, integer(5, uint32(i))}, longer...)...))
		conn.closeErr = nil
	}},
}

// rejectAll rejects Access-Requests; the port for CoA is not open.
func rejectAll(s []byte) [][]byte {
	if s[0] == 43 {
		return [][]byte{nil}
	}
	return [][]byte{respond(s, 3, mac)}
}

// However a request ends, its memory is reused by the next one.
func TestRequestsAreRecycled(t *testing.T) {
	const rounds = 40
	for _, row := range ways {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.net.setServe(rejectAll)
				conn, _ := b.open()
				requests, buffers := b.reuse(rounds, func(i int) { row.do(b, conn, i) })
				if requests >= rounds || buffers >= rounds {
					t.Errorf("%d requests and %d buffers were made for %d packets, expected fewer", requests, buffers, rounds)
				}
			})
		})
	}
}

// The memory of a request keeps nothing of an earlier one.
func TestRecycledRequestsAreEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: ProtocolError, onUnroutable: Reject})
		b.rules.Routes[0].Metrics = b.relay.metrics.Route("home")
		lines := b.listen()
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		conn, p := b.open()
		var want []string
		for i := range 20 {
			b.send(conn, makeRequest(4, byte(i), i, nemo))
			p.got()
			q := makeRequest(1, byte(i), i, user("nemo@elsewhere.example"))
			b.send(conn, q)
			checkOwn(t, q, p.got(), expectation{3, 502})
			want = append(want, "accounting 192.0.2.1:1024 example.org relayed Accounting-Response a acct 1 0", "access 192.0.2.1:1024 elsewhere.example no_route Access-Reject 0 0")
		}
		b.wantLines(lines(), want...)
		if got, want := b.counts("radsec_gw_route_requests_total", "route", "fate"), "home/relayed=20 other/no_route=20"; got != want {
			t.Errorf("by route: %s\nexpected: %s", got, want)
		}
	})
}

// The memory for the gateway's own answer to a failed request is reused.
func TestScratchIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		made := 0
		b.relay.scratch.New = func() any {
			made++
			return new([wire.MaxLength]byte)
		}
		b.net.setServe(func([]byte) [][]byte { return [][]byte{nil} })
		conn, p := b.open()
		for i := range 40 {
			q := makeRequest(43, byte(i), 0, nemo)
			b.send(conn, q)
			checkOwn(t, q, p.got(), expectation{45, 406})
		}
		if made >= 40 {
			t.Errorf("memory was made %d times for 40 answers, expected less often", made)
		}
	})
}

// A request counts under the Quota of its client.
// Rules: P27
func TestQuotaOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, server: udpback.ServerConfig{MaxSockets: 1}})
		b.client.Quota = new(udpback.Quota)
		conn, _ := b.open()
		b.send(conn, makeRequest(1, 1, 1, nemo))
		if req := conn.recent[wire.KindAccess][1].flight; req.Quota != b.client.Quota {
			t.Errorf("the request counts under Quota %p, expected its client's %p", req.Quota, b.client.Quota)
		}
	})
}

// A server that returns a Proxy-State, and even that of another client's request
// with the same Identifier, answers the request it was asked: each client gets its
// own answer with its own Proxy-State.
// Rules: P30, P33
func TestProxyStateOfTheServerSteersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		names := []string{"nemo@example.org", "dory@example.org"}
		states := []string{"the first's", "the second's"}
		b.net.setServe(func(s []byte) [][]byte {
			other := states[0]
			if joined(s, 1) == names[0] {
				other = states[1]
			}
			if joined(s, 33) != "" {
				t.Errorf("the server sees the Proxy-State %q", joined(s, 33))
			}
			return [][]byte{respond(s, 2, mac, proxyState(other), text(18, joined(s, 1)), proxyState(other))}
		})
		var peers [2]*peer
		var asked [2][]byte
		for i := range peers {
			var conn *Connection
			conn, peers[i] = b.open()
			asked[i] = makeRequest(1, 9, i, user(names[i]), proxyState(states[i]))
			b.send(conn, asked[i])
		}
		for i, p := range peers {
			a := one(t, "the client got", p.got())
			checkAnswer(t, asked[i], a, 2)
			if joined(a, 18) != names[i] || joined(a, 33) != states[i] {
				t.Errorf("client %d got the answer to %q with the Proxy-State %q, expected %q and %q", i, joined(a, 18), joined(a, 33), names[i], states[i])
			}
		}
		b.wantFates("access/relayed=2")
	})
}
