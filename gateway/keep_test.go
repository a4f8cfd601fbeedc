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

// A certificate that clients refuse never replaces one that they take because its
// file has changed; what else has changed is taken. Asked for, it is, with an error
// in the log, the metric and the page, and the gateway is not ready. A better one is
// taken at once.
func TestWorseCertificateIsNotUsedUnasked(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			g := startUnwatched(t)
			if status, text := g.get("/readyz"); status != 200 {
				t.Fatalf("not ready at the start: %s", text)
			}
			good := g.issueServer()
			if err := g.gw.reloadFiles(); err != nil || !g.presents(good) {
				t.Fatalf("a good certificate is not taken because its file has changed: %v", err)
			}
			bad := g.issueServer(r.change)
			another, err := certs.NewCA("another CA")
			if err != nil {
				t.Fatal(err)
			}
			g.put("ca.pem", append(g.ca.Pair.CertPEM(), another.Pair.CertPEM()...))
			err = g.gw.reloadFiles()
			if err == nil || !strings.Contains(err.Error(), r.why) || !strings.Contains(err.Error(), "SIGHUP") {
				t.Errorf("a look at the files gives %v, expected that the certificate %s and how to take it all the same", err, r.why)
			}
			if !g.presents(good) {
				t.Fatal("the worse certificate is in force though nobody asked for it")
			}
			if n := len(g.gw.current.Load().files.clientCAs); n != 2 {
				t.Errorf("the client CA has %d certificates, expected the 2 that its file has now", n)
			}
			if status, text := g.get("/readyz"); status != 200 {
				t.Errorf("not ready though the good certificate stays: %s", text)
			}
			g.connect("plain").good()
			counts := g.scrape()
			if kept, refused := counts[`radsec_gw_reloads_total{result="kept"}`], counts[`radsec_gw_reloads_total{result="refused"}`]; kept != 1 || refused != 0 {
				t.Errorf("expected the reload counted as kept, got %v kept and %v refused", kept, refused)
			}
			if g.lines("level=ERROR", "reloaded without the new certificate", r.why) != 1 || g.lines("reload refused") != 0 {
				t.Errorf("expected one line about the certificate that is not in force, got the log\n%s", g.log)
			}
			g.put("ca.pem", g.ca.Pair.CertPEM())
			if err := g.gw.reloadFilesAt(time.Now().Add(time.Minute)); err == nil {
				t.Error("expected the error again when another file has changed, got none")
			}
			if kept := g.scrape()[`radsec_gw_reloads_total{result="kept"}`]; kept != 2 {
				t.Errorf("expected 2 reloads counted as kept, got %v", kept)
			}
			if g.lines("level=ERROR", "reloaded without the new certificate") != 1 {
				t.Errorf("expected the same reason to be told once, got the log\n%s", g.log)
			}
			if err := g.gw.reloadFiles(); err != nil {
				t.Errorf("the same files are refused a second time: %v", err)
			}

			g.reload()
			if !g.presents(bad) {
				t.Fatal("the certificate is not in force though a reload was asked for")
			}
			for _, text := range []string{"level=ERROR", "because it was asked for", `msg="the gateway's own certificate"`, r.why} {
				if !strings.Contains(g.log.String(), text) {
					t.Errorf("the log lacks %q:\n%s", text, g.log)
				}
			}
			if got := g.scrape()["radsec_gw_certificate_refused{}"]; got != 1 {
				t.Errorf("radsec_gw_certificate_refused is %v, expected 1", got)
			}
			if status, text := g.get("/readyz"); status != 503 || !strings.Contains(text, r.why) {
				t.Errorf("/readyz answers %d %s, expected 503 and that the certificate %s", status, text, r.why)
			}
			if _, text := g.get("/"); !strings.Contains(text, r.why) {
				t.Errorf("the status page does not say that the certificate %s", r.why)
			}

			better := g.issueServer()
			if err := g.gw.reloadFiles(); err != nil || !g.presents(better) {
				t.Fatalf("a good certificate does not replace one that clients refuse: %v", err)
			}
			if status, text := g.get("/readyz"); status != 200 {
				t.Errorf("not ready with a good certificate: %s", text)
			}
			if got := g.scrape()["radsec_gw_certificate_refused{}"]; got != 0 {
				t.Errorf("radsec_gw_certificate_refused is %v, expected 0", got)
			}
		})
	}
}

// A reload that was refused when it was asked for, and is tried again because a file has
// changed, is not asked for that often: the good certificate stays.
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
		t.Errorf("the other try gives %v, expected that the certificate %s", err, r.why)
	}
	if !g.presents(good) {
		t.Error("the worse certificate is in force though nobody asked for it again")
	}
}

// A certificate that was left out because it is not valid yet is taken when it is.
func TestCertificateThatBecomesValidIsUsed(t *testing.T) {
	g := startUnwatched(t)
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	early := g.issueServer(func(c *x509.Certificate) { c.NotBefore = from })
	for _, step := range []struct {
		at    time.Time
		taken bool
	}{{from.Add(-time.Hour), false}, {from.Add(-time.Second), false}, {from, true}} {
		_ = g.gw.reloadFilesAt(step.at) // says on the first step why it is left out
		if g.presents(early) != step.taken {
			t.Errorf("%v from its start: the certificate is in force: %v", step.at.Sub(from), !step.taken)
		}
	}
}

