package main

import (
	"bytes"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"
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
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "its signature does not fit") {
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
// stays, the gateway stays ready, and what was held back stays so.
func TestADamagedCABlamesNobody(t *testing.T) {
	o := startUnwatched(t)
	good := o.issueServer()
	o.reload()
	o.issueServer(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	if err := o.gw.reloadFiles(); err == nil {
		t.Fatal("an expired certificate is taken unasked")
	}
	der := bytes.Clone(o.ca.Pair.Certificate.Raw)
	at := bytes.Index(der, o.ca.Pair.Certificate.RawSubjectPublicKeyInfo) + len(o.ca.Pair.Certificate.RawSubjectPublicKeyInfo)
	for i := 1; ; i++ { // until another point of the curve is found
		other := bytes.Clone(der)
		other[at-i] ^= 1
		if c, err := x509.ParseCertificate(other); err == nil && c.PublicKey != nil {
			der = other
			break
		}
		if i == 32 {
			t.Fatal("no other point of the curve is near")
		}
	}
	o.put("ca.pem", pemOf("CERTIFICATE", der))
	for range 3 {
		_ = o.gw.reloadFiles()
		if !o.presents(good) {
			t.Fatal("the expired certificate is in force, because the CA of the good one is damaged")
		}
	}
	if status, text := o.get("/readyz"); status != 200 {
		t.Errorf("not ready, because the CA in client_ca is damaged: %s", text)
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
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "other octets") {
		t.Errorf("a look at the files gives %v, expected that the certificate is damaged", err)
	}
	if !o.presents(good) {
		t.Error("the damaged certificate is in force though nobody asked for it")
	}
}
