package identity

import (
	"crypto/x509"
	"testing"
	"time"

	"radsec-gw/certs"
)

// A list counts only when a CA has signed it, whatever its issuer is called.
func TestListsOfStrangers(t *testing.T) {
	p := newPKI(t)
	now := time.Now()
	lists := must(certs.ParseCRLs("ca.crl", must(p.ca.CRL(now, now.Add(time.Hour), p.client))))
	stranger := must(certs.NewCA("test CA"))
	if _, err := SignerOf(lists[0], []*x509.Certificate{stranger.Certificate}); err == nil {
		t.Error("a list of another CA of the same name is taken")
	}
	if _, err := NewVerifier(&Config{ClientCA: []*x509.Certificate{stranger.Certificate}, CRLs: lists}, nil); err == nil {
		t.Error("a Verifier takes a list that its CA has not signed")
	}
}
