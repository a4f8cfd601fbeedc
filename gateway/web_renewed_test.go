package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// httpsGateway is a gateway whose [metrics] has a certificate.
type httpsGateway struct {
	t   *testing.T
	gw  *Gateway
	log *process.Output
	dir string
	ca  *certs.CA
}

// startHTTPS starts a gateway with the certificate first, which it has issued.
func startHTTPS(t *testing.T) (g *httpsGateway, first *certs.Pair) {
	t.Helper()
	dir, file := gatewaytest.Dir(t, strings.NewReplacer("[listen]\n", "[listen]\nreload_interval = \"0s\"\n",
		"[metrics]\n", "[metrics]\ncertificate = \"web.pem\"\nprivate_key = \"web.key\"\n").Replace(gatewaytest.Config(1812)))
	g = &httpsGateway{t: t, dir: dir, ca: need(certs.NewCA("HTTP"))}
	first = g.renew(true)
	g.gw, g.log = runWritten(t, planOf(t, file))
	return g, first
}

// renew makes a new pair, and writes its certificate or all of it.
func (g *httpsGateway) renew(whole bool, change ...certs.Change) *certs.Pair {
	g.t.Helper()
	pair := need(g.ca.Server([]string{"127.0.0.1"}, change...))
	gatewaytest.WriteFile(g.t, filepath.Join(g.dir, "web.pem"), pair.CertPEM())
	if whole {
		gatewaytest.WriteFile(g.t, filepath.Join(g.dir, "web.key"), need(pair.KeyPEM()))
	}
	return pair
}

// presents wants the HTTP side to present a certificate, whether it is valid or not.
func (g *httpsGateway) presents(want *certs.Pair) {
	g.t.Helper()
	c, err := tls.Dial("tcp", g.gw.MetricsAddr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0]; !got.Equal(want.Certificate) {
		g.t.Errorf("presents the certificate %x, expected %x", got.SerialNumber, want.Certificate.SerialNumber)
	}
}

// get returns what the HTTP side answers.
func (g *httpsGateway) get(path string) string {
	g.t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get("https://" + g.gw.MetricsAddr().String() + path)
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	return string(need(io.ReadAll(r.Body)))
}

// A renewed certificate of [metrics] is taken up when its files change, as that of [listen] is; a pair
// that does not match yet is not.
//
// Fault S6.
func TestRenewedCertificateOfMetricsIsTakenUp(t *testing.T) {
	g, first := startHTTPS(t)
	g.presents(first)
	g.renew(false)
	if err := g.gw.reloadFiles(); err == nil {
		t.Error("a certificate without its key was taken up")
	}
	g.presents(first)
	second := g.renew(true)
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	g.presents(second)
}

// A certificate of [metrics] that every client refuses does not replace a good one because
// its file has changed: the log, the status page and the metric say so. A better one is taken,
// and a requested reload takes any, with an error in the log.
//
// Fault T6.
func TestWorseCertificateOfMetricsIsNotUsedUnrequested(t *testing.T) {
	g, first := startHTTPS(t)
	metric := func(when, value string) {
		t.Helper()
		if !strings.Contains(g.get("/metrics"), "\nradsec_gw_new_certificate_refused "+value+"\n") {
			t.Errorf("%s: expected radsec_gw_new_certificate_refused to be %s", when, value)
		}
	}
	expired := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}
	g.renew(true, expired)
	err := g.gw.reloadFiles()
	if err == nil || !strings.Contains(err.Error(), "metrics.certificate: ") || !strings.Contains(err.Error(), "expired on") || !strings.Contains(err.Error(), "SIGHUP") {
		t.Errorf("expected that the certificate has expired and how to use it all the same, got %v", err)
	}
	g.presents(first)
	metric("beside one that has expired", "1")
	if text := g.log.String(); !strings.Contains(text, "reloaded without the new certificate") || !strings.Contains(text, "expired on") {
		t.Errorf("the log does not say that the certificate is not in use:\n%s", text)
	}
	if page := g.get("/"); !strings.Contains(page, "metrics.certificate") || !strings.Contains(page, "expired on") {
		t.Error("the status page does not say that the certificate is not in use")
	}
	if err := g.gw.reloadFiles(); err != nil {
		t.Errorf("expected nothing about files that have not changed, got %v", err)
	}
	second := g.renew(true)
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	g.presents(second)
	metric("with a better one", "0")
	bad := g.renew(true, expired)
	if err := g.gw.Reload(); err != nil {
		t.Error(err)
	}
	g.presents(bad)
	metric("after a requested reload", "0")
	if text := g.log.String(); !strings.Contains(text, "the reload was requested, and has replaced a certificate") {
		t.Errorf("the log does not say that the reload has replaced a good certificate:\n%s", text)
	}
	third := g.renew(true)
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	g.presents(third)
}

// A certificate of [metrics] where there was none is taken as it is: nothing better is lost.
func TestNoCertificateIsNotBetter(t *testing.T) {
	ca := need(certs.NewCA("HTTP"))
	pair := need(ca.Server([]string{"127.0.0.1"}, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }))
	if why := worse(&ownCertificate{}, &ownCertificate{pair: pair.TLS()}, time.Now()); why != "" {
		t.Errorf("an expired certificate is worse than none: %s", why)
	}
}
