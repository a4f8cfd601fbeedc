package tlsfront

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/identity"
	"radsec-gw/sessions"
)

// crl returns the CA's list of these certificates, valid for an hour.
func (p *pki) crl(revoked ...*certs.Pair) *x509.RevocationList {
	now := time.Now()
	return must(x509.ParseRevocationList(must(certstest.CRL(p.ca, now.Add(-time.Minute), now.Add(time.Hour), revoked...))))
}

// change changes the configuration of the server.
func (f *front) change(change func(*Config)) {
	f.t.Helper()
	cfg := f.server.policy.Load().cfg
	change(&cfg)
	f.openAll(cfg.Clients)
	if err := f.server.Update(cfg); err != nil {
		f.t.Fatal(err)
	}
}

// resuming returns the configuration of a client that resumes sessions.
func (f *front) resuming(version uint16) *tls.Config {
	cfg := f.clientConfig()
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	cfg.MaxVersion = version
	return cfg
}

// exchange connects, reads a packet (and with TLS 1.3 the ticket), and reports whether
// the session was resumed.
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

// refused connects, and checks that the server refuses.
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

// RFC 6614bis §3.3.1: an open connection is checked again when a list changes; §3.5: a
// resumed session has the result of a full handshake.
//
// Rules: P109, P110
func TestRevokedClientIsRefusedAndClosed(t *testing.T) {
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
				t.Error("a client that is not revoked was closed")
			default:
			}
			if got := f.metric(`radsec_gw_crl_next_update_timestamp_seconds{issuer="CN=test CA,O=radsec-gw development"}`); got <= float64(time.Now().Unix()) {
				t.Errorf("the list's next update is shown as %v", got)
			}
		})
	}
}

// RFC 5280 §6.3.3 (f): two CAs of the same name each have their own revocation list. A
// list does not apply to the certificates of the other CA, and does not hide that its
// list is out of date.
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
			twins := must(x509.ParseRevocationList(must(certstest.CRL(twin, now.Add(-time.Minute), now.Add(time.Hour)))))
			f.change(func(cfg *Config) { cfg.CRLs = []*x509.RevocationList{f.pki.crl(one), twins} })
			f.refused(bad) // resuming
			if _, _, resumed := f.exchange(good); !resumed {
				t.Error("the client of the other CA is not resumed")
			}
			bad.ClientSessionCache, good.ClientSessionCache = nil, nil
			f.refused(bad)
			f.exchange(good)

			stale := must(x509.ParseRevocationList(must(certstest.CRL(f.pki.ca, now.Add(-2*time.Hour), now.Add(-time.Hour)))))
			f.change(func(cfg *Config) { cfg.CRLs, cfg.RefuseStaleCRL = []*x509.RevocationList{stale, twins}, true })
			f.refused(bad)
			f.exchange(good)
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="crl_stale"}`, 1)
		})
	}
}

// The connections of a CA that is removed are closed, also if their path was verified
// before.
//
// Rules: P104, P109
func TestClientOfRemovedCAIsClosed(t *testing.T) {
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
		t.Error("a client of the CA that stays was closed")
	}
}

// RFC 6614bis §7.2.1: the gateway refuses a peer with the gateway's own certificate.
//
// Rules: P114
func TestOwnCertificateIsRefused(t *testing.T) {
	f := startTCP(t, nil)
	cfg := f.clientConfig()
	cfg.Certificates = []tls.Certificate{f.pki.server.TLS()}
	f.refused(cfg)
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="own_certificate"}`, 1)
}

// Session tickets of one gateway are accepted by another one with the same keys, also
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

// A client's own CA counts in full handshakes, in resumed ones, and for open connections
// when it changes; for no other client.
//
// Rules: TR1, TR2, P109, P110
func TestOwnCAAtResumptionAndReload(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own, twin := must(certs.NewCA("tenant CA")), must(certs.NewCA("tenant CA"))
			tenant := func(cas ...*certs.CA) []*sessions.Client {
				c := &sessions.Client{Client: identity.Client{Name: "tenant"}}
				for _, ca := range cas {
					c.CA = append(c.CA, ca.Certificate)
				}
				return []*sessions.Client{c, {Client: identity.Client{Name: "campus"}}}
			}
			f := startTCP(t, func(f *front, cfg *Config) { cfg.Clients = tenant(own, twin) })
			guest, other := f.resuming(version), f.resuming(version)
			guest.Certificates = []tls.Certificate{must(own.Client("guest")).TLS()}
			other.Certificates = []tls.Certificate{must(twin.Client("guest")).TLS()}
			for _, cfg := range []*tls.Config{guest, other} {
				f.exchange(cfg)
			}
			_, p, resumed := f.exchange(guest)
			_, q, _ := f.exchange(other)
			_, stays, _ := f.exchange(f.clientConfig())
			if !resumed || p.session.Client().Name != "tenant" || q.session.Client().Name != "tenant" || stays.session.Client().Name != "campus" {
				t.Fatalf("resumed is %v, the clients are %s, %s and %s; want tenant, tenant and campus", resumed,
					p.session.Client().Name, q.session.Client().Name, stays.session.Client().Name)
			}

			// One of two CAs of one name goes: its client does, the other stays.
			f.change(func(cfg *Config) { cfg.Clients = tenant(own) })
			await(t, q.closed, "the session to end with its CA")
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="tenant",reason="certificate_untrusted"}`, 2)
			f.refused(other)
			if f.exchange(guest); p.session.closing.Load() || stays.session.closing.Load() {
				t.Error("a session whose CA stays has ended")
			}

			// The CA becomes another client's: the open session no longer belongs to this one.
			f.change(func(cfg *Config) {
				cfg.Clients = append(tenant(twin), &sessions.Client{Client: identity.Client{Name: "new", CA: []*x509.Certificate{own.Certificate}}})
			})
			await(t, p.closed, "the session to end when its CA is another client's")
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="tenant",reason="not_allowed"}`, 3)
			if _, p, _ := f.exchange(guest); p.session.Client().Name != "new" {
				t.Errorf("the client is %s, want new", p.session.Client().Name)
			}
			f.exchange(other) // which came back
		})
	}
}

// SetClients keeps the connections whose client is still allowed.
func TestSetClientsKeepsTheAllowed(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	f.setClients(clientsOf(identity.Client{Name: "campus", SANDNS: []string{"*.CAMPUS.example"}}))
	c.Write(packet(20, 1))
	await(t, p.packets, "a packet after the reload")
	f.setClients(clientsOf(identity.Client{Name: "other"}))
	await(t, p.closed, "the session to end when its client is gone")
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
}

// A configuration that is applied in the moment in which Serve begins stays.
func TestUpdateWhileServeBegins(t *testing.T) {
	f := startTCP(t, nil)
	cfg := f.server.Config()
	for range 300 {
		cfg.Listeners = []net.Listener{must(net.Listen("tcp", "127.0.0.1:0"))}
		s := must(New(cfg))
		ctx, cancel := context.WithCancel(t.Context())
		go s.Serve(ctx)
		next := cfg
		next.IdleTimeout = 77 * time.Minute
		if err := s.Update(next); err != nil {
			t.Fatal(err)
		}
		cancel()
		s.Wait()
		if got := s.Config().IdleTimeout; got != next.IdleTimeout {
			t.Fatalf("expected an idle timeout of %v, got %v", next.IdleTimeout, got)
		}
	}
}
