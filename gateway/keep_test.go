package gateway

import (
	"bytes"
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// refusals are certificates that every client refuses, with a part of the reason.
var refusals = []struct {
	name   string
	change certs.Change
	why    string
}{
	{"expired", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}, "expired on"},
	{"not valid yet", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	}, "is not valid before"},
	{"for clients only", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "is not for servers"},
}

// A certificate that clients refuse does not replace one that they accept because its file
// has changed. Everything else that has changed is put in use, and the log says so once.
func TestWorseCertificateIsNotUsedUnrequested(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			g := startUnwatched(t)
			good := g.issueServer()
			if err := g.gw.reloadFiles(); err != nil || !g.presents(good) {
				t.Fatalf("expected a good certificate to be used because its file has changed, got %v", err)
			}
			g.issueServer(r.change)
			another := need(certs.NewCA("another CA"))
			g.put("ca.pem", append(g.ca.Pair.CertPEM(), another.Pair.CertPEM()...))
			err := g.gw.reloadFiles()
			if err == nil || !strings.Contains(err.Error(), r.why) || !strings.Contains(err.Error(), "SIGHUP") {
				t.Errorf("expected that the certificate %s and how to use it all the same, got %v", r.why, err)
			}
			if !g.presents(good) {
				t.Fatal("the worse certificate is in use although no reload was requested")
			}
			if n := len(g.gw.current.Load().files.fronts[0].clientCAs); n != 2 {
				t.Errorf("expected the 2 client CAs that the file has now, got %d", n)
			}
			g.wantReady("while the good certificate stays")
			g.connect("plain").good()
			g.wantReloads(1)
			if g.lines("level=ERROR", "reloaded without the new certificate", r.why) != 1 || g.lines("reload refused") != 0 {
				t.Errorf("expected one line about the certificate that is not in use, got the log\n%s", g.log)
			}

			g.put("ca.pem", g.ca.Pair.CertPEM())
			if err := g.gw.reloadFilesAt(time.Now().Add(time.Minute)); err == nil {
				t.Error("expected the error again when another file has changed, got none")
			}
			g.wantReloads(2)
			if g.lines("level=ERROR", "reloaded without the new certificate") != 1 {
				t.Errorf("expected the same reason to be logged once, got the log\n%s", g.log)
			}
			if err := g.gw.reloadFiles(); err != nil {
				t.Errorf("expected nothing about files that have not changed, got %v", err)
			}
		})
	}
}

// wantReloads wants so many reloads that have kept the certificate, and none refused.
func (g *testGateway) wantReloads(n float64) {
	g.t.Helper()
	counts := g.scrape()
	if kept, refused := counts[`radsec_gw_reloads_total{result="kept"}`], counts[`radsec_gw_reloads_total{result="refused"}`]; kept != n || refused != 0 {
		g.t.Errorf("expected %v reloads counted as kept, got %v kept and %v refused", n, kept, refused)
	}
}

// wantReady wants /readyz to say that the gateway is ready.
func (g *testGateway) wantReady(when string) {
	g.t.Helper()
	if status, text := g.get("/readyz"); status != 200 {
		g.t.Errorf("expected the gateway to be ready %s, got %d: %s", when, status, text)
	}
}

