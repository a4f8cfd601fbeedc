package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/sessions"
)

// refusedPeer is a peer that is refused: what it sees, the metric and the log line.
type refusedPeer struct {
	name    string
	clients []*sessions.Client // nil: one that accepts every peer
	client  func(f *front, c *tls.Config)
	plain   string // sent instead of a handshake
	sees    func(error) bool
	result  string
	log     []string
}

// isClosed reports whether err is a close_notify.
func isClosed(err error) bool { return errors.Is(err, io.EOF) }

// isEnded reports whether err is an end without an alert: EOF, or a reset because octets
// were unread.
func isEnded(err error) bool { return err != nil && !isAlert(err) }

// present makes a client present a certificate, even if the server does not name its CA.
func present(c *tls.Config, pair tls.Certificate) {
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
}

// peersWithoutTLS are refused for the protocol, or because they have no certificate.
var peersWithoutTLS = []refusedPeer{
	{name: "plain TCP", plain: string(packet(20, 7)), sees: isEnded, result: "not_tls",
		log: []string{"expected a TLS ClientHello, got RADIUS in clear (Code 1, Length 20)", "RADIUS over TLS"}},
	{name: "TLS 1.1", client: func(f *front, c *tls.Config) {
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}, sees: isAlert, result: "old_version", log: []string{"the minimum is TLS 1.2"}},
	{name: "no certificate", client: func(f *front, c *tls.Config) { c.Certificates = nil },
		sees: isAlert, result: "no_certificate", log: []string{"give the peer a certificate"}},
	{name: "no certificate, TLS 1.2", client: func(f *front, c *tls.Config) {
		c.Certificates, c.MaxVersion = nil, tls.VersionTLS12
	}, sees: isAlert, result: "no_certificate", log: []string{"give the peer a certificate"}},
}

// peersWithBadCertificates are refused for their certificate, or refuse that of the server.
var peersWithBadCertificates = []refusedPeer{
	{name: "other CA", client: func(f *front, c *tls.Config) {
		other := must(certs.NewCA("other CA"))
		pair := must(other.Client("ap1")).TLS()
		present(c, pair)
	}, sees: isAlert, result: "untrusted_certificate", log: []string{"the certificate of CN=ap1", "its issuer CN=other CA", "not in client_ca", "fingerprint=sha256:"}},
	{name: "another CA of the same name", client: func(f *front, c *tls.Config) {
		pair := must(must(certs.NewCA("test CA")).Client("ap1")).TLS()
		present(c, pair)
	}, sees: isAlert, result: "untrusted_certificate", log: []string{"names an issuer that is configured or was sent, CN=test CA", "signed by another key", "fingerprint=sha256:", "client_ca"}},
	{name: "a server's certificate", client: func(f *front, c *tls.Config) {
		pair := must(f.pki.ca.Server([]string{"ap1"}, func(x *x509.Certificate) {
			x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})).TLS()
		present(c, pair)
	}, sees: isAlert, result: "unsuited_certificate", log: []string{"the certificate of CN=ap1", "has extendedKeyUsage serverAuth only; expected clientAuth"}},
	{name: "a damaged certificate", client: func(f *front, c *tls.Config) {
		pair := f.pki.client.TLS()
		pair.Certificate = [][]byte{pair.Certificate[0][:100]}
		present(c, pair)
	}, sees: isAlert, result: "malformed_certificate", log: []string{"failed to parse client certificate", "breaks a rule of RFC 5280", "openssl x509 -noout -text", "limit the peer to TLS 1.2"}},
	{name: "expired", client: func(f *front, c *tls.Config) {
		c.Certificates = []tls.Certificate{must(f.pki.ca.Client("ap1", func(x *x509.Certificate) {
			x.NotBefore, x.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		})).TLS()}
	}, sees: isAlert, result: "expired_certificate", log: []string{"the certificate of CN=ap1", " expired on ", "fingerprint=sha256:"}},
	{name: "not valid yet", client: func(f *front, c *tls.Config) {
		c.Certificates = []tls.Certificate{must(f.pki.ca.Client("ap1", func(x *x509.Certificate) { x.NotBefore = time.Now().Add(time.Hour) })).TLS()}
	}, sees: isAlert, result: "not_yet_valid_certificate", log: []string{"the certificate of CN=ap1", "is not valid before", "are both clocks right?", "fingerprint=sha256:"}},
	{name: "the peer does not trust the server", client: func(f *front, c *tls.Config) { c.RootCAs = x509.NewCertPool() },
		sees: func(err error) bool { return strings.Contains(err.Error(), "unknown authority") }, result: "peer_alert",
		log: []string{"the peer sent the alert bad_certificate", "does not trust this gateway's certificate", "CN=test CA"}},
}

