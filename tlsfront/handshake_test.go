package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/identity"
)

// Every way to be refused: what the peer sees, the log line, the metric.
//
// RFC 6614bis §3.1 (P101: TLS from the first octet), §3.2 (P102: TLS 1.2 or
// newer), §3.3 (P103: mutual authentication in the handshake), §3.3.1 (P104:
// own trust base; P105: SAN), §3.4 (P107; P108 as far as Go can), RFC 6613
// §2.6.4 (P5: an unknown client is closed).
//
// Rules: P5, P101, P102, P103, P104, P105, P107, P108
func TestBadPeersAreRefused(t *testing.T) {
	alert := func(err error) bool { return isAlert(err) }
	closed := func(err error) bool { return errors.Is(err, io.EOF) }
	ended := func(err error) bool { return err != nil && !isAlert(err) } // EOF, or reset when octets were unread
	for _, c := range []struct {
		name    string
		clients []*Client // nil: one that takes everybody
		client  func(f *front, c *tls.Config)
		plain   string // written instead of a handshake
		sees    func(error) bool
		result  string
		says    []string
	}{
		{name: "plain TCP", plain: string(packet(20, 7)), sees: ended, result: "not_tls",
			says: []string{"expected a TLS ClientHello, got RADIUS in clear (Code 1, Length 20)", "RADIUS over TLS"}},
		{name: "TLS 1.1", client: func(f *front, c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}, sees: alert, result: "old_version", says: []string{"the minimum is TLS 1.2"}},
		{name: "no certificate", client: func(f *front, c *tls.Config) { c.Certificates = nil },
			sees: alert, result: "no_certificate", says: []string{"give the peer a certificate"}},
		{name: "no certificate, TLS 1.2", client: func(f *front, c *tls.Config) {
			c.Certificates, c.MaxVersion = nil, tls.VersionTLS12
		}, sees: alert, result: "no_certificate", says: []string{"give the peer a certificate"}},
		{name: "other CA", client: func(f *front, c *tls.Config) {
			other := must(certs.NewCA("other CA"))
			// Shown although the server names its CA.
			pair := must(other.Client("ap1")).TLS()
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}, sees: alert, result: "untrusted_certificate", says: []string{"the certificate of CN=ap1", "its issuer CN=other CA", "not in client_ca", "fingerprint=sha256:"}},
		{name: "another CA of the same name", client: func(f *front, c *tls.Config) {
			pair := must(must(certs.NewCA("test CA")).Client("ap1")).TLS()
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}, sees: alert, result: "untrusted_certificate", says: []string{"names an issuer that is configured or was sent, CN=test CA", "signed by another key", "fingerprint=sha256:", "client_ca"}},
		{name: "a server's certificate", client: func(f *front, c *tls.Config) {
			pair := must(f.pki.ca.ServerWith([]string{"ap1"}, func(x *x509.Certificate) {
				x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			})).TLS()
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}, sees: alert, result: "unsuited_certificate", says: []string{"the certificate of CN=ap1", "has extendedKeyUsage serverAuth only; expected clientAuth"}},
		{name: "a damaged certificate", client: func(f *front, c *tls.Config) {
			pair := f.pki.client.TLS()
			pair.Certificate = [][]byte{pair.Certificate[0][:100]}
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}, sees: alert, result: "malformed_certificate", says: []string{"failed to parse client certificate", "breaks a rule of RFC 5280", "openssl x509 -noout -text", "limit the peer to TLS 1.2"}},
		{name: "expired", client: func(f *front, c *tls.Config) {
			c.Certificates = []tls.Certificate{must(f.pki.ca.Client("ap1", func(x *x509.Certificate) {
				x.NotBefore, x.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
			})).TLS()}
		}, sees: alert, result: "expired_certificate", says: []string{"the certificate of CN=ap1", " expired on ", "fingerprint=sha256:"}},
		{name: "not valid yet", client: func(f *front, c *tls.Config) {
			c.Certificates = []tls.Certificate{must(f.pki.ca.Client("ap1", func(x *x509.Certificate) { x.NotBefore = time.Now().Add(time.Hour) })).TLS()}
		}, sees: alert, result: "not_yet_valid_certificate", says: []string{"the certificate of CN=ap1", "is not valid before", "are both clocks right?", "fingerprint=sha256:"}},
		{name: "the peer does not trust the server", client: func(f *front, c *tls.Config) { c.RootCAs = x509.NewCertPool() },
			sees: func(err error) bool { return strings.Contains(err.Error(), "unknown authority") }, result: "peer_alert",
			says: []string{"the peer sent the alert bad_certificate", "does not trust this gateway's certificate", "CN=test CA"}},
		{name: "unlisted fingerprint", clients: clientsOf(identity.Client{Name: "campus", Fingerprints: [][32]byte{{1}, {2}}}),
			sees: closed, result: "unknown_client", says: []string{"campus: fingerprint is not among its 2", "san_dns=ap1.campus.example", "subject="}},
		{name: "SAN mismatch", clients: clientsOf(identity.Client{Name: "campus", SANDNS: []string{"*.other.example"}}, identity.Client{Name: "roaming", SANDNS: []string{"ap2.campus.example"}}),
			sees: closed, result: "unknown_client",
			says: []string{"campus: no SAN dNSName matches *.other.example; roaming: no SAN dNSName matches ap2.campus.example"}},
		{name: "network of another client", clients: clientsOf(
			identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			identity.Client{Name: "here", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, SANDNS: []string{"x.example"}}),
			sees: closed, result: "unknown_client", says: []string{"campus: source 127.0.0.1 is not in 192.0.2.0/24; here: no SAN"}},
		{name: "unknown network", clients: clientsOf(identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}),
			sees: ended, result: "unknown_network", says: []string{"campus: source 127.0.0.1 is not in 192.0.2.0/24"}},
	} {
		t.Run(c.name, func(t *testing.T) {
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
					seen = readToEnd(conn) // with TLS 1.3 the server's refusal comes after our Finished
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
			f.wantLine(append([]string{"RadSec connection refused", "result=" + c.result, "peer=127.0.0.1:"}, c.says...)...)
			if len(f.opened) != 0 {
				t.Error("a refused peer got a session")
			}
		})
	}
}

