package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs/certstest"
)

// RFC 6614bis §3.3.1: a connection is closed when the certificate expires.
//
// Rules: P109
func TestConnectionEndsWithItsCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		brief := must(f.pki.ca.Client("brief", certstest.Valid(time.Hour)))
		cfg := f.clientConfig()
		cfg.Certificates = []tls.Certificate{brief.TLS()}
		c := tls.Client(l.connect(), cfg)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		<-f.opened
		start := time.Now()
		c.SetReadDeadline(start.Add(2 * time.Hour))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("the client sees %v, want close_notify", err)
		}
		if d := time.Since(start); d < time.Hour-2*time.Second || d > time.Hour+3*time.Second {
			t.Errorf("the connection ends after %v, want an hour", d)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="certificate_expired"}`, 1)
	})
}

// A list that is out of date causes a warning, or refuses, as configured; if it refuses,
// open connections are closed when it gets out of date.
//
// Rules: P109
func TestStaleRevocationList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		list := []*x509.RevocationList{f.pki.crl()}
		f.change(func(cfg *Config) { cfg.CRLs = list })
		pass(2 * time.Hour)
		c, _ := f.dialPipe(l)
		c.Close()
		f.wantLine("revocation lists are out of date", "CN=test CA", "refuse=false all_clients=false")
		const refused = `radsec_gw_crl_issuer_refused{issuer="CN=test CA,O=radsec-gw development"}`
		f.wantMetric(refused, 0)

		f.change(func(cfg *Config) { cfg.CRLs, cfg.RefuseStaleCRL = []*x509.RevocationList{f.pki.crl()}, true })
		c, p := f.dialPipe(l)
		go io.Copy(io.Discard, c)
		start := time.Now()
		<-p.closed
		if d := time.Since(start); d < time.Hour-2*time.Second || d > time.Hour+3*time.Second {
			t.Errorf("the connection ends after %v, want with the list, after an hour", d)
		}
		synctest.Wait()
		f.wantMetric(refused, 1)
		f.wantLine("revocation lists are out of date", "refuse=true all_clients=true")
		late := tls.Client(l.connect(), f.clientConfig())
		late.Handshake()
		io.Copy(io.Discard, late)
		synctest.Wait() // the server counts after it has sent the alert
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="crl_stale"}`, 1)
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="crl_stale"}`, 1)
		f.wantLine("result=crl_stale", "out of date since")
	})
}
