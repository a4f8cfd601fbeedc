package main

import (
	"bytes"
	"crypto/x509"
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
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "its signature is another") {
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
