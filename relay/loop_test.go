package relay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// markerOf makes the marker of a gateway, as octets, without any code of the gateway.
func markerOf(entries ...string) []byte { return []byte("radsecgw" + strings.Join(entries, "")) }

// entryOf is a gateway's entry in it.
func entryOf(m *Marker, server uint32) string {
	return string(binary.BigEndian.AppendUint32(bytes.Clone(m.own[:]), server))
}

// seenMarker fails the test unless the request that a server got has exactly one
// Proxy-State, the last of its attributes, and returns its value.
func seenMarker(t *testing.T, s []byte) []byte {
	t.Helper()
	all := values(s, 33)
	if len(all) != 1 {
		t.Fatalf("the server sees %d Proxy-State, expected the gateway's one", len(all))
	}
	if !bytes.HasSuffix(s, append([]byte{33, byte(2 + len(all[0]))}, all[0]...)) {
		t.Error("the gateway's Proxy-State is not behind all other attributes")
	}
	return all[0]
}

// Each kind of request carries one Proxy-State of the gateway's own towards the server,
// the last of its attributes, the same in each transmission; the client gets back its
// own ones and no other, whatever the server returns.
// Rules: P30, P31, P32, P33, P57, AR14
func TestMarkerTowardsTheServer(t *testing.T) {
	marker := NewMarker(MarkerKey{1}, []string{"a"})
	want := markerOf(entryOf(marker, udpback.ServerID("a")))
	for _, v11 := range []bool{false, true} {
		for code, reply := range map[radius.Code]radius.Code{1: 2, 4: 5, 40: 41, 43: 44} {
			for _, back := range [][]attr{
				{{33, want}}, // as RFC 2865 wants it
				{},
				{proxyState("one"), proxyState("two"), {33, want}, proxyState("three")},
				{proxyState("one"), {33, want[:8]}, proxyState("")}, // those of the client, as it happens
			} {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t, settings{policy: strict})
					b.rules.Marker = marker
					attrs := []attr{proxyState("one"), user("nemo@example.org"), {33, want[:8]}, integer(5, 1), proxyState("")}
					l, p := b.open()
					q := request(code, 9, 1, attrs...)
					if v11 {
						l, p = b.open11()
						q = request11(code, 9, attrs...)
					}
					b.send(l, q)
					pass(3 * time.Second) // it is sent again
					seen := b.net.seen()
					if len(seen) != 2 || !bytes.Equal(seen[0].octets, seen[1].octets) {
						t.Fatalf("the server got %d transmissions, expected two that are the same", len(seen))
					}
					s := seen[0].octets
					if got := seenMarker(t, s); !bytes.Equal(got, want) {
						t.Errorf("the server sees Proxy-State %q, expected %q", got, want)
					}
					if !radius.IsAuthenticRequest(s, []byte(serverText)) {
						t.Error("the server finds a wrong Request Authenticator")
					}
					seen[0].from.in <- respond(s, reply, append([]attr{mac}, back...)...)
					synctest.Wait()
					a := one(t, "the client got", p.got())
					if v11 {
						checkAnswer11(t, q, a, reply)
					} else {
						checkAnswer(t, q, a, reply)
					}
				})
			}
		}
	}
}

