package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// The files are polled at the interval. A new interval applies immediately, also after none,
// and setting the same one does not postpone a poll.
//
// Rules: P109
func TestPollerFollowsTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		polls := ""
		poller := newPoller(10 * time.Second)
		go poller.run(ctx, func() { polls += fmt.Sprint(" ", time.Since(start)) })
		want := func(what string, until time.Duration, expected string) {
			t.Helper()
			<-time.After(until - time.Since(start)) // of faked time
			synctest.Wait()
			if polls != expected {
				t.Errorf("%s: expected polls after%s, got%s", what, expected, polls)
			}
			polls = ""
		}
		want("at first", 21*time.Second, " 10s 20s")
		poller.setInterval(10 * time.Second)
		want("the same interval", 31*time.Second, " 30s")
		poller.setInterval(2 * time.Second)
		want("a shorter one", 36*time.Second, " 33s 35s")
		poller.setInterval(time.Hour)
		poller.setInterval(3 * time.Second)
		want("two changes", 43*time.Second, " 39s 42s")
		poller.setInterval(0)
		want("none", 5*time.Hour, "")
		poller.setInterval(time.Second)
		want("on again", 5*time.Hour+2500*time.Millisecond, " 5h0m1s 5h0m2s")
		cancel()
		synctest.Wait()
		want("ended", 6*time.Hour, "")
	})
}

// Certificates and lists are reloaded when their files change: new connections get the new
// certificate, open ones are closed when their client is revoked. A key that does not belong
// to the certificate is refused.
//
// Rules: P109
func TestFilesAreWatched(t *testing.T) {
	g := startGateway(t, answering(t))
	now := time.Now()
	list := func(revoked ...*certs.Pair) []byte {
		der, err := certstest.CRL(g.ca, now, now.Add(time.Hour), revoked...)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	g.put("ca.crl", list())
	g.rewrite("client_ca = \"ca.pem\"\n", "client_ca = \"ca.pem\"\ncrl = [\"ca.crl\"]\nreload_interval = \"20ms\"\n")
	g.reload()
	plain, strict := g.connect("plain"), g.connect("strict")
	plain.good()

	next, err := g.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		t.Fatal(err)
	}
	key, err := next.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	g.awaitReloads("taken", 1)
	g.put("server.pem", next.CertPEM())
	g.awaitLog("is not the key of the first certificate")
	g.connect("plain").good()
	g.put("server.key", key)
	g.awaitReloads("taken", 2)
	c := g.connect("plain")
	if got := c.ConnectionState().PeerCertificates[0]; !bytes.Equal(got.Raw, next.Certificate.Raw) {
		t.Error("expected a new connection to get the new certificate, got the old one")
	}
	plain.good()

	g.put("ca.crl", list(g.pairs["strict"]))
	if strict.read() != nil {
		t.Error("expected the connection of the revoked client closed, it is open")
	}
	plain.good()
	cfg := g.tls("strict")
	cfg.MaxVersion = tls.VersionTLS12
	if c, err := tls.Dial("tcp", g.gw.Addr().String(), cfg); err == nil {
		c.Close()
		t.Error("the revoked client connects again")
	}
}
