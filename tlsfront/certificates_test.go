package tlsfront

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/sessions"
)

// pairOf returns a certificate for names, with an RSA key or one of ECDSA.
func pairOf(ca *certs.CA, withRSA bool, names ...string) tls.Certificate {
	pair := must(ca.Server(names)).TLS()
	leaf := must(x509.ParseCertificate(pair.Certificate[0]))
	if withRSA {
		key := must(rsa.GenerateKey(rand.Reader, 2048))
		der := must(x509.CreateCertificate(rand.Reader, leaf, ca.Certificate, key.Public(), ca.Key))
		pair = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
		leaf = must(x509.ParseCertificate(der))
	}
	pair.Leaf = leaf
	return pair
}

// A client gets the first certificate with the name it asks for that it can verify; without a
// name, or with one that none has, the first that it can verify; and if it can verify none, the
// first of all, never an alert about the name.
// Rules: TR6
func TestWhichCertificateIsPresented(t *testing.T) {
	pki := newPKI(t)
	ecdsa := pairOf(pki.ca, false, "radsec-server", "a.example.org")
	rsaTwin := pairOf(pki.ca, true, "radsec-server", "a.example.org")
	wild := pairOf(pki.ca, false, "*.wild.example.org")
	renamed := pairOf(pki.ca, true, "inside.example.org")
	f := startTCP(t, func(f *front, cfg *Config) {
		f.pki, cfg.ClientCA = pki, []*x509.Certificate{pki.ca.Certificate}
		cfg.Certificate = ecdsa
		cfg.Certificates = []sessions.NamedCertificate{{Certificate: rsaTwin}, {Certificate: wild}, {Certificate: renamed, Names: []string{"outside.example.org", "*.outside.example.org"}}}
	})
	onlyRSA := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, x := range []struct {
		name   string // "" as radsecproxy: none is asked for
		suites []uint16
		want   *tls.Certificate
	}{
		{"a.example.org", nil, &ecdsa},
		{"a.example.org", onlyRSA, &rsaTwin},
		{"", nil, &ecdsa},
		{"", onlyRSA, &rsaTwin},
		{"x.wild.example.org", nil, &wild},
		{"x.wild.example.org", onlyRSA, &rsaTwin}, // it could verify none with that name
		{"a.x.wild.example.org", nil, &ecdsa},
		{"outside.example.org", nil, &renamed},
		{"b.outside.example.org", onlyRSA, &renamed},
		{"c.b.outside.example.org", nil, &ecdsa},
		{"Outside.Example.ORG", nil, &renamed},
		{"inside.example.org", nil, &ecdsa}, // its names are those of the configuration
		{"unknown.example.org", nil, &ecdsa},
		{"unknown.example.org", onlyRSA, &rsaTwin},
		{"A.Example.ORG", nil, &ecdsa},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if x.suites != nil && version == tls.VersionTLS13 {
				continue // its suites say nothing about keys
			}
			cfg := f.clientConfig()
			cfg.ServerName, cfg.InsecureSkipVerify, cfg.MaxVersion, cfg.CipherSuites = x.name, true, version, x.suites
			c, err := tls.Dial("tcp", f.addr, cfg)
			switch {
			case err != nil:
				t.Errorf("a client that asks for %q with %s: %v", x.name, tls.VersionName(version), err)
			case !c.ConnectionState().PeerCertificates[0].Equal(x.want.Leaf):
				t.Errorf("a client that asks for %q with suites %v gets the certificate for %q, expected that for %q", x.name, x.suites,
					c.ConnectionState().PeerCertificates[0].DNSNames, x.want.Leaf.DNSNames)
			}
			if err == nil {
				c.Close()
			}
		}
	}
}

// A certificate that has expired is presented only where there is no other.
// Rules: TR6, TR7
func TestExpiredCertificateComesLast(t *testing.T) {
	pki := newPKI(t)
	expired := must(pki.ca.Server([]string{"radsec-server", "old.example.org"}, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	})).TLS()
	expired.Leaf = must(x509.ParseCertificate(expired.Certificate[0]))
	good := pairOf(pki.ca, false, "radsec-server")
	f := startTCP(t, func(f *front, cfg *Config) {
		f.pki, cfg.ClientCA, cfg.Certificate = pki, []*x509.Certificate{pki.ca.Certificate}, expired
		cfg.Certificates = []sessions.NamedCertificate{{Certificate: good}}
	})
	for name, want := range map[string]*tls.Certificate{"radsec-server": &good, "": &good, "old.example.org": &expired} {
		cfg := f.clientConfig()
		cfg.ServerName, cfg.InsecureSkipVerify = name, true
		c := must(tls.Dial("tcp", f.addr, cfg))
		if !c.ConnectionState().PeerCertificates[0].Equal(want.Leaf) {
			t.Errorf("a client that asks for %q gets the other certificate", name)
		}
		c.Close()
	}
}

// A peer that presents any of the gateway's certificates is refused.
// Rules: P114, TR6
func TestAnyOwnCertificateIsRefused(t *testing.T) {
	pki := newPKI(t)
	further := pairOf(pki.ca, false, "b.example.org")
	f := startTCP(t, func(f *front, cfg *Config) {
		f.pki, cfg.ClientCA, cfg.Certificate = pki, []*x509.Certificate{pki.ca.Certificate}, pki.server.TLS()
		cfg.Certificates = []sessions.NamedCertificate{{Certificate: further}}
	})
	cfg := f.clientConfig()
	cfg.Certificates = []tls.Certificate{further}
	f.refused(cfg)
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="own_certificate"}`, 1)
	f.wantLine("presented this gateway's own certificate")
}

// An alert about trust names the issuer of the certificate that the peer got.
func TestAlertNamesTheIssuerOfWhatWasPresented(t *testing.T) {
	pki := newPKI(t)
	other := must(certs.NewCA("another CA"))
	further := pairOf(other, false, "b.example.org")
	f := startTCP(t, func(f *front, cfg *Config) {
		f.pki, cfg.ClientCA, cfg.Certificate = pki, []*x509.Certificate{pki.ca.Certificate}, pki.server.TLS()
		cfg.Certificates = []sessions.NamedCertificate{{Certificate: further}}
	})
	cfg := f.clientConfig()
	cfg.ServerName = "b.example.org"
	if _, err := tls.Dial("tcp", f.addr, cfg); err == nil {
		t.Error("the client trusts a CA that it does not have")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="peer_alert"}`, 1)
	f.wantLine("result=peer_alert", "CN=another CA")
}