// The metric says that the new certificate is not in force for as long as that is so:
// until a better one comes, or a reload that was asked for takes it all the same.
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
		t.Error("a look at the files takes the expired certificate without an error")
	}
	want("beside one that has expired", 1)
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("after a look that finds no change", 1)
	g.issueServer()
	if err := g.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("with a better one", 0)
	g.issueServer(expired)
	if err := g.gw.reloadFiles(); err == nil {
		t.Error("a look at the files takes the expired certificate without an error")
	}
	want("beside one that has expired again", 1)
	g.reload()
	want("after a reload that was asked for", 0)
}

// A new certificate whose signature is damaged is worse than a good one: it is not taken
// because its file has changed.
func TestDamagedCertificateIsNotUsedUnasked(t *testing.T) {
	g := startUnwatched(t)
	good := g.issueServer()
	g.reload()
	bad := g.issueServer()
	der := bytes.Clone(bad.Certificate.Raw)
	der[len(der)-1] ^= 1
	g.put("server.pem", pemOf("CERTIFICATE", der))
	if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "its signature does not verify") {
		t.Errorf("a look at the files gives %v, expected that the certificate is damaged", err)
	}
	if !g.presents(good) {
		t.Error("the damaged certificate is in force though nobody asked for it")
	}
	if status, text := g.get("/readyz"); status != 200 {
		t.Errorf("not ready though the good certificate stays: %s", text)
	}
	g.put("server.pem", bad.CertPEM())
	if err := g.gw.reloadFiles(); err != nil || !g.presents(bad) {
		t.Errorf("the same certificate is not taken when it is whole: %v", err)
	}
}

// A reload that is refused, asked for or not, changes nothing of what was held back, and
// what lay in the files then is taken by the next look at them.
func TestRefusedReloadChangesNothing(t *testing.T) {
	g := startUnwatched(t)
	in := time.Now().Add(time.Hour).Truncate(time.Second)
	early := g.issueServer(func(c *x509.Certificate) { c.NotBefore = in })
	if err := g.gw.reloadFiles(); err == nil {
		t.Fatal("a certificate that is not valid yet is taken unasked")
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
			t.Fatal("a reload with an address that is in use is not refused")
		}
		g.rewrite(is, was)
	}
	refused()
	if got := g.scrape()["radsec_gw_new_certificate_refused{}"]; got != 1 {
		t.Errorf("after a refused reload radsec_gw_new_certificate_refused is %v, expected 1", got)
	}
	if err := g.gw.reloadFilesAt(in); err != nil || !g.presents(early) {
		t.Errorf("the certificate is not taken when it has become valid: %v", err)
	}
	if got := g.scrape()["radsec_gw_new_certificate_refused{}"]; got != 0 {
		t.Errorf("it is in force, and radsec_gw_new_certificate_refused is %v", got)
	}
	good := g.issueServer()
	refused()
	if err := g.gw.reloadFiles(); err != nil || !g.presents(good) {
		t.Errorf("a certificate that lay there when a reload was refused is not taken: %v", err)
	}
}

// A CA that is damaged in client_ca is no fault of the certificate that it has signed: that
// stays, the gateway stays ready, and a certificate that has expired does not take its
// place, whichever of the two comes first.
func TestDamagedCADoesNotBlameTheCertificate(t *testing.T) {
	for _, first := range []string{"the CA", "the certificate"} {
		g := startUnwatched(t)
		good := g.issueServer()
		g.reload()
		own := g.ca.Pair.Certificate
		damaged, err := certs.NewCA("", func(c *x509.Certificate) { c.RawSubject, c.SubjectKeyId = own.RawSubject, own.SubjectKeyId }) // all but its key is as it was
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
				_ = g.gw.reloadFiles() // tells of the certificate that has expired
			}
			if !g.presents(good) {
				t.Errorf("%s first: the good certificate is not in force any more", first)
			}
			if status, text := g.get("/readyz"); status != 200 {
				t.Errorf("%s first: not ready: %s", first, text)
			}
		}
	}
}

// A certificate that is the one in force with other octets is damaged, also where nothing
// else would say so.
func TestAlteredCertificateIsNotUsedUnasked(t *testing.T) {
	g := startUnwatched(t)
	good := g.issueServer()
	g.reload()
	der := bytes.Clone(good.Certificate.Raw)
	at := bytes.LastIndex(der, good.Certificate.AuthorityKeyId)
	der[at] ^= 1
	g.put("server.pem", pemOf("CERTIFICATE", der))
	if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "but differs from it: one of the two is damaged") {
		t.Errorf("a look at the files gives %v, expected that the certificate is damaged", err)
	}
	if !g.presents(good) {
		t.Error("the damaged certificate is in force though nobody asked for it")
	}
}
