package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// refusedHandshake is a connection that the gateway refuses.
type refusedHandshake struct {
	name, source, result string
	speak                func(raw net.Conn) error // until the gateway closes the connection; the error says how
}

// refusedHandshakes lists connections of peers that are not clients of g.
func refusedHandshakes(t *testing.T, g *testGateway) []refusedHandshake {
	t.Helper()
	other := need(certs.NewCA("another CA"))
	foreign := need(other.Client("plain"))
	expired := need(g.ca.Client("plain", certstest.Valid(-time.Minute)))
	with := func(change func(c *tls.Config)) func(raw net.Conn) error {
		return func(raw net.Conn) error {
			c := g.tls("plain")
			change(c)
			return speakTLS(raw, c)
		}
	}
	return []refusedHandshake{
		{"plain TCP, RADIUS in the clear", "127.0.0.1", "not_tls", func(raw net.Conn) error {
			if _, err := raw.Write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"))); err != nil {
				return err
			}
			return untilClosed(raw)
		}},
		{"TLS 1.1", "127.0.0.1", "old_version", with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })},
		{"no certificate, TLS 1.3", "127.0.0.1", "no_certificate", with(func(c *tls.Config) { c.Certificates = nil })},
		{"no certificate, TLS 1.2", "127.0.0.1", "no_certificate", with(func(c *tls.Config) { c.Certificates, c.MaxVersion = nil, tls.VersionTLS12 })},
		{"a certificate of another CA", "127.0.0.1", "untrusted_certificate", with(func(c *tls.Config) { present(c, foreign) })},
		{"an expired certificate", "127.0.0.1", "expired_certificate", with(func(c *tls.Config) { present(c, expired) })},
		{"a fingerprint that is not listed", "127.0.0.1", "unknown_client", with(func(c *tls.Config) { present(c, g.pairs["unlisted"]) })},
		{"a network that no client lists", "127.0.0.2", "unknown_network", with(func(*tls.Config) {})},
		{"a network of another client", "127.0.0.3", "unknown_client", with(func(*tls.Config) {})},
		{"a client outside its network", "127.0.0.1", "unknown_client", with(func(c *tls.Config) { present(c, g.pairs["faraway"]) })},
	}
}

// A peer that is not a client is refused, with a reason, and the next good client is
// served.
// Rules: P5, P101, P102, P103, P104, P107
func TestRefusedHandshakes(t *testing.T) {
	g := startGateway(t, answering(t))
	for _, row := range refusedHandshakes(t, g) {
		t.Run(row.name, func(t *testing.T) {
			before := g.scrape()
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(row.source)}, Timeout: gatewaytest.Patience}
			raw, err := d.Dial("tcp", g.gw.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			raw.SetDeadline(time.Now().Add(gatewaytest.Patience))
			if err := row.speak(raw); timedOut(err) {
				t.Errorf("expected the connection closed, it is open")
			}
			g.await(row.result+"=1", func(now map[string]float64) string {
				return since("radsec_gw_tls_handshakes_total", before, now, "result")
			})
			if fates := fatesSince(before, g.scrape()); fates != "" {
				t.Errorf("expected no packets counted, got %s", fates)
			}
			g.connect("plain").good()
		})
	}
	for _, want := range []string{"fingerprint is not among its 1", "no client lists this source address", "is not in 192.0.2.0/24"} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("expected %q in the log, got\n%s", want, g.log)
		}
	}
}

// present makes the client present this certificate, whatever CAs the gateway names.
func present(c *tls.Config, p *certs.Pair) {
	c.Certificates = nil
	pair := p.TLS()
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
}

// speakTLS does a handshake, sends a good request, and reads to the end: a TLS 1.3 client
// learns that it is refused only when it reads.
func speakTLS(raw net.Conn, c *tls.Config) error {
	conn := tls.Client(raw, c)
	if err := conn.Handshake(); err != nil {
		return err
	}
	if _, err := conn.Write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"))); err != nil {
		return err
	}
	return untilClosed(conn)
}

func untilClosed(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
