package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxWait is how long a health check or a scrape may wait, whatever strangers do.
const maxWait = time.Second

// Connections that send nothing keep nobody out, neither callers from another address nor from
// their own, while hundreds are open and 2,000 more arrive each second. A caller from their
// own may have to try again: where it is slow to send its request, they have its place.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	for _, places := range []int{4, 32} { // as with 100 descriptors and with 1,024
		b := newBed(t, func(c *Config) { c.MaxConnections, c.MaxWaiting = 4, places })
		address, _ := b.serve()
		stop, opened := make(chan struct{}), make(chan struct{})
		var flood sync.WaitGroup
		flood.Go(func() { floodSilently(address, 300, opened, stop) })
		<-opened
		for range 10 {
			for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
				for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
					err := get(address, ownAddress(from), path, maxWait)
					for start := time.Now(); err != nil && from == "127.0.0.1" && time.Since(start) < maxWait; {
						err = get(address, ownAddress(from), path, maxWait)
					}
					if err != nil {
						t.Errorf("%d places outside: %s from %s: %v", places, path, from, err)
					}
				}
			}
		}
		close(stop)
		flood.Wait()
	}
}

// floodSilently opens 2,000 connections a second until stop is closed, of which it keeps the
// last ones open. It closes opened when there are so many.
func floodSilently(address string, keep int, opened, stop chan struct{}) {
	var all []net.Conn
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	pace := time.NewTicker(500 * time.Microsecond)
	defer pace.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		c, err := net.DialTimeout("tcp", address, 10*time.Second)
		if err != nil {
			continue
		}
		if all = append(all, c); len(all) > keep {
			all[0].Close()
			all = all[1:]
		}
		if i == keep {
			close(opened)
		}
	}
}

// ownAddress returns the local address for calls from an address, nil for the one that they have in
// any case: bind(2) is slow while very many ports are in use.
func ownAddress(from string) net.IP {
	if from == "127.0.0.1" {
		return nil
	}
	return net.ParseIP(from)
}

// A connection inside that has sent its request is not closed as one that waits for its peer, though
// net/http reads from it meanwhile, to notice its end.
func TestARequestIsNotClosedAsAHandshake(t *testing.T) {
	c := newConn(&fakeConn{source: "192.0.2.1"}, &limited{server: newBed(t, nil).server})
	c.stage = fresh
	c.reading.Store(true)
	if got := c.order(); got != freshWaiting {
		t.Errorf("while the handshake waits for the peer: order %d, expected %d", got, freshWaiting)
	}
	connState(c, http.StateActive)
	if got := c.order(); got != freshRest {
		t.Errorf("after the request: order %d, expected %d", got, freshRest)
	}
}

// Requests whose bodies never arrive keep nobody out, whether anything reads the bodies or not.
//
// Fault S1.
func TestMissingBodiesKeepNobodyOut(t *testing.T) {
	for _, head := range []string{
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"PUT /loglevel HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 9\r\n\r\n",
	} {
		b := newBed(t, func(c *Config) { c.MaxConnections, c.MaxWaiting, c.Token = 4, 3, []byte(token) })
		address, _ := b.serve()
		for range 40 {
			b.call(address, "127.0.0.1", head)
		}
		if err := get(address, ownAddress("127.0.0.2"), "/healthz", maxWait); err != nil {
			t.Errorf("while 40 requests %q wait for their bodies: %v", head, err)
		}
	}
}

