package tlsfront

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// goodFrom connects an honest client from an address, and again when it is closed. It
// returns how often, and the time until it had a session.
func (f *front) goodFrom(l *pipeListener, address string) (tries int, took time.Duration) {
	start := time.Now()
	for {
		tries++
		c := tls.Client(l.connectFrom(address), f.clientConfig())
		if c.Handshake() == nil {
			<-f.opened
			go io.Copy(io.Discard, c)
			return tries, time.Since(start)
		}
		pass(100 * time.Millisecond) // of faked time
	}
}

// crowd makes malicious connections. Each is made again when it is closed, until done.
func crowd(l *pipeListener, done chan struct{}, sources, each int, send []byte) {
	for i := range sources {
		for range each {
			go func() {
				for {
					select {
					case <-done:
						return
					case <-l.done:
						return
					default:
					}
					near, far := net.Pipe()
					select {
					case l.conns <- named{far, &net.TCPAddr{IP: net.IPv4(198, 51, 100, byte(i)), Port: 1}}:
						near.Write(send)
						io.Copy(io.Discard, near)
						near.Close()
					case <-done:
					case <-l.done:
					}
					sleep(500 * time.Millisecond) // of faked time
				}
			}()
		}
	}
}

// RFC 6614bis §7.4: sources with many connections that are silent, or that start
// handshakes and do not continue, do not keep others from connecting.
//
// Rules: P112
func TestUnfinishedConnectionsDoNotBlockOthers(t *testing.T) {
	for _, c := range []struct {
		name          string
		sources, each int
		send          []byte
		slots         int
		in            time.Duration
	}{
		{"two silent sources", 2, 300, nil, 128, 2 * time.Second},
		{"twenty silent sources", 20, 300, nil, 128, 2 * time.Second},
		{"two sources that do not finish", 2, 300, helloStart, 128, 2 * time.Second},
		{"twenty sources that do not finish", 20, 300, helloStart, 128, 2 * time.Second},
		// Each has one slot, or none: there is no share to exceed, only time.
		{"more sources that do not finish than there are slots", 20, 20, helloStart, 16, 2*displaceAfter + time.Second},
		{"one that sends the start of a start", 1, 300, helloStart[:3], 128, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, l := startPipe(t, func(cfg *Config) { cfg.MaxHandshakes, cfg.MaxConnections = c.slots, 2000 })
				done := make(chan struct{})
				crowd(l, done, c.sources, c.each, c.send)
				for i := range 10 {
					pass(700 * time.Millisecond)
					if n, d := f.goodFrom(l, fmt.Sprintf("192.0.2.%d", i)); n > 1 || d > c.in {
						t.Errorf("an honest client is in at try %d after %v, want the first and at most %v", n, d, c.in)
					}
				}
				u := f.server.cfg.Metrics.TLS().Unfinished()
				if u.Silent > 1000 || u.Handshaking > 128 || f.server.admission.connections() > 2000 {
					t.Errorf("%+v and %d connections in all, want at most 1000, 128 and 2000", u, f.server.admission.connections())
				}
				if (u.SlotsFull > 0) != (len(c.send) == len(helloStart)) || (len(f.log.lines("all handshake slots are in use")) > 0) != (u.SlotsFull > 0) {
					t.Errorf("full slots were counted %d times and logged as %q", u.SlotsFull, f.log.lines("all handshake slots are in use"))
				}
				close(done)
				f.stop()
				f.wantMetric("radsec_gw_tls_silent_connections", 0)
				f.wantMetric("radsec_gw_tls_handshakes_waiting", 0)
				f.wantMetric("radsec_gw_tls_handshakes_in_progress", 0)
				if n, s := f.server.admission.connections(), len(f.server.admission.sources); n != 0 || s != 0 {
					t.Errorf("%d connections of %d sources are counted after the end", n, s)
				}
				pass(time.Second) // for the crowd to end
			})
		})
	}
}

// Drain does not wait for connections that have not started a handshake.
func TestDrainEndsSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) { cfg.MaxHandshakes = 1 })
		l.connect()
		go l.connect().Write(helloStart)
		synctest.Wait()
		go l.connect().Write(helloStart) // waits for the slot
		synctest.Wait()
		start := time.Now()
		f.server.Drain(t.Context(), sessions.GatewayStops)
		if d := time.Since(start); !within(d, 10*time.Second) {
			t.Errorf("draining takes %v, want the 10 s of the handshake in progress", d)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="shutdown"}`, 2)
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="timeout"}`, 1)
	})
}

// A load balancer's address is shared by all its clients: before the PROXY header its
// connections have no share to exceed, and displace only one another.
//
// Rules: P112
func TestLoadBalancerHasNoShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) {
			cfg.MaxHandshakes = 8
			cfg.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("203.0.113.1/32")}
		})
		honest := l.connectFrom("203.0.113.1") // whose header takes a second
		for i := range 30 {
			l.connectFrom(fmt.Sprintf("192.0.2.%d", i%2)) // silent, with no balancer between
		}
		for range 10 { // behind the balancer, one source with all slots
			go l.connectFrom("203.0.113.1").Write(append(proxyHeader(2, "198.51.100.1:1"), helloStart...))
		}
		pass(time.Second)
		f.wantMetric("radsec_gw_tls_handshakes_in_progress", 8)
		honest.Write(proxyHeader(2, "198.51.100.2:1"))
		start := time.Now()
		c := tls.Client(honest, f.clientConfig())
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		p := <-f.opened
		if got := p.session.RemoteAddr().Addr().String(); got != "198.51.100.2" || time.Since(start) > time.Second {
			t.Errorf("the client behind the balancer is %s and in after %v", got, time.Since(start))
		}
		f.stop()
	})
}

