package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
	"radsec-gw/metrics"
)

// crl makes the CA's list of these certificates, good for an hour.
func (p *pki) crl(revoked ...*certs.Pair) *x509.RevocationList {
	now := time.Now()
	return must(x509.ParseRevocationList(must(p.ca.CRL(now.Add(-time.Minute), now.Add(time.Hour), revoked...))))
}

// change puts the configuration in force after changing it.
func (f *front) change(change func(*Config)) {
	f.t.Helper()
	cfg := f.server.now.Load().cfg
	change(&cfg)
	if err := f.server.Update(cfg); err != nil {
		f.t.Fatal(err)
	}
}

// resuming is a client that keeps its sessions.
func (f *front) resuming(version uint16) *tls.Config {
	cfg := f.clientConfig()
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	cfg.MaxVersion = version
	return cfg
}

// exchange connects, takes a packet (and with TLS 1.3 the ticket), and reports
// whether the session was resumed.
func (f *front) exchange(cfg *tls.Config) (c *tls.Conn, p *probe, resumed bool) {
	f.t.Helper()
	c, err := tls.Dial("tcp", f.addr, cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	p = await(f.t, f.opened, "the session")
	p.session.Send(packet(20, 1))
	p.session.Flush()
	if _, err := io.ReadFull(c, make([]byte, 20)); err != nil {
		f.t.Fatal(err)
	}
	return c, p, c.ConnectionState().DidResume
}

// refused connects in vain.
func (f *front) refused(cfg *tls.Config) {
	f.t.Helper()
	c, err := tls.Dial("tcp", f.addr, cfg)
	if err == nil { // TLS 1.3: the client is done before the server has looked
		err = readToEnd(c)
		c.Close()
	}
	if !isAlert(err) {
		f.t.Errorf("the refused client sees %v, want an alert", err)
	}
}

// RFC 6614bis §3.3.1: a connected peer is looked at again when a list changes;
// §3.5: a resumed session has the outcome of a full handshake.
//
// Rules: P109, P110
func TestRevokedClientIsRefusedAndThrownOff(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			f := startTCP(t, nil)
			good := f.clientConfig()
			bad := f.resuming(version)
			bad.Certificates = []tls.Certificate{must(f.pki.ca.Client("bad")).TLS()}
			revoked := &certs.Pair{Certificate: must(x509.ParseCertificate(bad.Certificates[0].Certificate[0]))}
			f.exchange(bad)
			c, p, resumed := f.exchange(bad)
			if !resumed {
				t.Fatal("the second connection is not resumed")
			}
			_, stays, _ := f.exchange(good)

			f.change(func(cfg *Config) { cfg.CRLs = []*x509.RevocationList{f.pki.crl(revoked)} })
			await(t, p.closed, "the revoked client's session to end")
			if err := readToEnd(c); err != io.EOF {
				t.Errorf("the revoked client sees %v, want close_notify", err)
			}
			f.refused(bad) // resuming
			bad.ClientSessionCache = nil
			f.refused(bad)
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="revoked_certificate"}`, 2)
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="certificate_revoked"}`, 2)
			f.exchange(good)
			select {
			case <-stays.closed:
				t.Error("a client that is not revoked was thrown off")
			default:
			}
			if got := f.metric(`radsec_gw_crl_next_update_timestamp_seconds{issuer="CN=test CA,O=radsec-gw development"}`); got <= float64(time.Now().Unix()) {
				t.Errorf("the list's next update is shown as %v", got)
			}
		})
	}
}

// A client of a CA that is not trusted any more goes, also when its path was
// verified before.
//
// Rules: P104, P109
func TestClientOfRemovedCAIsThrownOff(t *testing.T) {
	other := must(certs.NewCA("other CA"))
	f := startTCP(t, func(f *front, cfg *Config) { cfg.ClientCA = append(cfg.ClientCA, other.CertPEM()...) })
	cfg := f.clientConfig()
	cfg.Certificates = []tls.Certificate{must(other.Client("guest")).TLS()}
	_, p, _ := f.exchange(cfg)
	_, stays, _ := f.exchange(f.clientConfig())
	f.change(func(cfg *Config) { cfg.ClientCA = f.pki.ca.CertPEM() })
	await(t, p.closed, "the session to end with its CA")
	guest := cfg.Certificates[0] // shown although the server does not name its CA
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &guest, nil }
	f.refused(cfg)
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="untrusted_certificate"}`, 1)
	stays.session.Send(packet(20, 1)) // still up
	if stays.session.closing.Load() {
		t.Error("a client of the CA that stays was thrown off")
	}
}

// RFC 6614bis §3.3.1: a connection is closed when the certificate runs out.
//
// Rules: P109
func TestConnectionEndsWithItsCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		brief := must(f.pki.ca.Client("brief", certs.Valid(time.Hour)))
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

// A list that is out of date is used with a warning, or refuses, as configured;
// then open connections end with it.
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
		f.wantLine("revocation lists are out of date", "CN=test CA")

		f.change(func(cfg *Config) { cfg.CRLs, cfg.RefuseStaleCRL = []*x509.RevocationList{f.pki.crl()}, true })
		c, p := f.dialPipe(l)
		go io.Copy(io.Discard, c)
		start := time.Now()
		<-p.closed
		if d := time.Since(start); d < time.Hour-2*time.Second || d > time.Hour+3*time.Second {
			t.Errorf("the connection ends after %v, want with the list, after an hour", d)
		}
		late := tls.Client(l.connect(), f.clientConfig())
		late.Handshake()
		io.Copy(io.Discard, late)
		synctest.Wait() // the server counts after it has sent the alert
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="revoked_certificate"}`, 1)
		f.wantLine("result=revoked_certificate", "out of date since")
	})
}