// A certificate that clients refuse is used if a reload is requested, with an error in the
// log, the metric and the status page, and the gateway is not ready. A better one is used
// immediately.
func TestWorseCertificateIsUsedWhenRequested(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			g := startUnwatched(t)
			g.wantReady("at the start")
			bad := g.issueServer(r.change)
			g.reload()
			if !g.presents(bad) {
				t.Fatal("the certificate is not in use although a reload was requested")
			}
			for _, text := range []string{"level=ERROR", "the reload was requested, and", `msg="the gateway's own certificate"`, r.why} {
				if !strings.Contains(g.log.String(), text) {
					t.Errorf("expected %q in the log, got\n%s", text, g.log)
				}
			}
			if got := g.scrape()["radsec_gw_certificate_refused{}"]; got != 1 {
				t.Errorf("expected radsec_gw_certificate_refused to be 1, got %v", got)
			}
			if status, text := g.get("/readyz"); status != 503 || !strings.Contains(text, r.why) {
				t.Errorf("expected /readyz to answer 503 and that the certificate %s, got %d %s", r.why, status, text)
			}
			if _, text := g.get("/"); !strings.Contains(text, r.why) {
				t.Errorf("the status page does not say that the certificate %s", r.why)
			}

			better := g.issueServer()
			if err := g.gw.reloadFiles(); err != nil || !g.presents(better) {
				t.Fatalf("expected a good certificate to replace one that clients refuse, got %v", err)
			}
			g.wantReady("with a good certificate")
			if got := g.scrape()["radsec_gw_certificate_refused{}"]; got != 0 {
				t.Errorf("expected radsec_gw_certificate_refused to be 0, got %v", got)
			}
		})
	}
}

// A reload that was requested and refused, and is retried because a file has changed, does not
// count as requested: the good certificate stays in use.
func TestWorseCertificateIsNotUsedByARetry(t *testing.T) {
	g := startUnwatched(t)
	good := g.issueServer()
	g.reload()
	g.put("ca.pem", g.ca.Pair.CertPEM()[:200])
	if err := g.gw.Reload(); err == nil {
		t.Fatal("expected a reload with half a CA to be refused")
	}
	r := refusals[0]
	g.issueServer(r.change)
	g.put("ca.pem", g.ca.Pair.CertPEM())
	if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), r.why) {
		t.Errorf("expected that the certificate %s, got %v", r.why, err)
	}
	if !g.presents(good) {
		t.Error("the worse certificate is in use although no reload was requested again")
	}
}

// A certificate that was skipped because it is not valid yet is used when it is.
func TestCertificateThatBecomesValidIsUsed(t *testing.T) {
	g := startUnwatched(t)
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	early := g.issueServer(func(c *x509.Certificate) { c.NotBefore = from })
	for _, step := range []struct {
		at   time.Time
		used bool
	}{{from.Add(-time.Hour), false}, {from.Add(-time.Second), false}, {from, true}} {
		_ = g.gw.reloadFilesAt(step.at) // returns at the first step why it is skipped
		if g.presents(early) != step.used {
			t.Errorf("%v from its start: the certificate is in use: %v", step.at.Sub(from), !step.used)
		}
	}
}

// The metric says that the new certificate is not in use, until there is a better one, or a
// requested reload uses it anyway.
func TestMetricOfASkippedCertificate(t *testing.T) {
	g := startUnwatched(t)
	g.issueServer()
	g.reload()
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	want := func(when string, value float64) {
		t.Helper()
		if got, shown := g.scrape()["radsec_gw_new_certificate_refused{}"]; !shown || got != value {
			t.Errorf("%s: radsec_gw_new_certificate_refused is %v (shown: %v), expected %v", when, got, shown, value)
		}
	}
	want("with a good certificate", 0)
	g.issueServer(expired)
	if err := g.gw.reloadFiles(); err == nil {
		t.Error("expected an error about the expired certificate, got none")
	}
	want("beside one that has expired", 1)
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("after a poll that finds no change", 1)
	g.issueServer()
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("with a better one", 0)
	g.issueServer(expired)
	if err := g.gw.reloadFiles(); err == nil {
		t.Error("expected an error about the expired certificate, got none")
	}
	want("beside one that has expired again", 1)
	g.reload()
	want("after a requested reload", 0)
}

// A new certificate whose signature is damaged is worse than a good one: it is not used
// because its file has changed.
func TestDamagedCertificateIsNotUsedUnrequested(t *testing.T) {
	g := startUnwatched(t)
	good := g.issueServer()
	g.reload()
	bad := g.issueServer()
	der := bytes.Clone(bad.Certificate.Raw)
	der[len(der)-1] ^= 1
	g.put("server.pem", pemOf("CERTIFICATE", der))
	if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "its signature does not verify") {
		t.Errorf("expected that the certificate is damaged, got %v", err)
	}
	if !g.presents(good) {
		t.Error("the damaged certificate is in use although no reload was requested")
	}
	g.wantReady("while the good certificate stays")
	g.put("server.pem", bad.CertPEM())
	if err := g.gw.reloadFiles(); err != nil || !g.presents(bad) {
		t.Errorf("expected the same certificate to be used when it is whole, got %v", err)
	}
}

