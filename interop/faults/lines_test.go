package faults

import (
	"fmt"
	"net"
	"testing"

	"radsec-gw/interop/testbed"
)

// A flood of refusals of one source hides no other's.
//
// Fault F9.
func TestAFloodOfOneSourceHidesNoOther(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	knock := func(source string) {
		t.Helper()
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
		conn, err := dialer.Dial("tcp", g.radsec)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")) // the end is what counts
		_, _ = conn.Read(make([]byte, 1))
	}
	for range 600 {
		knock("127.0.0.2")
	}
	for i := range 6 {
		source := fmt.Sprintf("127.0.0.%d", 10+i)
		knock(source)
		g.Says("RadSec connection refused", "peer="+source+":", "result=not_tls")
	}
}

// A check whether the port is open is counted, and does not fill the log.
//
// Fault F9.
func TestAPortCheckIsNotAWarning(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = "proxy_protocol = [\"127.0.0.3/32\"]"
	g := b.serve()
	const looks = 3
	for range looks {
		for _, c := range []struct{ source, sends string }{
			{"127.0.0.2", ""},
			{"127.0.0.3", ""},
			{"127.0.0.3", "PROXY UNKNOWN\r\n"},
			{"127.0.0.3", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"}, // version 2, LOCAL
		} {
			conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.source)}}).Dial("tcp", g.radsec)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte(c.sends)) // the count shows it
			conn.Close()
		}
	}
	if !testbed.Eventually(patience, func() bool {
		return g.metric("radsec_gw_tls_handshakes_total", `result="peer_closed"`) == 4*looks
	}) {
		t.Errorf("%v looks are counted, expected %d", g.metric("radsec_gw_tls_handshakes_total", `result="peer_closed"`), 4*looks)
	}
	sendRaw(t, g, "GET / HTTP/1.1\r\n\r\n") // its line comes after theirs
	g.Says("result=not_tls")
	if n := g.Output().Count("level=WARN", "RadSec connection refused"); n != 1 {
		t.Errorf("the log has %d warnings of refusals, expected that of the GET alone", n)
	}
}

// An address that no client lists, such as a monitor's, is counted each time and logged once.
//
// Fault F9.
func TestAnUnlistedAddressIsLoggedOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.clients += "networks = [\"127.0.0.1/32\"]\n"
	g := b.serve()
	const looks = 5
	for range looks {
		if err := g.admitsWith("127.0.0.2", b.tlsOf(b.client)); err == nil {
			t.Fatal("an address that no client lists is admitted")
		}
	}
	sendRaw(t, g, "GET / HTTP/1.1\r\n\r\n") // its line comes after theirs
	g.Says("result=not_tls")
	if got := g.metric("radsec_gw_tls_handshakes_total", `result="unknown_network"`); got != looks {
		t.Errorf("%v refusals are counted, expected %d", got, looks)
	}
	if n := g.Output().Count("level=WARN", "result=unknown_network"); n != 1 {
		t.Errorf("the log has %d warnings of the address, expected one", n)
	}
}
