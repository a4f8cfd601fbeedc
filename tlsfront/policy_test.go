package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
)

// crl makes the CA's list of these certificates, good for an hour.
func (p *pki) crl(revoked ...*certs.Pair) *x509.RevocationList {
	now := time.Now()
	return must(x509.ParseRevocationList(must(p.ca.CRL(now.Add(-time.Minute), now.Add(time.Hour), revoked...))))
}

// change puts the configuration in force after changing it.
func (f *front) change(change func(*Config)) {
	f.t.Helper()
	cfg := f.server.policy.Load().cfg
	change(&cfg)
	f.openAll(cfg.Clients)
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
func (f *front) exchange(cfg *tls.Config) (c *tls.Conn, p *testHandler, resumed bool) {
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

// RFC 5280 §6.3.3 (f): two CAs of one name have each its own revocation list. One says
// nothing about the other's certificates, and does not hide that the other's list is
// out of date.
//
// Rules: TR4, P109, P110
func TestTwoCAsOfOneNameHaveTheirOwnLists(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			twin := must(certs.NewCA("test CA"))
			now := time.Now()
			serial := func(c *x509.Certificate) { c.SerialNumber = big.NewInt(4711) }
			f := startTCP(t, func(f *front, cfg *Config) { cfg.ClientCA = append(cfg.ClientCA, twin.Certificate) })
			one, two := must(f.pki.ca.Client("one", serial)), must(twin.Client("two", serial))
			of := func(pair *certs.Pair) *tls.Config {
				cfg := f.resuming(version)
				cfg.Certificates = []tls.Certificate{pair.TLS()}
				return cfg
			}
			bad, good := of(one), of(two)
			f.exchange(bad)
			f.exchange(good)
			twins := must(x509.ParseRevocationList(must(twin.CRL(now.Add(-time.Minute), now.Add(time.Hour)))))
			f.change(func(cfg *Config) { cfg.CRLs = []*x509.RevocationList{f.pki.crl(one), twins} })
			f.refused(bad) // resuming
			if _, _, resumed := f.exchange(good); !resumed {
				t.Error("the client of the other CA is not resumed")
			}
			bad.ClientSessionCache, good.ClientSessionCache = nil, nil
			f.refused(bad)
			f.exchange(good)

			stale := must(x509.ParseRevocationList(must(f.pki.ca.CRL(now.Add(-2*time.Hour), now.Add(-time.Hour)))))
			f.change(func(cfg *Config) { cfg.CRLs, cfg.RefuseStaleCRL = []*x509.RevocationList{stale, twins}, true })
			f.refused(bad)
			f.exchange(good)
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="crl_stale"}`, 1)
		})
	}
}

// A client of a CA that is not trusted any more goes, also when its path was
// verified before.
//
// Rules: P104, P109
func TestClientOfRemovedCAIsThrownOff(t *testing.T) {
	other := must(certs.NewCA("other CA"))
	f := startTCP(t, func(f *front, cfg *Config) { cfg.ClientCA = append(cfg.ClientCA, other.Certificate) })
	cfg := f.clientConfig()
	cfg.Certificates = []tls.Certificate{must(other.Client("guest")).TLS()}
	_, p, _ := f.exchange(cfg)
	_, stays, _ := f.exchange(f.clientConfig())
	f.change(func(cfg *Config) { cfg.ClientCA = []*x509.Certificate{f.pki.ca.Certificate} })
	await(t, p.closed, "the session to end with its CA")
	guest := cfg.Certificates[0] // shown although the server does not name its CA
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &guest, nil }
	f.refused(cfg)
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="untrusted_certificate"}`, 1)
	f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="certificate_untrusted"}`, 1)
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
		sleep(2 * time.Hour)
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

// Session tickets of one gateway open at another that has the same keys, also
// after both have changed them.
//
// Rules: P110
func TestTicketKeysAreShared(t *testing.T) {
	one, two := [32]byte{1}, [32]byte{2}
	a := startTCP(t, func(f *front, cfg *Config) { cfg.TicketKeys = [][32]byte{one} })
	b := startTCP(t, func(f *front, cfg *Config) {
		f.pki = a.pki
		cfg.Certificate, cfg.ClientCA, cfg.TicketKeys = a.pki.server.TLS(), []*x509.Certificate{a.pki.ca.Certificate}, [][32]byte{two, one}
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