// newTestAdmission returns an admission for tests without a network.
func newTestAdmission(slots int) *admission {
	return newAdmission(slots, metrics.New(prometheus.NewRegistry()).Listener("listen"))
}

func arrivalFrom(address string) *arrival {
	near, _ := net.Pipe()
	a := netip.MustParseAddr(address)
	return &arrival{conn: near, remote: netip.AddrPortFrom(a, 1), source: sourceOf(a)}
}

// If there are too many silent connections, the oldest of the source with the most is
// displaced.
func TestOldestOfTheLargestSourceIsDisplaced(t *testing.T) {
	d := newTestAdmission(8)
	l := admissionLimits{connections: 100, silent: 4}
	var all []*arrival
	for _, from := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3", "192.0.2.3"} {
		a := arrivalFrom(from)
		if r := d.enter(a, false, l); r != nil {
			t.Fatal(r)
		}
		all = append(all, a)
	}
	for i, a := range all {
		want := metrics.HandshakeOK
		if i == 1 { // when the last one arrived, only 192.0.2.2 had two
			want = metrics.HandshakeDisplaced
		}
		if a.result != want {
			t.Errorf("connection %d is %v, want %v", i, a.result, want)
		}
	}
	if d.connections() != 4 || d.sources[all[1].source] != 1 {
		t.Errorf("%d connections are counted and %d of the displaced one's source, want 4 and 1", d.connections(), d.sources[all[1].source])
	}
}

// At the limit for all connections, a queued connection of a source that has more of them
// is displaced; if no source has more, the new connection is refused.
func TestQueuedAreDisplacedAtTheLimit(t *testing.T) {
	d := newTestAdmission(1)
	l := admissionLimits{connections: 4, silent: 4}
	for range 4 {
		a := arrivalFrom("192.0.2.1")
		d.enter(a, false, l)
		d.requestSlot(a, time.Now().Add(time.Hour))
	}
	other := arrivalFrom("192.0.2.2")
	if r := d.enter(other, false, l); r != nil {
		t.Errorf("a new source beside one that has all connections is refused: %v", r)
	}
	if d.queued.n != 2 || d.connections() != 4 {
		t.Errorf("%d connections wait and %d are open, want 2 and 4", d.queued.n, d.connections())
	}
	d.requestSlot(other, time.Now().Add(time.Hour))
	same := arrivalFrom("192.0.2.2")
	if r := d.enter(same, false, l); r == nil || r.Result != metrics.HandshakeTooMany {
		t.Errorf("a second connection of the new source gets %v, want too_many: no source has more in the queue", r)
	}
	d.stop()
}

// RFC 6614bis §7.4: the number of connections is limited. Silent ones are displaced by
// new ones; those in use are not.
//
// Rules: P112
func TestLimitOnAllConnections(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.MaxConnections = 2 })
	silent := must(net.Dial("tcp", f.addr))
	defer silent.Close()
	f.awaitMetric("radsec_gw_tls_silent_connections", 1)
	f.dial()
	f.dial() // in the place of the silent one
	if err := readToEnd(silent); err == nil {
		t.Error("the silent connection was not closed")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="displaced"}`, 1)
	third := must(net.Dial("tcp", f.addr))
	defer third.Close()
	if err := readToEnd(third); err != io.EOF {
		t.Errorf("the connection beyond the limit sees %v, want the end", err)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="too_many"}`, 1)
	f.wantLine("result=too_many", "2 connections are open, which is the limit")
}

// RFC 6614bis §7.4: each source has a limit, including handshakes.
//
// Rules: P112
func TestLimitOnConnectionsOfOneSource(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.MaxPerSource = 2
		cfg.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	c, err := f.throughProxy(proxyHeader(2, "[2001:db8::1]:1"))
	if err != nil {
		t.Fatal(err)
	}
	half := must(net.Dial("tcp", f.addr)) // a handshake that does not continue
	defer half.Close()
	half.Write(append(proxyHeader(2, "[2001:db8::2]:1"), helloStart...))
	f.awaitMetric(`radsec_gw_tls_handshakes_in_progress`, 1)
	if _, err := f.throughProxy(proxyHeader(2, "[2001:db8::3]:1")); err == nil {
		t.Error("a third connection from the same /64 is accepted")
	}
	f.awaitLine("2001:db8:: has 2 connections, which is the limit for one source")
	if _, err := f.throughProxy(proxyHeader(2, "[2001:db8:0:1::1]:1")); err != nil {
		t.Errorf("another /64 is refused: %v", err)
	}
	c.Close()
	half.Close()
	for end := time.Now().Add(patience); ; {
		if _, err := f.throughProxy(proxyHeader(2, "[2001:db8::4]:1")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("closed connections count still")
		}
	}
}
