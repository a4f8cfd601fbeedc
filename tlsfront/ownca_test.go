//go:build unix

package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// A client's own CA counts in full handshakes, in resumed ones and for connections
// that are open when it changes; for nobody else.
//
// Rules: TR1, TR2, P109, P110
func TestOwnCAAtResumptionAndReload(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own, twin := must(certs.NewCA("tenant CA")), must(certs.NewCA("tenant CA"))
			tenant := func(cas ...*certs.CA) []*Client {
				c := &Client{Client: identity.Client{Name: "tenant"}}
				for _, ca := range cas {
					c.CA = append(c.CA, ca.Certificate)
				}
				return []*Client{c, {Client: identity.Client{Name: "campus"}}}
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

			// The CA becomes another client's: the open session is not this one's any more.
			f.change(func(cfg *Config) {
				cfg.Clients = append(tenant(twin), &Client{Client: identity.Client{Name: "new", CA: []*x509.Certificate{own.Certificate}}})
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

// The CertificateRequest names the CAs of all clients, or none when the list would be
// too long, as TLS allows: a client shows its certificate all the same.
//
// Rules: TR3
func TestAllCAsAreNamed(t *testing.T) {
	own := must(certs.NewCA("tenant CA"))
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.Clients = append(cfg.Clients, &Client{Client: identity.Client{Name: "tenant", CA: []*x509.Certificate{own.Certificate}}})
	})
	forger := newForger()
	ask := func(version uint16) (names [][]byte) {
		cfg := f.clientConfig()
		cfg.MaxVersion = version
		pair := f.pki.client.TLS()
		cfg.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			names = r.AcceptableCAs
			return &pair, nil
		}
		f.exchange(cfg)
		return names
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		names := ask(version)
		for _, ca := range []*certs.CA{f.pki.ca, own} {
			if !slices.ContainsFunc(names, func(n []byte) bool { return string(n) == string(ca.Certificate.RawSubject) }) {
				t.Errorf("%s: %v is not among the %d CAs that the client is told", tls.VersionName(version), ca.Certificate.Subject, len(names))
			}
		}
	}
	f.change(func(cfg *Config) {
		for i := range 1200 {
			name := pkix.Name{CommonName: fmt.Sprintf("CA %d of a federation of many members, of which each has its own", i)}
			cfg.ClientCA = append(cfg.ClientCA, must(x509.ParseCertificate(forger.certificate(name, name, nil))))
		}
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if names := ask(version); len(names) != 0 {
			t.Errorf("%s: the client is told %d CAs, want none", tls.VersionName(version), len(names))
		}
	}
}

// Every refusal of package identity counts as something, as a handshake's result and
// as a reason to close, and both are there at zero from the start.
func TestEveryRefusalIsCounted(t *testing.T) {
	f := startTCP(t, nil)
	f.dial()
	for r := range identity.NumReasons {
		counts := refusalOf(&identity.Refusal{Reason: r})
		if counts.result == metrics.HandshakeOK || counts.closeReason == metrics.ClosedByPeer {
			t.Errorf("%v counts as handshake %v and reason %v: say what it counts as", r, counts.result, counts.closeReason)
		}
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="`+counts.result.String()+`"}`, 0)
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="`+counts.closeReason.String()+`"}`, 0)
	}
}
