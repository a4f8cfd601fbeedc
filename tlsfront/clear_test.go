package tlsfront

import (
	"io"
	"net"
	"testing"
	"time"
)

// What is not TLS from its first octet gets no octet back: RADIUS in clear as little as
// what would begin TLS later (RFC 6614bis §3.1).
//
// Rules: P101
func TestWhatIsInClearGetsNothing(t *testing.T) {
	status := packet(20, 7)
	status[0] = 12
	for name, sent := range map[string][]byte{
		"an Access-Request":                   packet(38, 7),
		"a Status-Server":                     status,
		"STARTTLS and a ClientHello":          append([]byte("STARTTLS\r\n"), rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()...),
		"a ClientHello without its record":    rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()[5:],
		"RADIUS in clear, then a ClientHello": append(packet(20, 7), rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()...),
	} {
		f := startTCP(t, nil)
		raw := must(net.Dial("tcp", f.addr))
		raw.SetDeadline(time.Now().Add(patience))
		raw.Write(sent)
		if got, _ := io.ReadAll(raw); len(got) != 0 { // the end may be a reset, as something was left unread
			t.Errorf("%s gets % x, expected nothing", name, got)
		}
		raw.Close()
		f.awaitMetric(`radsec_gw_tls_handshakes_total{result="not_tls"}`, 1)
	}
}
