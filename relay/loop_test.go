package relay

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// A server that sends requests back through RadSec gets each once: when it returns it is
// refused, and its client is answered. RFC 2865 §5.33 lets a proxy detect a loop like this, by
// its own Proxy-State.
// Rules: P31, P33, P34, AR14
func TestLoopEndsWithTheFirstRound(t *testing.T) {
	for _, row := range []struct {
		code    radius.Code
		policy  Unreachable
		back    expectation // the answer to the server about what it sent back
		answers bool        // and so can answer in time
	}{
		{1, Reject, expectation{3, 502}, true},
		{1, ProtocolError, expectation{52, 502}, true},
		{4, ProtocolError, expectation{52, 502}, true},
		{43, Silent, expectation{45, 502}, true},
		{40, Silent, expectation{42, 502}, true},
		{4, Reject, expectation{}, false}, // there is no answer for it
	} {
		t.Run(fmt.Sprintf("%v, policy %d", row.code, row.policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnreachable: row.policy})
				b.rules.Marker = NewMarker(NewMarkerKey(), []string{"a"})
				conn, p := b.open()
				back, backPeer := b.open() // the server's own connection to the gateway
				q := makeRequest(row.code, 9, 1, nemo, proxyState("one"))
				b.send(conn, q)
				s := b.net.seen()
				rounds := 0
				for ; len(s) > 0 && rounds < 100; rounds++ {
					// The server proxies what it got, followed by a Proxy-State of its own.
					attrs := []attr{nemo}
					for _, v := range values(s[0].octets, 33) {
						attrs = append(attrs, attr{33, v})
					}
					again := makeRequest(row.code, byte(rounds), 50+rounds, append(attrs, proxyState("the server's"))...)
					b.send(back, again)
					checkOwn(t, again, backPeer.got(), row.back)
					if row.answers {
						answer := map[radius.Code]radius.Code{1: 3, 4: 52, 43: 45, 40: 42}[row.code]
						s[0].from.in <- respond(s[0].octets, answer, mac, integer(101, 404))
						synctest.Wait()
					}
					s = b.net.seen()
				}
				if rounds != 1 {
					t.Errorf("the request went round %d times, expected once", rounds)
				}
				if n := len(p.got()); n == 1 != row.answers {
					t.Errorf("the first client got %d answers, expected one: %v", n, row.answers)
				}
				if got := b.fates(); !strings.Contains(got, wire.KindOf(row.code).String()+"/loop=1") {
					t.Errorf("fates: %s, expected one loop", got)
				}
				if line := b.log.String(); strings.Count(line, "has returned") != 1 || !strings.Contains(line, "server=a") || !strings.Contains(line, "realm=example.org") {
					t.Errorf("expected one line that names the server and the realm, got %s", line)
				}
			})
		})
	}
}

// Proxy-State of others is opaque, whatever it looks like: a request has looped only if the
// gateway's own identifier is at its place in a marker.
// Rules: P14, P31, P33, AR14
func TestWhatIsNotALoop(t *testing.T) {
	own := NewMarker(MarkerKey{1}, []string{"a"})
	other := NewMarker(MarkerKey{2}, []string{"a"})
	id := udpback.ServerID("a")
	mine, theirs := entryOf(own, id), entryOf(other, id)
	far := strings.Repeat(entryOf(other, 7), markerMax-1)
	for _, row := range []struct {
		name  string
		state []string
		want  string // the marker towards the server, but for the own entry; "loop": refused
	}{
		{"none", nil, ""},
		{"another's Proxy-State", []string{"abcdefgh", ""}, ""},
		{"the own name without the prefix", []string{mine, "xradsecgw" + mine}, ""},
		{"a marker cut short", []string{"radsecgw" + mine[:len(mine)-1]}, ""},
		{"the own name off its place", []string{"radsecgw" + theirs[:4] + mine + theirs[4:]}, theirs[:4] + mine + theirs[4:]},
		{"another gateway's", []string{"radsecgw" + theirs}, theirs},
		{"two of other gateways", []string{"radsecgw" + theirs, "x", "radsecgw" + far[:24]}, theirs + far[:24]},
		{"a long way", []string{"radsecgw" + far}, far},

		{"the own", []string{"radsecgw" + mine}, "loop"},
		{"the own behind others", []string{"one", "radsecgw" + theirs, "radsecgw" + theirs + mine, "two"}, "loop"},
		{"the own before another", []string{"radsecgw" + mine + theirs}, "loop"},
		{"a way that is too long", []string{"radsecgw" + far, "radsecgw" + theirs}, "loop"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Marker = own
				conn, p := b.open()
				attrs := []attr{nemo}
				for _, s := range row.state {
					attrs = append(attrs, proxyState(s))
				}
				q := makeRequest(1, 9, 1, attrs...)
				b.send(conn, q)
				if row.want == "loop" {
					checkOwn(t, q, p.got(), expectation{3, 502})
					b.wantFates("access/loop=1")
					return
				}
				if got := string(seenMarker(t, b.oneSeen())); got != "radsecgw"+row.want+mine {
					t.Errorf("the server sees Proxy-State %q, expected %q", got, "radsecgw"+row.want+mine)
				}
			})
		})
	}
}

// Two gateways, each with a server that proxies to the other: the request is refused by the
// first that it reaches twice, although neither passes the other's Proxy-State on.
// Rules: P31, P33, AR14
func TestLoopThroughTwoGateways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beds [2]*bed
		var conns [2]*Connection
		for i := range beds {
			beds[i] = newBed(t, settings{policy: strict})
			beds[i].rules.Marker = NewMarker(NewMarkerKey(), []string{"a"})
			conns[i], _ = beds[i].open()
		}
		attrs := []attr{nemo}
		datagrams := 0
		for ; datagrams < 50; datagrams++ {
			at := datagrams % 2
			beds[at].send(conns[at], makeRequest(1, byte(datagrams), 1, attrs...))
			seen := beds[at].net.seen()
			if len(seen) == 0 {
				break
			}
			attrs = attrs[:1]
			for _, v := range values(seen[0].octets, 33) {
				attrs = append(attrs, attr{33, v})
			}
			attrs = append(attrs, proxyState("the server's"))
		}
		if datagrams != 2 {
			t.Errorf("the loop made %d datagrams, expected one to each gateway's server", datagrams)
		}
		for _, b := range beds {
			b.stop()
		}
		beds[0].wantFates("access/client_gone=1 access/loop=1")
	})
}
