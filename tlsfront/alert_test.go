package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/certs"
)

// clearAlert is a client's connection on which an unencrypted alert is sent after the
// ClientHello, as OpenSSL does, and nothing else.
type clearAlert struct {
	net.Conn
	alert  byte
	mu     sync.Mutex
	writes int
}

func (c *clearAlert) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes++; c.writes == 1 {
		return c.Conn.Write(b)
	}
	if c.writes == 2 {
		c.Conn.Write([]byte{21, 3, 3, 0, 2, 2, c.alert})
	}
	return len(b), nil
}

// An alert of the peer is logged with its name and advice for that alert, whether
// encrypted or not, with either version (RFC 8446 §6).
//
// Rules: P103
func TestAlertsOfPeers(t *testing.T) {
	for _, c := range []struct {
		alert  byte
		name   string
		result string
		advice string
		not    string // advice for other alerts
	}{
		{48, "unknown_ca", "peer_alert", "give it the CA that signed it, CN=test CA", ""},
		{42, "bad_certificate", "peer_alert", "give it the CA that signed it", ""},
		{45, "certificate_expired", "peer_alert", "see radsec-gw check", "give it the CA"},
		{49, "access_denied", "peer_alert", "certificate", "give it the CA"},
		{70, "protocol_version", "peer_alert", "min_tls", "certificate"},
		{40, "handshake_failure", "peer_alert", "cipher_suites", "does not trust"},
		{120, "no_application_protocol", "peer_alert", "radius_versions", "certificate"},
		{112, "unrecognized_name", "peer_alert", "those in the certificate", "does not trust"},
		{50, "decode_error", "peer_alert", "its own log", "certificate"},
		{80, "internal_error", "peer_alert", "its own log", "certificate"},
		{201, "the alert 201", "peer_alert", "the peer's own log", "trust"},
		{0, "close_notify", "peer_closed", "its own log", "certificate"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(c.name+" "+tls.VersionName(version), func(t *testing.T) {
				f := startTCP(t, nil)
				raw := must(net.Dial("tcp", f.addr))
				defer raw.Close()
				cfg := f.clientConfig()
				cfg.RootCAs = x509.NewCertPool()
				cfg.MinVersion, cfg.MaxVersion = version, version
				if err := tls.Client(&clearAlert{Conn: raw, alert: c.alert}, cfg).Handshake(); err == nil {
					t.Fatal("the client trusts a CA that it does not know")
				}
				raw.Close()
				result := c.result
				f.awaitMetric(`radsec_gw_tls_handshakes_total{result="`+result+`"}`, 1)
				f.stop()
				if c.alert == 0 && version == tls.VersionTLS12 {
					return // crypto/tls reports an end, as without any alert
				}
				f.wantLine("RadSec connection refused", "result="+result, c.name, c.advice)
				if line := strings.Join(f.log.lines("connection refused"), ""); c.not != "" && strings.Contains(cause(line), c.not) {
					t.Errorf("the line of the alert %s has the advice %q, which is for others: %s", c.name, c.not, line)
				}
			})
		}
	}
}

// cause returns the error of a log line.
func cause(line string) string {
	_, after, _ := strings.Cut(line, `error="`)
	text, _, _ := strings.Cut(after, `"`)
	return text
}

// An encrypted alert is logged with its name, too.
func TestEncryptedAlertHasItsName(t *testing.T) {
	f := startTCP(t, nil)
	cfg := f.clientConfig()
	cfg.RootCAs = x509.NewCertPool()
	if _, err := tls.Dial("tcp", f.addr, cfg); err == nil {
		t.Fatal("the client trusts a CA that it does not know")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="peer_alert"}`, 1)
	f.stop()
	f.wantLine("result=peer_alert", "the peer sent the alert bad_certificate", "CN=test CA")
}

// An alert about a certificate of the gateway's own that has expired is not put down to the
// peer's trust.
func TestAlertAboutAnExpiredCertificate(t *testing.T) {
	now := time.Now()
	leaf := must(must(certs.NewCA("test CA")).Server([]string{"radsec-server"}, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	})).TLS()
	leaf.Leaf = must(x509.ParseCertificate(leaf.Certificate[0]))
	for _, a := range []alert{42, 45, 48} {
		if text := a.explain(&leaf); !strings.Contains(text, "expired on") || strings.Contains(text, "give it the CA") {
			t.Errorf("the alert %v is explained by %q, expected that the certificate has expired", a, text)
		}
	}
}