// RFC 6614bis §3.5: a resumed session gets the same check, by the rules of the
// moment.
//
// Rules: P110
func TestResumptionIsAuthorisedAgain(t *testing.T) {
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

// RFC 6614bis §3.1: several connections of one client are accepted, up to its
// limit. RFC 6614bis §7.4: limits are enforced when set.
//
// Rules: P111, P112
func TestLimitsOnConnections(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.Clients = []*Client{{Client: identity.Client{Name: "campus"}, MaxConnections: 2}}
	})
	_, one := f.dial()
	_, two := f.dial()
	if one.session.Client().Name != "campus" || two.session.Client().Name != "campus" {
		t.Fatal("the two connections are not of one client")
	}
	third := must(tls.Dial("tcp", f.addr, f.clientConfig()))
	if err := readToEnd(third); err != io.EOF {
		t.Errorf("the third connection of the client sees %v, want close_notify", err)
	}
	third.Close()
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="too_many"}`, 1)
	f.wantLine("result=too_many", "client campus has 2 connections, which is its limit")
	f.wantMetric(`radsec_gw_tls_client_connections{client="campus"}`, 2)

	one.session.Close("a test needs the place")
	await(t, one.closed, "the first session to end")
	f.dialUntilAccepted()
	f.stop()
	f.wantMetric(`radsec_gw_tls_client_connections{client="campus"}`, 0)
	f.wantMetric(`radsec_gw_tls_client_connections_total{client="campus"}`, 3)
	f.wantLine("RadSec connection closed", "a test needs the place", "reason=closed_locally")
}

// dialUntilAccepted connects again until a place is free: the server frees it
// a moment after the peer has seen the end.
func (f *front) dialUntilAccepted() *testHandler {
	f.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c := must(tls.Dial("tcp", f.addr, f.clientConfig()))
		f.t.Cleanup(func() { c.Close() })
		select {
		case p := <-f.opened:
			return p
		case <-time.After(50 * time.Millisecond): // the place was not free yet
		}
	}
	f.t.Fatal("no place became free")
	return nil
}

// RFC 6614bis §7.4: connections are bounded in all. Those that never say a word
// give way to new ones; those that are in use do not.
//
// Rules: P112
func TestLimitOnAllConnections(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.MaxConnections = 2 })
	silent := must(net.Dial("tcp", f.addr))
	defer silent.Close()
	f.awaitMetric("radsec_gw_tls_silent_connections", 1)
	f.dial()
	f.dial() // in the place of the silent one
	if err := readToEnd(silent); err == nil {
		t.Error("the silent connection was not closed")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="displaced"}`, 1)
	third := must(net.Dial("tcp", f.addr))
	defer third.Close()
	if err := readToEnd(third); err != io.EOF {
		t.Errorf("the connection beyond the limit sees %v, want the end", err)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="too_many"}`, 1)
	f.wantLine("result=too_many", "2 connections are open, which is the limit")
}

// A reload keeps the connections whose client is still allowed.
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

// A client that is configured no more is let go with its last connection; one that
// is configured stays, connected or not.
func TestForgetClients(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	other := clientsOf(identity.Client{Name: "other", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	f.server.mu.Lock()
	f.server.states["held"] = &clientState{open: 1}
	f.server.mu.Unlock()
	f.setClients(other)
	await(t, p.closed, "the session to end when its client is gone")
	readToEnd(c)
	f.awaitMetric(`radsec_gw_tls_client_connections{client="campus"}`, 0)
	if got := f.server.RemoveClients(); fmt.Sprint(got) != "[held]" {
		t.Errorf("the one client with a connection should be left, but %q are", got)
	}
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	if f.server.states["campus"] != nil || f.server.states["other"] == nil {
		t.Errorf("the client campus should be let go and other should stay, but there are %v", f.server.states)
	}
}

func TestWeakClientAuthIsWarnedAbout(t *testing.T) {
	for mode, says := range map[identity.ClientAuth]string{identity.OptionalCertificate: "optional", identity.NoCertificate: "none"} {
		f := startTCP(t, func(f *front, cfg *Config) { cfg.ClientAuth = mode })
		cfg := f.clientConfig()
		cfg.Certificates = nil
		c := must(tls.Dial("tcp", f.addr, cfg))
		await(t, f.opened, "a client without certificate, which "+says+" allows")
		c.Close()
		f.stop()
		f.wantLine("level=WARN", `client_auth is \"`+says+`\"`)
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	f := startTCP(t, nil)
	good := f.server.cfg
	for want, change := range map[string]func(*Config){
		"no listener":          func(c *Config) { c.Listeners = nil },
		"TLS 1.2 is the least": func(c *Config) { c.MinVersion = tls.VersionTLS11 },
		"of a client CA":       func(c *Config) { c.ClientCA = nil },
		"whole leftmost label": func(c *Config) {
			c.Clients = f.openAll(clientsOf(identity.Client{Name: "x", SANDNS: []string{"a*.example"}}))
		},
		"two clients have": func(c *Config) {
			c.Clients = f.openAll(clientsOf(identity.Client{Name: "x"}, identity.Client{Name: "x"}))
		},
		"has no name":           func(c *Config) { c.Clients = f.openAll([]*Client{{}}) },
		"has no Open function":  func(c *Config) { c.Clients = clientsOf(identity.Client{Name: "x"}) },
		"write buffer":          func(c *Config) { c.WriteBuffer = 100 },
		"no server certificate": func(c *Config) { c.Certificate = tls.Certificate{} },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New reports %v, want something with %q", err, want)
		}
	}
}
