package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// Lists are compared by issuer, key and scope, each newest with newest.
func TestLosses(t *testing.T) {
	ca, err := certs.NewCA("CA")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	list := func(at time.Time) *x509.RevocationList {
		der, err := ca.CRL(at, at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	of := func(lists ...*x509.RevocationList) *material {
		return &material{clientCAs: []*x509.Certificate{ca.Certificate}, crls: lists}
	}
	first, second := list(now), list(now.Add(time.Minute))
	one := [][]*x509.Certificate{{ca.Certificate}}
	twin, err := certs.NewCA("CA")
	if err != nil {
		t.Fatal(err)
	}
	nameless := func(l *x509.RevocationList) *x509.RevocationList { // as openssl makes them without crl_extensions
		c := *l
		c.AuthorityKeyId = nil
		return &c
	}
	der, err := twin.CRL(now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	twins, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	both := []*x509.Certificate{ca.Certificate, twin.Certificate}
	for _, x := range []struct {
		name          string
		before, after *material
		want          string // how the line begins; "": none
	}{
		{"newer", of(first), of(second), ""},
		{"older", of(second), of(first), "a revocation list is older"},
		{"older beside the newer", of(second), of(first, second), ""},
		{"one of two of an issuer", of(first, second), of(second), ""},
		{"gone", of(first), of(), "a revocation list is gone"},
		{"gone with its CA", of(first), &material{}, "a CA is gone"},
		{"the same", of(first), of(first), ""},
		{"that of one of two CAs of one name", &material{clientCAs: both, crls: []*x509.RevocationList{nameless(first), nameless(twins)}}, &material{clientCAs: both, crls: []*x509.RevocationList{nameless(twins)}}, "a revocation list is gone"},
		{"a client's CA", &material{ownCAs: one}, &material{}, "a CA is gone"},
		{"a client's CA that is the client CA", &material{clientCAs: one[0], ownCAs: one}, &material{}, "a CA is gone"},
		{"an intermediate", &material{intermediates: one[0]}, &material{}, "a CA is gone"},
		{"the list of a client's CA", &material{ownCAs: one, crls: []*x509.RevocationList{first}}, &material{ownCAs: one}, "a revocation list is gone"},
		{"shorter chain", &material{pair: tls.Certificate{Certificate: make([][]byte, 2)}}, &material{pair: tls.Certificate{Certificate: make([][]byte, 1)}}, "the certificate's chain is shorter"},
	} {
		got := losses(x.before, x.after)
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0].text, x.want)) {
			t.Errorf("%s: expected one line %q, got %v", x.name, x.want, got)
		}
	}
}