// A server that sends requests back through RadSec gets each once: when it comes back
// it is refused, and its client is answered. This is how RFC 2865 §5.33 lets a proxy
// find a loop by its own Proxy-State.
// Rules: P31, P33, P34, AR14
func TestLoopEndsWithTheFirstRound(t *testing.T) {
	for _, row := range []struct {
		code    radius.Code
		policy  Unreachable
		back    expectation // what the server is told about what it sent back
		answers bool        // and so can answer in time
	}{
		{1, Reject, expectation{3, 502}, true},
		{1, ProtocolError, expectation{52, 502}, true},
		{4, ProtocolError, expectation{52, 502}, true},
		{43, Silent, expectation{45, 502}, true},
		{40, Silent, expectation{42, 502}, true},
		{4, Reject, expectation{}, false}, // there is no way to tell
	} {
		t.Run(fmt.Sprintf("%v, policy %d", row.code, row.policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, onUnreachable: row.policy})
				b.rules.Marker = NewMarker(NewMarkerKey(), []string{"a"})
				l, p := b.open()
				back, backPeer := b.open() // the server's own connection to the gateway
				q := request(row.code, 9, 1, user("nemo@example.org"), proxyState("one"))
				b.send(l, q)
				s := b.net.seen()
				rounds := 0
				for ; len(s) > 0 && rounds < 100; rounds++ {
					// The server proxies what it got, with a Proxy-State of its own behind.
					attrs := []attr{user("nemo@example.org")}
					for _, v := range values(s[0].octets, 33) {
						attrs = append(attrs, attr{33, v})
					}
					again := request(row.code, byte(rounds), 50+rounds, append(attrs, proxyState("the server's"))...)
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
				if line := b.log.String(); strings.Count(line, "has come back") != 1 || !strings.Contains(line, "server=a") || !strings.Contains(line, "realm=example.org") {
					t.Errorf("expected one line that names the server and the realm, got %s", line)
				}
			})
		})
	}
}

// Proxy-State of others is opaque, whatever it looks like: only the gateway's own name
// in it, at its place, says that a request has looped.
// Rules: P14, P31, P33, AR14
func TestWhatIsNoLoop(t *testing.T) {
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
				l, p := b.open()
				attrs := []attr{user("nemo@example.org")}
				for _, s := range row.state {
					attrs = append(attrs, proxyState(s))
				}
				q := request(1, 9, 1, attrs...)
				b.send(l, q)
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

// Two gateways, each with a server that proxies to the other: the request is refused by
// the first that it reaches twice, although each withholds what the other has sent.
// Rules: P31, P33, AR14
func TestLoopThroughTwoGateways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beds [2]*bed
		var links [2]*Link
		for i := range beds {
			beds[i] = newBed(t, settings{policy: strict})
			beds[i].rules.Marker = NewMarker(NewMarkerKey(), []string{"a"})
			links[i], _ = beds[i].open()
		}
		attrs := []attr{user("nemo@example.org")}
		datagrams := 0
		for ; datagrams < 50; datagrams++ {
			at := datagrams % 2
			beds[at].send(links[at], request(1, byte(datagrams), 1, attrs...))
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

// A request that the marker would make too long goes without: no request fails for what
// the gateway adds of its own accord.
// Rules: P15, P31
func TestMarkerThatDoesNotFit(t *testing.T) {
	marker := NewMarker(MarkerKey{1}, []string{"a"})
	const size = 2 + 8 + 12 // of its Proxy-State
	for _, row := range []struct {
		left int // octets that are free in the server's copy
		want int // Proxy-State in it
	}{{0, 0}, {size - 1, 0}, {size, 1}, {size + 3, 1}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			b.rules.Marker = marker
			l, _ := b.open()
			attrs := append([]attr{user("nemo@example.org")}, fill(200, 4096-20-18-18-row.left)...)
			b.send(l, request(1, 9, 1, attrs...))
			s := b.oneSeen()
			if n := len(values(s, 33)); n != row.want {
				t.Errorf("with %d octets left the server sees %d Proxy-State, expected %d", row.left, n, row.want)
			}
			if len(s) != 4096-row.left+row.want*size {
				t.Errorf("with %d octets left the server got %d octets", row.left, len(s))
			}
		})
	}
}

// A request that moves to another server has that server's number in its marker.
// Rules: P31, P65, AR14
func TestMarkerNamesTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: "the other server's secret"})
		b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a", "b"})
		l, _ := b.open()
		b.send(l, request(1, 9, 1, user("nemo@example.org")))
		pass(10 * time.Second)
		for _, d := range b.net.seen() {
			name := "a"
			if d.address != "a:1812" {
				name = "b"
			}
			if got, want := string(seenMarker(t, d.octets)), "radsecgw"+entryOf(b.rules.Marker, udpback.ServerID(name)); got != want {
				t.Errorf("%s sees Proxy-State %q, expected %q", d.address, got, want)
			}
		}
	})
}

