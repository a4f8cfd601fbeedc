package tlsfront

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

// A source that begins handshakes and never ends them leaves slots to others.
// Rules: P112
func TestUnfinishedHandshakesOfOneSourceLeaveRoom(t *testing.T) {
	f := startTCP(t, func(_ *front, c *Config) {
		c.MaxHandshakes = 8
		c.HandshakeTimeout = time.Hour // so that only the share lets anybody else in
	})
	for range 30 {
		c := must(net.Dial("tcp", f.addr))
		defer c.Close()
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="too_many"}`, 24)
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 30 * time.Second}
	c, err := tls.DialWithDialer(from, "tcp", f.addr, f.clientConfig())
	if err != nil {
		t.Fatalf("an honest client from another address: %v, expected a connection", err)
	}
	defer c.Close()
	await(t, f.opened, "the server to accept the connection")
}
