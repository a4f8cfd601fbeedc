package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"testing"

	"radsec-gw/certs"
)

// However many clients are configured and however long their lists are, the
// explanation fits a log line.
func TestExplanationIsBounded(t *testing.T) {
	var cs []*Client
	for i := range 1000 {
		c := &Client{Name: fmt.Sprint("client", i)}
		for j := range 20 {
			c.SANDNS = append(c.SANDNS, fmt.Sprintf("%s%d.example", strings.Repeat("x", 300), j))
		}
		cs = append(cs, c)
	}
	text := Clients(cs).explain(&Peer{Leaf: &x509.Certificate{}, paths: ofClientCA})
	if len(text) > 8<<10 {
		t.Errorf("the explanation has %d octets, want at most 8192", len(text))
	}
	if !strings.HasPrefix(text, "client0: no SAN dNSName matches xxx") || !strings.HasSuffix(text, "; and 992 more clients") {
		t.Errorf("the explanation reads %.80q … %q", text, text[len(text)-40:])
	}
}

func TestFingerprintHasTheFormOfTheConfiguration(t *testing.T) {
	p := newPKI(t)
	if got, want := Fingerprint(p.client.Certificate), certs.FormatFingerprint(p.client.Fingerprint()); got != want {
		t.Errorf("Fingerprint gives %s, the certs command %s", got, want)
	}
}

// Names of a peer's that are very long are not written out.
func TestLongNamesAreNotWrittenOut(t *testing.T) {
	f := newForger()
	c := must(x509.ParseCertificate(f.certificate(pkix.Name{OrganizationalUnit: many(500)}, pkix.Name{CommonName: "x"}, nil)))
	if got := subjectOf(c); !strings.HasPrefix(got, "(a name of ") || len(got) > 100 {
		t.Errorf("a subject of %d bytes is written as %q", len(c.RawSubject), got)
	}
	if got := subjectOf(must(certs.NewCA("short")).Certificate); !strings.Contains(got, "CN=short") {
		t.Errorf("a short subject is written as %q", got)
	}
	if got := plain(errors.New(strings.Repeat("x", 5000))); len(got) > 1100 {
		t.Errorf("an error of 5000 bytes is written as %d", len(got))
	}
}
