package tlsfront

import (
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/identity"
	"radsec-gw/sessions"
)

// At the end of Serve connections are closed with close_notify, and every goroutine has
// ended, even with a peer that does not read.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		_, deaf := f.dialPipe(l)
		l.connect() // in the middle of its handshake
		synctest.Wait()
		ended := make(chan error)
		go func() { _, err := io.Copy(io.Discard, c); ended <- err }()
		start := time.Now()
		f.stop()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("the end took %v, want at most 2 s", d)
		}
		if err := <-ended; err != nil {
			t.Errorf("the client sees %v, want close_notify", err)
		}
		<-p.closed
		<-deaf.closed
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="shutdown"}`, 2)
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="shutdown"}`, 1)
	})
}

// elsewhere returns two clients: one with the certificate, but other networks, and one
// with the networks, but another certificate.
func elsewhere() []*sessions.Client {
	return clientsOf(
		identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		identity.Client{Name: "here", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, SANDNS: []string{"x.example"}})
}

// A resumed session is checked by the current source and rules: a client outside of its
// networks is refused as in a full handshake (RFC 6614bis §3.5).
//
// Rules: P108, P110
func TestResumptionChecksTheSource(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		f := startTCP(t, nil)
		cfg := f.resuming(version)
		f.exchange(cfg)
		if _, _, resumed := f.exchange(cfg); !resumed {
			t.Fatalf("%s: the second connection is not resumed", tls.VersionName(version))
		}
		f.setClients(elsewhere())
		c, err := tls.Dial("tcp", f.addr, cfg)
		if err == nil {
			if !c.ConnectionState().DidResume {
				t.Errorf("%s: the third connection is not resumed: the test proves nothing", tls.VersionName(version))
			}
			err = readToEnd(c)
			c.Close()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: the client sees %v, expected the end", tls.VersionName(version), err)
		}
		f.awaitMetric(`radsec_gw_tls_handshakes_total{result="unknown_client"}`, 1)
	}
}

// RFC 6614bis §3.1: several connections of one client are accepted, up to its limit. RFC
// 6614bis §7.4: limits are enforced when set.
//
// Rules: P111, P112
func TestLimitsOnConnections(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.Clients = []*sessions.Client{{Client: identity.Client{Name: "campus"}, MaxConnections: 2}}
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

	one.session.Close("the test needs a connection")
	await(t, one.closed, "the first session to end")
	f.dialUntilAccepted()
	f.stop()
	f.wantMetric(`radsec_gw_tls_client_connections{client="campus"}`, 0)
	f.wantMetric(`radsec_gw_tls_client_connections_total{client="campus"}`, 3)
	f.wantLine("RadSec connection closed", "the test needs a connection", "reason=closed_locally")
}

// dialUntilAccepted connects until a connection is accepted: the server may count the
// end of another one after the peer has seen it.
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

// Serve warns if a certificate is not required.
func TestWeakClientAuthIsWarnedAbout(t *testing.T) {
	for mode, name := range map[identity.ClientAuth]string{identity.OptionalCertificate: "optional", identity.NoCertificate: "none"} {
		f := startTCP(t, func(f *front, cfg *Config) { cfg.ClientAuth = mode })
		cfg := f.clientConfig()
		cfg.Certificates = nil
		c := must(tls.Dial("tcp", f.addr, cfg))
		await(t, f.opened, "a client without certificate, which "+name+" allows")
		c.Close()
		f.stop()
		f.wantLine("level=WARN", `client_auth is \"`+name+`\"`)
	}
}
