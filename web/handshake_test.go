package web

import (
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"radsec-gw/certs"
)

// withTLS makes the bed's server use TLS.
func (b *bed) withTLS() {
	b.t.Helper()
	ca, err := certs.NewCA("HTTP")
	if err != nil {
		b.t.Fatal(err)
	}
	pair, err := ca.Server([]string{"127.0.0.1"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.server.Change(Settings{Certificate: pair.TLS()})
}

// shake connects from an address and does a TLS handshake.
func (b *bed) shake(address, from string) *caller {
	b.t.Helper()
	raw := b.call(address, from, "")
	c := tls.Client(raw.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := c.HandshakeContext(b.t.Context()); err != nil {
		b.t.Fatalf("the handshake failed: %v", err)
	}
	return &caller{Conn: c, t: b.t}
}

// Connections that do a TLS handshake and then say nothing keep nobody out, not even
// callers from their own address, and do not make them wait.
func TestHandshakesWithoutRequestsKeepNobodyOut(t *testing.T) {
	b := newBed(t, func(c *Config) { c.MaxConnections, c.MaxWaiting = 4, 4 })
	b.withTLS()
	address, _ := b.serve()
	for i := range 40 {
		b.shake(address, "127.0.0.1")
		if i%10 != 9 {
			continue
		}
		for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
			c := b.shake(address, from)
			fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if !c.answeredWithin(maxWait) {
				t.Errorf("a health check from %s got no answer within %v, after %d handshakes", from, maxWait, i+1)
			}
		}
	}
}

// Few handshakes are computed at one time; others wait for them, and not for their peers.
func TestFewHandshakesAreComputedAtOnce(t *testing.T) {
	b := newBed(t, nil)
	b.withTLS()
	slots := b.server.handshakes
	synctest.Test(t, func(t *testing.T) {
		slots := make(chan struct{}, cap(slots))
		b.server.handshakes = slots
		for range cap(slots) {
			slots <- struct{}{}
		}
		here, there := net.Pipe()
		defer here.Close()
		c := newConn(here, &limited{server: b.server})
		server, client := tls.Server(c, b.server.current.Load().tls), tls.Client(there, &tls.Config{InsecureSkipVerify: true})
		ended := make(chan error, 2)
		go func() { ended <- server.Handshake() }()
		go func() { ended <- client.Handshake() }()
		synctest.Wait()
		if len(ended) > 0 {
			t.Fatalf("a handshake ended (%v) while as many as may were being computed", <-ended)
		}
		<-slots // one of the others is done
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("the handshake that had its turn failed: %v", err)
			}
		}
		if len(slots) != cap(slots)-1 {
			t.Errorf("%d handshakes count as being computed, expected the %d others", len(slots), cap(slots)-1)
		}
		there.Close()
		c.Close()
	})
}

// Handshakes without a request have their garbage collected, too.
func TestHandshakesCollectTheirGarbage(t *testing.T) {
	b := newBed(t, nil)
	b.withTLS()
	address, _ := b.serve()
	b.shake(address, "127.0.0.1").Close()
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // Go collects nothing by itself
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	highest := before.HeapAlloc
	const times, mostGarbage = 400, 24 << 20 // without collections it is 48 MB
	for range times {
		b.shake(address, "127.0.0.1").Close()
		runtime.ReadMemStats(&now)
		highest = max(highest, now.HeapAlloc)
	}
	if grown := highest - before.HeapAlloc; grown > mostGarbage {
		t.Errorf("%d handshakes made the heap grow by %d kB, from %d kB", times, grown>>10, before.HeapAlloc>>10)
	}
}