// Replicas with one secret know each other's requests, others do not; neither the
// secret nor the name of a server is in a marker.
func TestMarkerKeys(t *testing.T) {
	const secret = "shared-by-all-replicas"
	one, two := NewMarker(SharedMarkerKey([]byte(secret)), []string{"freeradius-a"}), NewMarker(SharedMarkerKey([]byte(secret)), nil)
	if one.own != two.own {
		t.Error("two gateways with one secret call themselves differently")
	}
	if other := NewMarker(SharedMarkerKey([]byte(secret+"x")), nil); other.own == one.own {
		t.Error("gateways with different secrets call themselves the same")
	}
	key := sha256.Sum256([]byte(secret)) // replicas of different versions, too
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("radsec-gw loop marker"))
	if want := mac.Sum(nil)[:8]; !bytes.Equal(one.own[:], want) {
		t.Errorf("a gateway calls itself %x, expected %x", one.own, want)
	}
	first, second := NewMarker(NewMarkerKey(), nil), NewMarker(NewMarkerKey(), nil)
	if first.own == second.own {
		t.Error("two processes call themselves the same")
	}
	octets := one.append(nil, new(wire.View), udpback.ServerID("freeradius-a"))
	if bytes.Contains(octets, []byte(secret)) || bytes.Contains(octets, []byte("freeradius")) {
		t.Errorf("the marker %q tells a secret or a name", octets)
	}
	var v wire.View
	if err := v.Parse(assemble(1, 0, nil, []attr{{33, octets}})); err != nil {
		t.Fatal(err)
	}
	if server, ok := one.looped(&v); !ok || server != "freeradius-a" {
		t.Errorf("a loop is found: %v, by way of %q; expected freeradius-a", ok, server)
	}
	if server, ok := two.looped(&v); !ok || !strings.Contains(server, "does not have") {
		t.Errorf("a replica that lacks the server finds a loop: %v, by way of %q", ok, server)
	}
	if _, ok := (*Marker)(nil).looped(&v); ok {
		t.Error("a loop is found although loop_marker is off")
	}
}

// Whatever Proxy-State a client sends, the marker fits into an attribute, and the gateway
// finds its own in it.
func FuzzMarker(f *testing.F) {
	own := NewMarker(MarkerKey{1}, []string{"a"})
	for _, seed := range [][]byte{nil, {33, 2}, markerOf("x"), append([]byte{33, 22}, markerOf(entryOf(own, 1))...), append([]byte{33, 22}, markerOf(entryOf(NewMarker(MarkerKey{2}, nil), 1))...)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, attributes []byte) {
		packet := append(make([]byte, 20), attributes...)
		packet[0] = 1
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		var v wire.View
		if v.Parse(packet) != nil {
			return
		}
		if _, ok := own.looped(&v); ok {
			return
		}
		marker := own.append(nil, &v, 1)
		if len(marker) > markerSize || len(marker) > 253 {
			t.Fatalf("the marker has %d octets", len(marker))
		}
		if v.Parse(assemble(1, 0, nil, []attr{{33, marker}})) != nil {
			t.Fatal("the marker is no attribute")
		}
		if _, ok := own.looped(&v); !ok {
			t.Errorf("the own marker %q is not found", marker)
		}
	})
}

// Looking for a loop, and adding the marker, allocates nothing.
func TestMarkerDoesNotAllocate(t *testing.T) {
	own, other := NewMarker(MarkerKey{1}, []string{"a"}), NewMarker(MarkerKey{2}, nil)
	var v wire.View
	if err := v.Parse(assemble(1, 0, nil, []attr{proxyState("x"), {33, markerOf(entryOf(other, 1), entryOf(other, 2))}, proxyState("y")})); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		var room [markerSize]byte
		if _, ok := own.looped(&v); ok || len(own.append(room[:0], &v, 3)) != 8+3*12 {
			t.Error("a loop, or a wrong marker")
		}
	}); n != 0 {
		t.Errorf("%v allocations a request, expected none", n)
	}
}