// RFC 6614bis §7.2.1: the gateway does not talk to itself.
//
// Rules: P114
func TestOwnCertificateIsRefused(t *testing.T) {
	f := startTCP(t, nil)
	cfg := f.clientConfig()
	cfg.Certificates = []tls.Certificate{f.pki.server.TLS()}
	f.refused(cfg)
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="own_certificate"}`, 1)
}

// A path that was verified once is not verified again, but its validity is
// looked at each time; a path of another CA does not come from the cache.
//
// Rules: P104
func TestVerifiedPathsAreKept(t *testing.T) {
	p := newPKI(t)
	j := must(newJudge(&Config{ClientCA: p.ca.CertPEM()}, nil))
	now := time.Now()
	leaf := []*x509.Certificate{p.client.Certificate}
	first := must(j.certificates(leaf, now))
	if len(j.paths.paths) != 1 || !first.Equal(leaf[0].NotAfter) {
		t.Fatalf("%d paths are kept and the certificate is good until %v, want 1 and %v", len(j.paths.paths), first, leaf[0].NotAfter)
	}
	j.trust = newTrust(nil) // a verification would fail now
	if until, err := j.certificates(leaf, now); err != nil || !until.Equal(first) {
		t.Errorf("the second look says %v, %v; it should not verify again", until, err)
	}
	var v *verdict
	if _, err := j.certificates(leaf, first.Add(time.Second)); !errors.As(err, &v) {
		t.Errorf("after its end the certificate gets %v, want a refusal", err)
	}
	if _, err := j.certificates(leaf, leaf[0].NotBefore.Add(-time.Second)); !errors.As(err, &v) {
		t.Errorf("before its begin the certificate gets %v, want a refusal", err)
	}
	again := must(newJudge(&Config{ClientCA: p.ca.CertPEM(), CRLs: []*x509.RevocationList{p.crl(p.client)}}, j))
	if _, err := again.certificates(leaf, now); !errors.As(err, &v) || v.handshake != metrics.HandshakeRevokedCertificate {
		t.Errorf("a kept path of a revoked certificate gets %v, want a refusal", err)
	}
	other := must(newJudge(&Config{ClientCA: must(certs.NewCA("test CA")).CertPEM()}, j))
	if _, err := other.certificates(leaf, now); !errors.As(err, &v) || v.handshake != metrics.HandshakeUntrustedCertificate {
		t.Errorf("with another CA of the same name the certificate gets %v, want a refusal", err)
	}
	server := []*x509.Certificate{p.server.Certificate}
	if _, err := j.certificates(server, now); err == nil {
		t.Error("a certificate for servers passes for a client's")
	}
	for i := range maxPaths + 10 {
		j.paths.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, nil)
	}
	if n := len(j.paths.paths); n > maxPaths {
		t.Errorf("%d paths are kept, want at most %d", n, maxPaths)
	}
}

// A list counts only when the client CA has signed it, whatever its issuer is called.
func TestListsOfStrangers(t *testing.T) {
	p := newPKI(t)
	now := time.Now()
	der := must(p.ca.CRL(now, now.Add(time.Hour), p.client))
	stranger := must(certs.NewCA("test CA"))
	if err := CheckCRL(must(certs.ParseCRLs("ca.crl", der))[0], []*x509.Certificate{stranger.Certificate}); err == nil {
		t.Error("a list of another CA of the same name is taken")
	}
	if _, err := newJudge(&Config{ClientCA: stranger.CertPEM(), CRLs: must(certs.ParseCRLs("ca.crl", der))}, nil); err == nil {
		t.Error("a judge takes a list that its CA has not signed")
	}
}

// Session tickets of one gateway open at another that has the same keys, also
// after both have changed them.
//
// Rules: P110
func TestTicketKeysAreShared(t *testing.T) {
	one, two := [32]byte{1}, [32]byte{2}
	a := startTCP(t, func(f *front, cfg *Config) { cfg.TicketKeys = [][32]byte{one} })
	b := startTCP(t, func(f *front, cfg *Config) {
		f.pki = a.pki
		cfg.Certificate, cfg.ClientCA, cfg.TicketKeys = a.pki.server.TLS(), a.pki.ca.CertPEM(), [][32]byte{two, one}
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := a.resuming(version)
		a.exchange(cfg)
		if _, _, resumed := b.exchange(cfg); !resumed {
			t.Errorf("%s: the other gateway does not resume", tls.VersionName(version))
		}
	}
	b.change(func(cfg *Config) { cfg.TicketKeys = [][32]byte{two} })
	cfg := a.resuming(tls.VersionTLS13)
	a.exchange(cfg)
	if _, _, resumed := b.exchange(cfg); resumed {
		t.Error("a key that was removed still opens tickets")
	}
}