// A reload that is refused does not change which certificate is skipped, and what the files
// held then is put in use by the next poll.
func TestRefusedReloadChangesNothing(t *testing.T) {
	g := startUnwatched(t)
	in := time.Now().Add(time.Hour).Truncate(time.Second)
	early := g.issueServer(func(c *x509.Certificate) { c.NotBefore = in })
	if err := g.gw.reloadFiles(); err == nil {
		t.Fatal("expected an error about a certificate that is not valid yet, got none")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	refused := func() {
		t.Helper()
		was, is := "[metrics]\naddress = \"127.0.0.1:0\"", "[metrics]\naddress = \""+taken.Addr().String()+"\""
		g.rewrite(was, is)
		if err := g.gw.Reload(); err == nil {
			t.Fatal("expected a reload with an address that is in use to be refused")
		}
		g.rewrite(is, was)
	}
	refused()
	if got := g.scrape()["radsec_gw_new_certificate_refused{}"]; got != 1 {
		t.Errorf("after a refused reload radsec_gw_new_certificate_refused is %v, expected 1", got)
	}
	if err := g.gw.reloadFilesAt(in); err != nil || !g.presents(early) {
		t.Errorf("expected the certificate to be used when it has become valid, got %v", err)
	}
	if got := g.scrape()["radsec_gw_new_certificate_refused{}"]; got != 0 {
		t.Errorf("it is in use, and radsec_gw_new_certificate_refused is %v", got)
	}
	good := g.issueServer()
	refused()
	if err := g.gw.reloadFiles(); err != nil || !g.presents(good) {
		t.Errorf("expected the certificate that was there when a reload was refused to be used, got %v", err)
	}
}

// A CA that is damaged in client_ca does not make the certificate that it has signed worse:
// that stays in use, the gateway stays ready, and a certificate that has expired does not
// replace it, whichever of the two is written first.
func TestDamagedCADoesNotBlameTheCertificate(t *testing.T) {
	for _, first := range []string{"the CA", "the certificate"} {
		g := startUnwatched(t)
		good := g.issueServer()
		g.reload()
		own := g.ca.Pair.Certificate
		damaged, err := certs.NewCA("", func(c *x509.Certificate) { c.RawSubject, c.SubjectKeyId = own.RawSubject, own.SubjectKeyId }) // only its key differs
		if err != nil {
			t.Fatal(err)
		}
		steps := []func(){
			func() { g.put("ca.pem", damaged.Pair.CertPEM()) },
			func() { g.issueServer(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }) },
		}
		if first == "the certificate" {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			step()
			for range 2 {
				_ = g.gw.reloadFiles() // returns an error about the expired certificate
			}
			if !g.presents(good) {
				t.Errorf("%s first: the good certificate is no longer in use", first)
			}
			g.wantReady("with " + first + " first")
		}
	}
}

// A certificate that is the current one with changed bytes is damaged, even if nothing else
// shows it.
func TestAlteredCertificateIsNotUsedUnrequested(t *testing.T) {
	g := startUnwatched(t)
	good := g.issueServer()
	g.reload()
	der := bytes.Clone(good.Certificate.Raw)
	at := bytes.LastIndex(der, good.Certificate.AuthorityKeyId)
	der[at] ^= 1
	g.put("server.pem", pemOf("CERTIFICATE", der))
	if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "but differs from it: one of the two is damaged") {
		t.Errorf("expected that the certificate is damaged, got %v", err)
	}
	if !g.presents(good) {
		t.Error("the damaged certificate is in use although no reload was requested")
	}
}
