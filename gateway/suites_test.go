package gateway

import (
	"crypto/tls"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// A client that offers nothing but AES-CBC is refused, with advice that names its suite and
// cipher_suites; it gets in once that key allows the suite, and clients with TLS 1.3 do in any
// case. RFC 9325 §4.2.
//
// Fault S16.
func TestClientsWithCBCOnly(t *testing.T) {
	g := startUnwatched(t)
	dial := func(version uint16) error {
		c, err := tls.Dial("tcp", g.gw.Addr().String(), &tls.Config{Certificates: []tls.Certificate{g.pairs["plain"].TLS()}, RootCAs: certs.Pool(g.ca.Certificate),
			ServerName: "radsec-server", MaxVersion: version, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}})
		if err != nil {
			return err
		}
		defer c.Close()
		if name := tls.CipherSuiteName(c.ConnectionState().CipherSuite); version == tls.VersionTLS12 && name != "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" {
			t.Errorf("expected the suite that was offered, got %s", name)
		}
		(&testClient{t, c}).good()
		return nil
	}
	if err := dial(tls.VersionTLS12); err == nil || !strings.Contains(err.Error(), "handshake failure") {
		t.Errorf("by default: expected a refusal, got %v", err)
	}
	gatewaytest.Await(t, g.log, "result=no_common_cipher")
	if g.lines("RadSec connection refused", "result=no_common_cipher", "got TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
		"allow it with cipher_suites of [listen], which would have to have TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA and") != 1 {
		t.Errorf("expected a line with the suite and with advice, got\n%s", g.log)
	}
	if err := dial(tls.VersionTLS13); err != nil {
		t.Errorf("TLS 1.3: %v", err)
	}
	g.rewrite("packet_timeout", "cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA']\npacket_timeout")
	g.reload()
	if err := dial(tls.VersionTLS12); err != nil {
		t.Errorf("allowed by cipher_suites: %v", err)
	}
}
