package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// Inside, an idle connection is closed for another one, of the source that has most, the oldest
// first; one that is answered does so only when it is slow, and one whose caller has the token goes last.
func TestWhichConnectionIsClosedForAnother(t *testing.T) {
	for _, row := range []struct {
		open []string // source, stage, "+" with the token; in the order in which they began
		want int
	}{
		{[]string{"a idle", "a idle", "b idle"}, 0},
		{[]string{"b idle", "a idle", "a idle"}, 1},
		{[]string{"b serving", "a fresh", "b idle"}, 2},
		{[]string{"b serving", "a fresh"}, 1},
		{[]string{"b idle", "a serving", "a serving"}, 0},
		{[]string{"b serving", "a serving", "a serving"}, 1},
		{[]string{"a idle+", "a idle", "a serving"}, 1},
		{[]string{"a idle+", "a serving"}, 0},
		{[]string{"a serving+", "b serving"}, 1},
	} {
		b := newBed(t, nil)
		l := &limited{server: b.server}
		var all []*conn
		for _, one := range row.open {
			source, what, _ := strings.Cut(one, " ")
			c := newConn(&fakeConn{source: map[string]string{"a": "192.0.2.1", "b": "192.0.2.2"}[source]}, l)
			c.pool.add(c, false)
			c.pool.queue(c)
			what, trusted := strings.CutSuffix(what, "+")
			if what != "fresh" {
				c.pool.serve(c, trusted)
			}
			if what == "idle" {
				connState(c, http.StateIdle)
			}
			all = append(all, c)
		}
		p := b.server.pool
		p.mu.Lock()
		got := p.worst((*conn).insideBefore)
		p.mu.Unlock()
		if got != all[row.want] {
			t.Errorf("%q: another one is closed than number %d", row.open, row.want)
		}
	}
}

type fakeConn struct {
	net.Conn
	source string
}

func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.source), 40000))
}

func (c *fakeConn) Close() error { return nil }

func TestSourceOfAConnection(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1:2:3:4": "2001:db8::", "fe80::1%eth0": "fe80::"} {
		if got := sourceOf((&fakeConn{source: in}).RemoteAddr()); got != netip.MustParseAddr(want) {
			t.Errorf("%s: got %v, want %s", in, got, want)
		}
	}
}

// Callers that never send a request, send one octet of it, or do not read their answers, keep nobody
// out, from whatever address they come; the displaced ones are counted and logged once a minute.
//
// Fault S1.
func TestNobodyIsKeptOut(t *testing.T) {
	big := strings.Repeat("x", 8<<20) // more than the kernel buffers
	const waiting, open = "as many HTTP connections wait with their first request as may; closing silent ones for new ones", "as many HTTP connections are open as there may be; closing idle and slow ones for new ones"
	for name, sent := range map[string]string{"silent": "", "slow": "G", "not reading": "GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n"} {
		b := newBed(t, func(c *Config) {
			c.MaxConnections, c.MaxWaiting = 4, 3
			c.Scrape = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) })
		})
		address, _ := b.serve()
		for i := range 5 {
			b.call(address, "127.0.0.1", sent)
			if i%2 == 0 {
				b.call(address, fmt.Sprintf("127.0.0.%d", i+2), sent)
			}
			if !b.call(address, "127.0.0.1", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").answered() {
				t.Fatalf("%s: a health check got no answer", name)
			}
		}
		line := fmt.Sprintf("msg=%q limit=4 closed=127.0.0.", open)
		if name != "not reading" { // they never came to the others
			line = fmt.Sprintf("msg=%q limit=3 closed=127.0.0.", waiting)
		}
		if n := strings.Count(b.printed.String(), line); n != 1 {
			t.Errorf("%s: logged %s %d times, want once:\n%s", name, line, n, b.printed)
		}
		if _, text, _ := b.ask("GET", "/readyz", ""); text == "" {
			t.Error("no answer")
		}
	}
}

// While hundreds of idle connections and fifty callers in a loop, from the scraper's own address and
// from others, use the HTTP side, orchestrators' probes and the scraper are answered every time.
//
// Fault S1.
func TestProbesAndScraperGetInDuringAFlood(t *testing.T) {
	b := newBed(t, func(c *Config) { c.MaxWaiting = 625 }) // as with 20,000 descriptors
	for i := range 50 {
		b.m.Client(fmt.Sprintf("client-%d", i))
	}
	address, _ := b.serve()
	stop := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	const idle, looping = 200, 50
	for i := range idle + looping {
		from := net.IPv4(127, 0, 0, byte(1+i%2*(i%5))) // half of them like the scraper
		running.Go(func() {
			for path := "/metrics"; ; path = "/readyz" {
				select {
				case <-stop:
					return
				default:
				}
				if i < idle {
					idleOnce(address, from, stop)
				} else {
					get(address, from, path, 10*time.Second)
				}
			}
		})
	}
	slowest := time.Duration(0)
	for range 10 {
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			start := time.Now()
			if err := get(address, net.IPv4(127, 0, 0, 1), path, 10*time.Second); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			slowest = max(slowest, time.Since(start))
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("the slowest answer took %v", slowest)
}

// idleOnce opens a connection, gets one answer, and stays idle until it is closed.
func idleOnce(address string, from net.IP, stop chan struct{}) {
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: from}}
	c, err := d.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-stop:
			c.Close()
		case <-done:
		}
	}()
	fmt.Fprintf(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	io.Copy(io.Discard, c)
	select {
	case <-stop:
	case <-time.After(2 * time.Second): // before it tries again
	}
}

// get reads a path over a connection of its own. Any status but 200 is an error.
func get(address string, from net.IP, path string, patience time.Duration) error {
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: from}}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: d.DialContext}}
	r, err := client.Get("http://" + address + path)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("got %s, want 200", r.Status)
	}
	return nil
}
