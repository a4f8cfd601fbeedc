package identity

import (
	"crypto/x509"
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
	text := Clients(cs).explain(&Peer{Leaf: &x509.Certificate{}})
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