// peersThatNoClientMatches are refused because no client's conditions hold.
var peersThatNoClientMatches = []refusedPeer{
	{name: "unlisted fingerprint", clients: clientsOf(identity.Client{Name: "campus", Fingerprints: [][32]byte{{1}, {2}}}),
		sees: isClosed, result: "unknown_client", log: []string{"campus: fingerprint is not among its 2", "san_dns=ap1.campus.example", "subject="}},
	{name: "SAN mismatch", clients: clientsOf(identity.Client{Name: "campus", SANDNS: []string{"*.other.example"}}, identity.Client{Name: "roaming", SANDNS: []string{"ap2.campus.example"}}),
		sees: isClosed, result: "unknown_client",
		log: []string{"campus: no SAN dNSName matches *.other.example; roaming: no SAN dNSName matches ap2.campus.example"}},
	{name: "network of another client", clients: clientsOf(
		identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		identity.Client{Name: "here", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, SANDNS: []string{"x.example"}}),
		sees: isClosed, result: "unknown_client", log: []string{"campus: source 127.0.0.1 is not in 192.0.2.0/24; here: no SAN"}},
	{name: "unknown network", clients: clientsOf(identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}),
		sees: isEnded, result: "unknown_network", log: []string{"campus: source 127.0.0.1 is not in 192.0.2.0/24"}},
}

// All ways to be refused: what the peer sees, the log line, the metric.
//
// RFC 6614bis §3.1 (P101: TLS from the first octet), §3.2 (P102: TLS 1.2 or
// newer), §3.3 (P103: mutual authentication in the handshake), §3.3.1 (P104:
// own trust base; P105: SAN), §3.4 (P107; P108 as far as Go can), RFC 6613
// §2.6.4 (P5: an unknown client is closed).
//
// Rules: P5, P101, P102, P103, P104, P105, P107, P108
func TestBadPeersAreRefused(t *testing.T) {
	for _, c := range slices.Concat(peersWithoutTLS, peersWithBadCertificates, peersThatNoClientMatches) {
		t.Run(c.name, c.test)
	}
}

func (c *refusedPeer) test(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		if c.clients != nil {
			cfg.Clients = c.clients
		}
	})
	raw := must(net.Dial("tcp", f.addr))
	defer raw.Close()
	var seen error
	if c.plain != "" {
		io.WriteString(raw, c.plain)
		seen = readToEnd(raw)
	} else {
		cfg := f.clientConfig()
		if c.client != nil {
			c.client(f, cfg)
		}
		conn := tls.Client(raw, cfg)
		if seen = conn.Handshake(); seen == nil {
			seen = readToEnd(conn) // with TLS 1.3 the server's refusal follows our Finished
		}
	}
	if !c.sees(seen) {
		t.Errorf("the peer sees %v", seen)
	}
	raw.Close()
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="`+c.result+`"}`, 1)
	f.stop()
	f.wantMetric(`radsec_gw_tls_handshakes_total{result="ok"}`, 0)
	f.wantMetric(`radsec_gw_tls_handshakes_in_progress`, 0)
	f.wantLine(append([]string{"RadSec connection refused", "result=" + c.result, "peer=127.0.0.1:"}, c.log...)...)
	if len(f.opened) != 0 {
		t.Error("a refused peer got a session")
	}
}

// RFC 6614bis §3.5: a resumed session is checked again, by the current rules.
//
// Rules: P110
func TestResumptionIsAuthorizedAgain(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			f := startTCP(t, nil)
			cfg := f.clientConfig()
			cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			cfg.MaxVersion = version
			for i, resumed := range []bool{false, true} {
				c := must(tls.Dial("tcp", f.addr, cfg))
				p := await(t, f.opened, "the session")
				if got := c.ConnectionState().DidResume; got != resumed {
					t.Fatalf("connection %d resumed: %v, want %v", i+1, got, resumed)
				}
				p.session.Send(packet(20, 1)) // with TLS 1.3, reading takes the ticket too
				p.session.Flush()
				if _, err := io.ReadFull(c, make([]byte, 20)); err != nil {
					t.Fatal(err)
				}
				c.Close()
				await(t, p.closed, "the session to end")
			}
			f.setClients(clientsOf(identity.Client{Name: "campus", SANDNS: []string{"other.example"}}))
			c, err := tls.Dial("tcp", f.addr, cfg)
			if err == nil {
				err = readToEnd(c)
				c.Close()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("the client that is no longer listed sees %v, want the end", err)
			}
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="unknown_client"}`, 1)
		})
	}
}

// The CertificateRequest contains the names of the CAs of all clients, or none if the
// list would be too long, as TLS allows: the client still presents its certificate.
//
// Rules: TR3
func TestAllCAsAreNamed(t *testing.T) {
	own := must(certs.NewCA("tenant CA"))
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.Clients = append(cfg.Clients, &sessions.Client{Client: identity.Client{Name: "tenant", CA: []*x509.Certificate{own.Certificate}}})
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
				t.Errorf("%s: %v is not among the names of %d CAs that the client gets", tls.VersionName(version), ca.Certificate.Subject, len(names))
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
			t.Errorf("%s: the client gets the names of %d CAs, want none", tls.VersionName(version), len(names))
		}
	}
}

// The highest version that both sides support is used: TLS 1.3, whatever else a client
// offers.
//
// Rules: P102
func TestVersionOfTLSIsTheHighest(t *testing.T) {
	f := startTCP(t, nil)
	for most, want := range map[uint16]uint16{0: tls.VersionTLS13, tls.VersionTLS12: tls.VersionTLS12} {
		cfg := f.clientConfig()
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, most
		c := must(tls.Dial("tcp", f.addr, cfg))
		await(t, f.opened, "the session")
		if got := c.ConnectionState().Version; got != want {
			t.Errorf("a client that offers up to %s gets %s, expected %s", tls.VersionName(most), tls.VersionName(got), tls.VersionName(want))
		}
		c.Close()
	}
}
