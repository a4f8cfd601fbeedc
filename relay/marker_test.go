package relay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
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
		t.Error("the gateway's Proxy-State is not after all other attributes")
	}
	return all[0]
}

// Each kind of request has one Proxy-State of the gateway's own when it is sent to the server,
// after its other attributes, the same in each transmission. The client gets its own ones back
// and no others, whatever the server returns.
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
					attrs := []attr{proxyState("one"), nemo, {33, want[:8]}, integer(5, 1), proxyState("")}
					conn, p := b.open()
					q := makeRequest(code, 9, 1, attrs...)
					if v11 {
						conn, p = b.open11()
						q = makeRequest11(code, 9, attrs...)
					}
					b.send(conn, q)
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

// A request that the marker would make too long is sent without one: no request fails because
// of what the gateway adds.
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
			conn, _ := b.open()
			attrs := append([]attr{nemo}, fill(200, 4096-20-18-18-row.left)...)
			b.send(conn, makeRequest(1, 9, 1, attrs...))
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
		conn, _ := b.open()
		b.send(conn, makeRequest(1, 9, 1, nemo))
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

// Replicas with the same secret recognize each other's markers, others do not; neither the
// secret nor the name of a server is in a marker.
func TestMarkerKeys(t *testing.T) {
	const secret = "shared-by-all-replicas"
	one, two := NewMarker(SharedMarkerKey([]byte(secret)), []string{"freeradius-a"}), NewMarker(SharedMarkerKey([]byte(secret)), nil)
	if one.own != two.own {
		t.Error("two gateways with the same secret have different identifiers")
	}
	if other := NewMarker(SharedMarkerKey([]byte(secret+"x")), nil); other.own == one.own {
		t.Error("gateways with different secrets have the same identifier")
	}
	key := sha256.Sum256([]byte(secret)) // replicas of different versions, too
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("radsec-gw loop marker"))
	if want := mac.Sum(nil)[:8]; !bytes.Equal(one.own[:], want) {
		t.Errorf("a gateway has the identifier %x, expected %x", one.own, want)
	}
	first, second := NewMarker(NewMarkerKey(), nil), NewMarker(NewMarkerKey(), nil)
	if first.own == second.own {
		t.Error("two processes have the same identifier")
	}
	octets := one.append(nil, new(wire.View), udpback.ServerID("freeradius-a"))
	if bytes.Contains(octets, []byte(secret)) || bytes.Contains(octets, []byte("freeradius")) {
		t.Errorf("the marker %q reveals a secret or a name", octets)
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

// Whatever Proxy-State a client sends, the marker fits into an attribute, and the gateway finds
// its own entry in it.
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
			t.Fatal("the marker is not an attribute")
		}
		if _, ok := own.looped(&v); !ok {
			t.Errorf("the gateway does not find its own marker %q", marker)
		}
	})
}

// Detecting a loop, and adding the marker, does not allocate.
func TestMarkerDoesNotAllocate(t *testing.T) {
	own, other := NewMarker(MarkerKey{1}, []string{"a"}), NewMarker(MarkerKey{2}, nil)
	var v wire.View
	if err := v.Parse(assemble(1, 0, nil, []attr{proxyState("x"), {33, markerOf(entryOf(other, 1), entryOf(other, 2))}, proxyState("y")})); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		var space [markerSize]byte
		if _, ok := own.looped(&v); ok || len(own.append(space[:0], &v, 3)) != 8+3*12 {
			t.Error("a loop, or a wrong marker")
		}
	}); n != 0 {
		t.Errorf("%v allocations a request, expected none", n)
	}
}
