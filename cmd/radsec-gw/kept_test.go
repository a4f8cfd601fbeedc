package main

import (
	"crypto/x509"
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
