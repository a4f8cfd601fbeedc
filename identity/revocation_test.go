package identity

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

func TestParseCRLs(t *testing.T) {
	p := newPKI(t)
	now := time.Now()
	der := must(p.ca.CRL(now, now.Add(time.Hour), p.client))
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	for _, c := range []struct {
		says   string
		octets []byte
		lists  int
		err    string
	}{
		{"DER", der, 1, ""},
		{"PEM", text, 1, ""},
		{"two in PEM", append(append([]byte{}, text...), text...), 2, ""},
		{"a certificate", p.ca.CertPEM(), 0, `expected PEM blocks of type "X509 CRL", came "CERTIFICATE"`},
		{"half a PEM block", text[:100], 0, "came none that is whole"},
		{"nothing", nil, 0, "revocation list 1:"},
		{"noise", []byte("noise"), 0, "revocation list 1:"},
	} {
		lists, err := ParseCRLs(c.octets)
		if len(lists) != c.lists || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d lists and %v, want %d and %q", c.says, len(lists), err, c.lists, c.err)
		}
	}
	stranger := must(certs.NewCA("test CA"))
	if _, err := SignerOf(must(ParseCRLs(der))[0], []*x509.Certificate{stranger.Certificate}); err == nil {
		t.Error("a list of another CA of the same name is taken")
	}
	if _, err := NewVerifier(&Config{ClientCA: stranger.CertPEM(), CRLs: must(ParseCRLs(der))}, nil); err == nil {
		t.Error("a Verifier takes a list that its CA has not signed")
	}
}

// Octets of any kind neither crash the reading of lists nor take it long.
func FuzzParseCRLs(f *testing.F) {
	ca := must(certs.NewCA("fuzz CA"))
	now := time.Unix(1_700_000_000, 0)
	der := must(ca.CRL(now, now.Add(time.Hour), must(ca.Client("x"))))
	f.Add(der)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
	f.Add([]byte("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lists, err := ParseCRLs(b)
		if err == nil && len(lists) == 0 {
			t.Error("no list and no error")
		}
		for _, l := range lists {
			newRevocations([]*x509.RevocationList{l}, []*x509.Certificate{ca.Certificate})
		}
	})
}
