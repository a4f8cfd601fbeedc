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

// The metric says that the new certificate is not in force for as long as that is so:
// until a better one comes, or a reload that was asked for takes it all the same.
func TestMetricOfANewCertificateThatIsRefused(t *testing.T) {
	o := startUnwatched(t)
	o.issueServer()
	o.reload()
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	want := func(when string, value float64) {
		t.Helper()
		if got, shown := o.scrape()["radsec_gw_new_certificate_refused{}"]; !shown || got != value {
			t.Errorf("%s: radsec_gw_new_certificate_refused is %v (shown: %v), expected %v", when, got, shown, value)
		}
	}
	want("with a good certificate", 0)
	o.issueServer(expired)
	if err := o.gw.reloadFiles(); err == nil {
		t.Error("a look at the files takes the expired certificate without an error")
	}
	want("beside one that has expired", 1)
	if err := o.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("after a look that finds no change", 1)
	o.issueServer()
	if err := o.gw.reloadFiles(); err != nil {
		t.Error(err)
	}
	want("with a better one", 0)
	o.issueServer(expired)
	if err := o.gw.reloadFiles(); err == nil {
		t.Error("a look at the files takes the expired certificate without an error")
	}
	want("beside one that has expired again", 1)
	o.reload()
	want("after a reload that was asked for", 0)
}

// A new certificate whose signature is damaged is worse than a good one: it is not taken
// because its file has changed.
func TestADamagedCertificateIsNotTakenUnasked(t *testing.T) {
	o := startUnwatched(t)
	good := o.issueServer()
	o.reload()
	bad := o.issueServer()
	der := bytes.Clone(bad.Certificate.Raw)
	der[len(der)-1] ^= 1
	o.put("server.pem", pemOf("CERTIFICATE", der))
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "its signature does not verify") {
		t.Errorf("a look at the files gives %v, expected that the certificate is damaged", err)
	}
	if !o.presents(good) {
		t.Error("the damaged certificate is in force though nobody asked for it")
	}
	if status, text := o.get("/readyz"); status != 200 {
		t.Errorf("not ready though the good certificate stays: %s", text)
	}
	o.put("server.pem", bad.CertPEM())
	if err := o.gw.reloadFiles(); err != nil || !o.presents(bad) {
		t.Errorf("the same certificate is not taken when it is whole: %v", err)
	}
}

// A reload that is refused, asked for or not, changes nothing of what was held back, and
// what lay in the files then is taken by the next look at them.
func TestARefusedReloadForgetsNothing(t *testing.T) {
	o := startUnwatched(t)
	in := time.Now().Add(time.Hour).Truncate(time.Second)
	early := o.issueServer(func(c *x509.Certificate) { c.NotBefore = in })
	if err := o.gw.reloadFiles(); err == nil {
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
		o.rewrite(was, is)
		if err := o.gw.Reload(); err == nil {
			t.Fatal("a reload with an address that is in use is not refused")
		}
		o.rewrite(is, was)
	}
	refused()
	if got := o.scrape()["radsec_gw_new_certificate_refused{}"]; got != 1 {
		t.Errorf("after a refused reload radsec_gw_new_certificate_refused is %v, expected 1", got)
	}
	if err := o.gw.reloadFilesAt(in); err != nil || !o.presents(early) {
		t.Errorf("the certificate is not taken when it has become valid: %v", err)
	}
	if got := o.scrape()["radsec_gw_new_certificate_refused{}"]; got != 0 {
		t.Errorf("it is in force, and radsec_gw_new_certificate_refused is %v", got)
	}
	good := o.issueServer()
	refused()
	if err := o.gw.reloadFiles(); err != nil || !o.presents(good) {
		t.Errorf("a certificate that lay there when a reload was refused is not taken: %v", err)
	}
}

// A CA that is damaged in client_ca is no fault of the certificate that it has signed: that
// stays, the gateway stays ready, and a certificate that has expired does not take its
// place, whichever of the two comes first.
func TestADamagedCABlamesNobody(t *testing.T) {
	for _, first := range []string{"the CA", "the certificate"} {
		o := startUnwatched(t)
		good := o.issueServer()
		o.reload()
		own := o.ca.Pair.Certificate
		damaged, err := certs.NewCA("", func(c *x509.Certificate) { c.RawSubject, c.SubjectKeyId = own.RawSubject, own.SubjectKeyId }) // all but its key is as it was
		if err != nil {
			t.Fatal(err)
		}
		steps := []func(){
			func() { o.put("ca.pem", damaged.Pair.CertPEM()) },
			func() { o.issueServer(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }) },
		}
		if first == "the certificate" {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			step()
			for range 2 {
				_ = o.gw.reloadFiles() // tells of the certificate that has expired
			}
			if !o.presents(good) {
				t.Errorf("%s first: the good certificate is not in force any more", first)
			}
			if status, text := o.get("/readyz"); status != 200 {
				t.Errorf("%s first: not ready: %s", first, text)
			}
		}
	}
}

// A certificate that is the one in force with other octets is damaged, also where nothing
// else would say so.
func TestAnAlteredCertificateIsNotTakenUnasked(t *testing.T) {
	o := startUnwatched(t)
	good := o.issueServer()
	o.reload()
	der := bytes.Clone(good.Certificate.Raw)
	at := bytes.LastIndex(der, good.Certificate.AuthorityKeyId)
	der[at] ^= 1
	o.put("server.pem", pemOf("CERTIFICATE", der))
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "but differs from it: one of the two is damaged") {
		t.Errorf("a look at the files gives %v, expected that the certificate is damaged", err)
	}
	if !o.presents(good) {
		t.Error("the damaged certificate is in force though nobody asked for it")
	}
}
