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

// openAs opens a connection of a peer whose certificate has a name.
func (b *bed) openAs(name string) (*Connection, *peer) {
	p := new(peer)
	conn := b.relay.Open(b.known, p, netip.MustParseAddrPort("192.0.2.1:1024"), Origin{SourceKey: func(bySerial bool) []byte {
		if bySerial {
			return []byte("serial " + name)
		}
		return []byte("dns " + name)
	}})
	b.conns = append(b.conns, conn)
	return conn, p
}

// cameFrom returns the source of the only datagram that the servers got, and its secret's
// owner.
func (b *bed) cameFrom(t *testing.T) (netip.Addr, []byte) {
	t.Helper()
	seen := b.net.seen()
	if len(seen) != 1 {
		t.Fatalf("the server got %d datagrams, expected 1", len(seen))
	}
	return seen[0].from.source, seen[0].octets
}

// The requests of all kinds of a client with a source come from it, under the secret that
// the server knows it with; health and other clients keep the server's.
// Rules: ID4, ID6
func TestClientHasASource(t *testing.T) {
	for _, code := range []radius.Code{1, 4, 43, 40} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			const own = "secret-of-this-client"
			b.client.Source = &ClientSource{Addr: netip.MustParseAddr("127.0.1.7"), Secret: must(wire.NewServerSecret([]byte(own)))}
			conn, p := b.open()
			q := makeRequest(code, 9, 1, nemo, mac)
			b.send(conn, q)
			from, octets := b.cameFrom(t)
			if from != b.client.Source.Addr {
				t.Errorf("%v came from %v, expected %v", code, from, b.client.Source.Addr)
			}
			if !radius.IsAuthenticRequest(octets, []byte(own)) {
				t.Errorf("%v is not signed under server_secret", code)
			}
			b.reply(respondUnder(own, octets, map[radius.Code]radius.Code{1: 2, 4: 5, 43: 44, 40: 41}[code], mac))
			checkAnswer(t, q, one(t, "the client got", p.got()), map[radius.Code]radius.Code{1: 2, 4: 5, 43: 44, 40: 41}[code])
		})
	}
}

// reply passes a reply to the last socket that was opened.
func (b *bed) reply(octets []byte) {
	b.net.mu.Lock()
	last := b.net.last
	b.net.mu.Unlock()
	last.in <- octets
	synctest.Wait()
}

// Each certificate has an address of the pool, by its name or its serial; of two with one
// address the second is refused as long as the first is connected.
// Rules: ID7, ID8
func TestPoolOfSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnroutable: Reject})
		wide, narrow := netip.MustParsePrefix("127.1.0.0/16"), netip.MustParsePrefix("127.2.0.0/30")
		b.client.Source = &ClientSource{Pool: wide}
		ap1, _ := b.openAs("ap1")
		again, _ := b.openAs("ap1")
		for _, conn := range []*Connection{ap1, again} {
			b.send(conn, makeRequest(1, 9, 1, nemo, mac))
			if from, _ := b.cameFrom(t); from != udpback.PoolAddress(wide, []byte("dns ap1")) {
				t.Errorf("a request of ap1 came from %v, expected %v", from, udpback.PoolAddress(wide, []byte("dns ap1")))
			}
		}

		bySerial := *b.client
		bySerial.Source = &ClientSource{Pool: wide, BySerial: true}
		b.known.Reconfigure(&bySerial)
		b.send(ap1, makeRequest(1, 10, 2, nemo, mac))
		if from, _ := b.cameFrom(t); from != udpback.PoolAddress(wide, []byte("serial ap1")) {
			t.Errorf("after a reload a request of ap1 came from %v, expected that of its serial", from)
		}

		small := *b.client
		small.Source = &ClientSource{Pool: narrow}
		b.known.Reconfigure(&small)
		first, second := twins(narrow)
		holder, _ := b.openAs(first)
		other, p := b.openAs(second)
		b.send(holder, makeRequest(1, 9, 1, nemo, mac))
		b.net.seen()
		q := makeRequest(1, 9, 2, nemo, mac)
		b.send(other, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		if n := len(b.net.seen()); n != 0 {
			t.Errorf("the server got %d datagrams of the second certificate, expected none", n)
		}
		if !strings.Contains(b.log.String(), "two certificates have the same address in source_pool") {
			t.Errorf("expected a line about the two certificates, got:\n%s", b.log)
		}
		holder.Closed()
		b.send(other, makeRequest(1, 10, 3, nemo, mac))
		if from, _ := b.cameFrom(t); from != udpback.PoolAddress(narrow, []byte("dns "+second)) {
			t.Errorf("after the first has gone the second came from %v, expected the address of both", from)
		}
	})
}

