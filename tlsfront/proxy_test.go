package tlsfront

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"radsec-gw/identity"
)

// proxyHeader returns the header that a load balancer sends for a connection from
// source.
func proxyHeader(version byte, source string) []byte {
	from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source))
	to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.1:2083"))
	if from.IP.To4() == nil {
		to = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::1]:2083"))
	}
	return must(proxyproto.HeaderProxyFromAddrs(version, from, to).Format())
}

// throughProxy connects an honest client after these octets.
func (f *front) throughProxy(header []byte) (*tls.Conn, error) {
	raw := must(net.Dial("tcp", f.addr))
	f.t.Cleanup(func() { raw.Close() })
	raw.Write(header)
	c := tls.Client(raw, f.clientConfig())
	return c, c.Handshake()
}

// A client behind a load balancer is identified by its own address, which must be one of
// the client.
//
// Rules: P105, P108
func TestClientBehindLoadBalancer(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		cfg.Clients = clientsOf(identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}})
	})
	local := must((&proxyproto.Header{Version: 2, Command: proxyproto.LOCAL}).Format())
	for _, c := range []struct {
		name   string
		header []byte
		source string // empty: refused
		result string
	}{
		{"version 1", proxyHeader(1, "192.0.2.7:4711"), "192.0.2.7:4711", ""},
		{"version 2", proxyHeader(2, "192.0.2.7:4711"), "192.0.2.7:4711", ""},
		{"version 2, IPv6", proxyHeader(2, "[2001:db8::7]:4711"), "[2001:db8::7]:4711", ""},
		{"a source that no client lists", proxyHeader(2, "203.0.113.7:4711"), "", "unknown_network"},
		{"no header", nil, "", "bad_proxy_header"},
		{"half a header", []byte("PROXY TCP4 192.0.2.7\r\n"), "", "bad_proxy_header"},
		{"a check by the load balancer itself", local, "", "unknown_network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := f.throughProxy(c.header)
			if c.source == "" {
				if err == nil {
					err = readToEnd(conn)
				}
				if err == nil {
					t.Fatal("the connection is accepted")
				}
				f.awaitLine("result=" + c.result)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p := await(t, f.opened, "the session")
			if got := p.session.RemoteAddr().String(); got != c.source {
				t.Errorf("the peer is %s, want %s", got, c.source)
			}
			conn.Write(packet(100, 1))
			await(t, p.packets, "a packet")
			if p.session.conn.raw == nil {
				t.Error("the connection has lost its file descriptor, and with it the fast way")
			}
			conn.Close()
			await(t, p.closed, "the end")
		})
	}
}

// awaitLine waits for a log line.
func (f *front) awaitLine(text string) {
	f.t.Helper()
	for end := time.Now().Add(patience); len(f.log.lines(text)) == 0; {
		if time.Now().After(end) {
			f.t.Fatalf("no log line has %q; the log:\n%s", text, f.log)
		}
	}
}

// A PROXY header from another address is refused, because it is not TLS. A load balancer
// that sends no header is disconnected after the time for starting a handshake.
//
// Rules: P101, P112
func TestProxyHeaderIsForLoadBalancersOnly(t *testing.T) {
	f := startTCP(t, nil)
	if _, err := f.throughProxy(proxyHeader(1, "192.0.2.7:4711")); err == nil {
		t.Error("a PROXY header from another address is accepted")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="not_tls"}`, 1)
	f.change(func(cfg *Config) {
		cfg.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		cfg.SilentTimeout = 100 * time.Millisecond
	})
	silent := must(net.Dial("tcp", f.addr))
	defer silent.Close()
	if err := readToEnd(silent); err != io.EOF && !strings.Contains(err.Error(), "reset") {
		t.Errorf("a load balancer that is silent sees %v, want the end", err)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="bad_proxy_header"}`, 1)
}

// Whatever is sent from a load balancer's network, reading it does not panic, and does
// not return an address that is not in it.
func FuzzProxyHeader(f *testing.F) {
	f.Add(proxyHeader(1, "192.0.2.7:4711"))
	f.Add(proxyHeader(2, "[2001:db8::7]:4711"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := net.Pipe()
		go func() {
			near.Write(b)
			near.Close()
		}()
		defer far.Close()
		source, ahead, err := readProxyHeader(named{far, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}})
		if err == nil && (!source.IsValid() || len(ahead) > len(b)) {
			t.Errorf("%q gives %v and %d octets more", b, source, len(ahead))
		}
	})
}
