package tlsfront

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"radsec-gw/identity"
)

// from connects from a loopback address, writes, and waits for the end.
func (f *front) from(source string, octets []byte) {
	f.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: patience}
	c, err := d.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	c.Write(octets)
	c.(*net.TCPConn).CloseWrite()
	c.SetReadDeadline(time.Now().Add(patience))
	io.Copy(io.Discard, c)
}

// warned returns the number of lines above debug that contain text.
func (f *front) warned(text string) (n int) {
	for _, line := range f.log.lines(text) {
		if !strings.Contains(line, "level=DEBUG") {
			n++
		}
	}
	return n
}

// During a flood from one source each refusal of another is logged.
func TestFloodDoesNotHideOtherRefusals(t *testing.T) {
	f := startTCP(t, nil)
	garbage := []byte("GET / HTTP/1.0\r\n\r\n")
	const flood, refused = 400, 6
	for range flood {
		f.from("127.0.0.1", garbage)
	}
	for range refused {
		f.from("127.0.0.2", garbage)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="not_tls"}`, flood+refused)
	if n := f.warned("peer=127.0.0.2:"); n != refused {
		t.Errorf("%d of %d refusals of the other source are logged", n, refused)
	}
	if n := f.warned("peer=127.0.0.1:"); n > flood/2 {
		t.Errorf("%d of %d refusals of the flooding source are logged, expected far fewer", n, flood)
	}
}

// Health checks of load balancers, and repeated connections from an address that no
// client lists, are counted, but not logged each time.
func TestHealthChecksAreCountedAndNotLogged(t *testing.T) {
	f := startTCP(t, func(_ *front, cfg *Config) {
		cfg.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32"), netip.MustParsePrefix("127.0.0.4/32")}
		cfg.Clients = clientsOf(identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("127.0.0.4/32")}})
	})
	local := must((&proxyproto.Header{Version: 2, Command: proxyproto.LOCAL}).Format())
	unknown := []byte("PROXY UNKNOWN\r\n")
	for _, row := range []struct {
		name, source string
		octets       []byte
		result       string
		lines        int
	}{
		{"a bare connection from a client's network", "127.0.0.1", nil, "peer_closed", 0},
		{"a bare connection from a load balancer", "127.0.0.3", nil, "peer_closed", 0},
		{"LOCAL from a load balancer", "127.0.0.3", local, "unknown_network", 0},
		{"UNKNOWN from a load balancer", "127.0.0.3", unknown, "unknown_network", 0},
		{"LOCAL from a load balancer that a client lists", "127.0.0.4", local, "peer_closed", 0},
		{"an address that no client lists", "127.0.0.5", nil, "unknown_network", 1},
		{"another one", "127.0.0.6", nil, "unknown_network", 1},
	} {
		series := `radsec_gw_tls_handshakes_total{result="` + row.result + `"}`
		before, lines := f.metric(series), f.warned("result="+row.result)
		const checks = 5
		for range checks {
			f.from(row.source, row.octets)
		}
		f.awaitMetric(series, before+checks)
		if n := f.warned("result="+row.result) - lines; n != row.lines {
			t.Errorf("%s: %d lines above debug for %d connections, expected %d", row.name, n, checks, row.lines)
		}
	}
	if n := len(f.log.lines("peer=127.0.0.5:")); n != 5 {
		t.Errorf("%d lines about the address that no client lists, expected one and four at debug", n)
	}
}