// A certificate whose address is another's since a reload is served at once, although the
// other, which has another address now, is connected and sends nothing. A reload that changes
// nothing takes no address away.
// Rules: ID7, ID8
func TestClaimEndsWithAReload(t *testing.T) {
	narrow, wide := netip.MustParsePrefix("127.2.0.0/30"), netip.MustParsePrefix("127.1.0.0/16")
	fixed := netip.MustParseAddr("127.2.0.1")
	for _, x := range []struct {
		name string
		next *ClientSource // of the client whose certificate was the first
		free bool
	}{
		{"the same", &ClientSource{Pool: narrow}, false},
		{"another secret", &ClientSource{Pool: narrow, Secret: must(wire.NewServerSecret([]byte("another-secret-of-it")))}, false},
		{"another pool", &ClientSource{Pool: wide}, true},
		{"another name", &ClientSource{Pool: wide, BySerial: true}, true},
		{"an address", &ClientSource{Addr: fixed}, true},
		{"none", nil, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict, onUnroutable: Reject})
			b.client.Source = &ClientSource{Pool: narrow}
			first, second := twins(narrow)
			holder, _ := b.openAs(first)
			b.send(holder, makeRequest(1, 9, 1, nemo, mac))
			b.net.seen()

			next := *b.client
			next.Source = x.next
			b.known.Reconfigure(&next)
			same := *b.client
			b.known = NewClient(&same)
			other, _ := b.openAs(second)
			b.send(other, makeRequest(1, 9, 2, nemo, mac))
			if n := len(b.net.seen()); (n == 1) != x.free {
				t.Errorf("%s: the server got %d requests of the second certificate, expected some: %t", x.name, n, x.free)
			}
		})
	}
}

// A client whose source is the address that a certificate of another has: the second that
// connects is refused, and a line says why.
// Rules: ID7, ID8
func TestSourceInsideAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnroutable: Reject})
		pool := netip.MustParsePrefix("127.2.0.0/30")
		b.client.Source = &ClientSource{Pool: pool}
		holder, _ := b.openAs("ap1")
		b.send(holder, makeRequest(1, 9, 1, nemo, mac))
		b.net.seen()
		fixed := *b.client
		fixed.Source = &ClientSource{Addr: udpback.PoolAddress(pool, []byte("dns ap1"))}
		b.known = NewClient(&fixed)
		other, p := b.openAs("ap2")
		q := makeRequest(1, 9, 2, nemo, mac)
		b.send(other, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		if want := "source is the address of a certificate in the source_pool of another client"; !strings.Contains(b.log.String(), want) {
			t.Errorf("expected %q, got:\n%s", want, b.log)
		}
	})
}

// twins returns two names with the same address of a pool.
func twins(pool netip.Prefix) (one, other string) {
	names := map[netip.Addr]string{}
	for i := byte('a'); ; i++ {
		name := "ap-" + string(rune(i))
		a := udpback.PoolAddress(pool, []byte("dns "+name))
		if had, ok := names[a]; ok {
			return had, name
		}
		names[a] = name
	}
}