// A request whose body has arrived is not closed as one that waits for it.
func TestARequestWithItsBodyIsNotClosed(t *testing.T) {
	b := newBed(t, nil)
	c := newConn(&fakeConn{source: "192.0.2.1"}, &limited{server: b.server})
	c.pool.add(c, true)
	c.pool.queue(c)
	r := httptest.NewRequest("PUT", "/loglevel", strings.NewReader("debug")).WithContext(withConn(t.Context(), c))
	b.server.track(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.reading.Store(true)
		if got := c.order(); got != freshWaiting {
			t.Errorf("before the body was read: order %d, expected %d", got, freshWaiting)
		}
		io.Copy(io.Discard, r.Body)
		if got := c.order(); got != servingLast {
			t.Errorf("after the body was read: order %d, expected %d", got, servingLast)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

// The head of a request may arrive in parts; it is the whole head that counts.
func TestWholeHeads(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "G": false, "GET / HTTP/1.1\r\nHost: x\r\n": false, "GET / HTTP/1.1\r\nHost: x\r\n\r\n": true, "GET / HTTP/1.1\n\n": true,
		"\x16": false, "\x16\x03\x01\x00": false, "\x16\x03\x01\x00\x02a": false, "\x16\x03\x01\x00\x02ab": true,
	} {
		if got := isWhole([]byte(text)); got != want {
			t.Errorf("%q is whole: %v, expected %v", text, got, want)
		}
	}
	b := newBed(t, nil)
	address, _ := b.serve()
	long := make([]byte, 2*headSize)
	for i := range long {
		long[i] = 'x'
	}
	c := b.call(address, "127.0.0.1", "GET /healthz HT")
	for _, part := range []string{"TP/1.1\r\nHost: x\r\nX-Long: ", string(long), "\r\n\r\n"} {
		fmt.Fprint(c, part)
	}
	if !c.answeredWithin(maxWait) {
		t.Error("a request with a long head, in parts, got no answer")
	}
}

// A connection whose request has arrived in the kernel is not closed as a silent one, though nobody
// has read of it.
func TestARequestInTheKernelCounts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := newBed(t, func(c *Config) { c.MaxConnections, c.MaxWaiting = 1, 2 })
	p, front := b.server.pool, &limited{server: b.server}
	add := func(request string) *conn {
		b.call(l.Addr().String(), "127.0.0.1", request)
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := newConn(accepted, front)
		t.Cleanup(func() { c.Close() })
		p.add(c, true)
		return c
	}
	const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	first, quiet := add(request), add("")
	second := add(request)
	add("")
	if _, open := p.conns[quiet]; open {
		t.Error("the silent connection is still open, expected it to be closed for the last one")
	}
	if _, open := p.conns[second]; !open || first.stage != fresh || second.stage != queued {
		t.Errorf("connections whose requests have arrived: in stages %d and %d, open %v; expected one inside and one queued", first.stage, second.stage, open)
	}
}

// What has arrived counts however much of it has been read, be it a request or a ClientHello:
// nothing, the first octet or, before that is recorded, all. A part of a head does not count.
func TestARequestCountsWhileItIsRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := newBed(t, nil)
	p := b.server.pool
	for sent, whole := range map[string]bool{
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n": true, "GET / HT": false, "G": false,
		"\x16\x03\x01\x00\x02ab": true, "\x16\x03\x01\x00\x02a": false, "\x16": false,
	} {
		for what, read := range map[string]func(c *conn){
			"nothing":         func(*conn) {},
			"the first octet": func(c *conn) { io.ReadFull(c.Conn, make([]byte, 1)) },
			"all":             func(c *conn) { c.Conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); c.readHead() },
		} {
			b.call(l.Addr().String(), "127.0.0.1", sent)
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c := newConn(accepted, &limited{server: b.server})
			read(c)
			p.mu.Lock()
			p.conns[c] = struct{}{}
			p.enter(c, silent)
			if heard := p.hear(c); heard != whole || (c.stage == queued) != whole {
				t.Errorf("%q, of which %s is read: counts: %v, expected %v", sent, what, heard, whole)
			}
			p.mu.Unlock()
			c.Close()
		}
	}
}

// The oldest silent connection is closed for a new one, not that of a source which has two
// where others have one; a source that has most of the places loses its own.
func TestTheOldestSilentConnectionGoes(t *testing.T) {
	p := newBed(t, func(c *Config) { c.MaxWaiting = 4 }).server.pool
	add := func(from string) *conn {
		c := newConn(&fakeConn{source: from}, &limited{server: &Server{pool: p}})
		p.add(c, true)
		return c
	}
	open := func(c *conn) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, open := p.conns[c]
		return open
	}
	first, two, three := add("192.0.2.1"), add("192.0.2.2"), add("192.0.2.3")
	again := add("192.0.2.3")
	add("192.0.2.4")
	if open(first) || !open(two) || !open(three) || !open(again) {
		t.Errorf("open: %v %v %v %v; expected the first to be closed, which is the oldest", open(first), open(two), open(three), open(again))
	}
	add("192.0.2.3") // for the second
	flood := add("192.0.2.3")
	if open(two) || open(three) || !open(again) || !open(flood) {
		t.Errorf("open: %v %v %v %v; expected the oldest of the source with three of four places to be closed", open(two), open(three), open(again), open(flood))
	}
}
